"""Where a run's files differ from its locked plan. No finding means: as planned."""

from __future__ import annotations

from collections.abc import Iterator

from harness.records import START
from reports.data.load import Run
from reports.data.scores import Cells, headline
from reports.words import listing


def find(run: Run, cells: Cells) -> list[str]:
    """Sentences, in the plan's order. An import has no plan to differ from, but gaps."""
    if run.plan.imported:
        return [*_gaps(run, cells), *_attempts(run, cells)]
    return [*_trials(run), *_arms(run), *_missing(run, cells), *_undecoded(run), *_attempts(run, cells)]


def _trials(run: Run) -> Iterator[str]:
    for arm in run.plan.arms:
        for seed in run.plan.seeds:
            trial = run.trials.get((arm.name, seed))
            if trial is None:
                yield f"{arm.name} seed {seed} was not run."
            elif trial.done is None:
                yield f"{arm.name} seed {seed} is unfinished."
            elif not trial.finished:
                reason = f": {trial.done.reason}" if trial.done.reason else ""
                yield f"{arm.name} seed {seed} {trial.done.status} at step {trial.done.steps}{reason}."


def _arms(run: Run) -> Iterator[str]:
    for arm in run.plan.arms:
        trials = {seed: t.record for (name, seed), t in run.trials.items() if name == arm.name}
        changed = [seed for seed, record in trials.items() if record.arm_fingerprint != arm.fingerprint]
        if changed:
            yield f"{arm.name} seed {_list(changed)} was trained with other settings than the plan's."
        budget = [seed for seed, record in trials.items() if record.budget_rollouts != run.plan.budget_rollouts]
        if budget:
            yield f"{arm.name} seed {_list(budget)} had another budget than the plan's {run.plan.budget_rollouts}."


def _missing(run: Run, cells: Cells) -> Iterator[str]:
    lacks = [b for b in run.plan.benchmarks if (START, b) not in cells]
    if lacks:
        yield f"The untrained model has no result on {listing(lacks)}."
    for arm in run.plan.arms:
        for seed in run.plan.seeds:
            trial = run.trials.get((arm.name, seed))
            lacks = [b for b in run.plan.benchmarks if (s := cells.get((arm.name, b))) is None or seed not in s.seeds]
            if lacks and trial is not None and trial.done is not None:
                yield f"{arm.name} seed {seed} has no result at the headline on {listing(lacks)}."


def _undecoded(run: Run) -> Iterator[str]:
    """What the decodings after the first lack."""
    for name, other in run.decoded.items():
        cells = headline(other)
        lacks = [b for b in run.plan.benchmarks if (START, b) not in cells]
        if lacks:
            yield f"The untrained model has no result under the decoding {name} on {listing(lacks)}."
        for (arm, seed), trial in run.trials.items():
            lacks = [b for b in run.plan.benchmarks if (s := cells.get((arm, b))) is None or seed not in s.seeds]
            if lacks and trial.finished:
                yield f"{arm} seed {seed} has no result under the decoding {name} on {listing(lacks)}."


def _gaps(run: Run, cells: Cells) -> Iterator[str]:
    lacks = [b for b in run.plan.benchmarks if (START, b) not in cells]
    if lacks and len(lacks) < len(run.plan.benchmarks):
        yield f"The untrained model has no result on {listing(lacks)}."
    for arm in run.plan.arms:
        for seed in run.plan.seeds:
            lacks = [b for b in run.plan.benchmarks if (s := cells.get((arm.name, b))) is None or seed not in s.seeds]
            if len(lacks) == len(run.plan.benchmarks):
                yield f"{arm.name} seed {seed} is missing: it has no result at the step that is compared."
            elif lacks:
                yield f"{arm.name} seed {seed} has no result on {listing(lacks)}."


def _attempts(run: Run, cells: Cells) -> Iterator[str]:
    said = "another has" if run.plan.imported else "the plan says"
    for (arm, benchmark), scores in cells.items():
        planned = run.plan.benchmarks.get(benchmark)
        other = sorted({k for k in scores.k if k != planned})
        if planned is not None and other:
            yield f"{arm} on {benchmark} has k = {_list(other)} attempts a problem; {said} {planned}."


def _list(items: list[int]) -> str:
    return ", ".join(map(str, items))
