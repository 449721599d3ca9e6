"""Flips by hand, and the section, table and file that are made of them."""

from __future__ import annotations

import csv
import io
import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import reports
from harness.records import DataError
from reports.data.analysis import analyse
from reports.data.excerpts import HEAD, SHORT, TAIL, cut, short, visible
from reports.data.flips import CATEGORIES, KINDS, FlipCounts, flips, representative, tallies
from reports.data.load import MARKS, load
from reports.document import Cases, Folded, Table
from reports.sections import flips as section

TURNING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
"""what begins or ends a change of direction"""
WORDS = {c: MARKS.index(mark) for c, mark in zip("cwntg", MARKS, strict=True)}


def tally(*problems: str) -> FlipCounts:
    """`ccwn`: the attempts at a problem, by the first letters of correct, wrong, no answer, truncated, grader."""
    counts = [[problem.count(c) for c in "cwntg"] for problem in problems]
    return FlipCounts([f"p{i}" for i in range(len(problems))], (0,), np.array(counts))


def test_solved_is_more_than_half() -> None:
    assert tally("cccw", "ccww", "cwww").solved.tolist() == [True, False, False]
    assert tally("cccw", "ccww", "cwww").share.tolist() == [0.75, 0.5, 0.25]


@pytest.mark.parametrize(
    ("attempts", "kind", "shown"),
    [
        ("wwwn", "maths", "wrong"),
        ("wntt", "format", "truncated"),
        ("wnnt", "format", "no_answer"),
        ("cwn", "maths", "wrong"),  # half is not more than half
        ("nngggg", "format", "no_answer"),  # the marker's failures are set aside
        ("wggg", "maths", "wrong"),
        ("cggg", "marker", "grader_failed"),
        ("nt", "format", "no_answer"),
    ],
)
def test_what_kept_a_problem_from_being_solved(attempts: str, kind: str, shown: str) -> None:
    one = tally(attempts)
    assert (KINDS[one.kind[0]], MARKS[one.shown[0]]) == (kind, shown)


def test_categories_kinds_and_counts() -> None:
    ours = tally("cccc", "cccw", "nnnn", "wwwc", "cccc", "wwww")
    theirs = tally("nnnw", "wwwn", "cccc", "cccn", "cccw", "nnnn")
    pair = flips(ours, theirs)
    assert [CATEGORIES[i] for i in pair.category] == ["gained", "gained", "lost", "lost", "both", "neither"]
    assert [KINDS[i] if i >= 0 else "" for i in pair.kind] == ["format", "maths", "format", "maths", "", ""]
    assert pair.difference.tolist() == [1.0, 0.75, -1.0, -0.5, 0.25, 0.0]
    assert (pair.count("gained"), pair.count("gained", "format"), pair.count("lost", "maths")) == (2, 1, 1)
    assert pair.largest("gained", 5) == [0, 1] and pair.largest("lost", 1) == [2]
    turned = flips(theirs, ours)
    assert [CATEGORIES[i] for i in turned.category] == ["lost", "lost", "gained", "gained", "both", "neither"]
    assert (turned.kind == pair.kind).all()


def test_arms_that_were_asked_different_problems_are_refused() -> None:
    with pytest.raises(DataError, match="asked different problems"):
        flips(tally("c"), tally("c", "w"))


def marked(run: Path, arm: str, seed: int, problem: int, marks: str) -> None:
    """Give one problem of mini_easy these marks at the headline."""
    path = run / arm / f"seed{seed}/evals/step_20/mini_easy/attempts.parquet"
    table = pq.read_table(path)
    column = np.array(table["mark"].to_pylist(), dtype=object)
    column[4 * problem : 4 * problem + 4] = [MARKS[WORDS[c]] for c in marks]
    pq.write_table(table.set_column(table.schema.get_field_index("mark"), "mark", pa.array(column)), path)


def test_the_first_attempt_with_the_mark_stands_for_an_arm(make_run) -> None:
    path = make_run()
    for seed, marks in ((0, "wwnn"), (1, "nnnw"), (2, "ccnn")):
        marked(path, "grpo", seed, 7, marks)
    run = load(path)
    one = tallies(run)["grpo", "mini_easy"]
    # 2 correct, 3 wrong, 7 without an answer of 12
    assert one.marks[7].tolist() == [2, 3, 7, 0, 0] and not one.solved[7]
    e, sample = representative(run, one, 7)
    assert (run.evals.at[e, "seed"], sample) == (0, 2)


