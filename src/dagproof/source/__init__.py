"""What the source of a DAG folder says, without running any of it: names, calls, tasks, and who calls whom."""
