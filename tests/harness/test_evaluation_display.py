"""What people are told while a model is evaluated."""

from __future__ import annotations

import io
import time
from collections import Counter

import pytest
from rich.console import Console

from harness.base.pace import Pace, clock, left_in_words
from harness.evaluation.display import EvaluationView, LiveEvaluationView, Part, view_for
from harness.records import Attempt


def parts() -> list[Part]:
    return [Part("sums", 2, 2, Counter({"correct": 2})), Part("chains", 1000, 1, Counter())]


def row(benchmark: str, mark: str) -> Attempt:
    return Attempt("arm", None, 0, benchmark, "id", 0, "", None, "1", mark, "stop", 50, "bare", "local", "key", "1")


def console(**options: bool) -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, width=100, highlight=False, soft_wrap=True, **options), text


def test_lines_say_what_there_is_to_do_and_when_a_benchmark_is_done() -> None:
    to, text = console()
    view = EvaluationView(to)
    view.loading("model")
    view.begin(parts())
    view.answered([row("sums", "no_answer")] * 2)
    view.answered([row("chains", "wrong")])
    view.end()
    lines = text.getvalue().splitlines()
    assert lines[:2] == [
        "loading model",
        "problems x samples: sums 2 x 2, chains 1,000 x 1; 2 of 1,004 answers are there",
    ]
    assert len(lines) == 3, "a chunk that ends no benchmark is not worth a line yet"
    assert lines[2].startswith("sums  2 of 2 problems: 2 correct, 2 no answer; all: 4 of 1,004 answers, 0:00, ")
    assert "tokens/s, about " in lines[2]


def test_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    to, text = console()
    view = EvaluationView(to)
    view.begin(parts())
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 31)
    view.answered([row("chains", "wrong")] * 10)
    # 10 answers of 50 tokens in 31 s; 992 to go
    assert text.getvalue().splitlines()[1] == (
        "chains  10 of 1,000 problems: 10 wrong; all: 12 of 1,004 answers, 0:31, 16 tokens/s, about 51:15 left"
    )


def test_bars_have_a_line_for_each_benchmark_and_one_for_all() -> None:
    to, _ = console(force_terminal=True)
    view = view_for(to)
    assert isinstance(view, LiveEvaluationView)
    view.loading("model")
    view.begin(parts())
    view.answered([row("sums", "truncated")] * 2)
    with to.capture() as seen:
        to.print(view._lines())
    view.end()
    lines = seen.get().splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["sums", "chains", "all"] and len(lines) == 4
    assert "2 of 2 problems: 2 correct, 2 truncated" in lines[0] and "0 of 1,000 problems" in lines[1]
    assert "4 of 1,004 answers" in lines[2] and lines[3].endswith(" left")


def test_a_quiet_console_is_told_nothing() -> None:
    to, text = console(force_terminal=True, quiet=True)
    view = view_for(to)
    view.loading("model")
    view.begin(parts())
    view.answered([row("sums", "correct")] * 2)
    view.end()
    assert text.getvalue() == ""


def test_a_pace_whose_begin_is_known_needs_no_first_work() -> None:
    pace = Pace(done=100, since=50)
    assert pace.left(100, 1000, now=60) is None
    assert pace.left(200, 1000, now=60) == 80  # 100 in 10 s, 800 to go


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0:00"), (75, "1:15"), (3675, "1:01:15")])
def test_clock(seconds: float, words: str) -> None:
    assert clock(seconds) == words and left_in_words(seconds) == f"about {words} left"
