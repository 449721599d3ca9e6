"""Tuning before an experiment: a run of its own, every arm with every candidate, and the choice that it makes.

The choice is a function of the tuning run's files. It is written beside them, in `choice.json`, and into the plan of
the experiment, which is locked with it; every later start works it out again and refuses what was changed by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import mean
from typing import Any

from harness.base.errors import FAILED, UserError
from harness.config.experiment import Arm, Candidate, Experiment, Tuning
from harness.evaluation import attempts
from harness.records import SCHEMA, Comparison, DoneRecord, Plan, RunFolder, read_json, write_json

CHOICE = "choice.json"


def stage(experiment: Experiment) -> Experiment | None:
    """The tuning run, as an experiment; None where nothing is to be tried.

    Raises: UserError if the choice is in the experiment's file already.
    """
    if "chosen" in experiment.tuning and "grid" in experiment.tuning:
        raise UserError("`tuning.chosen` is written by `rence run`, not by hand. Remove it, and the tuning is done.")
    search = experiment.search
    if search is None:
        return None
    arms = tuple(arm for tried in search.arms.values() for arm in tried)
    return replace(
        experiment,
        name=f"{experiment.name}-tuning",
        seeds=search.seeds,
        budget_rollouts=search.budget_rollouts,
        evaluation=replace(
            experiment.evaluation.first, benchmarks=search.benchmarks, files=search.files, curve={}, points=1
        ),
        arms=arms,
        comparison=Comparison(arms[0].name, []),
        tuning={"this run": f"chooses settings for {experiment.name}"},
        search=None,
        sweeps=(),
        expected=(),
    )


def chosen(experiment: Experiment, run: RunFolder) -> Experiment:
    """The experiment with what its tuning run chose, and with all that was tried on record.

    Raises: UserError if nothing can be chosen, or if `choice.json` says otherwise than the trials.
    """
    search = experiment.search
    assert search is not None
    tried = [
        {"arm": arm, "candidate": candidate.label, **_score(run, made.name, search)}
        for arm, each in search.arms.items()
        for candidate, made in zip(search.candidates, each, strict=True)
    ]
    best = _choose(search, tried)
    choice = {
        "run": run.root.name,
        "plan": Plan.read(run.plan).lock,
        "tried": tried,
        "chosen": {arm: {"candidate": one.label, "settings": dict(one.settings)} for arm, one in best.items()},
    }
    _keep(run, choice)
    settled = replace(experiment, tuning={**experiment.tuning, **choice}, search=None)
    if search.choose == "per_arm":
        return replace(settled, arms=tuple(_with(arm, search, best[arm.name]) for arm in experiment.arms))
    one = next(iter(best.values()))
    shared = {key.removeprefix("recipe."): v for key, v in one.settings.items() if key.startswith("recipe.")}
    arms = tuple(replace(_with(arm, search, one), recipe_overrides=arm.recipe_overrides) for arm in experiment.arms)
    return replace(settled, recipe=replace(experiment.recipe, **shared), arms=arms)


def in_words(experiment: Experiment) -> str:
    """What was chosen, of an experiment that `chosen` returned."""
    picked = {arm: one["candidate"] for arm, one in experiment.tuning["chosen"].items()}
    if len(set(picked.values())) == 1:
        return f"{next(iter(picked.values()))} for all arms"
    return "; ".join(f"{candidate} for {arm}" for arm, candidate in picked.items())


def is_complete(run: RunFolder, tuning: Experiment) -> bool:
    """Whether all of its trials have ended."""
    return all(run.trial(arm.name, seed).done.exists() for arm in tuning.arms for seed in tuning.seeds)


def chosen_before(experiment: Experiment, run: RunFolder, tuning: Experiment) -> Experiment:
    """The experiment with what a tuning that has ended chose.

    Raises: UserError if it has not.
    """
    if not is_complete(run, tuning):
        raise UserError(
            f"`--job`: {experiment.name} is tuned first, in {run.root}, and every job waits for that. Run it once "
            "without `--job`, until it says what tuning chose."
        )
    return chosen(experiment, run)


def _score(run: RunFolder, arm: str, search: Tuning) -> dict[str, Any]:
    """Share of correct answers: mean over benchmarks, then over seeds. None if a trial diverged: it cannot win."""
    scores, diverged = [], []
    for seed in search.seeds:
        trial = run.trial(arm, seed)
        done = DoneRecord.read(trial.done)
        if done.status != "finished":
            diverged.append(seed)
            continue
        asked = [trial.eval(done.steps, name) for name in search.benchmarks]
        scores.append(mean(_correct(attempts.marks(folder, 1)) for folder in asked))
    return {"score": None if diverged else mean(scores), "diverged": diverged}


def _correct(marks: Sequence[str]) -> float:
    return marks.count("correct") / len(marks)


def _choose(search: Tuning, tried: Sequence[Mapping[str, Any]]) -> dict[str, Candidate]:
    """Arm -> the candidate with the best score, of equal ones the first. Raises: UserError if all diverged."""
    scores = {(row["arm"], row["candidate"]): row["score"] for row in tried}
    groups = [list(search.arms)] if search.choose == "shared" else [[arm] for arm in search.arms]
    best: dict[str, Candidate] = {}
    for arms in groups:
        whole = [c for c in search.candidates if all(scores[arm, c.label] is not None for arm in arms)]
        if not whole:
            where = f"for {arms[0]}" if search.choose == "per_arm" else "that no arm diverged with"
            raise UserError(
                f"tuning has nothing to choose {where}: every candidate had a trial that diverged. Give the experiment "
                "another `name` and `tuning.grid` smaller steps, or start over with `--clean`.",
                FAILED,
            )
        means = [mean(scores[arm, candidate.label] for arm in arms) for candidate in whole]
        best |= dict.fromkeys(arms, whole[means.index(max(means))])
    return {arm: best[arm] for arm in search.arms}


def _with(arm: Arm, search: Tuning, candidate: Candidate) -> Arm:
    made = search.arms[arm.name][search.candidates.index(candidate)]
    return replace(made, name=arm.name, title=arm.title)


def _keep(run: RunFolder, choice: Mapping[str, Any]) -> None:
    path = run.root / CHOICE
    if not path.exists():
        write_json(path, {"schema": SCHEMA, **choice})
        return
    there = {key: value for key, value in read_json(path).items() if key != "schema"}
    if there != choice:
        raise UserError(
            f"{path} does not say what the trials beside it do: one of them was changed by hand. Delete {path} to take "
            "the choice from the trials, or start over with `--clean`."
        )
