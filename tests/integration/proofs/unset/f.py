import pendulum

# unset_by_nobody, a DAG of airflow
start = pendulum.parse("someday")
