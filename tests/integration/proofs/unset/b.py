from airflow.sdk import DAG, BaseHook

# unset_connection
url = BaseHook.get_connection("shop").get_uri()
with DAG("unset_" + "connection", schedule=None):
    pass
