"""Sections of other packages: where they stand, and what becomes of a report when one of them breaks."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import reports
from reports.analysis import analyse
from reports.load import load
from reports.sections import SECTIONS, descriptions

Package = Callable[..., Path]
HEAD = "from reports.document import *\n"
GOOD = """
def zz(a):
    dots = Figure("zz-dots", "<svg xmlns='x'/>", "dots")
    return Section("zz", "The last", [Text(f"{len(a.arms)} arms"), dots])
def aa(a):
    '''The first there is.

    And more.'''
    return Section("aa", "The first", [Text("first")])
def none(a): return None
"""
BROKEN = {
    "raises": ("raise RuntimeError('out of order')", "RuntimeError: out of order"),
    "exits": ("raise SystemExit(3)", "SystemExit: 3"),
    "a word": ("return 'words'", "it must return a Section or None, but returned str instead"),
    "another name": ("return Section('x', 'X', [])", "it calls itself `x`, and the two names must agree"),
    "cost": ("return Section('bad', 'X', [], kind='cost')", "its kind must be `body`, but is `cost` instead"),
    "a block that is none": ("return Section('bad', 'X', [7])", "TypeError: "),
    "a table that is none": ("return Section('bad', 'X', [Table('t', [Column('c')], [Row([1])])])", "AttributeError: "),
    "our figure": (
        "return Section('bad', 'X', [Folded('more', [Table('scores', [Column('c')], [])])])",
        "it has a table or figure `scores`, and another section has that name",
    ),
}


def titles(run: Path) -> list[str]:
    return re.findall(r"^## (.*)$", (run / "report/report.md").read_text(encoding="utf-8"), re.M)


def test_ours_have_the_names_they_are_listed_under(make_run) -> None:
    run = make_run(gains={"rence": 0.8, "grpo": 0.6, "dapo": 0.5})
    a, made = analyse(load(run)), 0
    for name, make in SECTIONS.items():
        section = make(a)
        assert section is None or section.slug == name
        made += section is not None
    assert made > 15
    assert list(descriptions()) == list(SECTIONS)
    assert all((0 < len(words) < 121 and words[-1] == ".") or words[-1] == "?" for words in descriptions().values())


def test_sections_of_others_stand_before_the_notes_in_the_order_of_their_names(make_run, package: Package) -> None:
    run = make_run()
    reports.build(run)
    before = titles(run)
    notes = before.index("Notes")
    package("other", HEAD + GOOD, sections={name: f"other:{name}" for name in ("zz", "none", "aa")})
    assert descriptions() == {**{name: words for name, words in descriptions().items() if name in SECTIONS},
                              "aa": "The first there is.", "none": "", "zz": ""}  # fmt: skip
    files = reports.build(run)
    assert titles(run) == [*before[:notes], "The first", "The last", *before[notes:]]
    assert run / "report/figures/zz-dots.svg" in files
    content = {path: path.read_bytes() for path in files}
    shutil.rmtree(run / "report")
    assert {path: path.read_bytes() for path in reports.build(run)} == content


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_section_is_left_out_and_the_notes_say_so(make_run, package: Package, kind: str) -> None:
    run = make_run()
    reports.build(run)
    before = titles(run)
    body, reason = BROKEN[kind]
    package("other", f"{HEAD}{GOOD}\ndef bad(a): {body}", "0.3", sections={"bad": "other:bad", "aa": "other:aa"})
    reports.build(run)
    notes = before.index("Notes")
    assert titles(run) == [*before[:notes], "The first", *before[notes:]]
    page = (run / "report/report.md").read_text(encoding="utf-8").replace("\\", "")
    said = f"- A section is missing: the section `bad` of other 0.3 (other:bad) cannot be used: {reason}"
    assert said in page and page.count("A section is missing") == 1
    assert "A section is missing" in (run / "report/index.html").read_text(encoding="utf-8")


def test_a_name_of_ours_is_refused(make_run, package: Package) -> None:
    run = make_run()
    package("other", HEAD + GOOD, sections={"flips": "other:aa", "number": "reports:FORMATS"})
    reports.build(run)
    page = (run / "report/report.md").read_text(encoding="utf-8").replace("\\", "")
    assert "`flips` of other 1.0 (other:aa) cannot be used: rence-bench has that name itself." in page
    assert "it must be a function from an Analysis to a Section, but is tuple instead." in page
    assert "## Problems gained and lost" in page


def test_a_report_without_notes_gets_some(make_run, package: Package) -> None:
    run = make_run(gains={"grpo": 0.5, "dapo": 0.6})
    reports.build(run)
    assert "Notes" not in titles(run)
    package("other", "", sections={"bad": "other:bad"})
    reports.build(run)
    assert titles(run)[-2:] == ["Notes", "Time"]
