"""Verdicts as a person reads them: the same text in the terminal, in pytest, in a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from dagproof.histories.steps import count
from dagproof.inside.exchange import LeftOut
from dagproof.laws import Verdict, law_named
from dagproof.laws.verdict import ERROR, FALSIFIED, NOT_APPLICABLE, PROVEN
from dagproof.output.text import printable, visible
from dagproof.proof.several import Proofs
from dagproof.proof.verdicts import Proof
from dagproof.runs.scope import sentences
from dagproof.stores.diff import Diff, Example, FileDiff, TableDiff

MOST_FILES = 5
MOST_TABLES = 10
#: Below the words of a law's line.
INDENT = " " * 19
MOST_PARTS = 10


def proof_text(proof: Proof) -> str:
    """Return the whole report of a proof: its failures first, each cause once, then a line a law."""
    falsified = [failure_text(proof.dag_id, v) for v in proof.verdicts if v.outcome == FALSIFIED and not v.same_as]
    errors = {v.cause: failure_text(proof.dag_id, v) for v in reversed(proof.verdicts) if v.outcome == ERROR}
    return "\n\n".join([*falsified, *errors.values(), summary_text(proof)])  # the same error just once


def summary_text(proof: Proof) -> str:
    """Return a line for each law, under a line that says how many are proven, over which dates."""
    proven = sum(v.outcome == PROVEN for v in proof.verdicts)
    left = sum(v.outcome == NOT_APPLICABLE for v in proof.verdicts)
    but = f", {left} not applicable," if left else ""
    of = count(len(proof.verdicts), "law")
    head = f"{visible(proof.dag_id)}: {proven} of {of} proven{but} over {visible(', '.join(proof.dates))}"
    common = common_to(proof.verdicts)
    lines = [head, "", *_law_lines(proof.verdicts, common), ""]
    lines += [f"  {line}" for line in sentences(common)]
    return printable("\n".join([*lines, f"  seed {proof.seed}, {proof.seconds:.1f} s"]))


def proof_or_reason_text(dag_id: str, answer: Proof | str) -> str:
    """Return the whole report of a proof, or why there is none."""
    return proof_text(answer) if isinstance(answer, Proof) else printable(f"{visible(dag_id)}: no proof: {answer}")


def each_in_a_line(proofs: Proofs) -> str:
    """Return a line for each of several DAGs, under one that counts them."""
    signs = {0: "✓", 1: "✗"}
    rows = [(signs.get(proof.exit_status, "-"), visible(proof.dag_id), _in_short(proof)) for proof in proofs.proofs]
    rows += [("?", visible(name), f"no proof: {visible(why)}") for name, why in proofs.unproven.items()]
    width = max((len(name) for _, name, _ in rows), default=0)
    seconds = sum(proof.seconds for proof in proofs.proofs)
    head = f"{count(len(rows), 'DAG')} in {seconds:.1f} s"
    return printable("\n".join([head, "", *(f"  {sign} {name:<{width}}  {text}" for sign, name, text in rows)]))


def _in_short(proof: Proof) -> str:
    proven = sum(verdict.outcome == PROVEN for verdict in proof.verdicts)
    parts = [f"{proven} of {count(len(proof.verdicts), 'law')} proven"]
    for outcome in (FALSIFIED, ERROR, NOT_APPLICABLE):
        if laws := [verdict.law for verdict in proof.verdicts if verdict.outcome == outcome]:
            parts.append(f"{outcome.replace('-', ' ')}: {', '.join(laws)}")
    return "; ".join(parts)


def common_to(verdicts: Iterable[Verdict]) -> list[LeftOut]:
    """Return what was left out of each of several verdicts, so that it is enough to say it once."""
    judged = [verdict.left_out for verdict in verdicts if verdict.outcome in (PROVEN, FALSIFIED)]
    return [entry for entry in judged[0] if all(entry in others for others in judged)] if len(judged) > 1 else []


def one_line(dag_id: str, verdict: Verdict) -> str:
    """Return the verdict in one line, for a CI summary."""
    if verdict.outcome == FALSIFIED:
        same = f", as {verdict.same_as}" if verdict.same_as else ""
        return visible(f"{dag_id} {verdict.accusation or law_named(verdict.law).accusation}{same}: {_steps(verdict)}")
    reason = f": {verdict.reason}" if verdict.reason else ""
    return printable(f"{visible(dag_id)} {verdict.law}: {verdict.outcome}{reason}")


def failure_text(dag_id: str, verdict: Verdict) -> str:
    """Return what went wrong with one law, and the shortest history that shows it."""
    lines = _error_lines if verdict.outcome == ERROR else _falsified_lines
    return printable("\n".join(lines(visible(dag_id), verdict)))


def diff_lines(found: Diff, sides: tuple[str, str]) -> list[str]:
    """Return a diff, two lines a table, one a file or an index, `sides` naming what is compared."""
    lines: list[str] = []
    width = max((len(visible(table.table)) for table in found.tables), default=0)
    for table in found.tables[:MOST_TABLES]:
        lines += _table_lines(table, sides, width)
    lines += _more(len(found.tables) - MOST_TABLES, "table")
    lines += [_file_line(file) for file in found.files[:MOST_FILES]]
    lines += _more(len(found.files) - MOST_FILES, "file")
    lines += [f"{visible(part.part)}   {visible(part.change)}" for part in found.structure[:MOST_PARTS]]
    return lines + _more(len(found.structure) - MOST_PARTS, "definition")


def _falsified_lines(dag_id: str, verdict: Verdict) -> Iterator[str]:
    law = law_named(verdict.law)
    yield f"{dag_id} {verdict.accusation or law.accusation}"
    yield ""
    if verdict.same_as:
        yield f"- As {verdict.same_as}: {_steps(verdict)}"
        yield from ("", f"Replay:  dagproof replay {verdict.replay}") if verdict.replay else ()
        return
    if verdict.hint:
        yield from (visible(line) for line in f"- {verdict.hint[:1].upper()}{verdict.hint[1:]}".splitlines())
        yield ""
    yield f"- {verdict.headline or law.headline}"
    if verdict.diff:
        yield ""
        yield from (f"    {line}" if line else "" for line in diff_lines(verdict.diff, verdict.sides or law.sides))
    yield ""
    steps = count(len(verdict.history or ()), "step")
    shrunk = f", shrunk from {verdict.shrunk_from}" if verdict.shrunk_from > len(verdict.history or ()) else ""
    yield f"Minimal failing history ({steps}{shrunk}):"
    yield ""
    yield from _history_lines(verdict)
    if verdict.where:
        yield ""
        yield f"    ({visible(verdict.where)})"
    if verdict.raised:
        yield ""
        yield f"Raised at {visible(verdict.raised)}"
    readings = sentences(entry for entry in verdict.left_out if entry.setting == "generated_keys")
    facts = (verdict.ignored, readings, verdict.written_by, verdict.taken, verdict.asked, verdict.machines)
    if any(facts) or verdict.replay:
        yield ""
    if verdict.ignored:
        yield f"Not compared: {', '.join(map(visible, verdict.ignored))}"
    yield from readings
    if verdict.written_by:
        yield f"Written by {visible(verdict.written_by)}"
    yield from (f"Error swallowed at {visible(taken)}" for taken in verdict.taken)
    yield from (f"Depends on {visible(asked)}" for asked in verdict.asked)
    if verdict.machines:
        yield f"The machines differ in {verdict.machines}"
    if verdict.replay:
        yield f"Replay:  dagproof replay {verdict.replay}"


def _steps(verdict: Verdict) -> str:
    return ", ".join(str(step) for step in verdict.history or ())


def _history_lines(verdict: Verdict) -> Iterator[str]:
    """Yield the steps with what is left after each; a tilde marks where it stops being what it should be."""
    history = verdict.history or ()
    kinds = max(len(step.kind) for step in history)
    dates = max(len(step.date) for step in history)
    details = max(len(step.detail) for step in history)
    width = max((len(left) for left in verdict.left), default=0) + 4
    for number, step in enumerate(history, start=1):
        left = verdict.left[number - 1] if number <= len(verdict.left) else ""
        mark = "  ~" if number == len(history) and len(history) > 1 else ""
        what = f"{step.kind:<{kinds}}  {step.date:<{dates}}{'  ' if details else ''}{step.detail:<{details}}"
        yield f"    {number}  {what}  {left:>{width}}{mark}".rstrip()


def _error_lines(dag_id: str, verdict: Verdict) -> Iterator[str]:
    yield f"{dag_id} could not be proven ({verdict.law})"
    yield ""
    yield f"- {verdict.reason}"
    if verdict.raised:
        yield ""
        yield f"Raised at {visible(verdict.raised)}"
    if verdict.log_tail:
        yield ""
        yield "The end of the run's log:"
        yield ""
        yield from (f"    {visible(line)}" for line in verdict.log_tail.splitlines())


def _table_lines(table: TableDiff, sides: tuple[str, str], width: int) -> Iterator[str]:
    before, after = (count(n, "row") if n is not None else "no table" for n in (table.rows_before, table.rows_after))
    yield f"{visible(table.table):<{width}}   {sides[0]}: {before}   {sides[1]}: {after}"
    for kind in ("duplicated", "changed", "added", "missing"):
        number = getattr(table, kind)
        if number:
            example = next((e for e in table.examples if e.change == kind), None)
            columns = f" in {', '.join(map(visible, table.columns))}" if kind == "changed" else ""
            yield f"{number:,} {kind}{columns}" + (f", e.g. {_example(example)}" if example else "")


def _example(example: Example) -> str:
    key = _pairs(example.key)
    if example.change == "duplicated":
        return f"{key} ×{example.times}"
    if example.change == "changed":
        return f"{key}: {visible(example.column or '')} {_value(example.before)} became {_value(example.after)}"
    return key


def _pairs(key: Mapping[str, str | None]) -> str:
    if not key:
        return "a row"  # of a table all of whose columns are ignored
    names, values = ", ".join(map(visible, key)), ", ".join(_value(value) for value in key.values())
    return f"({names}) = ({values})" if len(key) > 1 else f"{names} = {values}"


def _value(value: str | None, most: int = 60) -> str:
    if value is None:
        return "NULL"
    text = value if len(value) <= most else value[: most - 1] + "…"
    return repr(text) if text == "" or visible(text) != text else text


def _file_line(file: FileDiff) -> str:
    return visible(f"{file.path}   {file.change}" + (f": {file.detail}" if file.detail else ""))


def _law_lines(verdicts: Iterable[Verdict], common: Sequence[LeftOut]) -> Iterator[str]:
    """Yield a line for each law, and below it what was left out of it alone.

    An error is reported once, and so is why laws in a row are not applicable.
    """
    errors: set[str] = set()
    above: Verdict | None = None
    for verdict in verdicts:
        again = verdict.outcome == ERROR and verdict.cause in errors
        if verdict.outcome == NOT_APPLICABLE and above:
            again = (above.outcome, above.cause) == (verdict.outcome, verdict.cause)
        yield _law_line(replace(verdict, reason="same reason as above") if again else verdict)
        if verdict.outcome in (PROVEN, FALSIFIED):
            yield from (f"{INDENT}{line}" for line in sentences(e for e in verdict.left_out if e not in common))
        errors |= {verdict.cause} if verdict.outcome == ERROR else set()
        above = verdict


def _law_line(verdict: Verdict) -> str:
    law = law_named(verdict.law)
    name = f"{verdict.law:<14}"
    if verdict.outcome == PROVEN:
        over = count(verdict.histories, "history", "histories")
        return f"  ✓ {name} proven over {over}: {law.promise}"
    if verdict.outcome == FALSIFIED:
        same = f", as {verdict.same_as}" if verdict.same_as else ""
        return f"  ✗ {name} {verdict.verdict}{same}: {_steps(verdict)}"
    mark = "–" if verdict.outcome == NOT_APPLICABLE else "!"
    return f"  {mark} {name} {'not applicable' if verdict.outcome == NOT_APPLICABLE else 'error'}: {verdict.reason}"


def _more(number: int, noun: str) -> list[str]:
    return [f"… and {count(number, 'more ' + noun)}"] if number > 0 else []
