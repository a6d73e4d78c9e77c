"""What a DAG under proof sees instead of the real thing: servers, stores, snapshots, diffs, clock, guard and wire."""
