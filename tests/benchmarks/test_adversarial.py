"""The adversarial suite: the data are what the rules write, the kinds have variety, rates count what they say."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks import adversarial
from benchmarks.adversarial.build import EACH, lines
from benchmarks.adversarial.child import caller, number_of
from benchmarks.adversarial.rates import by, rates
from benchmarks.adversarial.registry import KINDS
from benchmarks.adversarial.suite import SuiteRow

ROWS = adversarial.load()
FOLDER = Path(adversarial.__file__).parent
LEAST_FORMS = 4


def test_the_file_is_what_the_rules_write() -> None:
    assert adversarial.FILE.read_text(encoding="utf-8").splitlines() == lines()


def test_size_and_identity() -> None:
    assert len(KINDS) >= 40 and EACH >= 60 and len(ROWS) == len(KINDS) * EACH >= 4000
    assert len({row.id for row in ROWS}) == len(ROWS)
    assert Counter(row.kind for row in ROWS) == dict.fromkeys(KINDS, EACH)
    assert re.fullmatch(r"1-[0-9a-f]{12}", adversarial.version())


def test_equal_forms_are_right_and_near_misses_and_exploits_wrong() -> None:
    found = {(row.group, row.expected) for row in ROWS}
    assert found == {
        ("equal forms", True),
        ("near misses", False),
        ("whole responses", True),
        ("whole responses", False),
        ("exploits", False),
    }


def test_one_verdict_on_one_pair() -> None:
    """In all kinds together: two rules never contradict each other."""
    verdicts: dict[tuple[str, str, str], bool] = {}
    twice = [
        row.id for row in ROWS if verdicts.setdefault((row.gold, row.pred, row.rule), row.expected) is not row.expected
    ]
    assert twice == []


def test_reasons_are_sentences_and_kinds_say_what_they_are() -> None:
    assert [row.id for row in ROWS if not re.fullmatch(r"[A-Z`\d√].+\.", row.reason)] == []
    assert [name for name, kind in KINDS.items() if not re.fullmatch(r"[A-Z].{15,}[.)]", kind.description)] == []


def test_every_kind_has_several_forms() -> None:
    """Not one sentence with other numbers: what is left of answers without digits, letters and names varies."""

    def form(row: SuiteRow) -> str:
        return re.sub(r"\d+", "0", f"{row.gold} {row.pred}")

    forms = {name: len({form(row) for row in ROWS if row.kind == name}) for name in KINDS}
    assert {name: count for name, count in forms.items() if count < LEAST_FORMS} == {}


def test_right_and_wrong_pairs_are_not_told_apart_by_being_the_same_text() -> None:
    """A wrong answer is never its gold; hardly any right one is, for an equal text needs no marker."""
    boxed = [row for row in ROWS if row.pred == f"\\boxed{{{row.gold}}}"]
    assert [row.id for row in boxed if not row.expected] == []
    equal = [row for row in boxed if row.group == "equal forms"]
    assert len(equal) < 40


def test_nothing_of_it_imports_a_marker() -> None:
    for path in sorted(FOLDER.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not [name for name in names if name.startswith(("benchmarks.marking", "math_verify", "sympy"))], path


def row(kind: str, expected: bool, group: str = "g") -> SuiteRow:
    return SuiteRow(f"{kind}/0", kind, group, "1", "\\boxed{1}", expected, "Because.")


def test_rates_by_hand() -> None:
    rows = [row("a", True), row("a", True), row("a", False), row("b", False), row("b", False), row("b", False)]
    verdicts = [True, None, True, False, None, True]
    a, b = by(lambda one: one.kind, rows, verdicts)
    assert (a.wrong, a.accepted, a.right, a.refused, a.failed) == (1, 1, 2, 1, 1)
    assert (a.false_positives, a.false_negatives) == (1.0, 0.5)
    assert (b.wrong, b.accepted, b.right, b.refused, b.failed) == (3, 1, 0, 0, 1)
    assert b.false_positives == pytest.approx(1 / 3) and b.false_negatives is None
    assert rates(rows, verdicts).false_positives == 0.5


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (True, 1.0),
        (0.5, 0.5),
        ({"score": -1.0, "acc": False}, -1.0),
        ({"acc": True}, 1.0),
        ([1.0], 1.0),
        ((False, True, "x"), 0.0),
    ],
)
def test_what_functions_return(value: Any, number: float) -> None:
    assert number_of(value) == number


@pytest.mark.parametrize("value", ["1", None, {}, {"pred": 1}, [], float("nan"), object()])
def test_what_is_no_number(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        number_of(value)


def test_forms_of_functions() -> None:
    """Ours, verl's and TRL's, each with what it is given."""

    def plain(a: str, b: str) -> tuple[str, str]:
        return a, b

    def verl(data_source: str, solution_str: str, ground_truth: str, extra_info: Any = None) -> Any:
        return data_source, solution_str, ground_truth, extra_info

    def trl(completions: list[Any], answer: list[str], **kwargs: Any) -> Any:
        return completions, answer, kwargs

    def turned(gold: str, response: str) -> Any:
        return gold, response

    def open_trl(completions: list[Any], **kwargs: Any) -> Any:
        return kwargs["ground_truth"], kwargs["solution"]

    assert caller(plain)[0]("r", "g") == ("r", "g")
    assert caller(verl)[0]("r", "g") == ("math", "r", "g", None)
    assert caller(turned)[0]("r", "g") == ("g", "r")
    assert caller(trl)[0]("r", "g") == (["r"], ["g"], {})
    assert caller(trl, messages=True)[0]("r", "g")[0] == [[{"role": "assistant", "content": "r"}]]
    assert caller(open_trl)[0]("r", "g") == (["g"], ["g"])


def test_the_page_has_every_kind_and_the_version() -> None:
    page = (FOLDER.parents[1] / "docs" / "how-to" / "exploit.md").read_text(encoding="utf-8")
    assert adversarial.version() in page
    assert [name for name in KINDS if f"| `{name}`: {KINDS[name].description} |" not in page] == []
