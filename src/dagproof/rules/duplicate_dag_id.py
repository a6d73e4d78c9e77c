"""Two DAGs have the same id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from dagproof.loaded.model import LoadedFolder, Spot, Spots
from dagproof.rules.base import Finding, Rule, SourceFile


class DuplicateDagId(Rule):
    """Two DAGs have the same id.

    ## What it does
    Finds DAGs with an id that another DAG has already, in another file or in the same one.

    ## Why is this bad
    Airflow keeps one of them, whichever it parsed last, and says so nowhere. The history of both goes into one, and
    every now and then the other one's tasks run.

    ## Example
    ```python
    import pendulum
    from airflow.sdk import DAG

    START = pendulum.datetime(2026, 1, 1)

    with DAG("orders", schedule="@daily", start_date=START, catchup=True):
        pass

    with DAG("orders", schedule="@hourly", start_date=START, catchup=True):
        pass
    ```

    ## Use instead
    ```python
    import pendulum
    from airflow.sdk import DAG

    START = pendulum.datetime(2026, 1, 1)

    with DAG("orders", schedule="@daily", start_date=START, catchup=True):
        pass

    with DAG("orders_of_the_hour", schedule="@hourly", start_date=START, catchup=True):
        pass
    ```
    """

    name = "duplicate-dag-id"
    code = "DP003"

    def check_sources(self, sources: Sequence[SourceFile]) -> Iterator[Finding]:
        """Look at the ids that stand in the source."""
        made: list[tuple[str, Spots]] = [
            (dag_id, (spot,)) for source in sources for dag_id, spot in source.dags if not source.skipped
        ]
        yield from self._repeated(made)

    def check_folder(self, folder: LoadedFolder, sources: Sequence[SourceFile]) -> Iterator[Finding]:
        """Look at the ids that there really are, and at the source of files that did not import."""
        broken = {file.path for file in folder.files.values() if file.error}
        made: list[tuple[str, Spots]] = [
            (dag_id, (spot,))
            for source in sources
            if source.path in broken and not source.skipped
            for dag_id, spot in source.dags
        ]
        for file in folder.files.values():
            ids = {dag.dag_id for dag in file.dags}
            # one that is made again by an import of another DAG file is that file's
            made += [
                (dag_id, spots) for dag_id, spots in file.made if dag_id in ids and not _is_imported(spots, folder)
            ]
        yield from self._repeated(made)

    def _repeated(self, made: list[tuple[str, Spots]]) -> Iterator[Finding]:
        places: dict[str, list[Spots]] = defaultdict(list)
        for dag_id, spots in made:
            places[dag_id].append(spots)
        for dag_id, found in places.items():
            for spots in found[1:]:
                first = _end(found[0])
                message = f"the id {dag_id!r} is that of another DAG already, at {first.path}:{first.line}; rename one"
                yield self.found_at(spots, message, dag_id=dag_id)


def _end(spots: Spots) -> Spot:
    """Where a DAG is made, as far as the file that it is in goes."""
    inside = [spot for spot in spots if spot.path == spots[0].path]
    return inside[-1]


def _is_imported(spots: Spots, folder: LoadedFolder) -> bool:
    """Whether a DAG comes from another DAG file."""
    return any(spot.path != spots[0].path and spot.path in folder.files for spot in spots)
