"""Means that files tell themselves are compared with what was read, and a difference is printed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Done
from .shape_files import read, write

Rence = Callable[..., Done]
DATA = Path(os.environ.get("RENCE_DATA_DIR", "")) / "imports"
pytestmark = pytest.mark.skipif(not (DATA / "truth.json").exists(), reason="the examples are not on this machine")


def said(rence: Rence, place: Path) -> str:
    done = rence("import", str(place), "--out", "run")
    assert done.code == 0, done.err
    return " ".join(done.out.split())


def lm_eval(base: float, tuned: float) -> Path:
    """Samples with the results of the same evaluations in their folders."""
    files = read(DATA / "lm_eval_2024_08")
    for arm, value in {"base": base, "tuned": tuned}.items():
        task = {"alias": "sums", "exact_match,none": value, "exact_match_stderr,none": 0.1, "acc,none": 0.5}
        files[f"{arm}/results_2024-08-21T03-44-09.494230.json"] = {"results": {"sums": task}, "model_name": arm}
    return write(Path("found"), files)


def test_the_results_file_of_lm_eval(rence: Rence) -> None:
    assert " says " not in said(rence, lm_eval(0.75, 0.8333))


def test_another_mean_in_the_results_file_of_lm_eval(rence: Rence) -> None:
    told = said(rence, lm_eval(0.75, 0.9))
    assert told.count(" says ") == 1
    assert "results_2024-08-21T03-44-09.494230.json says results.sums.exact_match,none 0.9000, but 10 of 12" in told


def inspect(*scores: dict[str, Any]) -> Path:
    files = read(DATA / "inspect_json")
    for name, log in files.items():
        if name.startswith("base"):
            log["results"]["scores"] = list(scores)
    return write(Path("found"), files)


def score(name: str, **metrics: float) -> dict[str, Any]:
    found = {metric: {"name": metric, "value": value} for metric, value in metrics.items()}
    return {"name": name, "scorer": name, "metrics": found}


@pytest.mark.parametrize("metric", ["accuracy", "mean"])
def test_metrics_of_inspect(rence: Rence, metric: str) -> None:
    told = said(rence, inspect(score("other", accuracy=0.1, mean=0.1), score("match", stderr=0.07, **{metric: 0.6})))
    assert told.count(" says ") == 1 and f"metrics.{metric}.value 0.6000, but 23 of 48 answers" in told


def test_the_same_metrics_of_inspect(rence: Rence) -> None:
    truth = json.loads((DATA / "truth.json").read_text())["base"]["all"]
    assert " says " not in said(rence, inspect(score("match", accuracy=truth, stderr=0.07)))


def reduced(name: str, value: float) -> dict[str, Any]:
    return score("match", accuracy=value, stderr=0.07) | {"reducer": name}


@pytest.mark.parametrize(
    ("reducer", "right"),
    # by hand from how many of four answers of `base` are correct to each of twelve problems
    [
        ("mean", None),
        ("pass_at_1", None),
        ("max", lambda c: c > 0),
        ("at_least_2", lambda c: c >= 2),
        ("pass_at_2", lambda c: 1 - (4 - c) * (3 - c) / 12),
        ("pass_k_2", lambda c: c * (c - 1) / 12),
        ("pass_at_4", lambda c: c > 0),
    ],
)
def test_reducers_of_inspect(rence: Rence, reducer: str, right: Callable[[int], float] | None) -> None:
    log = next(log for name, log in read(DATA / "inspect_json").items() if name.startswith("base"))
    correct: dict[Any, int] = {}
    for sample in log["samples"]:
        (of,) = sample["scores"].values()
        correct[sample["id"]] = correct.get(sample["id"], 0) + (of["value"] in ("C", 1, 1.0))
    assert len(correct) == 12 and len(set(correct.values())) > 2
    mean = sum((right or (lambda c: c / 4))(c) for c in correct.values()) / 12
    assert " says " not in said(rence, inspect(reduced(reducer, mean), reduced("an_own_one", 0.123)))
    wrong = round(mean - 0.1, 4)
    done = rence("import", str(inspect(reduced(reducer, wrong), reduced("mean", 23 / 48))), "--out", "run", "--clean")
    told = " ".join(done.out.split())
    if reducer == "mean":
        assert told.count(" says ") == 1 and f"{wrong:.4f}, but 23 of 48 answers" in told
    else:
        assert told.count(" says ") == 1 and f"{wrong:.4f}, but {reducer} of the answers read" in told
        assert f"is {mean:.4f}" in told
