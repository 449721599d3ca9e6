"""Published scores beside ours: which cell is what, with what noise, and which printed score cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import reports
from benchmarks.registry import BENCHMARKS
from harness.records import Published, RunFolder, add_published, read_published
from reports.data.analysis import analyse
from reports.data.load import load
from reports.data.reproduced import HAVE_ERRATA, PublishedFinding
from reports.document import Table
from reports.sections.published import compare, impossible, section
from reports.statistics.reproduction import own_training, same_weights
from tests.reports.conftest import relock


def table(**percent: dict[str, float | None]) -> Published:
    return Published(
        "Table 1", "Somebody 2025, table 1", "https://example.org", "mini", "greedy", percent, {"mini_easy": 1}
    )


@pytest.fixture
def run(make_run) -> Path:
    return make_run(benchmarks={"mini_easy": (40, 4), "mini_hard": (30, 4)})


def test_every_cell_has_one_finding(run: Path) -> None:
    a = analyse(load(run))
    ours = a.scores["grpo", "mini_easy"].estimate.value
    published = table(
        grpo={"mini_easy": 100 * ours - 1, "mini_hard": 99.0, "average": 50.0, "math500": 70.0},
        start={"mini_easy": None},
        gspo={"mini_easy": 50.0},
    )
    found = {(cell.arm, cell.benchmark): cell for cell in compare(a, published)}
    assert {key: cell.finding for key, cell in found.items()} == {
        ("grpo", "mini_easy"): PublishedFinding.NO_POWER,  # one answer to each of 40 problems, and three seeds
        ("grpo", "mini_hard"): PublishedFinding.DIFFERENT,
        ("grpo", "average"): PublishedFinding.OTHER_AVERAGE,  # theirs is over three benchmarks
        ("grpo", "math500"): PublishedFinding.NOT_RUN,
        ("start", "mini_easy"): PublishedFinding.UNKNOWN,
        ("gspo", "mini_easy"): PublishedFinding.NOT_RUN,
    }
    assert found["grpo", "mini_easy"].difference == pytest.approx(0.01)
    assert found["grpo", "mini_easy"].tests == 2 and found["gspo", "mini_easy"].difference is None
    both = table(
        rence={"mini_easy": 50.0, "mini_hard": 50.0, "average": 100 * a.scores["rence", "average"].estimate.value}
    )
    assert compare(a, both)[2].p_adjusted == 1.0


def test_a_printed_score_must_be_a_share_of_the_problems(run: Path) -> None:
    # of 40 problems: 42.5 is 17; 43.0 is none; 42.46 rounds to 42.5 where one decimal is
    # stated; without their k nothing can be said
    a = analyse(load(run))
    published = table(grpo={"mini_easy": 42.5, "mini_hard": 43.0}, dapo={"mini_easy": 43.0}, rence={"mini_easy": 42.46})
    assert list(impossible(a, replace(published, decimals=1))) == [("dapo", "mini_easy", 43.0)]
    assert list(impossible(a, published)) == [("dapo", "mini_easy", 43.0), ("rence", "mini_easy", 42.46)]


def test_the_titles_of_its_table_are_words(run: Path) -> None:
    add_published(RunFolder(run).expected, [table(grpo={"mini_easy": 50.0})])
    found = section(analyse(load(run)))
    assert found is not None
    (shown,) = [block for block in found.blocks if isinstance(block, Table)]
    titles = ["", "Benchmark", "Published", "Ours", "Ours − published", "Within", "Could see", "Finding"]
    assert [column.title for column in shown.columns] == titles


def test_the_report_shows_them_and_makes_nothing_up(run: Path) -> None:
    unknown = table(rence={"mini_easy": None, "average": None})
    add_published(
        RunFolder(run).expected,
        [unknown, Published("B", "C 2024", "", "mini", "p", {"grpo": {"mini_easy": 99.0}}, {"mini_easy": 1})],
    )
    reports.build(run)
    page = (run / "report" / "report.md").read_text()
    assert (
        "B. Of 1 published score: 1 not consistent; at 5 % for all 1 test together. Not known: their decoding" in page
    )
    assert "Table 1: none of its 2 scores is known. Somebody 2025, table 1 (https://example.org)." in page
    assert "99.0 of grpo on mini\\_easy is no share of 40 problems × 1" in page
    published = json.loads((run / "report" / "verdict.json").read_text())["published"]
    assert [cell["published"] for cell in published[0]["cells"]] == [None, None]
    assert published[1]["cells"][0]["finding"] == "not consistent"


def test_an_entry_of_the_same_title_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "expected.json"
    assert read_published(path) == []
    add_published(path, [table(grpo={"mini_easy": 1.0})])
    add_published(path, [table(grpo={"mini_easy": 2.0})])
    assert [entry.percent for entry in read_published(path)] == [{"grpo": {"mini_easy": 2.0}}]
    assert "seeds" not in path.read_text()  # keys that came later are written only where they say something


def test_benchmarks_with_corrected_golds() -> None:
    assert sorted(HAVE_ERRATA) == sorted(n.removesuffix("_errata") for n in BENCHMARKS if n.endswith("_errata"))


# the noise of both sides


def test_noise_by_hand() -> None:
    # p (1 - p) k / (k - 1) is .25 x 4/3 at one half and 0 elsewhere, so 1/6 on average; ours are 4 x 200 answers,
    # theirs 1 x 200
    found = same_weights([np.array([[0.5, 1.0] * 100])], [4], [1])
    assert found.se**2 == pytest.approx((1 / 6) * (1 / 800 + 1 / 200)) and not found.bounded and np.isinf(found.df)
    # scores of three seeds .4, .5, .6: s^2 = .01, and with equal k and one seed of theirs s^2 (1 + 1/3)
    scores = np.array([[0.4] * 500, [0.5] * 500, [0.6] * 500])
    trained = own_training([scores], [(20, 20, 20)], [20], 1)
    assert trained is not None and trained.se**2 == pytest.approx(0.01 * 4 / 3) and trained.df == pytest.approx(2)
    many = own_training([scores], [(20, 20, 20)], [20], 3)
    assert many is not None and many.se**2 == pytest.approx(0.01 * 2 / 3)
    assert own_training([scores[:1]], [(20,)], [20], 1) is None


@pytest.mark.parametrize(
    ("seeds", "theirs", "k", "their_k", "sd", "rate"),
    [
        (1, 0, 4, 1, 0.0, 0.5),
        (1, 0, 1, 1, 0.0, 0.9),
        (1, 0, 32, 4, 0.0, 0.98),
        (3, 1, 4, 1, 0.2, 0.5),
        (3, 1, 4, 4, 0.0, 0.5),
        (5, 3, 1, 8, 0.3, 0.7),
        (2, 1, 8, 1, 0.1, 0.3),
    ],
)
def test_consistent_as_often_as_it_says_where_nothing_differs(
    seeds: int, theirs: int, k: int, their_k: int, sd: float, rate: float
) -> None:
    """1,000 reproductions of one experiment on the same 60 problems, seeds differing by sd logits; theirs 0: the same
    checkpoint. False alarms at 5 %, printed with one decimal."""
    draw, alarms = np.random.default_rng(5), 0
    difficulty = np.random.default_rng(6).normal(np.log(rate / (1 - rate)), 1.5, 60)

    def checkpoints(n: int) -> np.ndarray:
        return 1 / (1 + np.exp(-(difficulty + draw.normal(0, sd, (n, 1)))))

    for _ in range(1000):
        p = checkpoints(seeds)
        ours = draw.binomial(k, p) / k
        q = checkpoints(theirs) if theirs else p
        printed = round(100 * float(draw.binomial(their_k, q).mean() / their_k), 1) / 100
        if theirs:
            noise = own_training([ours], [(k,) * seeds], [their_k], theirs)
        else:
            noise = same_weights([ours], [k], [their_k])
        assert noise is not None
        alarms += noise.p_value(float(ours.mean()) - printed, 0.0005) < 0.05
    assert alarms <= 68  # .05 and 2.6 standard errors


def test_what_it_says_it_could_see_it_sees() -> None:
    draw, found = np.random.default_rng(7), 0
    p = draw.uniform(0.3, 0.7, 100)
    see = same_weights([draw.binomial(4, p)[None] / 4], [4], [4]).detectable(0.05, 0.0005)
    for _ in range(500):
        ours, theirs = draw.binomial(4, p) / 4, draw.binomial(4, p - see) / 4
        found += same_weights([ours[None]], [4], [4]).p_value(float(ours.mean() - theirs.mean()), 0.0005) < 0.05
    assert 0.74 < found / 500 < 0.86


# the command

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def big(make_run) -> Path:
    return make_run(benchmarks={"aime24": (400, 8), "math500": (400, 8)}, curve=(), sd_seed=0.02, seeds=(0, 1, 2, 3, 4))


def file(tmp_path: Path, percent: dict[str, Any], **keys: Any) -> Path:
    path = tmp_path / "expected.yaml"
    head = {"title": "T", "source": "S 2025", "url": "https://example.org", "model": "mini", "protocol": "p"}
    path.write_text(yaml.safe_dump({**head, "percent": percent, **keys}, sort_keys=False))
    return path


STATED = {
    "attempts": {"aime24": 8, "math500": 8},
    "decoding": {"temperature": 1.0, "top_p": 1.0},
    "golds": "raw",
    "weights": "own training",
    "seeds": 1,
    "decimals": 1,
}


def ours(run: Path) -> dict[str, float]:
    a = analyse(load(run))
    return {name: round(100 * a.scores["grpo", name].estimate.value, 1) for name in ("aime24", "math500", "average")}


def test_consistent_different_and_everything_stated(rence: Say, big: Path, tmp_path: Path) -> None:
    code, out, _ = rence("reproduce", big, "--expected", file(tmp_path, {"grpo": ours(big)}, **STATED))
    assert code == 0 and "Of 3 published scores: 3 consistent; at 5 % for all 3 tests together." in out
    assert "Not known" not in out
    off = {**ours(big), "aime24": ours(big)["aime24"] - 15}
    code, out, _ = rence("reproduce", big, "--expected", file(tmp_path, {"grpo": off}, **STATED), "--json")
    found = json.loads(out)
    assert code == 1 and found["different"] and found["answered"]
    (cell, *_) = found["tables"][0]["cells"]
    assert cell["finding"] == "not consistent" and cell["p_adjusted"] < 0.05
    assert abs(cell["difference"]) > cell["half_width"]


def test_what_is_not_stated_is_named_once(rence: Say, big: Path, tmp_path: Path) -> None:
    code, out, _ = rence("reproduce", big, "--expected", file(tmp_path, {"grpo": ours(big)}))
    (line,) = [line for line in out.splitlines() if "Not known" in line]
    for words in ("k of the published cells on aime24 and math500 (taken: ours)", "decoding", "golds", "weights",
                  "seeds", "decimals"):  # fmt: skip
        assert words in line
    assert code == 0


def test_other_settings_are_facts_and_need_a_reason(rence: Say, big: Path, tmp_path: Path) -> None:
    other = STATED | {"decoding": {"temperature": 0.6, "top_p": 1.0}, "model": "large"}
    code, out, _ = rence("reproduce", big, "--expected", file(tmp_path, {"grpo": ours(big)}, **other))
    assert code == 3 and "not the same decoding of aime24: temperature 0.6, ours 1.0." in out
    assert "not the same model: large, ours mini." in out and "3 not comparable; none could be tested" in out
    code, out, _ = rence(
        "reproduce", big, "--expected", file(tmp_path, {"grpo": ours(big)}, **other), "--accept", "a first look"
    )
    assert code == 0 and "Accepted: a first look. Let through: " in out and "temperature 0.6, ours 1.0" in out
    assert rence("reproduce", big, "--expected", tmp_path / "expected.yaml", "--accept", " ")[0] == 2


def test_golds(rence: Say, make_run, tmp_path: Path) -> None:
    run = make_run(benchmarks={"minerva_math": (60, 8)}, curve=(), seeds=(0, 1))
    path = file(tmp_path, {"grpo": {"minerva_math": 50.0}}, golds="errata")
    code, out, _ = rence("reproduce", run, "--expected", path)
    assert code == 3 and "not the same golds of minerva_math: errata, ours raw." in out


def test_the_same_weights_and_the_untrained_model(rence: Say, big: Path, tmp_path: Path) -> None:
    a = analyse(load(big))
    start = round(100 * a.scores["start", "aime24"].estimate.value, 1)
    percent = {"start": {"aime24": start}, "grpo": {"aime24": ours(big)["aime24"]}}
    code, out, _ = rence(
        "reproduce", big, "--expected", file(tmp_path, percent, **STATED | {"weights": "same"}), "--json"
    )
    first, second = json.loads(out)["tables"][0]["cells"]
    assert code == 0 and first["finding"] == "consistent" and second["finding"] == "not comparable"
    assert "`weights: same` is about one checkpoint, and grpo has 5 seeds" in second["reasons"]


def test_one_seed_of_ours_and_no_power(rence: Say, make_run, tmp_path: Path) -> None:
    run = make_run(benchmarks={"aime24": (30, 4), "math500": (30, 4)}, curve=(), seeds=(0,))
    code, out, _ = rence("reproduce", run, "--expected", file(tmp_path, {"grpo": {"aime24": 50.0}}, **STATED))
    assert code == 3 and "one seed of ours: how much seeds differ is not known." in out
    assert "Nothing is reproduced and nothing refuted" in out
    run = make_run("two", benchmarks={"aime24": (30, 4), "math500": (30, 4)}, curve=(), seeds=(0, 1))
    mine = ours(run)["aime24"]
    code, out, _ = rence("reproduce", run, "--expected", file(tmp_path, {"grpo": {"aime24": mine}}, **STATED), "--json")
    (cell,) = json.loads(out)["tables"][0]["cells"]
    assert code == 3 and cell["finding"] == "no power" and cell["detectable"] > 0.1


def test_what_is_written_is_what_is_taken(rence: Say, big: Path, tmp_path: Path) -> None:
    stated = {key: value for key, value in STATED.items() if key != "decimals"}
    _, out, _ = rence("reproduce", big, "--expected", file(tmp_path, {"grpo": {"aime24": 50.55}}, **stated))
    assert " 50.55 " in out and "printed (taken: 2, the most that one shows)." in out, out
    _, out, _ = rence("reproduce", big, "--expected", file(tmp_path, {"grpo": {"aime24": 50}}, **stated))
    assert " 50 " in out and "(taken: 0, the most that one shows)." in out, out
    found = [
        compare(analyse(load(big)), table(grpo={"aime24": value}))[0].rounding for value in (50.55, 50.5, 50.0, 50)
    ]
    assert found == pytest.approx([0.00005, 0.0005, 0.0005, 0.005], rel=1e-3)


def test_a_range_stays_on_the_scale(rence: Say, make_run, tmp_path: Path) -> None:
    run = make_run(benchmarks={"aime24": (30, 4), "math500": (30, 4)}, curve=(), seeds=(0, 1))
    # with three tests of two seeds each, t is 38 at one degree of freedom
    path = file(tmp_path, {"grpo": {"aime24": 50.0, "math500": 50.0, "average": 50.0}}, **STATED)
    _, out, _ = rence("reproduce", run, "--expected", path, "--json")
    cell = json.loads(out)["tables"][0]["cells"][0]
    low, high = cell["within"]
    assert (low, high) == (0, 1) and cell["half_width"] > 1
    _, out, _ = rence("reproduce", run, "--expected", path)
    assert f" {100 * low:.1f} to {100 * high:.1f} " in out and "±" not in out


def test_benchmarks_of_ones_own_and_a_model_that_nobody_knows(rence: Say, make_run, tmp_path: Path) -> None:
    run = make_run(benchmarks={"b1": (400, 8)}, curve=(), seeds=(0, 1, 2))
    path = file(tmp_path, {"grpo": {"b1": 50.0}})
    code, out, err = rence("reproduce", run, "--expected", path)
    assert code in (0, 1, 3) and "there is no benchmark" not in err and "Of 1 published score" in out
    assert rence("report", run, "--expected", path)[0] == 0
    code, _, err = rence("reproduce", run, "--expected", file(tmp_path, {"grpo": {"b2": 50.0}}))
    assert code == 2 and "there is no benchmark `b2`" in err and "b1" in err
    plan = RunFolder(run).plan
    plan.write_text(json.dumps(json.loads(plan.read_text()) | {"model": "unknown"}))
    relock(run)
    code, out, _ = rence("reproduce", run, "--expected", file(tmp_path, {"grpo": {"b1": 50.0}}))
    assert "Not known: what model ours is (taken: theirs);" in out


def test_a_file_that_lacks_something(rence: Say, big: Path, tmp_path: Path) -> None:
    path = tmp_path / "short.yaml"
    path.write_text("title: T\nmodel: m\nsource: s\npercent: {grpo: {aime24: 1.0}}\n")
    code, _, err = rence("reproduce", big, "--expected", path)
    assert code == 2 and "`url` is missing. A file of published scores has `title`" in err and "explain" not in err
    for empty in ({}, {"grpo": {}}):
        code, _, err = rence("reproduce", big, "--expected", file(tmp_path, empty))
        assert code == 2 and "`percent` has no scores" in err


def test_what_is_refused(rence: Say, big: Path, tmp_path: Path) -> None:
    code, _, err = rence("reproduce", big, "--expected", file(tmp_path, {"ppo": {"aime24": 50.0}}))
    assert code == 3 and "has no result of a published cell: theirs are ppo on aime24" in err
    code, _, err = rence("reproduce", big, "--expected", file(tmp_path, {"grpo": {"aime24": 50.0}}, seeds=0))
    assert code == 2 and "`seeds` must be at least 1, but is 0 instead." in err
    code, _, err = rence("reproduce", big, "--expected", file(tmp_path, {"grpo": {"aime24": 50.0}}, weights="mine"))
    assert code == 2 and "weights" in err
    code, _, err = rence("reproduce", big, "--expected", tmp_path / "none.yaml")
    assert code in (2, 3) and "none.yaml" in err
    path = file(tmp_path, {"grpo": {"aime24": None}})
    assert rence("reproduce", big, "--expected", path)[0] == 3
    assert rence("reproduce", tmp_path / "nowhere", "--expected", path)[0] == 3
