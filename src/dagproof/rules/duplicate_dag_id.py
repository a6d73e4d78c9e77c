"""Two DAGs have the same id."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from dagproof.loaded.model import LoadedFolder, Spot, Spots
from dagproof.rules.base import Finding, Rule, SourceFile


class DuplicateDagId(Rule):
    """Two DAGs have the same id.

    ## What it does
    Finds DAGs with an id that another DAG has already, in another file or in the same one. Folders that are copies of
    each other (`dev/`, `stage/`, `prod/`) are one finding for each pair, and a doubtful one if they have names of
    environments: each may be deployed separately.

    ## Why is this bad
    Airflow keeps the one that it parsed last, and reports nothing. Both share one history, and now and then the tasks
    of the other one run.

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
        copies: dict[tuple[str, str], list[tuple[str, Spots]]] = defaultdict(list)
        for dag_id, found in places.items():
            first = _end(found[0])
            for spots in found[1:]:
                if trees := _trees(first.path, _end(spots).path):
                    copies[trees].append((dag_id, spots))
                else:
                    yield self._repeated_at(dag_id, first, spots)
        for trees, repeated in copies.items():
            if len(repeated) == 1 and not _is_environment(*trees):
                dag_id, spots = repeated[0]
                yield self._repeated_at(dag_id, _end(places[dag_id][0]), spots)
            else:
                yield self._copies(trees, repeated)

    def _repeated_at(self, dag_id: str, first: Spot, spots: Spots) -> Finding:
        message = f"another DAG already has the id {dag_id!r}, at {first.path}:{first.line}; rename one"
        return self.found_at(spots, message, dag_id=dag_id)

    def _copies(self, trees: tuple[str, str], repeated: list[tuple[str, Spots]]) -> Finding:
        """One finding for all that two folders have in common."""
        ids = [dag_id for dag_id, _ in repeated]
        more = f" and {len(ids) - 3} more" if len(ids) > 3 else ""
        message = (
            f"{trees[0]}/ and {trees[1]}/ make the same DAGs ({', '.join(ids[:3])}{more}): an Airflow that reads both "
            f"keeps one of each; rename them, or check one environment at a time, as in dagproof check {trees[0]}"
        )
        found = self.found_at(repeated[0][1], message, dag_id=ids[0], certain=not _is_environment(*trees))
        return replace(found, others=tuple((dag_id, None) for dag_id in ids[1:]))


ENVIRONMENT = re.compile(
    r"(?:^|[-_.])(?:dev|develop|development|test|testing|tst|int|integration|qa|uat|acc|acceptance|stage|stg|staging|"
    r"preprod|pre|prod|prd|production|live|sandbox|sbx|local|blue|green|v\d+)(?:$|[-_.\d])",
    re.IGNORECASE,
)


def _trees(first: str, second: str) -> tuple[str, str] | None:
    """Return the two folders of which files are copies: their paths differ in one folder's name, and nothing else."""
    one, other = first.split("/"), second.split("/")
    if len(one) != len(other) or one[-1] != other[-1]:
        return None
    differing = [n for n, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(differing) != 1:
        return None
    end = differing[0] + 1
    return "/".join(one[:end]), "/".join(other[:end])


def _is_environment(*folders: str) -> bool:
    """Whether folders are named as environments are, each of which may be deployed for itself."""
    return all(ENVIRONMENT.search(folder.rpartition("/")[2]) for folder in folders)


def _end(spots: Spots) -> Spot:
    """Where a DAG is made, as far as the file that it is in goes."""
    inside = [spot for spot in spots if spot.path == spots[0].path]
    return inside[-1]


def _is_imported(spots: Spots, folder: LoadedFolder) -> bool:
    """Whether a DAG comes from another DAG file."""
    return any(spot.path != spots[0].path and spot.path in folder.files for spot in spots)
