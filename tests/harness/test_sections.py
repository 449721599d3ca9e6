"""Sections of other packages, found and handed to the reports."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from rence.cli.sections import PLUGINS, others

SOURCE = """
def aa(a): return None
def zz(a): return None
"""


def test_they_are_in_the_order_of_their_names_with_what_they_come_from(package: Callable[..., Path]) -> None:
    package("other", SOURCE, "0.3", sections={"zz": "other:zz", "aa": "other:aa"})
    assert PLUGINS.names() == ["aa", "zz"] and "other" not in sys.modules
    found = others()
    assert [(one.name, one.origin, one.make.__name__) for one in found.sections] == [
        ("aa", "other 0.3 (other:aa)", "aa"),
        ("zz", "other 0.3 (other:zz)", "zz"),
    ]
    assert found.missing == []


def test_those_that_cannot_be_loaded_are_sentences(package: Callable[..., Path]) -> None:
    points = {"flips": "other:aa", "number": "reports:FORMATS", "nowhere": "other:bb", "aa": "other:aa"}
    package("other", SOURCE, sections=points)
    found = others()
    assert [one.name for one in found.sections] == ["aa"]
    mend = "Mend or uninstall that package."
    assert found.missing == [
        f"the section `flips` of other 1.0 (other:aa) cannot be used: rence-bench has that name itself. {mend}",
        "the section `nowhere` of other 1.0 (other:bb) cannot be used: "
        f"AttributeError: module 'other' has no attribute 'bb'. {mend}",
        "the section `number` of other 1.0 (reports:FORMATS) cannot be used: "
        f"it must be a function from an Analysis to a Section, but is tuple instead. {mend}",
    ]