def test_the_table_counts_what_the_files_say(make_run) -> None:
    path = make_run()
    part = section.section(analyse(load(path)))
    assert part is not None
    table = next(block for block in part.blocks if isinstance(block, Table))
    row = dict(zip([c.title for c in table.columns], [c.value for c in table.rows[0].cells], strict=True))
    shares = {}
    for arm in ("rence", "grpo"):
        for name, problems in (("mini_easy", 40), ("mini_hard", 30)):
            files = [path / arm / f"seed{seed}/evals/step_20/{name}/attempts.parquet" for seed in (0, 1, 2)]
            right = [np.array(pq.read_table(f)["mark"].to_pylist()).reshape(problems, 4) == "correct" for f in files]
            shares.setdefault(arm, []).extend(np.concatenate(right, axis=1).mean(axis=1))
    ours, theirs = (np.array(shares[arm]) > 0.5 for arm in ("rence", "grpo"))
    assert row["Problems"] == 70
    assert row["Gained"] == (ours & ~theirs).sum() > 0 and row["Lost"] == (~ours & theirs).sum()
    assert row["Net"] == row["Gained"] - row["Lost"]
    assert row["Format"] + row["Maths"] + row["Marker"] == row["Gained"] + row["Lost"]
    assert row["Both solve"] == (ours & theirs).sum() and row["Neither"] == (~ours & ~theirs).sum()
    by_benchmark = next(block for block in part.blocks if isinstance(block, Folded)).blocks[0]
    assert isinstance(by_benchmark, Table)
    assert sum(r.cells[3].value for r in by_benchmark.rows[:2]) == row["Gained"]


def test_cases_are_the_largest_changes_within_the_budget(make_run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(section, "MOST_CASES", 20)
    part = section.section(analyse(load(make_run(gains={"rence": 3.0, "grpo": 0.0}))))
    assert part is not None
    blocks = [block.blocks[0] for block in part.blocks if isinstance(block, Folded)][1:]
    assert len(blocks) == 2
    for block in blocks:
        assert isinstance(block, Cases)
        tags = [case.tags[0] for case in block.cases]
        # 10 of a pair: one in five did not flip; few are lost, so that gained ones take their places
        assert len(tags) == 10 and tags.count("both solve") == tags.count("neither solves") == 1
        changes = [float(case.change.replace("−", "-")) for case in block.cases if case.tags[0] == "gained"]
        assert len(changes) > 4 and changes == sorted(changes, reverse=True) and changes[-1] > 0


def test_a_missing_arm_is_a_gap(make_run) -> None:
    path = make_run()
    for seed in (0, 1, 2):
        shutil.rmtree(path / f"grpo/seed{seed}/evals/step_20/mini_hard")
    part = section.section(analyse(load(path)))
    assert part is not None and isinstance(part.blocks[1], Folded) and isinstance(part.blocks[1].blocks[0], Table)
    rows = [[cell.text for cell in row.cells[:3]] for row in part.blocks[1].blocks[0].rows]
    assert rows[:2] == [
        ["ReNCE (reconstruction) − GRPO", "mini_easy", "40"],
        ["ReNCE (reconstruction) − GRPO", "mini_hard", "—"],
    ]
    assert isinstance(part.blocks[0], Table) and [row.cells[1].text for row in part.blocks[0].rows] == ["40", "70"]
    reports.build(path, ["csv"])
    hard = [row for row in problems_csv(path) if row["benchmark"] == "mini_hard"]
    assert len(hard) == 30 and {row["grpo"] for row in hard} == {""} and all(row["rence"] for row in hard)


def problems_csv(run: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((run / "report/problems.csv").read_text(encoding="utf-8"))))


def test_problems_csv_averages_to_the_scores(make_run) -> None:
    path = make_run()
    reports.build(path, ["csv"])
    rows = problems_csv(path)
    assert list(rows[0]) == ["benchmark", "problem", "start", "rence", "grpo"] and len(rows) == 70
    results = csv.DictReader(io.StringIO((path / "report/results.csv").read_text(encoding="utf-8")))
    mean = {(row["arm"], row["benchmark"]): float(row["mean"]) for row in results}
    for arm in ("start", "rence", "grpo"):
        easy = [float(row[arm]) for row in rows if row["benchmark"] == "mini_easy"]
        assert np.mean(easy) == pytest.approx(mean[arm, "mini_easy"])


def test_one_arm_alone_is_set_against_the_untrained_model(make_run) -> None:
    part = section.section(analyse(load(make_run(gains={"rence": 1.0}))))
    assert part is not None and isinstance(part.blocks[0], Table)
    assert [row.cells[0].text for row in part.blocks[0].rows] == ["ReNCE (reconstruction) − start (untrained)"]


def test_long_texts_are_cut_in_the_middle() -> None:
    assert cut("a" * (HEAD + TAIL)) == ("a" * (HEAD + TAIL), 0, "")
    assert cut("a" * HEAD + "b" * 7 + "c" * TAIL) == ("a" * HEAD, 7, "c" * TAIL)
    assert short("  x =\n 1 ") == "x = 1" and len(short("y" * 1000)) == SHORT and short("y" * 1000).endswith("…")


def test_what_cannot_be_seen_is_shown() -> None:
    controls = [chr(i) for i in range(0x30000) if unicodedata.category(chr(i)) in ("Cc", "Cs", "Zl", "Zp")]
    assert [c for c in controls if visible(c) == c] == ["\t", "\n"]
    turning = [chr(i) for i in range(0x30000) if unicodedata.bidirectional(chr(i)) in TURNING]
    assert len(turning) == 9 and [c for c in turning if visible(c) == c] == []
    assert visible("a\x00\x7f\u202e\u2066\ufeff\u200bb") == "a␀�����b"
    assert visible("किताब\u200dx\n\t é 𝑥²") == "किताब\u200dx\n\t é 𝑥²"
