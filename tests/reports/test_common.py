"""`--common` of report and compare: what is kept, what is said of the rest, and how much it could change."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from harness.records import EvalFolder
from reports.data import common, decoded
from reports.data.agreement import analysed
from reports.data.load import load
from tests.reports.conftest import Synthetic
from tests.reports.test_decoded import decode
from tests.sealing import sealed_anew

Say = Callable[..., tuple[int, str, str]]


def lose(place: Path, benchmark: str, *numbers: int) -> None:
    """An evaluation as if these problems had not been asked."""
    folder = EvalFolder(place)
    gone = [f"{benchmark}-{number:04d}" for number in numbers]
    table = pq.read_table(folder.attempts)
    pq.write_table(table.filter(pc.invert(pc.is_in(table["problem_id"], pa.array(gone)))), folder.attempts)
    header = json.loads(folder.header.read_text())
    folder.header.write_text(json.dumps(header | {"problems": header["problems"] - len(numbers)}))


def verdict(run: Path) -> dict:
    return json.loads((run / "report/verdict.json").read_text())


def test_compare_by_hand(rence: Say, make_evaluated) -> None:
    # A was asked 4 problems and has 4, 2, 0, 1 of 4 correct, B the first 3 and has 4, 0, 0
    a, b = make_evaluated("a", mini=[4, 2, 0, 1]), make_evaluated("b", mini=[4, 0, 0])
    code, _, err = rence("compare", a, b)
    assert code == 3 and "--common keeps the problems that both have" in err
    code, out, _ = rence("compare", a, b, "--common", "--json")
    found = json.loads(out)
    assert code == 0 and found["pairs"][0]["delta"] == pytest.approx(0.5 - 1 / 3)
    # on all 4: A has 7/16; B between 4/16 and 8/16
    assert (found["common"]["low"], found["common"]["high"]) == (pytest.approx(-1 / 16), pytest.approx(3 / 16))
    assert [(one["side"][-1], one["lacks"], one["low"]) for one in found["common"]["left_out"]] == [
        ("a", 0, 0.25),
        ("b", 1, 0),
    ]
    assert "mini: 3 of 4 problems are kept, those that all have; b lacks 1." in found["notes"]
    assert "it is between −6.2 and +18.8 on all problems." in found["notes"][-1]


def test_each_side_lacks_another_one_and_the_limit_is_another(rence: Say, make_evaluated) -> None:
    a = make_evaluated("a", mini=[4, 2, 0, 1], more=[1, 1])
    b = make_evaluated("b", changes={"limit": 3}, mini=[4, 0, 0], more=[1])
    lose(a / "evals/mini", "mini", 0)
    code, _, err = rence("compare", a, b)
    assert code == 2 and "limit of problems differs" in err and "--common" in err
    code, out, _ = rence("compare", a, b, "--common", "--json")
    found = json.loads(out)["common"]
    assert code == 0
    # mini: A 3/16 to 7/16, B 4/16 to 8/16; more: A 2/8, B 1/8 to 5/8
    assert found["low"] == pytest.approx((-5 / 16 - 3 / 8) / 2) and found["high"] == pytest.approx((3 / 16 + 1 / 8) / 2)


def test_nothing_in_common(rence: Say, make_evaluated) -> None:
    a, b = make_evaluated("a", mini=[4, 2, 0, 1]), make_evaluated("b", mini=[4, 0])
    lose(a / "evals/mini", "mini", 0, 1)
    code, _, err = rence("compare", a, b, "--common")
    assert code == 3 and "mini: no problem was answered by all of" in err and "has 2" in err
    code, _, err = rence("compare", a, make_evaluated("c", other=[1]), "--common")
    assert code == 2 and "no benchmark in common" in err


def test_complete_sides_are_compared_as_without(rence: Say, make_run) -> None:
    run = make_run()
    plain, common = (rence("compare", f"{run}/rence", f"{run}/grpo", *more, "--json") for more in ((), ("--common",)))
    assert plain == common


def test_one_problem_left(rence: Say, make_evaluated) -> None:
    a, b = make_evaluated("a", k=1, mini=[1, 1, 0]), make_evaluated("b", k=32, mini=[1])
    code, out, _ = rence("compare", a, b, "--common")
    assert code == 0 and "1 of 3 problems are kept" in out


def test_a_report_of_arms_that_lack_some(rence: Say, make_run) -> None:
    run = make_run()
    lose(run / "grpo/seed1/evals/step_20/mini_hard", "mini_hard", 0, 1)
    code, _, err = rence("report", run)
    assert code == 3 and "grpo: the seeds were asked different problems of mini_hard." in err and "--common" in err
    assert rence("report", run, "--common")[0] == 0
    found = verdict(run)
    (one,) = [arm for arm in found["arms"] if arm["arm"] == "rence"]
    assert (
        one["per_benchmark"]["mini_hard"]["n_problems"] == 28 and one["per_benchmark"]["mini_easy"]["n_problems"] == 40
    )
    said = "Common problems only. mini_hard: 28 of 30 problems are kept, those that all have; grpo seed 1 lacks 2."
    assert said in found["notes"]
    (pair,) = found["common"]["pairs"]
    # two of 30 problems of one of three seeds on one of two benchmarks
    assert pair["high"] - pair["low"] == pytest.approx(2 / 30 / 3 / 2)
    assert pair["low"] < found["pairs"][0]["delta"] + 0.05 and pair["high"] > found["pairs"][0]["delta"] - 0.05
    page = (run / "report/index.html").read_bytes()
    assert rence("report", run, "--common")[0] == 0 and (run / "report/index.html").read_bytes() == page


def read(place: EvalFolder) -> None:
    """Give an evaluation the marks of other readings: by the last box as by the rule, anywhere all are correct."""
    table = pq.read_table(place.attempts)
    everywhere = pa.array(["correct"] * table.num_rows)
    table = table.append_column("mark_box", table["mark"]).append_column("mark_anywhere", everywhere)
    pq.write_table(table, place.attempts)
    header = json.loads(place.header.read_text())
    place.header.write_text(json.dumps(header | {"readings": "1"}))


def test_other_decodings_and_readings_are_of_the_common_problems_too(rence: Say, make_run) -> None:
    run = decode(make_run(), Synthetic())
    for header in run.rglob("eval.json"):
        read(EvalFolder(header.parent))
    lose(run / "grpo/seed1/evals/step_20/mini_hard", "mini_hard", 0, 1)
    lose(run / "rence/seed2/evals/step_20/mini_easy@greedy", "mini_easy", 3)
    found = common.restrict(load(run))
    for one in (found, found.decoded["greedy"]):
        hard = one.evals["benchmark"] == "mini_hard"
        assert set(one.evals["problems"][hard & (one.evals["step"] == 20)]) == {28}
        for attempts, problems in zip(one.attempts, one.evals["problems"], strict=True):
            shapes = {array.shape[0] for array in (attempts.marks, attempts.rows, *attempts.readings.values())}
            assert shapes == {len(attempts.ids)} == {problems} and len(attempts.readings) == 2
        assert one.problems["mark_anywhere"].tolist() == one.problems["attempts"].tolist()
    assert rence("report", run, "--common", "--accept", "made by a test")[0] == 0
    said = "rence seed 2, step 20, greedy: left out on mini_easy, for it lacks 1 of the problems that all have"
    assert any(note.startswith(said) for note in verdict(run)["notes"])
    a = analysed(run, "made by a test", only_common=True)
    assert {scores.values.shape[1] for (_, name), scores in a.cells.items() if name == "mini_hard"} == {28}
    (_, greedy) = decoded.found(a)
    assert {scores.values.shape[1] for (_, name), scores in greedy.cells.items() if name == "mini_hard"} == {28}
    assert greedy.scores["rence", "mini_easy"].seeds == (0, 1), "the one that lacks a problem is a gap"


def test_arms_that_lack_some_in_all_seeds(rence: Say, make_run) -> None:
    run = make_run()
    for seed in range(3):
        lose(run / f"grpo/seed{seed}/evals/step_20/mini_easy", "mini_easy", *range(5))
    code, _, err = rence("report", run)
    assert code == 3 and "--common keeps the problems that both have" in err
    lose(run / "rence/seed0/evals/step_10/mini_easy", "mini_easy", 7)  # an earlier point, which lacks one of the common
    assert rence("report", run, "--common")[0] == 0
    notes = verdict(run)["notes"]
    assert any("rence seed 0, step 10: left out on mini_easy, for it lacks 1" in note for note in notes)
    (pair,) = verdict(run)["common"]["pairs"]
    assert pair["high"] - pair["low"] == pytest.approx(5 / 40 / 2)


def test_a_report_with_nothing_in_common(rence: Say, make_run) -> None:
    run = make_run()
    lose(run / "grpo/seed0/evals/step_20/mini_hard", "mini_hard", *range(15))
    lose(run / "rence/seed0/evals/step_20/mini_hard", "mini_hard", *range(15, 30))
    code, _, err = rence("report", run, "--common")
    assert code == 3 and "mini_hard: no problem was answered by all of" in err


def test_complete_runs_have_the_bytes_they_had(rence: Say, make_run) -> None:
    run = make_run()
    assert rence("report", run)[0] == 0
    before = {p.name: p.read_bytes() for p in (run / "report").iterdir() if p.is_file()}
    assert rence("report", run, "--common")[0] == 0
    assert {p.name: p.read_bytes() for p in (run / "report").iterdir() if p.is_file()} == before


# the gate


def gated(rence: Say, run: Path, file: Path, *words: str) -> tuple[int, str, str]:
    return rence("gate", run, "--baseline", file, "--on-inconclusive", "warn", *words)


def test_a_gate_by_hand(rence: Say, make_evaluated, tmp_path: Path) -> None:
    file = tmp_path / "baseline.yaml"
    a, b = make_evaluated("a", mini=[4, 2, 0, 1]), make_evaluated("b", mini=[4, 0, 0])
    assert gated(rence, a, file, "--update")[0] == 0
    code, _, err = gated(rence, b, file)
    assert code == 3 and "the problems of" in err and "or use --common" in err
    code, out, _ = gated(rence, b, file, "--common", "--json")
    found = json.loads(out)
    assert code == 0 and found["average"]["n_problems"] == 3, found["average"]
    assert "mini: 3 of 4 problems are kept, those that all have; the run lacks 1." in found["notes"]
    assert "between −18.8 and +6.2 on all problems." in found["notes"][-1]  # as `compare` has it, the other way round
    lose(b / "evals/mini", "mini", 0, 1, 2)
    c = make_evaluated("c", mini=[0, 0, 0, 0, 3])
    lose(c / "evals/mini", "mini", 0, 1, 2, 3)
    code, _, err = gated(rence, c, file, "--common")
    assert code == 3 and "mini: no problem was answered by all of the run, the baseline" in err


def test_a_gate_with_another_limit_and_seeds_that_lack_some(
    rence: Say, make_run, make_evaluated, tmp_path: Path
) -> None:
    file = tmp_path / "baseline.yaml"
    run = make_run()
    assert gated(rence, run / "grpo", file, "--update")[0] == 0
    lose(run / "rence/seed1/evals/step_20/mini_hard", "mini_hard", 3)
    assert gated(rence, run / "rence", file)[0] == 3
    code, out, _ = gated(rence, run / "rence", file, "--common", "--json")
    assert code in (0, 1) and json.loads(out)["notes"][-2].endswith("those that all have; the run seed 1 lacks 1.")
    short = make_evaluated("short", changes={"limit": 2}, mini=[4, 2])
    full = make_evaluated("full", mini=[4, 2, 1])
    other = tmp_path / "other.yaml"
    assert gated(rence, full, other, "--update")[0] == 0
    code, _, err = gated(rence, short, other)
    assert code == 3 and "was asked the first 2 problems" in err and "--common" in err
    assert gated(rence, short, other, "--common")[0] == 0
    same = gated(rence, full, other, "--json"), gated(rence, full, other, "--common", "--json")
    assert same[0] == same[1]


def test_baselines_that_do_not_name_their_problems(rence: Say, make_evaluated, tmp_path: Path) -> None:
    file, a = tmp_path / "baseline.yaml", make_evaluated("a", mini=[4, 2, 0, 1])
    assert gated(rence, a, file, "--update")[0] == 0
    text = file.read_text()
    named = "    problems:\n      [mini-0000, mini-0001, mini-0002, mini-0003]\n"
    assert named in text
    file.write_text(sealed_anew(text.replace(named, "")))
    assert gated(rence, a, file)[0] == 0
    code, _, err = gated(rence, a, file, "--common")
    assert code == 3 and "does not name the problems of mini" in err and "--update" in err
    file.write_text(text.replace("mini-0002", "mini-0009"))
    code, _, err = gated(rence, a, file)
    assert code == 3 and "is not the list that `ids` is the hash of" in err
    assert gated(rence, a, file, "--common", "--update")[0] == 2
    assert gated(rence, a, file, "--common", "--sequential")[0] == 2
