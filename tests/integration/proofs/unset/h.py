import no_such_library  # type: ignore[import-not-found]  # that it is not there is what is tested
from airflow.sdk import DAG

# unset_module
with DAG("unset_" + "module", schedule=None, tags=[str(no_such_library)]):
    pass
