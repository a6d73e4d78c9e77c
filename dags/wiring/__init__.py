"""What several DAG files share of their wiring; `.airflowignore` tells Airflow that no DAG is in here."""
