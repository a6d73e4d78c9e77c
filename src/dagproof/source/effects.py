"""What a task deletes from tables and inserts into them, and in which transactions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from dagproof.source.binding import bound
from dagproof.source.branches import never_happens
from dagproof.source.connections import Connections, Unit
from dagproof.source.dagfile import Chain, DagFile, Site, Task
from dagproof.source.sqlwrites import UNKNOWN, Write, writes
from dagproof.source.strings import Text, texts
from dagproof.source.templated import rendered
from dagproof.source.usage import is_log
from dagproof.source.values import Value, followed, given

CLEARS = ("DELETE", "TRUNCATE", "DROP")
KEPT_ASIDE = re.compile(r"(?:^|_)(?:old|bak|backup|prev|previous|archive|trash|retired)\d*(?:_|$)")
"""What a table is renamed to so that another one can take its place."""
PASSING = re.compile(r"(?:^|_)(?:stg|staging|staged?|tmp|temp|temporary|scratch|buffer)\d*(?:_|$)")
HOOK_RUNS = ("run", "copy_expert", "get_records", "get_first", "get_pandas_df", "get_df")
EXECUTES = ("execute", "executemany", "copy", "copy_expert")
BATCHES = ("execute_values", "execute_batch")
ENGINES = ("create_engine", "get_sqlalchemy_engine", "get_uri")
BEGINS = re.compile(r"^\s*(?:BEGIN|START\s+TRANSACTION)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Effect:
    """What one statement does, and in which transaction; None where that can't be told."""

    write: Write
    unit: Unit | None
    places: Chain
    is_doubtful: bool = False
    """Whether a database may take it as one with others in its text, or what runs it is only known by its name."""
    call: ast.Call | None = None
    """The call in the task's code that runs it, where one does."""


