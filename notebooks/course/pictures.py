"""Pictures drawn from runs: when each task ran, waited, and what became of it."""

from __future__ import annotations

import io
import re
from datetime import datetime, timedelta, timezone
from typing import Any

from .desk import Ran

#: A colour for each state, and a word beside it, for who does not see colours.
COLOURS = {
    "success": "#2e7d32",
    "failed": "#c62828",
    "up_for_retry": "#ef6c00",
    "up_for_reschedule": "#5e9bd4",
    "deferred": "#8e7cc3",
    "skipped": "#d48fb0",
    "upstream_failed": "#a1662f",
    "removed": "#9e9e9e",
    "none": "#9e9e9e",
}
WAITING = ("up_for_retry", "up_for_reschedule", "deferred")


class Picture:
    """A picture as SVG: the same bytes each time it is drawn. `text` says what is to be seen."""

    def __init__(self, figure: Any, text: str) -> None:
        self._figure, self._text = figure, text

    def _repr_svg_(self) -> str:
        from matplotlib import rc_context

        out = io.StringIO()
        with rc_context({"svg.hashsalt": "course", "svg.fonttype": "none"}):
            self._figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight")
        svg = out.getvalue()[out.getvalue().index("<svg") :]
        title = self._text.replace("&", "&amp;").replace("<", "&lt;")
        return re.sub(r"(<svg [^>]*>)", rf"\1<title>{title}</title>", svg, count=1)

    def __repr__(self) -> str:
        return self._text


def axes(width: float = 7.0, height: float = 2.5) -> tuple[Any, Any]:
    """Return a figure and its axes, without the state that pyplot keeps."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    plot = figure.subplots()
    plot.spines[["top", "right"]].set_visible(False)
    return figure, plot


def picture(figure: Any, text: str) -> Picture:
    """Return a figure as a picture; `text` says what is to be seen, for who cannot see it."""
    return Picture(figure, text)


def timeline(*runs: Ran) -> Picture:
    """Draw the tasks of runs over the world's time, to the minute: a bar where one ran, a thin line where it waited."""
    lines = [(run, state) for run in runs for state in run.states]
    figure, plot = axes(height=0.9 + 0.38 * len(lines))
    bars = [(_minute(a["from"]), _minute(a["to"])) for run in runs for a in run.attempts]
    first = min((start for start, _ in bars), default=datetime(2026, 1, 1, tzinfo=timezone.utc))
    span = max((end - first for _, end in bars), default=timedelta()) / timedelta(minutes=1)
    least = max(span, 10.0) / 60  # what took no time is seen, too
    told = []
    for row, (run, state) in enumerate(lines):
        told.append(_draw(plot, row, run, state, first, least))
    plot.set_yticks(range(len(lines)), [_name(run, state, len(runs) > 1) for run, state in lines])
    plot.set_ylim(len(lines) - 0.4, -0.6)
    plot.set_xlim(0, max(span, 10.0) * 1.25)
    places = [max(span, 10.0) * part / 4 for part in range(5)]
    plot.set_xticks(places, [_clock(first, minutes, span) for minutes in places])
    plot.set_xlabel("time in the world (UTC)")
    return Picture(figure, "\n".join(told))


def _draw(plot: Any, row: int, run: Ran, state: dict[str, Any], first: datetime, least: float) -> str:
    """Draw one task instance; return what is to be seen."""
    mine = [a for a in run.attempts if (a["task_id"], a["map_index"]) == (state["task_id"], state["map_index"])]
    end, waited_since, words = 0.0, None, []
    for attempt in mine:
        start = (_minute(attempt["from"]) - first) / timedelta(minutes=1)
        length = (_minute(attempt["to"]) - first) / timedelta(minutes=1) - start
        if waited_since is not None and start > waited_since:
            plot.plot([waited_since, start], [row, row], color="#888888", linewidth=1.5, linestyle=":")
        word = attempt["state"] or "none"
        plot.barh(row, max(length, least), left=start, height=0.55, color=COLOURS.get(word, "#607d8b"))
        end = start + max(length, least)
        waited_since = end if word in WAITING else None
        words.append(f"{word} {_clock(first, start, 0)}–{_clock(first, start + length, 0)}")
    last = state["state"] or "none"
    plot.text(end + least / 2, row, last, va="center", fontsize=8.5, color=COLOURS.get(last, "#333333"))
    return f"{_name(run, state, True)}: {', '.join(words) or last}"


def _name(run: Ran, state: dict[str, Any], with_date: bool) -> str:
    index = f"[{state['map_index']}]" if state["map_index"] >= 0 else ""
    return f"{run.step.date} {state['task_id']}{index}" if with_date else f"{state['task_id']}{index}"


def _minute(text: str) -> datetime:
    """Return the time to the minute: what a machine takes for it is not the same twice."""
    return datetime.fromisoformat(text).replace(second=0, microsecond=0)


def _clock(first: datetime, minutes: float, span: float) -> str:
    moment = first + timedelta(minutes=minutes)
    return moment.strftime("%d %b\n%H:%M" if span > 24 * 60 else "%H:%M")
