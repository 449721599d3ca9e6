"""Details that lighteval 0.13.0 wrote: `lighteval custom adder/good model.py "sums|0,sums_avg|0" --custom-tasks sums.py
--output-dir . --save-details` in the folder `lighteval` beside, and the same of adder/poor. lighteval's own table said
pass@k:k=1 0.9000 and 0.6000 on sums, avg@n:n=4 0.8083 and 0.4667 on sums_avg."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from .conftest import Done, verdict, write

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
    assert done.code == 2 and "`metric.em` and `metric.pass@k:k=1` contradict each other" in done.err
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
    assert done.code == 3 and "`avg@n:n=4` is not 0 or 1" in done.err and "`--mark`" in done.err
    done = rence("import", "lighteval", "out", "--column", "correct=metric.em", "--out", "x")
    assert done.code == 3 and "`metric.em` is one result of all entries of `model_response.text`" in done.err
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


@pytest.mark.parametrize("source", [[], ["lighteval"]], ids=["found", "named"])
def test_a_metric_of_several_answers_marks_none(rence: Rence, out: Path, source: list[str]) -> None:
    done = rence("import", *source, "out/details/adder/*/*/details_sums_avg|*", "--out", "x")
    assert done.code == 2 and "`metric.avg@n:n=4` say of all answers to a problem together" in done.err
    assert done.err.splitlines()[1].endswith(" --mark")
    assert rence("import", *source, "out/details/adder/*/*/details_sums_avg|*", "--out", "x", "--mark").code == 0


def test_a_folder_carries_what_the_named_source_did(rence: Rence, out: Path, tmp_path: Path) -> None:
    for run, source in (("x", []), ("y", ["lighteval"])):
        assert rence("import", *source, "out", "--mark", "--out", run).code == 0
    rows, others = (pq.read_table(tmp_path / run / "good/seed0/evals/step_0/sums_avg/attempts.parquet") for run in "xy")
    assert rows.equals(others) and rows.num_rows == 120
    first = rows.to_pylist()[0]
    assert (first["tokens"], first["gold"], first["engine"]) == (22, "94", "lighteval")
    header = json.loads((tmp_path / "x/good/seed0/evals/step_0/sums_avg/eval.json").read_text())
    assert (
        header["sampling"] == {"temperature": 0} and "adder/good, adder/poor" in (tmp_path / "x/plan.json").read_text()
    )


def test_a_single_model_is_called_like_its_folder(rence: Rence, out: Path) -> None:
    done = rence("import", "lighteval", "out/details/adder/good", "--mark", "--out", "x", "--json")
    assert done.json["arms"] == ["good"], done.err


def change(path: Path, doc: Callable[[int, dict], dict]) -> None:
    rows = [row | {"doc": row["doc"] | doc(i, row["doc"])} for i, row in enumerate(pq.read_table(path).to_pylist())]
    pq.write_table(pa.Table.from_pylist(rows), path)


def test_the_gold_is_the_choice_that_the_index_points_to(rence: Rence, out: Path, tmp_path: Path) -> None:
    path = next(out.glob("details/adder/good/*/details_sums|*"))
    change(path, lambda i, doc: {"choices": ["no", *doc["choices"]], "gold_index": 1})
    assert rence("import", str(path), "--mark", "--out", "x").code == 0
    golds = pq.read_table(next(tmp_path.glob("x/good/seed0/evals/*/sums/attempts.parquet")))["gold"].to_pylist()
    assert "no" not in golds and "94" in golds


def test_a_problem_that_a_set_has_twice_is_two(rence: Rence, out: Path, tmp_path: Path) -> None:
    path = next(out.glob("details/adder/good/*/details_sums|*"))
    first = pq.read_table(path).to_pylist()[0]["doc"]
    change(path, lambda i, doc: {"query": first["query"], "choices": first["choices"]} if i == 1 else {})
    words = ["import", str(path), "--mark", "--json", "--out"]
    assert rence(*words, "x").json["benchmarks"] == {"sums": 1}
    ids = pq.read_table(next(tmp_path.glob("x/good/seed0/evals/*/sums/attempts.parquet")))["problem_id"].to_pylist()
    assert len(set(ids)) == 30 and sum(one.endswith("-2") for one in ids) == 1
    change(path, lambda i, doc: {"id": "0"})  # one number: answers to one problem, of which others have fewer
    done = rence(*words, "y")
    assert done.code == 3 and "has 1 attempts, but" in done.err


def test_other_files_are_not_lightevals(rence: Rence, tmp_path: Path) -> None:
    line = {"input": "q", "output": "a", "gts": "4", "score": 1.0, "step": 5}
    write(tmp_path / "5.jsonl", [line, line | {"input": "p", "score": 0.0}])
    done = rence("import", "lighteval", "5.jsonl", "--out", "x")
    assert done.code == 3 and "no lighteval details" in done.err and "look like verl validation dump" in done.err
