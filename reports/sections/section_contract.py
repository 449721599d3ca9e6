"""What every section of a report has to keep to, a plug-in's too: each of `CHECKS` makes it of small runs and raises
AssertionError with what it found. `rence check NAME` runs them all.

The runs (`example.py`) are a whole one, full of words that a format could act on, and some in which little or nothing
is known.
"""

from __future__ import annotations

import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reports.data.analysis import Analysis, analyse
from reports.data.load import load
from reports.document import Block, Document, Figure, Folded, Gallery, Section, Table
from reports.render import csv, html, latex, markdown
from reports.sections import escaping
from reports.sections.example import AGAIN, LATER, NOTHING, RUNS, SPARSE, WHOLE

Make = Callable[[Analysis], Section | None]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_DATE = re.compile(r"\b(19|20)\d\d-\d\d-\d\d\b|\b\d\d:\d\d:\d\d\b")
_NO_NUMBER = re.compile(r"\b(nan|inf|None)\b")
_ZERO = re.compile(r"[+−-]?0([.,]0*)?( ?%)?")
_HASH_SEEDS = ("1", "2")
_CANNOT_READ = 3
_ELSEWHERE = f"""
import pickle, sys
try:
    make = pickle.load(sys.stdin.buffer)
except Exception:
    sys.exit({_CANNOT_READ})
from reports.sections.example import WHOLE
from reports.sections.section_contract import ExampleRuns, rendered
runs = ExampleRuns()
sys.stdout.buffer.write(rendered(make(runs[WHOLE])).encode())
"""


class ExampleRuns:
    """Shape of `RUNS` -> the analysis of such a run, made once; the files are there as long as this object is."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp())
        self._found: dict[str, Analysis] = {}
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)

    def __getitem__(self, shape: str) -> Analysis:
        if shape not in self._found:
            root = self._folder / str(len(self._found))
            RUNS[shape](root)
            self._found[shape] = analyse(load(root))
        return self._found[shape]


@dataclass(frozen=True)
class SectionUnderTest:
    """A section, and the runs it is made of."""

    name: str
    """that it must have"""
    make: Make
    kind: str = "body"
    """that it must have: ours alone may be `cost`"""
    runs: ExampleRuns = field(default_factory=ExampleRuns)

    def of(self, shape: str) -> Section | None:
        return self.make(self.runs[shape])


def it_has_its_name(subject: SectionUnderTest) -> None:
    """And is a section at all, with a title and something in it."""
    section = subject.of(WHOLE)
    if section is None:
        return
    _require(isinstance(section, Section), f"it must return a Section or None, but returned {type(section).__name__}")
    _require(section.slug == subject.name, f"it calls itself `{section.slug}`, not `{subject.name}`")
    _require(section.kind == subject.kind, f"its kind must be `{subject.kind}`, but is `{section.kind}` instead")
    _require(bool(section.title.strip()) and bool(section.blocks), "it has no title, or nothing in it")


def every_format_renders_it(subject: SectionUnderTest) -> None:
    """And what it names becomes files and anchors, each of its own."""
    section = subject.of(WHOLE)
    if section is None:
        return
    rendered(section)
    for kind, allowed in ((Table, "an anchor"), (Figure, "a file")):
        names = [item.name for item in _items(section.blocks) if isinstance(item, kind)]
        odd = [name for name in names if not _NAME.fullmatch(name)]
        _require(not odd, f"{odd[:1]} becomes {allowed}: letters, digits, `.`, `_` and `-` alone")
        twice = sorted({name for name in names if names.count(name) > 1})
        _require(not twice, f"{twice[:1]} becomes {allowed}, and there are two")
    for table in _tables(section.blocks):
        uneven = any(len(row.cells) != len(table.columns) for row in table.rows)
        _require(not uneven, f"table `{table.name}` has a row of another length than its columns")


def same_files_give_the_same_bytes(subject: SectionUnderTest) -> None:
    """In another folder, and in other processes, where sets have another order."""
    first = rendered(subject.of(WHOLE))
    _require(first == rendered(subject.of(AGAIN)), "the same files in another folder give other bytes")
    found = [_elsewhere(subject.make, seed) for seed in _HASH_SEEDS]
    _require(all(one in (first, None) for one in found), "another process gives other bytes: the order of a set?")


def times_do_not_enter(subject: SectionUnderTest) -> None:
    """Neither those of the run nor today's."""
    if subject.kind == "cost":
        return
    words = rendered(subject.of(WHOLE))
    date = _DATE.search(words)
    _require(date is None, f"it has a date or a time: {date and date[0]}")
    _require(rendered(subject.of(LATER)) == words, "it shows what timing.json holds; only the section `cost` may")


