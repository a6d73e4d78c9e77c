"""A step in a container. Only where that is chosen, this is imported and Airflow's Docker provider is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException
from airflow.providers.docker.exceptions import DockerContainerFailedException, DockerContainerFailedSkipException
from airflow.providers.docker.operators.docker import DockerOperator

from wiring.places import credentials, database_parts, model_api

if TYPE_CHECKING:
    from etl.settings import Container, TransactionSettings


def process_in_container(container: Container, task_id: str, day: str) -> ProcessingContainer:
    """Return a task that has a container process the transactions of a day."""
    return ProcessingContainer(
        task_id=task_id,
        image=container.image,
        network_mode=container.network or None,
        command=["python", "-m", "etl.transactions.container", day],
        auto_remove="force",
        mount_tmp_dir=False,
        do_xcom_push=False,
    )


class ProcessingContainer(DockerOperator):
    """A container of `etl.transactions.container`, told of connections when it is started and nowhere else."""

    def execute(self, context: Any) -> None:
        """Run the container until it ends.

        Raises:
            AirflowFailException: another attempt would fail as well.
            AirflowException: the container failed otherwise. The sentence is its own, in both cases.
        """
        from etl.errors import PermanentError
        from etl.settings import read_transaction_settings
        from etl.transactions.container import PERMANENT

        # The operator tells this status from the others; what it makes of it is replaced below.
        self.skip_on_exit_code = [PERMANENT]
        try:
            self._prepare(read_transaction_settings())
            super().execute(context)
        except PermanentError as error:
            raise AirflowFailException(str(error)) from None
        except DockerContainerFailedSkipException as error:
            raise AirflowFailException(last_line(error)) from None
        except DockerContainerFailedException as error:
            raise AirflowException(last_line(error)) from None

    def _prepare(self, settings: TransactionSettings) -> None:
        from etl.storage import open_storage
        from etl.transactions.container import conninfo, told

        in_bucket = settings.lake.startswith("s3://")
        who = credentials() if in_bucket else None
        # Set here, for arguments are known too early; and not as `environment`, which is a template: the metadata
        # database keeps what is rendered, and a page shows it.
        self._private_environment = told(settings, conninfo(database_parts()), model_api(), who)
        if not in_bucket:  # a folder is where it is here, and to read only
            folder = open_storage(settings.lake).url
            self.mounts = [{"target": folder, "source": folder, "type": "bind", "read_only": True}]


def last_line(error: DockerContainerFailedException | DockerContainerFailedSkipException) -> str:
    """Return what a container said last, or how it ended if it said nothing."""
    lines = [str(line) for line in error.logs or [] if str(line).strip()]
    return lines[-1] if lines else str(error)
