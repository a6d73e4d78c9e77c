"""How the feed is corrected: the partner sends the day once more, with a line less and another total."""

from __future__ import annotations

from pathlib import Path


def mended(date: str, files: str, postgres: str) -> None:
    path = Path(files, "feed", f"{date}.csv")
    lines = path.read_text().splitlines()
    orders = [number for number, line in enumerate(lines) if line.count(";") == 2 and "," in line]
    number, customer, _ = lines[orders[-2]].split(";")
    lines[orders[-2]] = f"{number};{customer};0,05"
    del lines[orders[-1]]
    path.write_text("\n".join(lines) + "\n")
