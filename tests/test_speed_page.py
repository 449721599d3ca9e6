"""The page of speed and its check: rows become tables, ratios are held against those that are stored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import check, page
from bench.suite import PARTS

SAID = {"command": "python bench/x.py", "commit": "0123456789", "date": "2026-01-02", "cores": 2, "dirty": "false"}


def test_a_row_is_printed_as_it_was_made_and_numbers_with_three_digits() -> None:
    rows = [{"work": "a|b", "tokens": 12345, "cpu-s": {"ours": 0.5, "theirs": 12.34}, "ratio": 24.68}, {"work": "c"}]
    (found,) = page.tables(rows)
    assert page.table(found[1]).splitlines() == [
        "| work | tokens | cpu-s ours | cpu-s theirs | ratio |",
        "|---|---:|---:|---:|---:|",
        "| a\\|b | 12,345 | 0.500 | 12.3 | 24.7 |",
        "| c | - | - | - | - |",
    ]


def test_a_section_says_command_commit_date_and_machine() -> None:
    words = page.section(
        {**SAID, "processor": "a chip", "torch": "2.0", "results": {"T": [{"work": "w", "ratio": 2.0}]}}
    )
    assert "python bench/x.py" in words
    assert "Commit 01234567, 2026-01-02, 2 cores, a chip, torch 2.0." in words
    assert "**T**" in words and "| w | 2.00 |" in words


@pytest.mark.parametrize(("now", "fell"), [(2.0, False), (1.81, False), (1.79, True), (5.0, False)])
def test_a_ratio_may_fall_by_a_tenth(tmp_path: Path, now: float, fell: bool) -> None:
    rows = {"T": [{"work": "w", "tokens": 7, "seconds": 1.5, "ratio": now}]}
    (tmp_path / "x.json").write_text(json.dumps({**SAID, "processor": "chip", "results": rows}))
    found, processor = check.measured(tmp_path)
    assert (found, processor) == ({"x: T: w, 7: ratio": now}, "chip")
    assert bool(check.compared({"x: T: w, 7: ratio": 2.0}, found, 0.1)[1]) is fell


def test_other_tokens_are_other_work() -> None:
    lines, fell = check.compared({"x: 7 tokens: ratio": 2.0}, {"x: 8 tokens: ratio": 2.0}, 0.1)
    assert fell == ["x: 7 tokens: ratio"]
    assert lines[0].endswith("not measured") and lines[1].startswith("new")


def test_every_part_has_a_file_of_results_of_its_own() -> None:
    names = [part.name for part in PARTS]
    assert len(set(names)) == len(names) and all(part.words or part.long for part in PARTS)
