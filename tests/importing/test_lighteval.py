"""Details that lighteval 0.13.0 wrote: `lighteval custom adder/good model.py "sums|0,sums_avg|0" --custom-tasks sums.py
--output-dir . --save-details` in the folder `lighteval` beside, and the same of adder/poor. lighteval's own table said
pass@k:k=1 0.9000 and 0.6000 on sums, avg@n:n=4 0.8083 and 0.4667 on sums_avg."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from .conftest import Done, verdict

Rence = Callable[..., Done]
HERE = Path(__file__).parent / "lighteval"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    for name in ("details", "results"):
        shutil.copytree(HERE / name, tmp_path / "out" / name)
    return tmp_path / "out"


def test_marked_again_the_means_are_lightevals(rence: Rence, out: Path, tmp_path: Path) -> None:
    done = rence("import", "lighteval", "out", "--mark", "--out", "x", "--json")
    assert done.code == 0, done.err
    assert (done.json["arms"], done.json["benchmarks"]) == (["good", "poor"], {"sums_avg": 4, "sums": 1})
    assert rence("report", "x").code == 0
    found = verdict(tmp_path / "x")
    means = {arm["arm"]: {name: cell["mean"] for name, cell in arm["per_benchmark"].items()} for arm in found["arms"]}
    for arm in ("good", "poor"):
        results = json.loads(next((HERE / "results" / "adder" / arm).iterdir()).read_text())["results"]
        assert means[arm]["sums"] == pytest.approx(results["sums|0"]["pass@k:k=1"])
        assert means[arm]["sums_avg"] == pytest.approx(results["sums_avg|0"]["avg@n:n=4"])
    header = json.loads((tmp_path / "x/good/seed0/evals/step_0/sums/eval.json").read_text())
    assert header["sampling"] == {"temperature": 0}
    assert "adder/good, adder/poor" in (tmp_path / "x/plan.json").read_text()


def test_a_metric_of_one_answer(rence: Rence, out: Path, tmp_path: Path) -> None:
    words = ["grpo/seed3=out/details/adder/good/*/details_sums|*", "start=out/details/adder/poor/*/details_sums|*"]
    done = rence("import", "lighteval", *words, "--out", "x")
    assert done.code == 3 and "several metrics that are 0 or 1. It has em, pass@k:k=1." in done.err
    assert rence("import", "lighteval", *words, "--metric", "pass@k:k=1", "--out", "x").code == 0
    assert rence("report", "x").code == 0
    assert [(arm["arm"], arm["average"]["mean"]) for arm in verdict(tmp_path / "x")["arms"]] == [
        ("start", pytest.approx(0.6)),
        ("grpo", pytest.approx(0.9)),
    ]
    row = pq.read_table(tmp_path / "x/grpo/seed3/evals/step_0/sums/attempts.parquet").to_pylist()[0]
    assert (
        row["response"].startswith("That makes")
        and row["tokens"] == 22
        and row["grader_version"] == "lighteval pass@k:k=1"
    )


def test_what_is_refused(rence: Rence, out: Path, tmp_path: Path) -> None:
    done = rence("import", "lighteval", "out", "--metric", "avg@n:n=4", "--metric", "em", "--out", "x")
    assert done.code == 3 and "row 1: there are 4 answers" in done.err and "`--mark`" in done.err
    done = rence("import", "lighteval", "out/details/adder/good/*/details_sums|*", "--metric", "f1", "--out", "x")
    assert done.code == 3 and "has no metric `f1`. It has em, pass@k:k=1." in done.err
    path = next(out.glob("details/adder/good/*/details_sums|*"))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    done = rence("import", "lighteval", "out", "--mark", "--out", "x")
    assert done.code == 3 and "cannot be read" in done.err
    pd.DataFrame({"predictions": [["4"]], "metrics": [{"em": 1}]}).to_parquet(path)  # of a version before 0.11
    done = rence("import", "lighteval", "out", "--mark", "--out", "x")
    assert done.code == 3 and "Details of lighteval before 0.11 have other columns" in done.err
    assert not (tmp_path / "x").exists()
