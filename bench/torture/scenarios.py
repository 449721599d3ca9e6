"""The commands that are tortured, each with the folder that it starts in."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import runner
from shim import Call, Kind, Point, Shim

EXPERIMENT = """\
schema: 1
name: small
model: quickstart-base
template: bare
train: mini_rl
seeds: [0]
budget: {rollouts: 16}
record_steps: [2]
recipe: {group_size: 4, prompts_per_step: 2, max_tokens: 8, checkpoint_steps: 1}
evaluation: {benchmarks: {mini_sums: 2}, curve: {mini_sums: 1}, points: 2, max_tokens: 8, limit: 8, chunk_problems: 4}
arms: {grpo: {kl_coef: 0}, rloo: {}}
comparison: {target: grpo, baselines: [rloo]}
"""
PUBLISHED = """\
title: Paper
source: A. Author, 2025, table 1
url: https://example.org
model: small
protocol: as ours
percent: {grpo: {mini_sums: 50.0}}
"""
RUN = "runs/small"
TRIAL = f"{RUN}/grpo/seed0"
_RUN = ("run", "small.yaml", "--only", "grpo", "--new-starts", "0")  # what a kill leaves is looked at
_EVAL = (
    *("eval", "--model", "quickstart-base", "--template", "bare", "--max-tokens", "8", "--limit", "8", "--chunk", "4"),
    *("--benchmarks", "mini_sums:2,mini_chains:2", "--out", "out"),
)
_IMPORT = ("import", "attempts", "rows.jsonl", "--out", "imported")
_UPDATE = ("gate", "out", "--baseline", "gate/baseline.yaml", "--update")
_TWICE = "imported exists. --clean replaces it"


@dataclass(frozen=True)
class Scenario:
    """A command, and what is there before it."""

    name: str
    title: str
    words: Sequence[str]
    start: Path
    """a folder to copy"""
    refused_when_whole: str = ""
    """what it says, with exit code 2, when it is called again after it has done its work"""
    removes: bool = False
    """whether it takes a run away: readers refuse what is left of one, and name what is missing"""
    only_long: bool = False
    """whether the short form leaves it out"""


class Nursery:
    """Makes the folders that commands start in, by the commands themselves."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True)

    def all(self) -> list[Scenario]:
        new = self._new("new")
        trained = self._after("trained", new, _RUN)
        evaluated = self._after("evaluated", new, _EVAL)
        brought = self._after("brought", new, _IMPORT)
        gated = self._after("gated", evaluated, _UPDATE)
        in_step = self._cut("in_step", new, _RUN, Point(Call.RENAME, f"{TRIAL}/checkpoints/step_2", 1))
        in_answers = Point(Call.WRITE, f"{TRIAL}/evals/step_2/mini_sums/attempts.jsonl", 2)
        in_chains = Point(Call.WRITE, "out/evals/mini_chains/attempts.jsonl", 2)
        other = self._after("other", new, (*_EVAL, "--seed", "1"))
        regated = self._merged("regated", gated, other)
        run_on = self._cut("run_on", new, _RUN, in_answers)
        eval_on = self._cut("eval_on", new, _EVAL, in_chains, older)
        return [
            Scenario("update", "a gate's first baseline", _UPDATE, evaluated),
            Scenario("update-on", "a gate update", _UPDATE, regated),
            Scenario("import", "an import", _IMPORT, new, _TWICE),
            Scenario("import-clean", "an import with --clean", (*_IMPORT, "--clean"), brought),
            Scenario("report", "a report", ("report", RUN, "--expected", "published.yaml"), trained),
            Scenario("eval", "an eval", _EVAL, new),
            Scenario("eval-on", "an eval that goes on and marks again", _EVAL, eval_on),
            Scenario("run", "a run", _RUN, new),
            Scenario("run-on", "a run that goes on in a step", _RUN, in_step, only_long=True),
            Scenario("run-on-answers", "a run that goes on in an evaluation", _RUN, run_on, only_long=True),
            Scenario("clean", "a run with --clean", (*_RUN, "--clean"), trained, removes=True, only_long=True),
        ]

    def try_all(self) -> None:
        """One command of each sort, in this process."""
        from rence.cli import main

        os.chdir(self._new("tried"))
        for words in (_EVAL, _IMPORT, _UPDATE, ("report", "imported")):
            with contextlib.suppress(SystemExit):
                main(list(words))

    def _new(self, name: str) -> Path:
        place = self._folder / name / "work"
        place.mkdir(parents=True)
        (place / "small.yaml").write_text(EXPERIMENT, encoding="utf-8")
        (place / "published.yaml").write_text(PUBLISHED, encoding="utf-8")
        (place / "rows.jsonl").write_text("".join(map(json_line, _rows())), encoding="utf-8")
        return place

    def _copy(self, name: str, start: Path) -> Path:
        return Path(shutil.copytree(start, self._folder / name / "work"))

    def _after(self, name: str, start: Path, words: Sequence[str]) -> Path:
        place = self._copy(name, start)
        ended = runner.command(words, place)
        if ended.code:
            raise RuntimeError(f"{' '.join(words)}: exit code {ended.code}\n{ended.said}")
        return place

    def _cut(
        self, name: str, start: Path, words: Sequence[str], point: Point, before: Callable[[], None] = lambda: None
    ) -> Path:
        """After a command that was killed."""
        place = self._copy(name, start)
        shim = Shim(place)
        shim.aim(point, Kind.KILL_HALF if point.call is Call.WRITE else Kind.KILL_BEFORE)
        ended = runner.command(words, place, shim, before)
        if not shim.tripped:
            raise RuntimeError(f"{' '.join(words)} never came to {point}: exit code {ended.code}\n{ended.said}")
        return place

    def _merged(self, name: str, gated: Path, other: Path) -> Path:
        """The baseline of one evaluation, and another evaluation."""
        place = self._copy(name, gated)
        shutil.rmtree(place / "out")
        shutil.copytree(other / "out", place / "out")
        return place


def older() -> None:
    """In a fork: this is an earlier version of the marker."""
    from benchmarks import marking
    from harness.evaluation import evaluator, remarking

    for module in (marking, evaluator, remarking):
        module.MARKER_VERSION = "0.0"  # type: ignore[attr-defined]


def json_line(row: dict[str, Any]) -> str:
    return json.dumps(row) + "\n"


def _rows() -> list[dict[str, Any]]:
    return [
        {"arm": arm, "seed": seed, "step": 1, "benchmark": name, "problem_id": f"{name}{problem}", "sample": sample}
        | {"correct": (problem + sample + seed) % 2}
        for arm in ("a", "b")
        for seed in (0, 1)
        for name in ("x", "y")
        for problem in range(3)
        for sample in range(2)
    ]
