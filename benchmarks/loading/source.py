"""A set of problems that is not shipped: its file if the data folder has it, the hub otherwise. Either is checked."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.asking import SEVERAL
from benchmarks.files import cleaning
from benchmarks.files.hub import Hub
from benchmarks.loading.errata import corrected, errata
from benchmarks.marks import MATHS, Rule
from benchmarks.problems import Benchmark, Problem, ProblemsError, ProblemsMissing, hash_of

DATA_DIR = "RENCE_DATA_DIR"
MOST_BYTES = 1_000_000_000
"""of a file, which is held in memory; the largest training set has 7 million"""
_MOST_CHARACTERS = 200
"""of what is said of a mistake"""
FOLDERS = ("", "benchmarks", "train")
"""where a file may be in the data folder"""


@dataclass(frozen=True)
class Source:
    """Where one set of problems comes from, pinned.

    A commit of the hub pins its own content, and its count is checked; whether it holds the same text as the file, to
    the last blank, was not compared, so the runs to be compared should read the same copy (`benchmark_hash` in
    eval.json tells).
    """

    name: str
    file: str
    """in the data folder, without `.jsonl`"""
    rows: int
    """of the file"""
    content: str
    """`problems.hash_of` the file's problems, cleaned golds included: what it must hold"""
    licence: str
    clean: Callable[[str], str]
    """raw answer -> gold; ValueError if it is none"""
    hub: Hub | None = None
    """None: the file is the only copy there is"""
    tags: Mapping[str, str] = field(default_factory=dict)
    """tag -> column, where the set has it"""
    rule: Rule = MATHS
    """what counts as equal to a gold"""

    @property
    def origin(self) -> str:
        return self.hub.origin if self.hub else f"{self.file}.jsonl"

    def benchmark(self, title: str, description: str, k: int) -> Benchmark:
        """The benchmark that asks these problems, under the same name."""
        tolerance = self.rule.tolerance
        return Benchmark(
            name=self.name,
            title=title,
            description=f"{description}; decimals within {tolerance:.2%}" if tolerance else description,
            count=self.rows,
            load=lambda: load(self),
            also=() if self.hub is None or self.hub.rows == self.rows else (self.hub.rows,),
            licence=self.licence,
            origin=self.origin,
            rule=self.rule,
            k=k,
            hub=self.hub,
            is_here=lambda: local_file(self) is not None,
        )

    def benchmarks(self, title: str, description: str, k: int) -> tuple[Benchmark, ...]:
        """That, and where some of its golds are to be put right, `<name>_errata` with the new ones."""
        plain = self.benchmark(title, description, k)
        found = errata(self.name)
        if not found:
            return (plain,)
        put_right = replace(
            plain,
            name=f"{self.name}_errata",
            title=f"{title} (errata)",
            description=f"{plain.description}; {len(found)} golds put right",
            load=lambda: corrected(load(self), found),
            hub=None,
        )
        return plain, put_right


def load(source: Source) -> tuple[Problem, ...]:
    """In the source's order. A problem whose answer cannot be made a gold has the gold "" (training sets have some).

    Raises: ProblemsError if the problems are neither here nor on the hub, or are not those that are pinned.
    """
    file = local_file(source)
    if file is not None:
        return _from_file(source, file)
    if source.hub is None:
        raise ProblemsMissing(
            f"the problems of `{source.name}` are not here: {_not_here(source)}.\n"
            f"Set {DATA_DIR} to a folder that holds {source.file}.jsonl."
        )
    return _from_hub(source, source.hub)


def local_file(source: Source) -> Path | None:
    """The file of this source in the data folder, or None.

    Raises: ProblemsError if RENCE_DATA_DIR names no folder.
    """
    named = os.environ.get(DATA_DIR)
    if not named:
        return None
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise ProblemsError(f"{DATA_DIR} must name a folder, but `{named}` is none.")
    files = [folder / place / f"{source.file}.jsonl" for place in FOLDERS]
    for file in files:
        if (file.exists() or file.is_symlink()) and not file.is_file():
            raise ProblemsError(
                f"{file} must be a regular file, but is a folder, a FIFO, a device or a link to nothing."
            )
    return next((file for file in files if file.is_file()), None)


def _reason(error: Exception) -> str:
    """Of bytes that are no text where they are, and not all of them."""
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 (byte {error.start + 1:,} is 0x{error.object[error.start]:02x})"
    return repr(error)[:_MOST_CHARACTERS]


def _from_file(source: Source, file: Path) -> tuple[Problem, ...]:
    if (size := file.stat().st_size) > MOST_BYTES:
        raise ProblemsError(f"{file} has {size:,} bytes, but at most {MOST_BYTES:,} are read.")
    with file.open(encoding="utf-8") as lines:
        try:
            problems = _problems(source, (json.loads(line) for line in lines), "problem", "answer")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ProblemsError(
                f"{file} must hold JSON lines with `problem` and `answer`, but reading it failed: {_reason(error)}."
            ) from None
    found = hash_of(problems)
    if found != source.content:
        other = f", or remove it and the hub's `{source.hub.id}` is loaded instead" if source.hub else ""
        raise ProblemsError(
            f"{file} must hold the {source.rows} problems of `{source.name}` with the hash {source.content}, "
            f"but holds {len(problems)} with the hash {found} instead.\n"
            f"Put the right file there{other}."
        )
    return problems


def _from_hub(source: Source, hub: Hub) -> tuple[Problem, ...]:
    try:
        extracted = ({**row, hub.answer: hub.extract(row[hub.answer])} for row in hub.fetch())
        problems = _problems(source, extracted, hub.question, hub.answer)
    except ImportError:
        raise ProblemsMissing(_neither(source, hub, "is read with `pip install 'rence-bench[eval]'`")) from None
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = (str(error).strip() or repr(error)).splitlines()[0]
        raise ProblemsMissing(_neither(source, hub, f"cannot be read: {reason}")) from None
    if len(problems) != hub.rows:
        raise ProblemsError(
            f"`{hub.id}` at {hub.revision} must have {hub.rows} problems, but has {len(problems)} instead."
        )
    return problems


def _neither(source: Source, hub: Hub, why: str) -> str:
    return (
        f"the problems of `{source.name}` are not here: {_not_here(source)}, and the hub's `{hub.id}` {why}\n"
        f"Either set {DATA_DIR} to a folder that holds {source.file}.jsonl, or connect to the hub once; "
        "its cache is used from then on (HF_HOME, HF_HUB_OFFLINE)."
    )


def _not_here(source: Source) -> str:
    named = os.environ.get(DATA_DIR)
    return f"{source.file}.jsonl is not in {named} ({DATA_DIR})" if named else f"{DATA_DIR} is not set"


def _problems(source: Source, rows: Iterable[Mapping[str, Any]], question: str, answer: str) -> tuple[Problem, ...]:
    return tuple(_problem(source, row, question, answer) for row in rows)


def _problem(source: Source, row: Mapping[str, Any], question: str, answer: str) -> Problem:
    gold = _gold(source, row[answer])
    note = SEVERAL if cleaning.several(gold) else ""
    return Problem(str(row[question]), gold, _tags(source, row), source.rule, note)


def _gold(source: Source, raw: Any) -> str:
    if raw is None:
        return ""
    try:
        return source.clean(str(raw))
    except ValueError:
        return ""


def _tags(source: Source, row: Mapping[str, Any]) -> dict[str, str]:
    found = {tag: row.get(column) for tag, column in source.tags.items()}
    return {tag: str(value) for tag, value in found.items() if value is not None}