def what_is_missing_is_a_gap(subject: SectionUnderTest) -> None:
    """Neither a crash, nor a zero, nor a number that is none."""
    for shape in SPARSE:
        section = subject.of(shape)
        if section is None:
            continue
        odd = _NO_NUMBER.search(markdown.section(section)) or next(
            (found for figure in _figures(section.blocks) if (found := _NO_NUMBER.search(figure.svg))), None
        )
        _require(odd is None, f"{shape}: it says `{odd and odd[0]}`")
        rendered(section)
        zeros = [table.name for table in _tables(section.blocks) if shape == NOTHING and _has_zero(table)]
        _require(not zeros, f"{shape}: table {zeros[:1]} has a zero, where nothing was measured")


def words_are_escaped(subject: SectionUnderTest) -> None:
    """No text of a run acts in any format."""
    for shape in (WHOLE, *SPARSE):
        section = subject.of(shape)
        if section is None:
            continue
        _none(escaping.acting_in_page(section))
        _none(escaping.acting_in_markdown(section))
        for table in _tables(section.blocks):
            _none(escaping.acting_in_latex(table))
        for figure in _figures(section.blocks):
            _none(escaping.acting_in_picture(figure))


def the_analysis_is_left_alone(subject: SectionUnderTest) -> None:
    """Sections are made one after the other of the same tables."""
    before = _tables_of(subject.runs[WHOLE])
    subject.of(WHOLE)
    _require(_tables_of(subject.runs[WHOLE]) == before, "it changed the analysis")


CHECKS: tuple[Callable[[SectionUnderTest], None], ...] = (
    the_analysis_is_left_alone,
    it_has_its_name,
    every_format_renders_it,
    same_files_give_the_same_bytes,
    times_do_not_enter,
    what_is_missing_is_a_gap,
    words_are_escaped,
)


def rendered(section: Section | None) -> str:
    """In every format, one after the other; the empty text of no section."""
    if section is None:
        return ""
    parts = [markdown.section(section), html.document(Document("", [""], [section]))]
    parts += [render for t in _tables(section.blocks) for render in (latex.table(t, t.name), csv.table(t))]
    return "\n".join([*parts, *(figure.svg for figure in _figures(section.blocks))])


def _elsewhere(make: Make, hash_seed: str) -> str | None:
    """The section of the whole run, rendered in a process of its own; None if the function cannot be sent there, as one
    inside another cannot."""
    try:
        sent = pickle.dumps(make)
    except (pickle.PicklingError, AttributeError, TypeError):
        return None
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", _ELSEWHERE], input=sent, capture_output=True, env=environment)
    if done.returncode == _CANNOT_READ:
        return None
    said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    _require(done.returncode == 0, f"it fails in another process: {said}")
    return done.stdout.decode()


def _require(holds: bool, found: str) -> None:
    if not holds:
        raise AssertionError(found)


def _none(found: Iterable[str]) -> None:
    for sentence in found:
        raise AssertionError(sentence)


def _tables_of(a: Analysis) -> bytes:
    return pickle.dumps((a.run.evals, a.run.problems, a.run.steps, a.cells, a.scores, a.marks))


def _items(blocks: Sequence[Block]) -> Iterator[Table | Figure]:
    for block in blocks:
        match block:
            case Table() | Figure():
                yield block
            case Gallery():
                yield from block.figures
            case Folded():
                yield from _items(block.blocks)
            case _:
                pass


def _tables(blocks: Sequence[Block]) -> list[Table]:
    return [item for item in _items(blocks) if isinstance(item, Table)]


def _figures(blocks: Sequence[Block]) -> list[Figure]:
    return [item for item in _items(blocks) if isinstance(item, Figure)]


def _has_zero(table: Table) -> bool:
    """In a column of numbers."""
    places = [place for place, column in enumerate(table.columns) if column.numeric]
    return any(_ZERO.fullmatch(row.cells[place].text.strip()) for row in table.rows for place in places)
