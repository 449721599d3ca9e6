"""Published scores beside ours: which cell is what, and which printed score cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import reports
from harness.records import Published, RunFolder, add_published, read_published
from reports.data.analysis import analyse
from reports.data.load import load
from reports.document import Table
from reports.sections.published import PublishedFinding, compare, impossible, section


def table(**percent: dict[str, float | None]) -> Published:
    return Published(
        "Table 1", "Somebody 2025, table 1", "https://example.org", "mini", "greedy", percent, {"mini_easy": 1}
    )


@pytest.fixture
def run(make_run) -> Path:
    return make_run(benchmarks={"mini_easy": (40, 4), "mini_hard": (30, 4)})


def test_every_cell_has_one_finding(run: Path) -> None:
    a = analyse(load(run))
    ours = a.scores["grpo", "mini_easy"].estimate
    low, high = ours.interval or (0, 0)
    published = table(
        grpo={"mini_easy": 100 * low, "mini_hard": 99.0, "average": 50.0, "math500": 70.0},
        start={"mini_easy": None},
        gspo={"mini_easy": 50.0},
    )
    found = {(cell.arm, cell.benchmark): cell for cell in compare(a, published)}
    assert {key: cell.finding for key, cell in found.items()} == {
        ("grpo", "mini_easy"): PublishedFinding.WITHIN,
        ("grpo", "mini_hard"): PublishedFinding.OUTSIDE,
        ("grpo", "average"): PublishedFinding.OTHER_AVERAGE,  # theirs is over three benchmarks
        ("grpo", "math500"): PublishedFinding.NOT_RUN,
        ("start", "mini_easy"): PublishedFinding.UNKNOWN,
        ("gspo", "mini_easy"): PublishedFinding.NOT_RUN,
    }
    assert found["grpo", "mini_easy"].difference == pytest.approx(ours.value - low)
    assert found["gspo", "mini_easy"].difference is None
    assert compare(a, table(grpo={"mini_easy": 100 * high + 0.2}))[0].finding is PublishedFinding.OUTSIDE
    both = table(
        rence={"mini_easy": 50.0, "mini_hard": 50.0, "average": 100 * a.scores["rence", "average"].estimate.value}
    )
    assert compare(a, both)[2].finding is PublishedFinding.WITHIN


def test_a_printed_score_must_be_a_share_of_the_problems(run: Path) -> None:
    # of 40 problems: 42.5 is 17; 43.0 is none; 42.46 rounds to 42.5; without their k nothing can be said
    a = analyse(load(run))
    published = table(grpo={"mini_easy": 42.5, "mini_hard": 43.0}, dapo={"mini_easy": 43.0}, rence={"mini_easy": 42.46})
    assert list(impossible(a, published)) == [("dapo", "mini_easy", 43.0)]


def test_the_titles_of_its_table_are_words(run: Path) -> None:
    add_published(RunFolder(run).expected, [table(grpo={"mini_easy": 50.0})])
    found = section(analyse(load(run)))
    assert found is not None
    (shown,) = [block for block in found.blocks if isinstance(block, Table)]
    titles = ["", "Benchmark", "Published", "Ours", "Ours − published", "Finding"]
    assert [column.title for column in shown.columns] == titles


def test_the_report_shows_them_and_makes_nothing_up(run: Path) -> None:
    unknown = table(rence={"mini_easy": None, "average": None})
    add_published(
        RunFolder(run).expected,
        [unknown, Published("B", "C 2024", "", "m", "p", {"grpo": {"mini_easy": 99.0}}, {"mini_easy": 1})],
    )
    reports.build(run)
    page = (run / "report" / "report.md").read_text()
    assert "Of 1 published score: 1 outside our interval. Not known, and not made up: 2 more." in page
    assert "Table 1: none of its 2 scores is known. Somebody 2025, table 1 (https://example.org)." in page
    assert "99.0 of grpo on mini\\_easy is no share of 40 problems × 1" in page
    published = json.loads((run / "report" / "verdict.json").read_text())["published"]
    assert [cell["published"] for cell in published[0]["cells"]] == [None, None]
    assert published[1]["cells"][0]["finding"] == "outside our interval"


def test_an_entry_of_the_same_title_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "expected.json"
    assert read_published(path) == []
    add_published(path, [table(grpo={"mini_easy": 1.0})])
    add_published(path, [table(grpo={"mini_easy": 2.0})])
    assert [entry.percent for entry in read_published(path)] == [{"grpo": {"mini_easy": 2.0}}]
