"""What runs in the forked child beside the DAG: clock, guard, files, tripwire, machine. No Airflow here."""
