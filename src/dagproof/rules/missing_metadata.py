"""A DAG lacks what the organisation asks of its DAGs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from dagproof.rules.base import Finding, Rule
from dagproof.source.dagfile import Dag, DagFile
from dagproof.source.names import Resolver
from dagproof.source.values import Value, constant, followed


class MissingMetadata(Rule):
    """A DAG lacks what its organization requires of all DAGs.

    ## What it does
    Finds DAGs that violate what `[tool.dagproof.rules.missing-metadata]` requires; without such a table it finds
    nothing. `dag_id` and `owner` are patterns (regular expressions that match the whole), `tags` is a list of patterns
    of which each must match a tag, `min_retries` and `max_retries` are limits of `retries` in the `default_args`, and
    `present` names arguments that a DAG must have, such as `doc_md` or `description`. It ignores what it can't
    determine.

    ## Why is this bad
    When a DAG fails at night, its owner and its tags show whom to call; a hundred DAGs with a naming scheme can be
    searched, and one without a limit of retries hides a failure for hours. A convention that nothing checks is
    violated within a month.

    ## Example
    ```toml
    [tool.dagproof.rules.missing-metadata]
    dag_id = "[a-z]+_[a-z_]+"
    owner = "team-.*"
    tags = ["tier:[123]"]
    min_retries = 1
    max_retries = 5
    present = ["doc_md"]
    ```
    ```python
    import pendulum
    from airflow.sdk import DAG

    with DAG("Orders", schedule="@daily", start_date=pendulum.datetime(2026, 1, 1), catchup=True):
        pass
    ```

    ## Use instead
    ```python
    import pendulum
    from airflow.sdk import DAG

    with DAG(
        "shop_orders",
        schedule="@daily",
        start_date=pendulum.datetime(2026, 1, 1),
        catchup=True,
        tags=["tier:1"],
        doc_md="Loads the orders of a day.",
        default_args={"owner": "team-shop", "retries": 3},
    ):
        pass
    ```
    """

    name = "missing-metadata"
    code = "DP601"
    options: ClassVar[Mapping[str, Any]] = {
        "dag_id": "",
        "owner": "",
        "tags": (),
        "min_retries": 0.0,
        "max_retries": 1_000.0,
        "present": (),
    }

    def check(self, dagfile: DagFile) -> Iterator[Finding]:
        """Look at each DAG."""
        for dag in dagfile.dags if self.chosen else ():
            for message in self._lacks(dag, dagfile):
                yield self.found(dagfile, (*dag.chain, dag.place), message, dag_id=dag.dag_id)

    def _lacks(self, dag: Dag, dagfile: DagFile) -> Iterator[str]:
        known, is_open = dag.arguments
        defaults = dagfile.default_args(dag)
        pattern = self.option("dag_id")
        if pattern and dag.dag_id and not re.fullmatch(pattern, dag.dag_id):
            yield f"the dag_id {dag.dag_id!r} does not match {pattern!r}"
        if pattern := self.option("owner"):
            owner = _told(defaults.known.get("owner"), dagfile.resolver, is_open or defaults.open)
            if owner is None or (isinstance(owner, str) and not re.fullmatch(pattern, owner)):
                shown = "no owner" if owner is None else f"the owner {owner!r}"
                yield f"the DAG has {shown} in its default_args; it must match {pattern!r}"
        tags = _tags(known.get("tags"), dagfile.resolver) if "tags" in known or not is_open else None
        for pattern in self.option("tags") if tags is not None else ():
            if not any(re.fullmatch(pattern, tag) for tag in tags or ()):
                yield f"no tag of the DAG matches {pattern!r}; it has {', '.join(tags or ()) or 'none'}"
        yield from self._retries(_told(defaults.known.get("retries"), dagfile.resolver, is_open or defaults.open))
        missing = [name for name in self.option("present") if name not in known and not is_open]
        if missing:
            yield f"the DAG lacks {', '.join(missing)}"

    def _retries(self, retries: object) -> Iterator[str]:
        low, high = self.option("min_retries"), self.option("max_retries")
        number = 0 if retries is None else retries
        asked = {"min_retries", "max_retries"} & set(self.chosen)
        if asked and isinstance(number, int) and not low <= number <= high:
            yield f"retries is {number} in the default_args; it must be between {low:g} and {high:g}"


def _told(value: Value | None, resolver: Resolver, is_open: bool) -> object:
    """What an argument is worth; None where it is not given, ``...`` where that can't be told."""
    if value is None:
        return ... if is_open else None
    return constant(value, resolver)


def _tags(value: Value | None, resolver: Resolver) -> list[str] | None:
    """The tags of a DAG; None where they can't be told."""
    if value is None:
        return []
    found: list[str] = []
    for one in followed(value, resolver):
        if not isinstance(one.node, ast.List | ast.Set | ast.Tuple):
            return None
        texts = [constant(Value(node, one.scope), resolver) for node in one.node.elts]
        if not all(isinstance(text, str) for text in texts):
            return None
        found += map(str, texts)
    return found
