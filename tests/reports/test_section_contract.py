"""Our sections keep to the contract of sections, and sections that do not are found out."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from typing import Any

import pytest

from harness.base.plugins import PluginError
from rence.cli.checking import CheckedKind, run_contract
from reports.data.analysis import Analysis
from reports.data.load import MARKS
from reports.document import Bullets, Cell, Column, Figure, Row, Section, Table, Text, text
from reports.sections import example, registry
from reports.sections import section_contract as contract
from reports.sections.section_contract import ExampleRuns, SectionUnderTest

KINDS = {"cost": "cost"}
HERE = [check for check in contract.CHECKS if check is not contract.same_files_give_the_same_bytes]
MODULE = """
from reports.document import Bullets, Section
from reports.sections import registry

def every(a):
    parts = [make(a) for make in registry.ours().values()]
    return Section("every", "Every section", [block for part in parts if part is not None for block in part.blocks])

def in_order_of_a_set(a):
    return Section("x", "X", [Bullets(list({f"{a.target} {i}" for i in range(40)}))])
"""


@pytest.fixture(scope="module")
def runs() -> ExampleRuns:
    return ExampleRuns()


@pytest.mark.parametrize("name", registry.ours())
def test_ours_keep_to_the_contract(runs: ExampleRuns, name: str) -> None:
    assert len(HERE) >= 5
    for check in HERE:
        check(SectionUnderTest(name, registry.ours()[name], KINDS.get(name, "body"), runs))


def test_the_whole_example_makes_every_section(runs: ExampleRuns) -> None:
    assert [name for name, make in registry.ours().items() if make(runs[example.WHOLE]) is None] == []


def test_in_other_processes_bytes_are_the_same_and_sets_are_found_out(runs: ExampleRuns, package) -> None:
    """All of ours in one, so that other processes are begun twice and not fifty times."""
    package("in_a_module", MODULE)
    module = importlib.import_module("in_a_module")
    contract.same_files_give_the_same_bytes(SectionUnderTest("every", module.every, runs=runs))
    with pytest.raises(AssertionError, match="another process gives other bytes"):
        contract.same_files_give_the_same_bytes(SectionUnderTest("x", module.in_order_of_a_set, runs=runs))


def made(*blocks: Any, slug: str = "x", **changes: Any) -> Section:
    return Section(slug, "X", list(blocks), **changes)


def table(*cells: str) -> Table:
    return Table("x", [Column("", numeric=False), *map(Column, cells[1:])], [Row([*map(text, cells)])])


def spoils(a: Analysis) -> Section:
    a.run.evals["grid"] = 0
    return made(Text("done"))


def counted(a: Analysis) -> Section:
    """A zero where nothing was asked."""
    asked = sum(len(one.ids) for one in a.run.attempts)
    return made(table("asked", str(asked)))


def lengths(a: Analysis) -> Section:
    tokens = [float(one.tokens.mean()) for one in a.run.attempts]
    return made(Bullets([f"{one:.1f} tokens" for one in tokens] or ["none"]))


def pictured(a: Analysis) -> Section:
    return made(Figure("x", f"<svg xmlns='http://www.w3.org/2000/svg'><text>{a.arms[0].title}</text></svg>", "x"))


BROKEN: dict[str, tuple[Callable[[Analysis], Any], str, str]] = {
    "another slug": (lambda a: made(Text("y"), slug="y"), "it_has_its_name", "calls itself `y`"),
    "not a section": (lambda a: "words", "it_has_its_name", "but returned str"),
    "cost": (lambda a: made(Text("y"), kind="cost"), "it_has_its_name", "kind must be `body`"),
    "a row that is short": (
        lambda a: made(Table("x", [Column("a"), Column("b")], [Row([Cell("1")])])), "every_format_renders_it", "",
    ),
    "a path as a name": (
        lambda a: made(Table("../x", [Column("a")], [])), "every_format_renders_it", "becomes an anchor",
    ),
    "the folder": (lambda a: made(Text(str(a.run.root))), "same_files_give_the_same_bytes", "another folder"),
    "seconds": (
        lambda a: made(Text(str(sum(t.timing.wall_seconds for t in a.run.trials.values() if t.timing)))),
        "times_do_not_enter", "timing.json",
    ),
    "today": (lambda a: made(Text(time.strftime("%Y-%m-%d"))), "times_do_not_enter", "it has a date"),
    "a crash where there is nothing": (
        lambda a: made(Text(str(a.scores[a.target, "average"].estimate.value))), "what_is_missing_is_a_gap", "KeyError",
    ),
    "a zero where there is nothing": (counted, "what_is_missing_is_a_gap", "has a zero"),
    "nan": (lengths, "what_is_missing_is_a_gap", "it says `nan`"),
    "a picture with names as they are": (pictured, "words_are_escaped", "a script gets into the page"),
    "a change": (spoils, "the_analysis_is_left_alone", "it changed the analysis"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_what_a_check_finds(runs: ExampleRuns, kind: str) -> None:
    make, name, words = BROKEN[kind]
    own = ExampleRuns() if make is spoils else runs
    with pytest.raises(Exception) as found:
        getattr(contract, name)(SectionUnderTest("x", make, runs=own))
    assert words in f"{found.type.__name__} {found.value}" and found.type in (AssertionError, KeyError, IndexError)


def test_a_section_that_keeps_to_it() -> None:
    for check in contract.CHECKS:
        check(SectionUnderTest("good", good))


def test_rence_check_holds_sections_of_ours_and_of_others_to_it(package: Any) -> None:
    package("others", MODULE, sections={"in_sets": "others:in_order_of_a_set", "gone": "others:nothing"})
    assert [row.passed for row in run_contract(CheckedKind.section, "cost")] == [True] * len(contract.CHECKS)
    failed = {row.name: row.detail for row in run_contract(CheckedKind.section, "in_sets") if row.passed is False}
    assert failed == {
        "it has its name": "it calls itself `x`, not `in_sets`",
        "same files give the same bytes": "another process gives other bytes: the order of a set?",
    }
    with pytest.raises(PluginError, match=r"the section `gone` of others 1\.0"):
        run_contract(CheckedKind.section, "gone")


def good(a: Analysis) -> Section | None:
    """Attempts at the headline of each arm, by mark."""
    if not a.marks:
        return None
    rows = [
        Row([text(a.label(arm)), text(b), *(text(counts.get(mark, "—")) for mark in MARKS)])
        for (arm, b), counts in a.marks.items()
    ]
    columns = [Column("", numeric=False), Column("Benchmark", numeric=False), *map(Column, MARKS)]
    return Section("good", "Marks", [Table("good-marks", columns, rows)])
