"""The task files say what `sources.py` says, and the folder is complete."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lm_eval.tasks._yaml_loader import load_yaml

from benchmarks import tasks
from benchmarks.maths.sources import SOURCES

FOLDER = Path(tasks.__file__).parent
REPEATS = {"aime24": 32, "aime25": 32, "amc23": 32, "amc12": 32} | dict.fromkeys(
    ("math500", "minerva_math", "olympiadbench", "gsm8k"), 4
)
SIX = ("math500", "aime24", "aime25", "amc23", "minerva_math", "olympiadbench")


def config(name: str) -> dict[str, Any]:
    return load_yaml(FOLDER / f"{name}.yaml", resolve_func=False)


def test_the_tasks_there_are() -> None:
    expected = {f"rence_{name}{suffix}" for name, k in REPEATS.items() for suffix in ("", f"_k{k}")}
    assert {path.stem for path in FOLDER.glob("rence_*.yaml")} == expected | {"rence_six", "rence_six_protocol"}


@pytest.mark.parametrize("name, k", REPEATS.items())
def test_a_task_names_the_pinned_source(name: str, k: int) -> None:
    hub = SOURCES[name].hub
    for task, repeats in ((f"rence_{name}", 1), (f"rence_{name}_k{k}", k)):
        found = config(task)
        assert found["task"] == task
        assert (found["dataset_path"], found.get("dataset_name"), found["test_split"]) == (
            hub.id,
            hub.config,
            hub.split,
        )
        assert found["metadata"] == {
            "version": 1,
            "benchmark": name,
            "split": hub.split,
            "dataset_revision": hub.revision,
        }
        assert found["repeats"] == repeats
        assert found["filter_list"] == [{"name": "all", "filter": [{"function": "take_first_k", "k": repeats}]}]
        assert found["generation_kwargs"]["until"] == [] and found["generation_kwargs"]["top_k"] == 0


@pytest.mark.parametrize("protocol", [False, True])
def test_the_groups_are_of_the_six(protocol: bool) -> None:
    found = config("rence_six_protocol" if protocol else "rence_six")
    assert found["task"] == [f"rence_{name}_k{REPEATS[name]}" if protocol else f"rence_{name}" for name in SIX]
    assert found["aggregate_metric_list"] == [{"metric": "avg@k", "aggregation": "mean", "weight_by_size": False}]


def test_the_folder_is_printed() -> None:
    done = subprocess.run([sys.executable, "-m", "benchmarks.tasks"], capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).samefile(FOLDER)
