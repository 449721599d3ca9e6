"""`rence grade`: marks for any file of answers."""

from __future__ import annotations

import json as jsonlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.base.errors import UserError
from harness.records import write_text
from rence.cli.console import Json, command, out, print_json, table

if TYPE_CHECKING:
    from benchmarks.marks import Marked

File = Annotated[Path, typer.Argument(metavar="FILE.jsonl", help="Lines with `gold` and `pred`.", show_default=False)]
_MOST_SHOWN = 100
"""characters of a text in the list of misses, from its end"""


def add_to(app: typer.Typer) -> None:
    command(app)(grade)


@dataclass(frozen=True)
class GradedRow:
    """One line of the file."""

    line: int
    data: Mapping[str, Any]

    @property
    def expected(self) -> bool | None:
        """Whether the file calls the answer right; None where it does not say."""
        found = self.data.get("expected")
        return None if found is None else bool(found)


def grade(
    file: File,
    to: Annotated[
        Path | None, typer.Option("--out", help="Write the lines with mark, answer and grader_version here.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes for Math-Verify; one a core.", show_default=False)
    ] = None,
    tolerance: Annotated[
        float,
        typer.Option(min=0.0, max=0.5, help="Relative difference allowed to a decimal; 1e-4 is Qwen2.5-Math's."),
    ] = 1e-4,
    second: Annotated[bool, typer.Option("--second-marker", help="Ask plain Math-Verify too.")] = False,
    json: Json = False,
) -> None:
    """Mark answers: lines {gold, pred}, each a box, a formula or a text that states its answer. With `expected` (0 or
    1) in the lines, say how often the marker agrees, and list the misses."""
    from benchmarks.marking import MARKER_VERSION, second_marker
    from benchmarks.marking.marker import mark_texts
    from benchmarks.marking.pool import MarkerMissing, Pool
    from benchmarks.marks import Response, Rule

    rows = _read(file)
    responses = [
        Response(row.data["pred"], row.data["gold"], Rule(tolerance=_tolerance(row.data, tolerance))) for row in rows
    ]
    # Without a number the marker's shared pool is used, which is not ours to close.
    pool = Pool(workers) if workers else None
    try:
        marked = mark_texts(responses, pool)
        others = second_marker.mark_all(responses, pool) if second else None
    except MarkerMissing as error:
        raise UserError(str(error)) from None
    finally:
        if pool:
            pool.close()
    # Written before anything is printed, so that what is on the screen can be looked up in the file.
    if to:
        added: list[dict[str, Any]] = [
            {"mark": m.mark, "answer": m.answer, "grader_version": MARKER_VERSION} for m in marked
        ]
        for line, other in zip(added, others or (), strict=bool(others)):
            line["mark_second"] = other
        lines = ({**row.data, **line} for row, line in zip(rows, added, strict=True))
        write_text(to, "".join(jsonlib.dumps(line) + "\n" for line in lines))
    disagree = sum(m.mark != other for m, other in zip(marked, others, strict=True)) if others else None
    _print(rows, marked, MARKER_VERSION, disagree, json)
    if to and not json:
        out().print(f"Written: {to}")


def _read(file: Path) -> list[GradedRow]:
    """Raises: UserError naming the line that is not what it must be."""
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        raise UserError(f"{file} does not exist. It must hold JSON lines with `gold` and `pred`.") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is not UTF-8: {error.reason} at byte {error.start}.") from None
    rows = [_row(file, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise UserError(f"{file} holds no lines. It must hold JSON lines with `gold` and `pred`.")
    return rows


def _row(file: Path, number: int, line: str) -> GradedRow:
    try:
        data = jsonlib.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file}:{number} is not valid JSON: {error}.") from None
    if not isinstance(data, dict):
        raise UserError(f"{file}:{number} must be an object with `gold` and `pred`, but is {type(data).__name__}.")
    for key in ("gold", "pred"):
        if not isinstance(data.get(key), str):
            found = f"is {type(data[key]).__name__}" if key in data else "is missing"
            raise UserError(
                f'{file}:{number}: `{key}` must be a string, but {found}. Example: {{"gold": "4", "pred": "2+2"}}'
            )
    if data.get("expected") not in (None, 0, 1):
        raise UserError(f"{file}:{number}: `expected` must be 0 or 1, but is `{data['expected']}`.")
    return GradedRow(number, data)


def _tolerance(data: Mapping[str, Any], tolerance: float) -> float:
    """The row's own if it has one: as `tolerance`, or as Math-Verify's cases do, as decimal digits."""
    extra = data.get("extra")
    digits = extra.get("precision") if isinstance(extra, Mapping) else None
    own = data.get("tolerance", 10.0**-digits if isinstance(digits, int) else None)
    return max(tolerance, float(own)) if isinstance(own, int | float) else tolerance


def _print(
    rows: Sequence[GradedRow], marked: Sequence[Marked], version: str, disagree: int | None, as_json: bool
) -> None:
    """Counts of marks; where lines have `expected`, the agreement and the misses; with `as_json` as one JSON document.

    Args:
        disagree: rows on which plain Math-Verify gives another mark; None: it was not asked.
    """
    counts = Counter(str(one.mark) for one in marked)
    labelled = [(row, one) for row, one in zip(rows, marked, strict=True) if row.expected is not None]
    misses = [(row, one) for row, one in labelled if (one.mark == "correct") != row.expected]
    if as_json:
        summary: dict[str, Any] = {"rows": len(rows), "marks": dict(sorted(counts.items())), "grader_version": version}
        if labelled:
            summary["labelled"], summary["agree"] = len(labelled), len(labelled) - len(misses)
            summary["misses"] = [
                {"line": row.line, **_pick(row.data), "mark": one.mark, "answer": one.answer} for row, one in misses
            ]
        if disagree is not None:
            summary["markers_disagree"] = disagree
        print_json(summary)
        return
    # For people. The answer is the one that was found, or else the end of the text in which none was.
    shown = table("mark", "rows", numbers=("rows",))
    for name, count in sorted(counts.items()):
        shown.add_row(name, f"{count:,}")
    out().print(shown)
    if disagree is not None:
        out().print(f"Plain Math-Verify disagrees on {disagree:,} of {len(rows):,} rows.")
    if labelled:
        agree = len(labelled) - len(misses)
        out().print(f"Agreement: {agree:,} of {len(labelled):,} ({100 * agree / len(labelled):.2f} %)")
    if misses:
        listed = table("line", "expected", "mark", "gold", "answer", numbers=("line",))
        for row, one in misses:
            answer = one.answer if one.answer is not None else row.data["pred"]
            listed.add_row(
                str(row.line), "correct" if row.expected else "wrong", one.mark, _end(row.data["gold"]), _end(answer)
            )
        out().print(listed)
    out().print(f"Marker {version}", markup=False)


def _pick(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: data[key] for key in ("gold", "pred", "expected")}


def _end(text: str) -> str:
    from rich.markup import escape

    flat = " ".join(text.split())
    return escape(flat if len(flat) <= _MOST_SHOWN else f"…{flat[-_MOST_SHOWN:]}")
