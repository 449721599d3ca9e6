"""Problems of your own: a file of JSON lines, read strictly. Every mistake is said with its line; nothing is guessed.

A line is an object with `problem` (or `question`) and `answer` (or `gold`, which goes before `answer` where a line has
both: the raw answer and what it is compared with). `rule` may say what the answer is: `maths`, which it is where
nothing is said, `numbers`, or `choice`, a letter from A to J; `tolerance`, from 0 to 0.5, what a decimal may differ by.
`id`, `title`, `kind`, `level`, `subject` and `source` are kept as tags, other keys are not looked at. Text is UTF-8; a
byte-order mark at the start, CRLF and empty lines are accepted.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.asking import SEVERAL
from benchmarks.files import cleaning
from benchmarks.files.rules import LineMistake, check_gold, check_text, rule_of, text_of
from benchmarks.marks import MATHS, NUMBERS, Mark, Rule

QUESTION, ANSWER = ("problem", "question"), ("answer", "gold")
"""keys, either of them"""
TAGS = ("id", "title", "kind", "level", "subject", "source")
MOST_BYTES = 1_000_000
"""of a line: a longer one is no problem, but a whole file in one line, or something else"""
MOST_FILE_BYTES = 1_000_000_000
"""which are held in memory"""
_MOST_KINDS, _MOST_LINES = 2, 3
_BOM = b"\xef\xbb\xbf"
_ALLOWED = (
    "A line is a JSON object with `problem` (or `question`) and `answer` (or `gold`, text or a number), in UTF-8."
)


@dataclass(frozen=True)
class ProblemLine:
    """One problem of a file."""

    question: str
    gold: str
    rule: Rule
    """what the answer is, and what counts as equal to it"""
    note: str
    """what the prompt adds on the form of the answer"""
    tags: Mapping[str, str]


def read(path: Path, rule: Rule | None = None) -> list[ProblemLine]:
    """The problems in the file's order.

    Args:
        rule: of all answers, whatever their lines say; None: what each line says.
    Raises: ValueError, one to three lines that name the file and its lines, if it is no file or a line is wrong.
    """
    found: list[ProblemLine] = []
    mistakes: list[tuple[int, LineMistake]] = []
    questions: dict[str, int] = {}
    ids: dict[str, int] = {}
    for number, raw in _lines(path):
        try:
            line = _line(raw, rule)
            if line is None:
                continue
            _once(questions, line.question, number, "the same problem")
            if "id" in line.tags:
                _once(ids, line.tags["id"], number, "the same `id`")
            found.append(line)
        except LineMistake as mistake:
            mistakes.append((number, mistake))
    if mistakes:
        raise ValueError(_said(path, mistakes))
    if not found:
        raise ValueError(f"{path} holds no problems. {_allowed(path)}")
    return found


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(number, bytes) of each line, without its end; of one that is too long the beginning."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder. Name the file in it: JSON lines, one problem each.")
    if not path.exists():
        raise ValueError(f"{path} does not exist. It must be a file of JSON lines, one problem each.")
    if not path.is_file():
        raise ValueError(f"{path} is no regular file. It must be a file of JSON lines, one problem each.")
    if (size := path.stat().st_size) > MOST_FILE_BYTES:
        raise ValueError(f"{path} has {size:,} bytes, but at most {MOST_FILE_BYTES:,} are read.")
    with path.open("rb") as file:
        number = 0
        while raw := file.readline(MOST_BYTES + 1):
            number += 1
            end = raw
            while len(end) > MOST_BYTES and not end.endswith(b"\n"):  # the rest of a line that is refused anyway
                end = file.readline(MOST_BYTES + 1)
            yield number, raw.removeprefix(_BOM) if number == 1 else raw


def _line(raw: bytes, rule: Rule | None) -> ProblemLine | None:
    """None if it is empty. Raises: LineMistake."""
    # Not at the top: a command that reads no such file, such as `rence --help`, would wait for the marker.
    from benchmarks.marking import mark

    if len(raw) > MOST_BYTES:
        raise LineMistake(f"the line is longer than {MOST_BYTES:,} bytes")
    try:
        text = raw.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise LineMistake("the line is not UTF-8", f": byte 0x{raw[error.start]:02x} at {error.start + 1}") from None
    if "\0" in text:
        raise LineMistake("the line holds a NUL byte")
    if not text:
        return None
    try:
        row = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "it is too deep, or a number too long"
        array = "; an array of objects must be written one object a line" if text.startswith("[") else ""
        raise LineMistake("the line is not JSON", f": {reason}{array}") from None
    if not isinstance(row, dict):
        what = "an array: write one object a line" if isinstance(row, list) else "text, a number or a word"
        raise LineMistake("the line must be an object", f", but is {what}")
    question, (key, gold) = _text(*_value(row, QUESTION)), _value(row, ANSWER)
    gold = _text(key, gold)
    rule = rule or rule_of(row, MATHS)
    check_gold(key, gold, rule.form)
    if mark(f"\\boxed{{{gold}}}", gold, NUMBERS).mark is not Mark.CORRECT:
        raise LineMistake("the answer cannot be marked", f": no box can hold {gold[:40]!r}")
    tags = {name: _text(name, row[name]) for name in TAGS if row.get(name) is not None}
    return ProblemLine(question, gold, rule, SEVERAL if cleaning.several(gold) else "", tags)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raises: LineMistake for a key that stands twice: which of the two is meant cannot be known."""
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [key for key, _ in pairs]
        twice = next(key for key in names if names.count(key) > 1)
        raise LineMistake("the line has a key twice", f": `{twice[:40]}`")
    return row


def _value(row: Mapping[str, Any], keys: Sequence[str]) -> tuple[str, Any]:
    """Key and value. Raises: LineMistake if none of the keys is there."""
    there = [key for key in keys if key in row]
    if not there:
        raise LineMistake(f"`{keys[0]}` or `{keys[1]}` is missing")
    if there == list(QUESTION):
        raise LineMistake("the line has both `problem` and `question`")
    return there[-1], row[there[-1]]  # a gold goes before the raw answer that it was made of


def _text(key: str, value: Any) -> str:
    """Raises: LineMistake."""
    text = text_of(key, value)
    if "\0" in text:
        raise LineMistake(f"`{key}` holds a NUL character")
    check_text(key, text)
    return text


def _once(seen: dict[str, int], value: str, number: int, what: str) -> None:
    """Raises: LineMistake if an earlier line has it."""
    if value in seen:
        raise LineMistake(f"the line has {what} as another", f", line {seen[value]}")
    seen[value] = number


def _allowed(path: Path) -> str:
    return f"{_ALLOWED} `rence benchmarks pin {shlex.quote(str(path))}` reads it again."


def _said(path: Path, mistakes: Sequence[tuple[int, LineMistake]]) -> str:
    """The first of each kind in words, with the numbers of the next lines that have it."""
    kinds: dict[str, list[tuple[int, LineMistake]]] = {}
    for number, mistake in mistakes:
        kinds.setdefault(mistake.kind, []).append((number, mistake))
    lines = []
    for (number, first), *others in list(kinds.values())[:_MOST_KINDS]:
        shown = [str(other) for other, _ in others[: _MOST_LINES - 1]]
        more = [f"{len(others) - len(shown):,} more"] if len(others) > len(shown) else []
        also = f" (likewise line {', '.join([*shown, *more])})" if others else ""
        lines.append(f"{path}:{number}: {first}{also}.")
    rest = sum(map(len, list(kinds.values())[_MOST_KINDS:]))
    lines.append((f"And {rest:,} more of other kinds. " if rest else "") + _allowed(path))
    return "\n".join(lines)
