"""Folders as lm-eval 0.4.13 leaves them, samples beside results, read without naming the source."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from .conftest import Done, Rows, write

Rence = Callable[..., Done]
STAMP = "2026-01-01T00-00-00.000000"
ARMS = {"base": 0.25, "tuned": 0.75}
RESULTS = {
    "model_name": "org/model",
    "lm_eval_version": "0.4.13",
    "chat_template_sha": "0123456789abcdef",
    "config": {"limit": 8.0, "model_args": ["a", "b"]},
    "configs": {
        "sums": {"generation_kwargs": {"temperature": 0.6, "until": []}, "num_fewshot": 0, "metric_list": [{}, {}]},
        "words": {"generation_kwargs": {"temperature": 0.0}, "num_fewshot": 5},
    },
}


def samples(share: float, task: str, metric: str, filters: tuple[str, ...], problems: int) -> Rows:
    """All rows of one filter before those of the next; the last filter finds the share, the others nothing."""
    return [
        {
            "doc_id": i,
            "doc": {"question": f"What is {i} + 1 in {task}?"},
            "target": f"{i + 1}",
            "resps": [[f"It is {i + 1 if i < share * problems else 0}."]],
            "filtered_resps": [f"{i + 1 if i < share * problems else 0}"],
            "filter": name,
            "metrics": [metric],
            "doc_hash": sha256(f"{task} {i}".encode()).hexdigest(),
            metric: float(name == filters[-1] and i < share * problems),
        }
        for name in filters
        for i in range(problems)
    ]


def folder(root: Path, problems: int = 8, **tasks: tuple[str, tuple[str, ...]]) -> Path:
    """A folder of each arm; of each task its metric and its filters."""
    for arm, share in ARMS.items():
        for task, (metric, filters) in tasks.items():
            write(root / arm / f"samples_{task}_{STAMP}.jsonl", samples(share, task, metric, filters, problems))
        (root / arm / f"results_{STAMP}.json").write_text(json.dumps(RESULTS))
    return root


def of(run: Path, arm: str, task: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Header and rows of one evaluation."""
    place = run / arm / "seed0/evals/step_0" / task
    return json.loads((place / "eval.json").read_text()), pq.read_table(place / "attempts.parquet").to_pylist()


def test_each_file_has_its_own_metric_filter_and_facts(rence: Rence, tmp_path: Path) -> None:
    folder(tmp_path / "out", sums=("exact_match", ("strict", "flexible")), words=("acc", ("none",)))
    done = rence("import", "out", "--filter", "flexible", "--out", "x", "--json")
    assert done.code == 0, done.err
    assert done.json["benchmarks"] == {"sums": 1, "words": 1} and done.json["attempts"] == 32
    header, rows = of(tmp_path / "x", "tuned", "sums")
    assert sum(row["mark"] == "correct" for row in rows) == 6
    assert (header["grader_version"], header["engine"]) == ("lm-eval exact_match, filter flexible", "lm-eval")
    assert (header["engine_version"], header["limit"]) == ("0.4.13", 8)
    assert header["template"] == "chat template 0123456789ab"
    assert header["sampling"] == {"temperature": 0.6, "until": []}
    assert {row["problem_id"] for row in rows} == {sha256(f"sums {i}".encode()).hexdigest()[:16] for i in range(8)}
    header, rows = of(tmp_path / "x", "base", "words")
    assert sum(row["mark"] == "correct" for row in rows) == 2 and header["grader_version"] == "lm-eval acc"
    assert header["sampling"] == {"temperature": 0.0, "num_fewshot": 5}
    assert json.loads((tmp_path / "x/plan.json").read_text())["model"] == "org/model"
    assert not [note for note in done.json["notes"] if note.startswith("Not taken")]


