"""Several decodings of one run: the first one's scores are the headline's, whatever the others say."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import reports
from harness.records import START, DataError, EvalRecord, RunFolder, eval_name, read_json, write_json
from reports.data import decoded, dependence
from reports.data.alternatives import DECODING
from reports.data.analysis import analyse
from reports.data.load import load
from reports.data.scores import AVERAGE
from reports.document import Table
from reports.sections import decodings as section
from tests.reports.conftest import Make, Synthetic, relock, write_eval

FIRST = {"temperature": 1.0, "top_p": 1.0, "max_tokens": 48, "benchmarks": {"mini_easy": 4, "mini_hard": 4}}
GREEDY = FIRST | {"temperature": 0.0, "benchmarks": {"mini_easy": 1, "mini_hard": 1}}
GAINS = {"rence": 2.5, "grpo": 0.0}
Rence = Callable[..., tuple[int, str, str]]


def decode(run: Path, truth: Synthetic, name: str = "greedy") -> Path:
    """Give a run a second decoding, under which that is true."""
    folder, plan = RunFolder(run), read_json(RunFolder(run).plan)
    plan["evaluation"]["decodings"] = {"sampled": FIRST, name: GREEDY}
    write_json(folder.plan, plan)
    last, step = truth.points, 10 * truth.points
    whose = [(START, None, 0), *((arm, seed, last) for arm in truth.gains for seed in truth.seeds)]
    for arm, seed, point in whose:
        for benchmark in truth.benchmarks:
            asked = eval_name(benchmark, name)
            place = folder.start_eval(asked) if seed is None else folder.trial(arm, seed).eval(step, asked)
            header = truth.header(arm, seed, point, benchmark)
            sampling = header.sampling | {"temperature": 0.0}
            header = replace(header, k=1, decoding=name, sampling=sampling)
            write_eval(place, header, truth.marks(arm, seed, point, benchmark)[:, :1])
    return relock(run)


@pytest.fixture
def run(make_run: Make) -> Path:
    """Under the first decoding the arm that is compared is far above, under the second far below."""
    changes = {"benchmarks": {"mini_easy": (300, 4), "mini_hard": (300, 4)}, "sd_seed": 0.02}
    path = make_run(gains=GAINS, **changes)
    return decode(path, replace(Synthetic(), gains={"rence": 0.0, "grpo": 2.5}, **changes))


def test_the_first_decoding_alone_is_the_headline(run: Path, make_run: Make) -> None:
    alone = make_run("alone", gains=GAINS, benchmarks={"mini_easy": (300, 4), "mini_hard": (300, 4)}, sd_seed=0.02)
    a, b = analyse(load(run)), analyse(load(alone))
    assert a.cells.keys() == b.cells.keys() and len(a.run.evals) == len(b.run.evals)
    for key, scores in a.cells.items():
        assert np.array_equal(scores.values, b.cells[key].values), key
    assert [p.estimate for p in a.pairs] == [p.estimate for p in b.pairs]
    assert a.deviations == b.deviations == []


def test_each_decoding_has_scores_like_the_headlines(run: Path) -> None:
    a = analyse(load(run))
    sampled, greedy = decoded.found(a)
    assert (sampled.name, sampled.first, greedy.name, greedy.first) == ("sampled", True, "greedy", False)
    assert sampled.scores is a.scores and greedy.cells.keys() == a.cells.keys()
    rows = greedy.cells["rence", "mini_easy"]
    assert rows.seeds == (0, 1, 2) and rows.k == (1, 1, 1) and set(np.unique(rows.values)) == {0.0, 1.0}
    mean = {arm: greedy.scores[arm, AVERAGE].estimate.value for arm in ("rence", "grpo")}
    assert mean["grpo"] - mean["rence"] > 0.2 and greedy.words == "temperature 0 (greedy), 48 tokens, k 1"


def test_an_order_that_depends_on_the_decoding_is_said_so(run: Path) -> None:
    a = analyse(load(run))
    (choice,) = [one for one in dependence.study(a) if one.choice.name == DECODING]
    (test,) = choice.tests
    assert test.alternative == "greedy" and test.depends
    assert test.planned is not None and test.under is not None and test.planned > 0.2 and test.under < -0.2
    assert [said for said in dependence.found(a) if "depends on the decoding" in said]


def test_the_report_has_every_decoding(run: Path, rence: Rence) -> None:
    code, _, err = rence("report", run, "--accept", "made by a test")
    assert code == 0, err
    verdict = json.loads((run / "report/verdict.json").read_text())
    sampled, greedy = verdict["decodings"]
    assert (sampled["name"], sampled["headline"], greedy["name"], greedy["headline"]) == (
        *("sampled", True),
        *("greedy", False),
    )
    assert greedy["temperature"] == 0 and greedy["benchmarks"] == {"mini_easy": 1, "mini_hard": 1}
    first = {one["arm"]: one["average"]["mean"] for one in sampled["arms"]}
    assert first == {one["arm"]: one["average"]["mean"] for one in verdict["arms"]}
    with (run / "report/results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["decoding"] for row in rows] == ["sampled"] * 9 + ["greedy"] * 9
    assert {row["k"] for row in rows[9:]} == {"1"} and rows[9]["correct"].isdecimal()
    for name in ("report.md", "index.html"):
        assert "The same checkpoints, sampled in other ways" in (run / "report" / name).read_text()


def test_a_run_of_one_decoding_says_nothing_of_it(make_run: Make, rence: Rence) -> None:
    run = make_run()
    assert rence("report", run)[0] == 0
    assert "decodings" not in json.loads((run / "report/verdict.json").read_text())
    assert "decoding" not in (run / "report/results.csv").read_text().splitlines()[0]
    assert decoded.found(analyse(load(run))) == [] and decoded.cells(analyse(load(run))) == {}


def test_compare_takes_the_first(run: Path, make_run: Make, rence: Rence) -> None:
    alone = make_run("alone", gains=GAINS, benchmarks={"mini_easy": (300, 4), "mini_hard": (300, 4)}, sd_seed=0.02)
    of_both = [rence("compare", place / "rence", place / "grpo", "--json")[1] for place in (run, alone)]
    deltas = [[pair["delta"] for pair in json.loads(text)["pairs"]] for text in of_both]
    assert deltas[0] == deltas[1] and deltas[0][0] > 0.2


def test_whatever_rests_on_the_first_names_it(run: Path, make_run: Make, rence: Rence, tmp_path: Path) -> None:
    code, _, err = rence("report", run, "--accept", "made by a test")
    assert code == 0, err
    report = (run / "report/report.md").read_text()
    for text in (report, (run / "report/index.html").read_text()):
        words = " ".join(text.split())
        assert "(600 problems, k = 4, decoding sampled)" in words
        assert "Decoding sampled: temperature 1, 48 tokens, k 4." in words
    (row,) = [line for line in report.splitlines() if line.startswith("| decodings |")]
    assert "sampled: temperature 1, 48 tokens, k 4; greedy: temperature 0 (greedy), 48 tokens, k 1" in row
    first = "sampled, the first decoding of its plan (temperature 1, 48 tokens, k 4)"
    said = f"answers under {first}; greedy is not compared"
    compared = rence("compare", run / "rence", run / "grpo")[1]
    assert f"{run / 'rence'}: {said}." in compared and f"{run / 'grpo'}: {said}." in compared
    baseline = tmp_path / "base.yaml"
    assert rence("gate", run / "grpo", "--baseline", baseline, "--update", "--accept", "made by a test")[0] == 0
    gated = rence("gate", run / "rence", "--baseline", baseline, "--accept", "made by a test")[1]
    assert said in gated
    taken = shutil.copytree(run / "rence/seed0", tmp_path / "taken")
    (note,) = json.loads(rence("compare", taken, run / "grpo/seed0", "--json")[1])["notes"][:1]
    assert note == f"{taken}: answers under the first decoding; greedy is not compared."
    alone = make_run("alone")
    assert "decoding" not in rence("compare", alone / "rence", alone / "grpo")[1]


def test_verify_counts_each_decoding_by_itself(run: Path, rence: Rence) -> None:
    shown = rence("verify", run)[1]
    rows = [line.split() for line in shown.splitlines()]
    for arm in ("start", "rence", "grpo"):
        assert any(row[:1] == [arm] for row in rows), shown
        assert any(row[:2] == [f"{arm},", "greedy"] for row in rows), shown


@pytest.mark.parametrize("says", ["", "cool"])
def test_a_header_of_another_decoding_than_its_folder_is_refused(run: Path, rence: Rence, says: str) -> None:
    path = RunFolder(run).trial("rence", 1).eval(20, "mini_easy@greedy").header
    replace(EvalRecord.read(path), decoding=says).write(path)
    code, _, err = rence("verify", run)
    assert code == 1
    code, _, err = rence("report", run)
    assert code == 2 and "`decoding: " in err and "mini_easy@greedy" in err
    with pytest.raises(DataError, match="but is in a folder of the decoding `greedy`"):
        load(run)


def test_the_sampling_must_be_the_decodings(run: Path, rence: Rence) -> None:
    place = RunFolder(run).trial("rence", 1)
    for name in ("mini_easy", "mini_easy@greedy"):
        path = place.eval(20, name).header
        kept = path.read_text()
        header = EvalRecord.read(path)
        replace(header, sampling=header.sampling | {"temperature": 0.5}).write(path)
        code, _, err = rence("report", run)
        assert code == 2 and "sampling.temperature: 0.5" in err, err
        path.write_text(kept)


def test_what_a_decoding_lacks_is_told(run: Path) -> None:
    place = RunFolder(run).trial("rence", 1).eval(20, "mini_hard@greedy")
    place.attempts.unlink()
    a = analyse(load(run))
    assert a.deviations == ["rence seed 1 has no result under the decoding greedy on mini_hard."]
    assert any("mini_hard@greedy is unfinished" in note for note in a.run.notes)
    assert ("rence", AVERAGE) in a.scores and decoded.found(a)[1].scores["rence", AVERAGE].seeds == (0, 2)


def test_a_decoding_of_which_nothing_is_known_is_not_called_harmless(make_run: Make) -> None:
    """The arm that is compared has no score under it; two others have."""
    changes = {
        "benchmarks": {"mini_easy": (60, 4), "mini_hard": (60, 4)},
        "gains": {"rence": 1.0, "grpo": 0.0, "b": 0.5},
    }
    run = decode(make_run(**changes), replace(Synthetic(), **changes))
    for place in run.glob("rence/seed*/evals/*/*@greedy"):
        shutil.rmtree(place)
    said = reports.summary(run, accept="made by a test")
    assert "What the decoding would change is not known: scores are missing." in said
    (quiet,) = [line for line in said.splitlines() if "is not shown to depend on" in line]
    assert "the decoding" not in quiet.partition("What ")[0]
    (order,) = [line for line in said.splitlines() if line.startswith("By average: ")]
    assert order.endswith("1 more cannot tell: an arm's scores are missing.")


def test_scores_of_fewer_seeds_say_so(run: Path) -> None:
    for place in run.glob("grpo/seed1/evals/*/*@greedy"):
        shutil.rmtree(place)
    found = section.section(analyse(load(run)))
    assert found is not None and isinstance(found.blocks[0], Table)
    spreads = {row.cells[0].text: [cell.spread or "" for cell in row.cells[1:]] for row in found.blocks[0].rows}
    assert spreads["GRPO"][1].endswith(", 2 of 3 seeds")
    assert not any("seeds" in words for name, row in spreads.items() for words in row[: 1 if name == "GRPO" else None])
