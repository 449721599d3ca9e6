"""The file that `rence grade` marks: JSON lines with `gold` and `pred`, read strictly."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from benchmarks.files.rules import LineMistake, check_gold, rule_of, text_of
from benchmarks.marks import Rule
from harness.base.errors import UserError
from harness.records import user_files

MOST_BYTES = 1_000_000_000
"""of the file, which is read whole"""
_HOLDS = "It must hold JSON lines with `gold` and `pred`."


@dataclass(frozen=True)
class GradedRow:
    """One line of the file."""

    line: int
    data: Mapping[str, Any]
    """as it was written"""
    gold: str
    rule: Rule
    """its own where it has one, else the command's"""

    @property
    def pred(self) -> str:
        return self.data["pred"]

    @property
    def expected(self) -> bool | None:
        """Whether the file calls the answer right; None where it does not say."""
        found = self.data.get("expected")
        return None if found is None else bool(found)


def read(file: Path, rule: Rule) -> list[GradedRow]:
    """
    Args:
        rule: of lines that do not say their own.
    Raises: UserError naming the line that is not what it must be.
    """
    try:
        lines = user_files.text_of(file, MOST_BYTES).removeprefix("\ufeff").split("\n")
    except ValueError as error:
        raise UserError(f"{error} {_HOLDS}") from None
    rows = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                rows.append(_row(number, line, rule))
            except LineMistake as mistake:
                raise UserError(f"{file}:{number}: {mistake}.") from None
    if not rows:
        raise UserError(f"{file} holds no lines. {_HOLDS}")
    return rows


def _row(number: int, line: str, rule: Rule) -> GradedRow:
    """Raises: LineMistake."""
    try:
        data = json.loads(line, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise LineMistake(f"the line is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise LineMistake(f"the line must be an object with `gold` and `pred`, but is {type(data).__name__}")
    example = '. Example: {"gold": "4", "pred": "2+2"}'
    for key in ("gold", "pred"):
        if key not in data:
            raise LineMistake(f"`{key}` is missing{example}")
    if not isinstance(data["pred"], str):
        raise LineMistake(f"`pred` must be text, but is {type(data['pred']).__name__}{example}")
    if data.get("expected") not in (None, 0, 1):
        raise LineMistake(f"`expected` must be 0 or 1, but is `{data['expected']}`")
    own, gold = rule_of(data, rule), text_of("gold", data["gold"])
    check_gold("gold", gold, own.form)
    return GradedRow(number, data, gold, own)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def without_answer(rows: Sequence[GradedRow]) -> list[int]:
    """Lines with golds in which no answer is stated, such as a sentence: Math-Verify searches them, or they are
    compared as texts."""
    from benchmarks.marking.responses.extraction import extract
    from benchmarks.marks import Reading

    return [row.line for row in rows if extract(row.gold, Reading.ANYWHERE).answer is None]
