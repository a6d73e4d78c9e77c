"""How far a learner has come: a plain text file with a line for each exercise."""

from __future__ import annotations

from pathlib import Path

from .sources import lessons

CORRECT = "correct"
#: How an exercise is marked by what its last check said; by ✗ for any other word.
MARKS = {CORRECT: "✓", "not attempted": "·", "": "·"}


class Progress:
    """The file ``progress.txt``: a line ``03 q1 correct`` for each exercise that was checked; the last check counts."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[tuple[str, str], str]:
        """Return what the last check of each exercise said, by lesson number and exercise."""
        if not self.path.exists():
            return {}
        fields = (line.split(maxsplit=2) for line in self.path.read_text(encoding="utf-8").splitlines())
        return {(line[0], line[1]): line[2] for line in fields if len(line) == 3}

    def note(self, number: str, question: str, word: str) -> None:
        """Note what a check said."""
        self._write(self.read() | {(number, question): word})

    def forget(self, number: str) -> None:
        """Forget a lesson."""
        self._write({key: word for key, word in self.read().items() if key[0] != number})

    def text(self) -> str:
        """Return a line for each lesson, and what is next."""
        known = self.read()
        lines, following = [], ""
        for lesson in lessons():
            words = [known.get((lesson.number, name), "") for name in lesson.exercises]
            done = sum(word == CORRECT for word in words)
            marks = "".join(MARKS.get(word, "✗") for word in words)
            lines.append(f"{lesson.title:<48} {marks:<8} {done} of {len(words)}")
            if done < len(words) and not following:
                missing = next(name for name, word in zip(lesson.exercises, words, strict=True) if word != CORRECT)
                following = f"Next: {missing} in notebooks/{lesson.name}.ipynb"
        return "\n".join([*lines, "", following or "All exercises are done."])

    def _write(self, known: dict[tuple[str, str], str]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{number} {question} {word}\n" for (number, question), word in sorted(known.items())]
        self.path.write_text("".join(lines), encoding="utf-8")
