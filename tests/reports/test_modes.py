"""How answers are written: modes of texts, shares and gains by hand."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import reports
from reports.data import modes
from reports.data.agreement import analysed
from reports.data.modes import Mode, gain, mode


@pytest.mark.parametrize(
    ("response", "name"),
    [
        (r"7+5=12, 12-3=9. \boxed{9}", "worked"),
        (r"7*5=35. \boxed{36}", "worked"),
        (r"\boxed{9}", "bare"),
        (" \\boxed{9}\n", "bare"),
        (r"9. \boxed{9}", "other"),
        (r"\boxed{9}\boxed{9}", "other"),
        ("", "other"),
    ],
)
def test_modes(response: str, name: str) -> None:
    assert mode(response) == name


def test_a_gain_is_choice_and_what_is_left() -> None:
    before = {"worked": Mode(0.4, 0.2), "bare": Mode(0.6, 0.06), "other": Mode(0, 0)}  # accuracies .5 and .1
    after = {"worked": Mode(0.9, 0.54), "bare": Mode(0, 0), "other": Mode(0.1, 0.02)}  # .6 and, of others, .2
    made = gain(before, after)
    assert made.choice + made.within == pytest.approx(0.56 - 0.26)
    assert made.within == pytest.approx(0.1 * 0.65)
    assert made.choice == pytest.approx(0.5 * 0.55 - 0.6 * 0.1 + 0.1 * 0.2)


def respond(path: Path, text: str) -> None:
    table = pq.read_table(path)
    place = table.schema.get_field_index("response")
    pq.write_table(table.set_column(place, "response", pa.array([text] * table.num_rows)), path)


def test_the_page_says_what_changed(make_run) -> None:
    run = make_run()
    for path in run.glob("**/attempts.parquet"):
        trained = "start" not in path.parts
        respond(path, r"1+1=2. \boxed{2}" if trained and "mini_easy" in path.parts else r"\boxed{2}")
    a = analysed(run, None)
    found = modes.found(a)
    assert found["start"]["bare"].share == 1 and found["grpo"]["worked"].share == 0.5
    assert found["grpo"]["worked"].right == pytest.approx(a.scores["grpo", "mini_easy"].estimate.value / 2)
    reports.build(run, ["md"])
    page = (run / "report/report.md").read_text(encoding="utf-8")
    assert "Worked answers: 0.0 % before training, 50.0 % after." in page


def test_no_section_without_texts_or_suite(make_run) -> None:
    assert "How answers are written" not in page(make_run("written otherwise"))
    other = make_run("other", benchmarks={"sums": (40, 4)}, curve=("sums",))
    for path in other.glob("**/attempts.parquet"):
        respond(path, r"\boxed{2}")
    assert "How answers are written" not in page(other)


def page(run: Path) -> str:
    reports.build(run, ["md"])
    return (run / "report/report.md").read_text(encoding="utf-8")