class Effects:
    """What one task deletes and inserts, and in which transactions.

    Args:
        dagfile: where the task is.
        task: the task.
    """

    def __init__(self, dagfile: DagFile, task: Task) -> None:
        self._resolver = bound(dagfile, task)
        self._dagfile, self._task = dagfile, task
        self._connections = Connections(self._resolver)
        self._effects: list[Effect] = []
        self._call: ast.Call | None = None
        self._begins = False
        """Whether some SQL begins a transaction by itself."""
        for call, scope in task.calls:
            for keyword in call.keywords:
                self._sql(Value(keyword.value, scope), call, task.chain, None)
        for site in dagfile.sites_of(dagfile.reached_by(task)):
            if not is_log(site.call) and not never_happens(site.call, site.scope, self._resolver):
                self._site(site)

    def all(self) -> list[Effect]:
        """Return what each statement does."""
        return list(self._effects)

    def split(self) -> Iterator[tuple[Effect, bool]]:
        """Yield each insert whose table is emptied in another transaction, and whether that is certain.

        A table that takes the place of one that is dropped in another transaction is such an insert, too.
        """
        cleared = [effect for effect in self._effects if not effect.write.appends]
        if self._begins or UNKNOWN in {effect.write.target for effect in cleared}:
            return
        for effect in self._effects:
            of_it = [other for other in cleared if other.write.target == effect.write.target]
            units = {other.unit for other in of_it}
            is_apart = effect.unit is not None and not {effect.unit, None} & units
            is_replaced = effect.write.appends and of_it and all(map(_is_clear, of_it))
            if is_apart and is_replaced and _matters(effect.write.target):
                yield effect, not any(one.is_doubtful for one in (effect, *of_it))
        for number, effect in enumerate(self._effects):
            drops = self._drops_before(number)
            if drops and effect.unit is not None and not {effect.unit, None} & {drop.unit for drop in drops}:
                yield effect, not any(one.is_doubtful for one in (effect, *drops))

    def _drops_before(self, number: int) -> list[Effect]:
        """What drops the table whose name another one takes at this place; nothing where that one is set aside."""
        target, source = self._effects[number].write.target, self._effects[number - 1].write.target
        behind = [effect.write for effect in self._effects[number + 1 :]]
        is_set_aside = KEPT_ASIDE.search(target) or any(
            write.verb in ("RENAME", "CREATE") and write.target == source for write in behind
        )
        if self._effects[number].write.verb != "RENAME" or is_set_aside or not _matters(target):
            return []
        before = (effect for effect in self._effects[:number] if effect.write.target == target)
        return [effect for effect in before if effect.write.verb == "DROP"]

    def emptied(self) -> set[str]:
        """Return the tables that are only emptied here, and not filled."""
        clears = {effect.write.target for effect in self._effects if _is_clear(effect)}
        others = {effect.write.target for effect in self._effects if not _is_clear(effect)}
        return {target for target in clears - others if _matters(target)}

    def fills(self, targets: set[str]) -> Iterator[Effect]:
        """Yield the first insert into each of some tables that are only filled here."""
        cleared = {effect.write.target for effect in self._effects if not effect.write.appends}
        left = set() if UNKNOWN in cleared else targets - cleared
        for effect in self._effects:
            if effect.write.appends and effect.write.target in left:
                left.discard(effect.write.target)
                yield effect

    # Reading

    def _site(self, site: Site) -> None:
        call, chain = site.call, site.body.chain
        self._call = call
        method = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        looks_like_a_hook = not site.names and _owner(call).endswith("hook")
        on_hook = looks_like_a_hook or any("Hook()." in name for name in site.names)
        if method in HOOK_RUNS and on_hook:
            arguments = [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "sql")]
            for argument in arguments:
                self._sql(Value(argument, site.scope), call, chain, 1, is_guess=looks_like_a_hook)
        elif method == "insert_rows" and on_hook and not any(k.arg in ("replace", None) for k in call.keywords):
            table = self._given(site, "table", 0)
            self._append(table, ("call", call), (*chain, site.place), is_guess=looks_like_a_hook)
        elif method == "to_sql" and self._given(site, "if_exists", 3) == "append":
            self._append(self._given(site, "name", 0), self._unit_of_frame(site), (*chain, site.place))
        elif method in EXECUTES and isinstance(call.func, ast.Attribute) and call.args:
            unit = self._connections.unit(call.func.value, call, site.scope)
            self._texts(Value(call.args[0], site.scope), unit, chain)
        elif method in BATCHES and len(call.args) > 1:
            unit = self._connections.unit(call.args[0], call, site.scope)
            self._texts(Value(call.args[1], site.scope), unit, chain)

    def _given(self, site: Site, name: str, position: int) -> object:
        return given(site.call, site.scope, self._resolver, name, position)

    def _sql(self, value: Value, call: ast.Call, chain: Chain, position: int | None, *, is_guess: bool = False) -> None:
        """SQL that one call runs, and commits in the end, or after each statement."""
        alone = given(call, value.scope, self._resolver, "autocommit", position)
        splits = given(call, value.scope, self._resolver, "split_statements", None)
        for number, text in enumerate(texts(value, self._resolver)):
            unit: Unit | None = ("call", call)
            if alone is True:
                unit = ("call", call, number)
            elif alone not in (None, False):
                unit = None
            self._text(text, unit, chain, alone=alone is True, splits=splits is True, is_guess=is_guess)

    def _texts(self, value: Value, unit: Unit | None, chain: Chain) -> None:
        for text in texts(value, self._resolver):
            self._text(text, unit, chain)

    def _text(
        self,
        text: Text,
        unit: Unit | None,
        chain: Chain,
        *,
        alone: bool = False,
        splits: bool = False,
        is_guess: bool = False,
    ) -> None:
        found = rendered(text, self._dagfile, self._task)
        sql = found.content
        self._begins = self._begins or bool(BEGINS.search(sql))
        if not found.is_sql(text):
            return
        statements = list(writes(sql))
        for number, write in enumerate(statements):
            exact = (*unit, number if alone else write.transaction) if unit is not None else None
            joined = alone and not splits and len({write.offset for write in statements}) > 1
            self._effects.append(Effect(write, exact, (*chain, text.place), joined or is_guess, self._call))

    def _append(self, target: object, unit: Unit | None, places: Chain, *, is_guess: bool = False) -> None:
        if isinstance(target, str):
            write = Write(True, target.rpartition(".")[2].lower(), 0, "INSERT")
            self._effects.append(Effect(write, (*unit, 0) if unit else None, places, is_guess, self._call))

    def _unit_of_frame(self, site: Site) -> Unit | None:
        """The transaction of ``to_sql``: that of the connection it is given, or one of its own."""
        con = next((keyword.value for keyword in site.call.keywords if keyword.arg == "con"), None)
        con = con or (site.call.args[1] if len(site.call.args) > 1 else None)
        if con is None:
            return None
        for node, _ in followed(Value(con, site.scope), self._resolver):
            function = node.func if isinstance(node, ast.Call) else None
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            if name in ENGINES or isinstance(node, ast.Constant):
                return ("call", site.call)
        return self._connections.unit(con, site.call, site.scope)


def _owner(call: ast.Call) -> str:
    """The name of what a method is called on."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return (
        owner.id.lower()
        if isinstance(owner, ast.Name)
        else owner.attr.lower()
        if isinstance(owner, ast.Attribute)
        else ""
    )


def _is_clear(effect: Effect) -> bool:
    return effect.write.verb in CLEARS and not effect.write.is_retention


def _matters(target: str) -> bool:
    return target != UNKNOWN and not PASSING.search(target)
