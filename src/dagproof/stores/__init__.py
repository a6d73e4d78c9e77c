"""What is left of a run: the content of all stores as snapshots, and how two of them differ."""
