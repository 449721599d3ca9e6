"""The work of an experiment: one job for the untrained model's evaluation, one for each trial. Their files say how
far they are; nothing else does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from harness.backends.registry import get_backend
from harness.base.errors import UserError, nearest
from harness.config.experiment import Experiment
from harness.records import START, DoneRecord, RunFolder, eval_name


class JobState(StrEnum):
    OPEN = "open"
    """not complete: never started, interrupted, or crashed"""
    FINISHED = "finished"
    DIVERGED = "diverged"
    """complete, but something was not finite on the way; it is reported, not retried"""


@dataclass(frozen=True)
class Job:
    """What one process does."""

    run: RunFolder
    arm: str
    seed: int | None
    """None for the untrained model"""
    evaluations: tuple[str, ...] = ()
    """of the untrained model: names of their folders"""

    @property
    def name(self) -> str:
        return START if self.seed is None else f"{self.arm}/seed{self.seed}"

    @property
    def folder(self) -> Path:
        return self.run.root / START if self.seed is None else self.run.trial(self.arm, self.seed).root

    @property
    def state(self) -> JobState:
        """From its files: the untrained model is done when the attempts of all its evaluations are there, a trial when
        it has a `done.json`, which says how it ended.

        Raises: DataError if that is broken.
        """
        if self.seed is None:
            done = all(self.run.start_eval(name).complete for name in self.evaluations)
            return JobState.FINISHED if done else JobState.OPEN
        done_file = self.run.trial(self.arm, self.seed).done
        return JobState(DoneRecord.read(done_file).status) if done_file.exists() else JobState.OPEN

    def next_attempt(self) -> int:
        """1 for the first start."""
        made = (path.name.removeprefix("attempt_") for path in self.folder.glob("logs/attempt_*"))
        return 1 + max(map(int, made), default=0)


def of(run: RunFolder, experiment: Experiment, only: Sequence[str] = (), seeds: Sequence[int] = ()) -> list[Job]:
    """The untrained model first, then the trials seed by seed, so that a matched set of arms is complete early.

    Args:
        only: these arms; all if empty.
        seeds: these seeds; all if empty.
    Raises: UserError if one of them is not in the experiment.
    """
    arms = [arm.name for arm in experiment.arms]
    _check("arm", only, arms)
    _check("seed", [str(seed) for seed in seeds], [str(seed) for seed in experiment.seeds])
    return [
        Job(run, START, None, tuple(_of_start(experiment))),
        *(
            Job(run, arm, seed)
            for seed in experiment.seeds
            if not seeds or seed in seeds
            for arm in arms
            if not only or arm in only
        ),
    ]


def one(run: RunFolder, experiment: Experiment, number: int) -> Job:
    """That of the number among all of the experiment: 0 is the untrained model's, trials are counted from 1.

    Raises: UserError if there is none.
    """
    every = of(run, experiment)
    if number >= len(every):
        raise UserError(
            f"`--job {number}`: the experiment has the jobs 0 to {len(every) - 1}, of which 0 evaluates the untrained "
            "model. `rence plan EXPERIMENT --json` lists them under `jobs`."
        )
    return every[number]


def _of_start(experiment: Experiment) -> Iterator[str]:
    for place, (name, way) in enumerate(experiment.evaluation.ways.items()):
        yield from (eval_name(benchmark, name if place else "") for benchmark in way.benchmarks)


Nodes = Sequence[Mapping[str, float]]
"""the resources of each node of a Ray cluster"""


def check_workers(experiment: Experiment, workers: int | None) -> None:
    """Raises: UserError if the user asks for more trials side by side than the backend can ever have."""
    reason = get_backend(experiment.backend).one_at_a_time
    if reason and workers is not None and workers > 1:
        raise UserError(
            f"`--workers {workers}`: backend `{experiment.backend}` trains one trial at a time: {reason}. Leave it out."
        )


def workers(experiment: Experiment, wanted: int | None, room: int, nodes: Nodes | None) -> int:
    """How many jobs are worked on at once.

    Args:
        wanted: by the user.
        room, nodes: see `side_by_side`.
    Raises: UserError if it cannot be so many, or if the backend says none.
    """
    if wanted is None:
        return side_by_side(experiment, room, nodes)
    get_backend(experiment.backend).check_workers(experiment, wanted, nodes)
    return wanted


def side_by_side(experiment: Experiment, room: int, nodes: Nodes | None = None) -> int:
    """How many jobs are worked on at once, unless the user says: what the backend makes of the room that there is.

    Args:
        room: how many fit by their processors.
        nodes: of the Ray cluster that they go to; None: they are processes here.
    Raises: UserError if that is none.
    """
    backend = get_backend(experiment.backend)
    slots = backend.slots(experiment, room) if nodes is None else backend.slots_of_cluster(experiment, nodes)
    if slots < 1:
        raise UserError(
            f"backend `{experiment.backend}` says that {slots} trials can run at once, and must say 1 or more. "
            f"`rence check {experiment.backend}` tests it; `--workers 1` does without its word."
        )
    return slots


def _check(what: str, wanted: Iterable[str], there: Sequence[str]) -> None:
    for name in wanted:
        if name not in there:
            raise UserError(f"the experiment has no {what} `{name}`. {nearest(name, there)}")
