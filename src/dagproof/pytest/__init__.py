"""The pytest plugin: an item for each rule and law, and fixtures."""
