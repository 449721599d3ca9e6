"""Samples that lm-eval's own command logs of the shipped model: a task of ours with four responses a problem, and a
foreign one with a metric of 0 and 1 under two filters."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchmarks import tasks
from harness.models import resolving

from .conftest import Done, verdict

Rence = Callable[..., Done]
pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
TASKS = Path(tasks.__file__).parent
OURS = f"""
task: mini_k4
include: [{TASKS}/_common.yaml, {TASKS}/_k4.yaml]
test_split: test
doc_to_text: "{{{{question}}}}\\n"
metadata: {{version: 1, benchmark: mini_sums}}
"""
FOREIGN = r"""
task: foreign
custom_dataset: !function foreign.documents
output_type: generate_until
test_split: test
doc_to_text: "{{question}}\n"
doc_to_target: "{{gold}}"
generation_kwargs: {do_sample: false, max_gen_toks: 40, until: []}
filter_list:
  - {name: box, filter: [{function: regex, regex_pattern: "boxed\\{(-?[0-9]+)\\}"}, {function: take_first}]}
  - {name: first, filter: [{function: regex, regex_pattern: "(-?[0-9]+)"}, {function: take_first}]}
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]
metadata: {version: 1}
"""
DOCUMENTS = """
from datasets import Dataset

def documents(**_):
    sums = [(a, b) for a in range(2, 6) for b in range(3, 8)]
    return {"test": Dataset.from_list([{"question": f"What is {a} + {b}?", "gold": str(a + b)} for a, b in sums])}
"""


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`out/<model>/`, as lm-eval left it."""
    pytest.importorskip("lm_eval")
    folder = tmp_path_factory.mktemp("lm")
    (folder / "mini_k4.yaml").write_text(OURS)
    (folder / "foreign.yaml").write_text(FOREIGN)
    (folder / "foreign.py").write_text(DOCUMENTS)
    model = f"pretrained={resolving.resolve('quickstart-base')},dtype=float32"
    asked = ["--include_path", str(folder), "--tasks", "mini_k4,foreign", "--limit", "20"]
    given = ["--gen_kwargs", "max_gen_toks=40", "--log_samples", "--output_path", "out", "--batch_size", "16"]
    done = subprocess.run(
        [sys.executable, "-m", "lm_eval", "run", "--model", "hf", "--model_args", model, *asked, *given],
        cwd=folder,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "hf"), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    (found,) = (folder / "out").iterdir()
    return found


@pytest.fixture
def out(logged: Path, tmp_path: Path) -> Path:
    """A copy under names of one's own: `out/grpo/` and `out/dapo/`."""
    for arm in ("grpo", "dapo"):
        shutil.copytree(logged, tmp_path / "out" / arm)
    return tmp_path / "out"


def results(out: Path) -> dict:
    return json.loads(next(out.glob("grpo/results_*.json")).read_text())["results"]


def test_means_are_lm_evals(rence: Rence, out: Path, tmp_path: Path) -> None:
    done = rence("import", "lm-eval", "out", "--filter", "first", "--out", "x", "--json")
    assert done.code == 0, done.err
    assert (done.json["arms"], done.json["benchmarks"]) == (["dapo", "grpo"], {"foreign": 1, "mini_sums": 4})
    assert rence("report", "x").code == 0
    (cells, *_) = (arm["per_benchmark"] for arm in verdict(tmp_path / "x")["arms"])
    recorded = results(out)
    assert (
        cells["mini_sums"]["mean"] == pytest.approx(recorded["mini_k4"]["avg@k,all"]) and cells["mini_sums"]["k"] == 4
    )
    assert cells["foreign"]["mean"] == pytest.approx(recorded["foreign"]["exact_match,first"])
    assert (cells["foreign"]["no_answer"], cells["mini_sums"]["grader_failed"]) == (None, 0)
    rows = pq.read_table(tmp_path / "x/grpo/seed0/evals/step_0/mini_sums/attempts.parquet").to_pylist()
    assert len({row["response"] for row in rows}) > 20 and len(rows) == 80
    header = json.loads((tmp_path / "x/grpo/seed0/evals/step_0/foreign/eval.json").read_text())
    assert header["grader_version"] == "lm-eval exact_match, filter first"
    assert (header["engine"], header["template"], header["limit"]) == ("lm-eval", "no chat template", 20)
    assert header["sampling"]["max_gen_toks"] == 40


