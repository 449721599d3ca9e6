"""docs/benchmarks.md from the files in bench/results: whoever runs the measurements again gets the same page with new
figures.

    PYTHONPATH=. python bench/page.py

A result is a list of rows, or title -> rows, in the file that `bench.sides.write` writes. A row is a flat mapping:
texts and whole numbers say what was done, and are printed as they are; other numbers were measured, and have three
digits. A key that begins with `ratio` is a ratio, above 1 where ours is faster, which bench/check.py looks at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
RESULTS = ROOT / "bench" / "results"
WIDTH = 120
OPENING = """\
# Speed

What the tool costs beside others, and where its time goes. `make bench` measures all of it again in under 20 minutes
and writes this page; `make bench-long` runs what takes more than a minute a side; `make bench-check` holds the ratios
against those of bench/baseline.json and fails where one is a tenth worse. What was not run says so.

Both sides of a row run in turns in one process tree, with one thread and their default settings, and the medians of
processor seconds (user and system, children included) are set against each other: seconds by the clock say little on
a machine that others use. **`ratio` is the peer's over ours: above 1, ours is faster.** A share of the ceiling is the
time that torch's own matrix products would take, measured on the same machine, over the time that it took.
"""
Row = Mapping[str, Any]


def write() -> None:
    from bench.suite import PARTS

    sections = [OPENING]
    for part in PARTS:
        sections.append(f"## {part.title}\n\n{wrapped(part.sides)}\n")
        files = [RESULTS / f"{name}.json" for name in (part.name, f"{part.name}_long")]
        there = [path for path in files if path.exists()]
        if not there:
            why = f": it needs {part.needs}" if part.needs else ""
            sections.append(f"Not run{why}.\n")
        sections += [section(json.loads(path.read_text(encoding="utf-8"))) for path in there]
    PAGE.write_text("\n".join(sections), encoding="utf-8")


def section(found: Row) -> str:
    """What one script measured: command, commit, date and machine, then its tables."""
    changed = " with changes" if found.get("dirty") in (True, "true") else ""
    machine = f"{found['cores']} cores, {found.get('processor') or 'an unknown processor'}"
    packages = {name: found[name] for name in ("torch", "transformers", "trl", "vllm", "lm-eval") if found.get(name)}
    versions = "".join(f", {name} {version}" for name, version in packages.items())
    said = f"Commit {str(found['commit'])[:8]}{changed}, {found['date']}, {machine}{versions}."
    parts = [f"```sh parse\n{found['command']}\n```\n", wrapped(said) + "\n"]
    for title, rows in tables(found["results"]):
        parts.append(f"**{title}**\n" if title else "")
        parts.append(table(rows))
    return "\n".join(part for part in parts if part)


def tables(results: Any) -> Iterator[tuple[str, Sequence[Row]]]:
    """Title and rows of each table; a title may be empty."""
    for title, rows in results.items() if isinstance(results, dict) else [("", results)]:
        if rows:
            yield title, [flat(row) for row in rows]


def flat(row: Row, before: str = "") -> dict[str, Any]:
    """With the names of what is inside others put behind theirs."""
    found: dict[str, Any] = {}
    for key, value in row.items():
        name = f"{before} {key}".strip()
        found |= flat(value, name) if isinstance(value, Mapping) else {name: value}
    return found


def table(rows: Sequence[Row]) -> str:
    """In Markdown; a row that lacks a column has a dash there."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    numbers = [all(isinstance(row.get(key, 0.0), int | float | None) for row in rows) for key in columns]
    lines = [
        "| " + " | ".join(columns) + " |",
        "|" + "|".join("---:" if number else "---" for number in numbers) + "|",
        *("| " + " | ".join(shown(row.get(key)) for key in columns) + " |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def shown(value: Any) -> str:
    """
    >>> [shown(value) for value in (None, 12345, 0.12345, 12.345, 12345.6, "a|b", 1.0)]
    ['-', '12,345', '0.123', '12.3', '12,346', 'a\\\\|b', '1.00']
    """
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.{0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3}f}"
    return str(value).replace("|", "\\|")


def wrapped(text: str) -> str:
    """In lines of at most WIDTH characters."""
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > WIDTH:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return "\n".join([*lines, line])


if __name__ == "__main__":
    write()
