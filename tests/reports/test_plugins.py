"""Sections of other packages: where they stand, and what becomes of a report when one of them breaks."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import reports
from reports.data.analysis import Analysis, analyse
from reports.data.load import load
from reports.document import Column, Figure, Folded, Row, Section, Table, Text
from reports.sections.registry import ORDER, Offered, Others, descriptions, ours


def offered(name: str, make: Callable[[Analysis], Any], version: str = "1.0") -> Offered:
    return Offered(name, f"other {version} (other:{name})", make)


def last(a: Analysis) -> Section:
    dots = Figure("zz-dots", "<svg xmlns='x'/>", "dots")
    return Section("zz", "The last", [Text(f"{len(a.arms)} arms"), dots])


def first(a: Analysis) -> Section:
    """The first there is.

    And more."""
    return Section("aa", "The first", [Text("first")])


def none(a: Analysis) -> None:
    return None


def fails(error: BaseException) -> None:
    raise error


BROKEN: dict[str, tuple[Callable[[], Any], str]] = {
    "raises": (lambda: fails(RuntimeError("out\n of order.")), "RuntimeError: out of order. Mend"),
    "says nothing": (lambda: fails(ValueError()), "ValueError: no message. Mend"),
    "exits": (lambda: fails(SystemExit(3)), "SystemExit: 3"),
    "a word": (lambda: "words", "it must return a Section or None, but returned str instead"),
    "another name": (lambda: Section("x", "X", []), "it calls itself `x`, and the two names must agree"),
    "cost": (lambda: Section("bad", "X", [], kind="cost"), "its kind must be `body`, but is `cost` instead"),
    "a block that is none": (lambda: Section("bad", "X", [7]), "TypeError: "),  # type: ignore[list-item]
    "a table that is none": (lambda: Section("bad", "X", [Table("t", [Column("c")], [Row([1])])]), "AttributeError: "),  # type: ignore[list-item]
    "our figure": (
        lambda: Section("bad", "X", [Folded("more", [Table("scores", [Column("c")], [])])]),
        "it has a table or figure `scores`, and another section has that name",
    ),
}


def titles(run: Path) -> list[str]:
    return re.findall(r"^## (.*)$", (run / "report/report.md").read_text(encoding="utf-8"), re.M)


def test_ours_have_the_names_they_are_listed_under(make_run) -> None:
    run = make_run(gains={"rence": 0.8, "grpo": 0.6, "dapo": 0.5})
    a, made = analyse(load(run)), 0
    for name, make in ours().items():
        section = make(a)
        assert section is None or section.slug == name
        made += section is not None
    assert made > 15
    assert list(descriptions()) == list(ours())
    assert [name for name in ours() if name in ORDER] == list(ORDER), "one that is not found"
    assert list(ours())[-2:] == ["notes", "cost"]
    assert all((0 < len(words) < 121 and words[-1] == ".") or words[-1] == "?" for words in descriptions().values())


def test_sections_of_others_stand_before_the_notes_in_the_order_they_come(make_run) -> None:
    run = make_run()
    reports.build(run)
    before = titles(run)
    notes = before.index("Notes")
    others = Others([offered("aa", first), offered("none", none), offered("zz", last)])
    words = (__doc__ or "").strip()  # what is said of a function that says nothing of itself
    assert descriptions(others.sections) == {**descriptions(), "aa": "The first there is.", "none": words, "zz": words}
    files = reports.build(run, others=others)
    assert titles(run) == [*before[:notes], "The first", "The last", *before[notes:]]
    assert run / "report/figures/zz-dots.svg" in files
    content = {path: path.read_bytes() for path in files}
    shutil.rmtree(run / "report")
    assert {path: path.read_bytes() for path in reports.build(run, others=others)} == content


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_section_is_left_out_and_the_notes_say_so(make_run, kind: str) -> None:
    run = make_run()
    reports.build(run)
    before = titles(run)
    make, reason = BROKEN[kind]
    bad = offered("bad", lambda _: make(), "0.3")
    reports.build(run, others=Others([offered("aa", first), bad]))
    notes = before.index("Notes")
    assert titles(run) == [*before[:notes], "The first", *before[notes:]]
    page = (run / "report/report.md").read_text(encoding="utf-8").replace("\\", "")
    said = f"- A section is missing: the section `bad` of other 0.3 (other:bad) cannot be used: {reason}"
    assert said in page and page.count("A section is missing") == 1
    assert "A section is missing" in (run / "report/index.html").read_text(encoding="utf-8")


def test_two_sections_cannot_have_the_same_figure(make_run) -> None:
    run = make_run()
    again = offered("again", lambda a: Section("again", "Again", last(a).blocks))
    reports.build(run, ["md"], others=Others([again, offered("zz", last)]))
    page = (run / "report/report.md").read_text(encoding="utf-8").replace("\\", "")
    assert "Again" in titles(run) and "The last" not in titles(run)
    assert "`zz` of other 1.0 (other:zz) cannot be used: it has a table or figure `zz-dots`, and another" in page


def test_a_report_without_notes_gets_some(make_run) -> None:
    run = make_run(gains={"grpo": 0.5, "dapo": 0.6})
    reports.build(run)
    assert "Notes" not in titles(run)
    reports.build(run, others=Others(missing=["the section `bad` cannot be used: it is not here."]))
    assert titles(run)[-2:] == ["Notes", "Time"]
    page = (run / "report/report.md").read_text(encoding="utf-8").replace("\\", "")
    assert "- A section is missing: the section `bad` cannot be used: it is not here.\n" in page