def test_marking_again_and_names(rence: Rence, out: Path, tmp_path: Path) -> None:
    words = ["grpo/seed1/step50=out/grpo/samples_f*", "grpo/seed1/step100=out/dapo/samples_f*"]
    assert rence("import", "lm-eval", *words, "--filter", "box", "--mark", "--out", "x").code == 0
    assert rence("report", "x").code == 0
    boxed = results(out)["foreign"]["exact_match,box"]
    assert verdict(tmp_path / "x")["arms"][0]["average"]["mean"] == pytest.approx(boxed)
    assert (tmp_path / "x/report/figures/curve-step.svg").exists()


def test_what_is_refused(rence: Rence, out: Path, tmp_path: Path) -> None:
    done = rence("import", "lm-eval", "out", "--out", "x")
    assert done.code == 3 and "has several filters. It has box, first. Choose one with --filter NAME." in done.err
    done = rence("import", "lm-eval", "out", "--filter", "none", "--out", "x")
    assert done.code == 3 and "has no filter `none`. It has box, first." in done.err
    done = rence("import", "lm-eval", "out/grpo/samples_f*", "--filter", "box", "--metric", "acc", "--out", "x")
    assert done.code == 3 and "has no metric `acc`. It has exact_match." in done.err
    done = rence("import", "lm-eval", "out/grpo/samples_m*", "--metric", "avg@k", "--out", "x")
    assert done.code == 3 and "the metric `avg@k` is not 0 or 1" in done.err and "`--mark`" in done.err
    done = rence("import", "lm-eval", "a=out/grpo", "a=out/dapo", "--filter", "box", "--out", "x")
    assert done.code == 3 and "are the same attempt: a seed 0 on foreign" in done.err
    path = next(out.glob("grpo/samples_mini*"))
    lines = path.read_text().splitlines()
    first = json.loads(lines[0])
    path.write_text("\n".join([json.dumps(first | {"avg@k": 1 - first["avg@k"]}), *lines[1:]]))
    done = rence("import", "lm-eval", "out/grpo/samples_m*", "--out", "x")
    assert done.code == 3 and "but its responses, marked again, have" in done.err
    path.write_text("\n".join(lines[1:]))  # one document fewer than the other arm
    done = rence("import", "lm-eval", "out/*/samples_m*", "--out", "x")
    assert done.code == 3 and "mini_sums was asked with different problems" in done.err and "19 are in both" in done.err
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"doc": "a text"}, ":1: `doc` must be an object, but is `a text`."),
        ({"resps": None}, ":1: `resps` must be a list, but is `None`."),
        ({"metrics": "acc"}, ":1: `metrics` must be a list"),
        ({"acc": None}, "has no metric that is 0 or 1. It has acc (not 0 or 1)."),
    ],
)
def test_lines_that_are_no_samples(rence: Rence, tmp_path: Path, cells: dict, said: str) -> None:
    line = {"doc_id": 0, "doc": {}, "doc_hash": "h", "target": 1, "resps": [[["-1.5", "False"]]], "metrics": ["acc"]}
    (tmp_path / "samples_x_2026-01-01T00-00-00.jsonl").write_text(json.dumps(line | {"acc": 1.0} | cells) + "\n")
    done = rence("import", "lm-eval", "a=.", "--out", "x")
    assert done.code == 3 and said in done.err, done.err


def test_a_task_of_likelihoods_has_no_texts(rence: Rence, tmp_path: Path) -> None:
    line = {"doc": {}, "doc_hash": "h", "target": 1, "resps": [[["-1.5", "False"]]], "metrics": ["acc"], "acc": 1.0}
    lines = [line | {"doc_id": i, "doc_hash": f"h{i // 2}", "acc": float(i > 0)} for i in range(4)]  # each twice
    text = "".join(json.dumps(one) + "\n" for one in lines)
    (tmp_path / "samples_x_2026-01-01T00-00-00.jsonl").write_text(text)
    assert rence("import", "lm-eval", "a=.", "--out", "x").code == 0
    rows = pq.read_table(tmp_path / "x/a/seed0/evals/step_0/x/attempts.parquet").to_pylist()
    assert {row["response"] for row in rows} == {None}
    assert [(row["problem_id"], row["mark"]) for row in rows] == [
        ("h0", "wrong"),
        ("h0-2", "correct"),
        ("h1", "correct"),
        ("h1-2", "correct"),
    ]
    done = rence("import", "lm-eval", "a=.", "--mark", "--out", "y")
    assert done.code == 3 and "`resps` must be one list of texts to be marked" in done.err
