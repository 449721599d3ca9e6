"""How far a run is, read from its files and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.records import (
    DataError,
    DoneRecord,
    EvalFolder,
    EvalRecord,
    Plan,
    RunFolder,
    StepRecord,
    TrialFolder,
    last_line,
    read_whole,
)
from harness.records.scores_alone import scores_only
from harness.records.seed_scores import ScoresPlan

_TRAINING_WEIGHT = 4.0
"""what a rollout costs in attempts: it is sampled once and learnt from in several passes"""

MACHINE = {
    "actor/perf/max_memory_allocated_gb": "{:.1f} GiB of GPU memory",
    "perf/throughput": "{:,.0f} tokens/s a GPU",
    "perf/mfu/actor": "MFU about {:.0%}",
    "sampler/preemptions": "{:,.0f} preemptions",
}
"""metric of a step, as verl and vLLM give it -> how it is shown while a run goes on"""


@dataclass(frozen=True)
class RunProgress:
    """Of the untrained model's evaluation, or of one trial."""

    rollouts: int
    attempts: int
    rollouts_total: int
    attempts_total: int
    evaluating: str = ""
    """the benchmark that is being asked"""
    ended: str = ""
    """finished or diverged, once it is complete"""
    machine: tuple[tuple[str, float], ...] = ()
    """what its last step says of the machine: names of `MACHINE` and their values, as far as they were measured"""

    @property
    def work(self) -> float:
        """Done, in attempts' worth."""
        return (
            self.work_total
            if self.ended
            else self.attempts + _TRAINING_WEIGHT * min(self.rollouts, self.rollouts_total)
        )

    @property
    def work_total(self) -> float:
        return self.attempts_total + _TRAINING_WEIGHT * self.rollouts_total


class Survey:
    """Reads progress again and again; complete evaluations are counted once and remembered."""

    def __init__(self, run: RunFolder, problems: Mapping[str, int]) -> None:
        """
        Args:
            problems: benchmark -> number of its problems.
        """
        plan = Plan.read(run.plan)
        self.run, self.plan = run, plan
        self._headline = sum(problems[benchmark] * k for _, benchmark, k in plan.headline)
        curve = sum(problems[name] * k for name, k in plan.curve_benchmarks.items())
        self._trial_attempts = self._headline + curve * (len(plan.grid_rollouts) - 1)
        self._complete: dict[Path, int] = {}

    def start(self) -> RunProgress:
        """Of the untrained model's evaluation, which has no rollouts."""
        folders = [self.run.start_eval(name) for name, _, _ in self.plan.headline]
        attempts, evaluating = self._attempts([f for f in folders if f.header.exists()])
        ended = "finished" if all(folder.complete for folder in folders) else ""
        return RunProgress(0, attempts, 0, self._headline, evaluating, ended)

    def trial(self, arm: str, seed: int) -> RunProgress:
        """Of one trial: rollouts by the last whole line of `steps.jsonl`, attempts of all its evaluations so far."""
        folder = self.run.trial(arm, seed)
        last = _last_step(folder)
        attempts, evaluating = self._attempts(folder.evals())
        ended = DoneRecord.read(folder.done).status if folder.done.exists() else ""
        rollouts = last.rollouts if last else 0
        return RunProgress(
            rollouts, attempts, self.plan.budget_rollouts, self._trial_attempts, evaluating, ended, _machine(last)
        )

    def all(self) -> Iterator[RunProgress]:
        """The untrained model first, then every trial of the plan, arm by arm."""
        yield self.start()
        for arm in self.plan.arms:
            for seed in self.plan.seeds:
                yield self.trial(arm.name, seed)

    def _attempts(self, folders: list[EvalFolder]) -> tuple[int, str]:
        count, evaluating = 0, ""
        for folder in folders:
            if folder.root in self._complete:
                count += self._complete[folder.root]
            elif folder.complete:
                header = EvalRecord.read(folder.header)
                self._complete[folder.root] = header.problems * header.k
                count += header.problems * header.k
            else:
                evaluating = folder.root.name
                count += _lines(folder.open_attempts)
        return count, evaluating


def run_row(root: Path) -> dict[str, Any]:
    """What `rence list runs` shows of a run folder; of one that cannot be read, why."""
    try:
        return _run_row(root)
    except DataError as error:
        return {"run": root.name, "state": str(error), "trials": None, "rollouts": None, "report": None}


def _run_row(root: Path) -> dict[str, Any]:
    """Raises: DataError"""
    run, ended, rollouts, unhealthy = RunFolder(root), [], 0, 0
    report = "yes" if (run.report / "verdict.json").exists() else "no"
    if scores_only(root):
        ScoresPlan.read(run.scores_plan)
        return {"run": root.name, "state": "imported scores", "trials": None, "rollouts": None, "report": report}
    plan = Plan.read(run.plan)
    if plan.imported:
        return {"run": root.name, "state": "imported", "trials": None, "rollouts": None, "report": report}
    for arm in plan.arms:
        for seed in plan.seeds:
            folder = run.trial(arm.name, seed)
            last = _last_step(folder)
            rollouts += last.rollouts if last else 0
            if folder.done.exists():
                done = DoneRecord.read(folder.done)
                ended.append(done.status)
                unhealthy += bool(done.health)
    total = len(plan.arms) * len(plan.seeds)
    state = "complete" if len(ended) == total else "incomplete"
    counted = {"diverged": ended.count("diverged"), "unhealthy": unhealthy}
    return {
        "run": root.name,
        "state": ", ".join([state, *(f"{count} {word}" for word, count in counted.items() if count)]),
        "trials": f"{len(ended)}/{total}",
        "rollouts": f"{rollouts}/{plan.budget_rollouts * total}",
        "report": report,
    }


def _last_step(folder: TrialFolder) -> StepRecord | None:
    return last_line(folder.steps, StepRecord, StepRecord.mend)


def _machine(last: StepRecord | None) -> tuple[tuple[str, float], ...]:
    metrics = last.metrics if last else {}
    found = ((name, metrics.get(name)) for name in MACHINE)
    return tuple((name, value) for name, value in found if isinstance(value, int | float))


def _lines(path: Path) -> int:
    return read_whole(path, EvalRecord.mend).count(b"\n") if path.exists() else 0