def test_the_named_source_has_the_same_rows(rence: Rence, tmp_path: Path) -> None:
    folder(tmp_path / "out", sums=("exact_match", ("strict", "flexible")), words=("acc", ("none",)))
    for run, source in (("x", []), ("y", ["lm-eval"])):
        assert rence("import", *source, "out", "--filter", "flexible", "--out", run).code == 0
    for arm in ARMS:
        for task in ("sums", "words"):
            assert of(tmp_path / "x", arm, task) == of(tmp_path / "y", arm, task)


def test_filters_one_after_the_other_are_no_samples(rence: Rence, tmp_path: Path) -> None:
    """More rows than are looked at stand before the second filter."""
    folder(tmp_path / "out", 700, sums=("exact_match", ("strict", "flexible")))
    done = rence("import", "out", "--out", "x")
    assert done.code == 2 and "the same answers are there with several filters: strict, flexible." in done.err
    done = rence("import", "out", "--filter", "flexible", "--out", "x", "--json")
    assert (done.json["benchmarks"], done.json["attempts"]) == ({"sums": 1}, 1400)
    done = rence("import", "out", "--filter", "loose", "--out", "y")
    assert done.code == 2 and "has no filter `loose`. It has strict, flexible." in done.err


def test_a_metric_that_is_asked_for(rence: Rence, tmp_path: Path) -> None:
    folder(tmp_path / "out", sums=("exact_match", ("none",)), words=("acc", ("none",)))
    for path in tmp_path.glob("out/*/samples_words*"):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        write(path, [row | {"metrics": ["acc", "acc_norm"], "acc_norm": 1.0 - row["acc"]} for row in rows])
    done = rence("import", "out", "--out", "x")
    assert done.code == 2 and "`metric.acc` and `metric.acc_norm` contradict each other" in done.err
    words = ["import", "out", "--metric", "acc_norm", "--metric", "exact_match", "--out", "x"]
    assert rence(*words).code == 0
    header, rows = of(tmp_path / "x", "tuned", "words")
    assert (header["grader_version"], sum(row["mark"] == "correct" for row in rows)) == ("lm-eval acc_norm", 2)
    assert of(tmp_path / "x", "tuned", "sums")[0]["grader_version"] == "lm-eval exact_match"
    done = rence("import", "out", "--metric", "f1", "--out", "y")
    assert done.code == 3 and "has no metric `f1`. It has exact_match." in done.err


@pytest.mark.parametrize("resps", [[[["-1.5", "False"]]], [[["-1.5", "False"]], [["-2", "True"]]]])
def test_likelihoods_are_no_answers(rence: Rence, tmp_path: Path, resps: list) -> None:
    folder(tmp_path / "out", words=("acc", ("none",)))
    for path in tmp_path.glob("out/*/samples*"):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        doc = {"question": "Which?", "choices": {"text": ["a", "b"], "label": ["A", "B"]}, "answerKey": "A"}
        write(path, [row | {"doc": doc, "resps": resps, "filtered_resps": resps[0]} for row in rows])
    assert rence("import", "out", "--out", "x").code == 0
    _, rows = of(tmp_path / "x", "tuned", "words")
    assert len(rows) == 8 and {row["response"] for row in rows} == {None}


def test_metrics_of_several_answers_are_not_taken_for_marks(rence: Rence, tmp_path: Path) -> None:
    """As of tasks of ours: the names of the metrics are no answers, and `pass@k` marks none."""
    folder(tmp_path / "out", sums=("pass@k", ("all",)))
    for path in tmp_path.glob("out/*/samples*"):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        more = {"metrics": ["pass@k", "avg@k"], "avg@k": 0.5}
        write(path, [row | more | {"resps": [[f"\\boxed{{{row['target']}}}", "\\boxed{0}"]]} for row in rows])
    done = rence("import", "out", "--out", "x")
    assert done.code == 2 and "`metric.pass@k` and `metric.avg@k` say of all answers to a problem together" in done.err
    assert done.err.splitlines()[1].endswith("--mark")
    assert rence("import", "out", "--mark", "--out", "x", "--json").json["benchmarks"] == {"sums": 2}
    assert {row["mark"] for row in of(tmp_path / "x", "base", "sums")[1]} == {"correct", "wrong"}
