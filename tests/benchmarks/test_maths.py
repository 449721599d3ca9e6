"""The field's sets: cleaning by example, loading from a folder and from the hub's library, and what is left out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.asking import SEVERAL
from benchmarks.files import cleaning
from benchmarks.files.hub import Hub
from benchmarks.loading import errata
from benchmarks.loading import source as loading
from benchmarks.loading.selection import CONFLICTING, DUPLICATE, LONG, UNMARKABLE, select
from benchmarks.loading.source import Source
from benchmarks.loading.wording import wording
from benchmarks.maths import gsm8k, hendrycks_math, minerva, olymmath, olympiadbench, training
from benchmarks.problems import Problem, ProblemsError, ProblemsMissing, hash_of
from benchmarks.registry import BENCHMARKS, benchmark, training_set

DATA = os.environ.get("RENCE_DATA_DIR")


@pytest.mark.parametrize(
    "clean, raw, gold",
    [
        (cleaning.integer, "025", "25"),
        (cleaning.integer, "27.0", "27"),
        (cleaning.integer, "-1.0", "-1"),
        (cleaning.integer, " 1,234 ", "1234"),
        (cleaning.integer, "000", "0"),
        (hendrycks_math.latex, "11,\\! 111,\\! 100", "11,111,100"),
        (hendrycks_math.latex, "\\$ 1500", "1500"),
        (hendrycks_math.latex, "20 \\%", "20"),
        (hendrycks_math.latex, "-\\frac{5}{3}.", "-\\frac{5}{3}"),
        (hendrycks_math.latex, "\\left( 3, \\frac{\\pi}{2} \\right)", "\\left( 3, \\frac{\\pi}{2} \\right)"),
        (minerva.minerva, "4.5e33", "4.5 \\times 10^{33}"),
        (minerva.minerva, "1e-5", "1 \\times 10^{-5}"),
        (minerva.minerva, "np.arcsin(10/13)", "\\arcsin(10/13)"),
        (minerva.minerva, "-1./3", "-1/3"),
        (minerva.minerva, "a \\cos (t)+$ $b \\sin (t)", "a \\cos (t)+ b \\sin (t)"),
        (minerva.minerva, "1.6", "1.6"),
        (olympiadbench.olympiad, "$\\frac{1}{2 n+2}$", "\\frac{1}{2 n+2}"),
        (olympiadbench.olympiad, "$8$,$4$", "8,4"),
        (olympiadbench.olympiad, "$(-\\infty, 0) \\cup\\{1\\}$.", "(-\\infty, 0) \\cup\\{1\\}"),
        (olympiadbench.olympiad, "$8 \\%$", "8"),
        (olymmath.olymmath, "$2^2023$", "2^{2023}"),
        (olymmath.olymmath, "2017^2", "2017^2"),
        (cleaning.unwrapped, "74^\\circ", "74^\\circ"),
        (cleaning.boxed, "so it is $\\boxed{204}$.", "204"),
        (cleaning.boxed, "no box", ""),
        (gsm8k.after_hashes, "9 * 2 = <<9*2=18>>18\n#### 18", "18"),
    ],
)
def test_golds(clean: Callable[[str], str], raw: str, gold: str) -> None:
    assert clean(raw) == gold


@pytest.mark.parametrize("raw", ["", "2.5", "\\frac{1}{2}", "x"])
def test_what_is_no_whole_number_is_refused(raw: str) -> None:
    with pytest.raises(ValueError):
        cleaning.integer(raw)


ROWS = [{"problem": "What is 1+1?", "answer": "02"}, {"problem": "What is 1+2?", "answer": "3.0"}]
PROBLEMS = (Problem("What is 1+1?", "2"), Problem("What is 1+2?", "3"))
HUB = Hub("nobody/nothing", "0" * 40, "test", 2)
SMALL = Source("small", "small_file", 2, hash_of(PROBLEMS), "ours", cleaning.integer, HUB)
SOURCES = {source.name: source for source in (*training.HELD_OUT, gsm8k.GSM8K, *training.SOURCES)}


@pytest.mark.parametrize(
    "gold, expected",
    [
        ("1,-2", True),
        ("(6,3),(9,5)", True),
        ("1 \\pm \\sqrt{19}", True),
        ("2500,7500", True),
        ("41352,42351,51342", True),
        ("f(n)=n, g(n)=1", True),
        ("\\left( 3, \\frac{\\pi}{2} \\right)", False),
        ("(3,4]", False),
        ("(0,9) \\cup (9,36)", False),
        ("\\{1\\pm\\sqrt{5},-2\\}", False),
        ("11,111,111,100", False),
        ("10{,}080", False),
        ("5\\,\\text{cm}", False),
        ("x \\in [-2,7]", False),
        ("7", False),
    ],
)
def test_which_golds_list_several_answers(gold: str, expected: bool) -> None:
    assert cleaning.several(gold) is expected


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RENCE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    return tmp_path


@pytest.mark.parametrize("place", ["", "benchmarks", "train"])
def test_a_file_of_the_data_folder(folder: Path, place: str) -> None:
    write(folder / place / "small_file.jsonl", ROWS)
    assert loading.load(SMALL) == PROBLEMS


@pytest.mark.parametrize(
    "rows, message",
    [
        (ROWS[:1], "must hold the 2 problems of `small` with the hash"),
        ([ROWS[0], {**ROWS[1], "answer": "4"}], "but holds 2 with the hash"),
        ([{"question": "1+1", "answer": "2"}], "must hold JSON lines with `problem` and `answer`"),
    ],
)
def test_a_file_that_is_not_what_is_pinned(folder: Path, rows: list[dict[str, Any]], message: str) -> None:
    write(folder / "small_file.jsonl", rows)
    with pytest.raises(ProblemsError) as error:
        loading.load(SMALL)
    assert message in str(error.value) and str(folder / "small_file.jsonl") in str(error.value)
    assert len(str(error.value).splitlines()) <= 2


def test_neither_here_nor_on_the_hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProblemsError) as error:
        loading.load(SMALL)
    first, second = str(error.value).splitlines()
    assert f"small_file.jsonl is not in {folder}" in first and "`nobody/nothing` cannot be read" in first
    assert second.startswith("Either set RENCE_DATA_DIR to a folder that holds small_file.jsonl, or connect to the hub")
    monkeypatch.delenv("RENCE_DATA_DIR")
    with pytest.raises(ProblemsError, match="RENCE_DATA_DIR is not set"):
        loading.load(SMALL)
    monkeypatch.setenv("RENCE_DATA_DIR", str(folder / "nowhere"))
    with pytest.raises(ProblemsError, match=r"RENCE_DATA_DIR must name a folder, but `.*nowhere` is none"):
        loading.load(SMALL)


def test_a_set_that_the_hub_does_not_have(folder: Path) -> None:
    source = replace(SMALL, hub=None)
    asked = source.benchmark("Small", "two sums", k=8)
    assert (asked.hub, asked.k, asked.title, asked.also, asked.origin) == (None, 8, "Small", (), "small_file.jsonl")
    with pytest.raises(ProblemsMissing) as error:
        asked.problems  # noqa: B018  which loads them
    first, second = str(error.value).splitlines()
    assert f"small_file.jsonl is not in {folder}" in first and "hub's" not in str(error.value)
    assert second == "Set RENCE_DATA_DIR to a folder that holds small_file.jsonl."
    write(folder / "small_file.jsonl", ROWS[:1])
    with pytest.raises(ProblemsError, match=r"Put the right file there\.$"):
        loading.load(source)
    write(folder / "small_file.jsonl", ROWS)
    assert source.benchmark("Small", "two sums", k=8).problems == PROBLEMS


def test_the_hubs_library_with_other_columns(folder: Path) -> None:
    """The library reads a folder like a data set of the hub; only the connection is not exercised."""
    solutions = [{"question": row["problem"], "solution": f"It is \\boxed{{{row['answer']}}}."} for row in ROWS]
    write(folder / "copy" / "test.jsonl", solutions)
    hub = Hub(str(folder / "copy"), "main", "test", 2, question="question", answer="solution", extract=cleaning.boxed)
    assert loading.load(replace(SMALL, hub=hub)) == PROBLEMS
    with pytest.raises(ProblemsError, match="must have 3 problems, but has 2 instead"):
        loading.load(replace(SMALL, hub=replace(hub, rows=3)))
    with pytest.raises(ProblemsError, match="cannot be read: 'prompt'"):
        loading.load(replace(SMALL, hub=replace(hub, question="prompt")))


def test_every_source_is_pinned() -> None:
    for source in SOURCES.values():
        assert source.hub and len(source.hub.revision) == 40 and int(source.hub.revision, 16)
        assert len(source.content) == 16 and int(source.content, 16)
        assert source.licence
        assert source.rows == source.hub.rows or source.name in ("olympiadbench", "dapo_math_17k")


@pytest.mark.skipif(not DATA, reason="the problems are not shipped; set RENCE_DATA_DIR to a folder that holds them")
@pytest.mark.parametrize("name", SOURCES)
def test_cleaned_answers_are_the_files_golds(name: str) -> None:
    source = SOURCES[name]
    file = loading.local_file(source)
    if file is None:
        pytest.skip(f"{source.file}.jsonl is not in RENCE_DATA_DIR")
    with file.open(encoding="utf-8") as lines:  # and not splitlines(): some questions hold other ends of lines
        rows = [json.loads(line) for line in lines]
    assert [problem.gold for problem in loading.load(source)] == [row["gold"] or "" for row in rows]


def problems(name: str) -> tuple[Problem, ...]:
    if loading.local_file(SOURCES[name]) is None:
        pytest.skip(f"{name} is not shipped; set RENCE_DATA_DIR to a folder that holds it")
    return loading.load(SOURCES[name])


@pytest.mark.parametrize("name, count", [("aime24", 0), ("math500", 5), ("minerva_math", 1), ("olympiadbench", 93)])
def test_problems_with_several_answers_ask_for_one_box(name: str, count: int) -> None:
    assert sum(problem.note == SEVERAL for problem in problems(name)) == count


def test_olympiadbench_says_the_same_but_for_three() -> None:
    """Its column calls two points several answers, and a pair of functions one."""
    noted = {problem.gold for problem in problems("olympiadbench") if problem.note}
    file = loading.local_file(SOURCES["olympiadbench"])
    assert file
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert sum(row["is_multiple_answer"] for row in rows) == 94
    assert {row["gold"] for row in rows if row["is_multiple_answer"] is not (row["gold"] in noted)} == {
        "(-\\frac{1}{2}, \\frac{7}{2})",
        "(\\frac{1}{4}, \\frac{1}{27})",
        "f(n)=n, g(n)=1",
    }


def test_tolerances() -> None:
    tolerances = {name: source.rule.tolerance for name, source in SOURCES.items()}
    assert {name: value for name, value in tolerances.items() if value} == {"minerva_math": 1e-4, "olympiadbench": 1e-4}
    assert {problem.rule.tolerance for problem in problems("minerva_math")} == {1e-4}


ERRATA = [path.stem for path in errata.FOLDER.glob("*.jsonl")]


@pytest.mark.parametrize("name", sorted(ERRATA))
def test_errata_are_of_a_set_and_say_what_is_needed(name: str) -> None:
    assert name in SOURCES
    found = errata.errata(name)
    assert len({one.id for one in found}) == len({one.name for one in found}) == len(found) > 0
    for one in found:
        assert one.kind in ("value", "form") and one.old and one.new != one.old
        assert len(one.proof) > 40 and one.source


@pytest.mark.parametrize("name", sorted(ERRATA))
def test_errata_change_the_golds_they_name_and_nothing_else(name: str) -> None:
    before, found = problems(name), errata.errata(name)
    after = errata.corrected(before, found)
    changed = [(one.id, one.gold, other.gold) for one, other in zip(before, after, strict=True) if one != other]
    assert list(dict.fromkeys(changed)) == [(one.id, one.old, one.new) for one in found]  # a training set has copies
    assert [one.question for one in before] == [other.question for other in after]


def test_a_set_with_errata_is_two_benchmarks() -> None:
    names = {name.removesuffix("_errata") for name in BENCHMARKS if name.endswith("_errata")}
    assert names == {name for name in ERRATA if name in BENCHMARKS}
    plain, put_right = benchmark("minerva_math"), benchmark("minerva_math_errata")
    assert (put_right.title, put_right.hub, put_right.k) == ("Minerva (errata)", None, plain.k)
    assert put_right.description.endswith(f"; {len(errata.errata('minerva_math'))} golds put right")


def test_errata_of_a_set_that_has_none() -> None:
    assert errata.errata("aime24") == () and "aime24_errata" not in BENCHMARKS


def test_plain_sets_keep_their_hashes_and_sets_put_right_have_others() -> None:
    problems("minerva_math")
    assert benchmark("minerva_math").hash == minerva.MINERVA.content == "d75b2b52f8147326"
    assert benchmark("minerva_math_errata").hash != benchmark("minerva_math").hash


def test_errata_that_do_not_fit_the_copy() -> None:
    wrong = errata.Erratum("none", "0123456789abcdef", "value", "2", "1", "", "")
    with pytest.raises(ProblemsError, match="does not hold: 0123456789abcdef"):
        errata.corrected(PROBLEMS, [wrong])


def test_a_new_gold_that_is_a_list_asks_for_one_box() -> None:
    number = errata.Erratum("first", PROBLEMS[0].id, "value", "2", "2,3", "", "")
    assert [problem.note for problem in errata.corrected(PROBLEMS, [number])] == [SEVERAL, ""]


FAMILY = (
    "Let $m$ and $n$ be whole numbers, both of them greater than seven and neither of them prime, "
    "with $m + n = 30$ and $m - n = 4$. What is the sum of the squares of $m$ and $n$?"
)


def test_what_is_left_out_of_a_training_set() -> None:
    benchmarks = {"short": [Problem("Compute $2+2$.", "4")], "long": [Problem(FAMILY, "289")]}
    kept = [Problem("What is $x$ if $x - 1 = 2$?", "3"), Problem("What is $x$ if $x + 1 = 2$?", "1")]
    selection = select(
        [
            kept[0],
            Problem("Compute \\( 2 + 2 \\)", "4"),  # the short benchmark's, in another layout
            kept[1],  # other words or operators are another problem
            Problem("what is x if x-1 = 2", "3"),  # a copy
            Problem("How many?", ""),  # nothing to mark
            Problem("Half of it?", "\\frac{1}{2"),  # no answer could be marked correct
            Problem("Compute $3+3$.", "6"),
            Problem("Compute $3 + 3$", "7"),  # and one of the two is wrong
            Problem(FAMILY.replace("What is", "Find").replace("?", "."), "289"),  # the long benchmark's, reworded
        ],
        benchmarks,
    )
    assert list(selection.problems) == kept
    assert selection.removed == {UNMARKABLE: 2, CONFLICTING: 2, DUPLICATE: 1, "in short": 1, "near long": 1}


def test_half_of_the_runs_is_near() -> None:
    words = [f"word{chr(ord('a') + i)}" for i in range(22)]  # 10 runs of 13
    held_out = {"b": [Problem(" ".join(words), "1")]}
    # 17 of its words in a row hold 5 of the runs, 16 hold 4
    near, far = Problem(" ".join(words[:17]) + " other", "2"), Problem(" ".join(words[:16]) + " other", "2")
    assert select([near, far], held_out).problems == (far,)
    assert select([near], held_out).removed == {"near b": 1}


def test_too_long() -> None:
    drawing = Problem("draw " * 601, "1")  # 3,005 characters
    assert select([drawing, Problem("draw " * 600, "1")], {}).removed == {LONG: 1}


def test_golds_that_say_the_same_do_not_contradict() -> None:
    selection = select([Problem("How much?", "1,000"), Problem("How much", "1000")], {})
    assert [problem.gold for problem in selection.problems] == ["1,000"] and selection.removed == {DUPLICATE: 1}


LAME_KING = (
    "A [i]lame king[/i] moves to a cell that shares a vertex with its own. How many cells are labelled $\\leq 7$?"
)


@pytest.mark.parametrize(
    "other, same",
    [
        (LAME_KING.replace("[i]", "").replace("[/i]", "").replace("leq", "le"), True),
        (LAME_KING.replace("labelled", "labeled").replace("How many", "Find how many"), True),
        (LAME_KING.replace("7", "8"), False),
        (LAME_KING.replace("leq", "geq"), False),
        (LAME_KING.replace("vertex", "side"), False),
        (LAME_KING.replace("are labelled", "are not labelled"), False),
        ("How many cells are labelled $\\leq 7$? " + LAME_KING, False),
    ],
)
def test_what_is_the_same_in_other_words(other: str, same: bool) -> None:
    assert (wording(other) == wording(LAME_KING)) is same


def test_two_answers_to_one_problem_in_other_words() -> None:
    other = LAME_KING.replace("How many", "Find how many")
    for golds, kept, removed in ((("25", "43"), 0, {CONFLICTING: 2}), (("43", "43"), 2, {})):
        selection = select([Problem(LAME_KING, golds[0]), Problem(other, golds[1])], {})
        assert len(selection.problems) == kept and selection.removed == removed


def test_the_training_golds_that_contradict_each_other() -> None:
    """Ten pairs of DAPO's, each read; 25 and 43 are of one problem."""
    found = problems("dapo_math_17k")
    kept = {problem.question for problem in training_set("dapo_math_17k").problems}
    wrong = {one.id for one in errata.errata("dapo_math_17k")}
    named = {one.question for one in found if one.id in wrong}
    assert len(named) == len(wrong) == 10 and not named & kept
    put_right = {problem.question for problem in training_set("dapo_math_17k_errata").problems}
    assert len(put_right - kept) == 20 and named <= put_right and kept <= put_right


def test_aime_2026_is_in_the_training_set() -> None:
    asked = problems("aime26")[0]
    assert any(problem.question == asked.question for problem in problems("dapo_math_17k"))
    assert training_set("dapo_math_17k").removed["in aime26"] == 1
