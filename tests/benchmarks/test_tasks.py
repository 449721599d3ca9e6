"""The task files are what the registry makes of its benchmarks, and say what is pinned."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lm_eval.tasks import TaskManager
from lm_eval.tasks._yaml_loader import load_yaml

from benchmarks import tasks
from benchmarks.asking import INSTRUCTION, SEVERAL
from benchmarks.registry import BENCHMARKS, benchmark
from benchmarks.tasks import generate

FOLDER = Path(tasks.__file__).parent
REPEATS = (
    dict.fromkeys(("aime24", "aime25", "aime26", "amc23", "amc12", "hmmt_feb25", "hmmt_feb26"), 32)
    | dict.fromkeys(("math500", "minerva_math", "olympiadbench", "gsm8k"), 4)
    | dict.fromkeys(("olymmath_en_easy", "olymmath_en_hard"), 8)
)
SIX = ("math500", "aime24", "aime25", "amc23", "minerva_math", "olympiadbench")
GROUPS = {
    "rence_six": SIX,
    "rence_six_2026": (*SIX, "aime26", "hmmt_feb25", "hmmt_feb26", "olymmath_en_easy", "olymmath_en_hard"),
}


def config(name: str) -> dict[str, Any]:
    return load_yaml(FOLDER / f"{name}.yaml", resolve_func=False)


def test_the_files_are_what_the_registry_makes() -> None:
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.yaml")}
    del there["_common.yaml"]
    assert there == generate.files()


def test_a_new_benchmark_has_its_tasks_with_its_own_k(tmp_path: Path) -> None:
    new = replace(BENCHMARKS["aime24"], name="new", k=7)
    made = generate.files({"new": new, "mini_sums": BENCHMARKS["mini_sums"]})
    assert made["rence_new_k7.yaml"] == "task: rence_new_k7\ninclude: [rence_new.yaml, _k7.yaml]\n"
    assert made["_k7.yaml"].startswith("repeats: 7\n") and not any("mini" in name for name in made)
    (tmp_path / "rence_gone.yaml").touch()
    generate.write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == generate.files().keys()


def test_the_tasks_there_are() -> None:
    expected = {f"rence_{name}{suffix}" for name, k in REPEATS.items() for suffix in ("", f"_k{k}")}
    assert {path.stem for path in FOLDER.glob("rence_*.yaml")} == expected | {
        group + suffix for group in GROUPS for suffix in ("", "_protocol")
    }


@pytest.mark.parametrize("name, k", REPEATS.items())
def test_a_task_names_the_pinned_source(name: str, k: int) -> None:
    hub = benchmark(name).hub
    assert hub and benchmark(name).k == k
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


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("protocol", [False, True])
def test_the_groups(group: str, protocol: bool) -> None:
    found = config(f"{group}_protocol" if protocol else group)
    assert found["task"] == [
        f"rence_{name}_k{REPEATS[name]}" if protocol else f"rence_{name}" for name in GROUPS[group]
    ]
    assert found["aggregate_metric_list"] == [{"metric": "avg@k", "aggregation": "mean", "weight_by_size": False}]


@pytest.mark.skipif(not os.environ.get("RENCE_DATA_DIR"), reason="the problems are not shipped; set RENCE_DATA_DIR")
def test_every_task_asks_its_benchmarks_problems() -> None:
    manager = TaskManager(include_path=str(FOLDER), include_defaults=False)
    assert manager.all_groups == sorted(f"{group}{suffix}" for group in GROUPS for suffix in ("", "_protocol"))
    for name, task in manager.load(manager.all_subtasks)["tasks"].items():
        problems = benchmark(task.config.metadata["benchmark"]).problems
        assert [document["id"] for document in task.eval_docs] == [problem.id for problem in problems], name
        document, noted = task.eval_docs[0], [one for one in task.eval_docs if one["note"]]
        assert task.doc_to_target(document) == problems[0].gold
        assert task.doc_to_text(document) == f"{problems[0].question}\n\n{INSTRUCTION}"
        assert all(task.doc_to_text(one).endswith(f"{{}}. {SEVERAL}") for one in noted)
