"""The task files, written from the registry: `make tasks` writes them, and a test holds the files to what it writes.

A benchmark that the hub has becomes `rence_<name>.yaml`, which asks once, and `rence_<name>_k<k>.yaml` with its own k.
`_common.yaml` is written by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.files.hub import Hub
from benchmarks.problems import Benchmark
from benchmarks.registry import BENCHMARKS

FOLDER = Path(__file__).parent
SIX = ("math500", "aime24", "aime25", "amc23", "minerva_math", "olympiadbench")
GROUPS = {
    "six": SIX,
    "six_2026": (*SIX, "aime26", "hmmt_feb25", "hmmt_feb26", "olymmath_en_easy", "olymmath_en_hard"),
}
"""name -> its benchmarks; each is two groups, the second with the protocol's k"""


def files(benchmarks: Mapping[str, Benchmark] = BENCHMARKS) -> dict[str, str]:
    """File name -> its text."""
    asked = {name: benchmark for name, benchmark in benchmarks.items() if benchmark.hub}
    ks = {name: benchmark.k for name, benchmark in asked.items()}
    return {
        **{f"rence_{name}.yaml": _task(name, one.hub) for name, one in asked.items() if one.hub},
        **{f"rence_{name}_k{k}.yaml": _repeated(name, k) for name, k in ks.items()},
        **{f"_k{k}.yaml": _repeats(k) for k in sorted(set(ks.values()))},
        **{f"{name}.yaml": _group(name, tasks) for name, tasks in _groups(ks).items()},
    }


def write(folder: Path = FOLDER) -> None:
    """All of them, and nothing else that starts like them."""
    made = files()
    for old in (*folder.glob("rence_*.yaml"), *folder.glob("_k*.yaml")):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")


def _groups(ks: Mapping[str, int]) -> dict[str, list[str]]:
    """Group -> its tasks, of the benchmarks that have some."""
    found = {}
    for group, members in GROUPS.items():
        there = [name for name in members if name in ks]
        found[f"rence_{group}"] = [f"rence_{name}" for name in there]
        found[f"rence_{group}_protocol"] = [f"rence_{name}_k{ks[name]}" for name in there]
    return found


def _task(name: str, hub: Hub) -> str:
    config = [f"dataset_name: {hub.config}"] if hub.config else []
    return "\n".join(
        [
            f"task: rence_{name}",
            "include: _common.yaml",
            f"dataset_path: {hub.id}",
            *config,
            f"test_split: {hub.split}",
            "metadata:",
            "  version: 1",
            f"  benchmark: {name}",
            f"  split: {hub.split}",
            f"  dataset_revision: {hub.revision}",
            "",
        ]
    )


def _repeated(name: str, k: int) -> str:
    return f"task: rence_{name}_k{k}\ninclude: [rence_{name}.yaml, _k{k}.yaml]\n"


def _repeats(k: int) -> str:
    return f"repeats: {k}\nfilter_list:\n  - {{name: all, filter: [{{function: take_first_k, k: {k}}}]}}\n"


def _group(name: str, tasks: list[str]) -> str:
    mean = "{metric: avg@k, aggregation: mean, weight_by_size: false} # the mean over benchmarks, not over problems"
    listed = "".join(f"  - {task}\n" for task in tasks)
    return f"group: {name}\ntask:\n{listed}aggregate_metric_list:\n  - {mean}\nmetadata:\n  version: 1\n"


if __name__ == "__main__":
    write()
