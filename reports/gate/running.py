"""RUN against a baseline file, from files to a result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pandas as pd

from reports.compared_side import ComparedSide
from reports.data.dependence import DependsOn, Question, of_pair
from reports.data.matching import Unmatched
from reports.gate import by_reading, checks, reading, remembering
from reports.gate.baseline import MARGIN_POINTS, Baseline
from reports.gate.decide import ALPHA, Attempts, Decision, GateOutcome, decide
from reports.gate.looks import Sides
from reports.gate.measure import Measured, measure
from reports.gate.results import GateResults
from reports.gate.shared import SharedProblems, share
from reports.gate.sharpen import sharper
from reports.gate.verdict import Gate, Policy

Problems = Literal["new", "these"]
"""what a gate is about: new problems like these, or these alone"""
PROBLEMS: tuple[Problems, ...] = ("new", "these")


def run(
    name: str,
    file: Path,
    margin: float | None,
    accept: str | None,
    on_inconclusive: Policy,
    problems: Problems = "new",
    only_common: bool = False,
) -> Gate:
    """Raises: DataError, Unmatched, ValueError: see `reports.gate_run`."""
    baseline = reading.read(file, MARGIN_POINTS / 100)
    old = baseline.results
    remembering.check_not_looked(Path(name), file)
    # before anything is compared: both sides then have the same problems in the same order
    if only_common:
        measured, old, left = _shared(name, str(file), old, accept)
    else:
        measured, left = measure(name, old.benchmarks, accept=accept), []
    new = measured.results
    checks.check_same_problems(name, new, str(file), old)
    reasons = check_matched(name, new, file, replace(baseline, results=old), accept)
    asked = baseline.margin if margin is None else margin
    these = "answers" if problems == "these" else None
    decision = decide(
        *values(new, old), asked, estimand=these, equal=same_answers(new, old), attempts=attempts(new, old)
    )
    open_question = decision.outcome == GateOutcome.INCONCLUSIVE and not these
    return Gate(
        run=name,
        baseline=file.as_posix(),
        new=new,
        old=old,
        decision=decision,
        sharper=sharper(decision.average, decision.margin, new, old) if open_question else None,
        unmatched=reasons,
        unstated=checks.unstated(new, old),
        notes=[*checks.notes(measured, old), *left],
        on_inconclusive=on_inconclusive,
        ids=measured.problems,
        checked=measured.checked.letting(reasons, accept),
        differs=checks.listed(new, old),
        depends=_depends(new, old, decision),
    )


def _depends(new: GateResults, old: GateResults, decision: Decision) -> DependsOn:
    """Of the average's change."""
    ours, theirs = values(new, old)
    estimand = decision.average.estimate.estimand
    asked = Question("run", ["baseline"], {}, ALPHA, decision.margin, estimand)
    titles = [new.titles.get(name, name) for name in old.benchmarks]
    seeds, more = {"run": new.seeds, "baseline": old.seeds}, [by_reading.choice(new, old)]
    return of_pair({"run": ours, "baseline": theirs}, titles, seeds, asked, more)


def _shared(name: str, file: str, old: GateResults, accept: str | None) -> tuple[Measured, GateResults, list[str]]:
    """Both sides on the problems that both have, and notes on what was left out."""
    found: list[SharedProblems] = []

    def restrict(subject: ComparedSide, evals: pd.DataFrame) -> ComparedSide:
        found.append(share(name, subject, evals, file, old))
        return found[0].subject

    measured = measure(name, old.benchmarks, restrict, accept)
    (shared,) = found
    counts = {  # a hash of all answers is none of those that are kept
        one: replace(counts, answers=()) if one in shared.fewer else counts
        for one, counts in measured.results.benchmarks.items()
    }
    return replace(measured, results=replace(measured.results, benchmarks=counts)), shared.old, shared.notes


def check_matched(name: str, new: GateResults, file: Path, baseline: Baseline, accept: str | None) -> list[str]:
    """In what else than the weights the two differ, and whether the file is the one that was written.

    Raises: Unmatched if that is not accepted.
    """
    old = baseline.results
    edited = [f"{file} was edited: its `seal` does not follow from what it holds"] if baseline.edited else []
    if edited and accept is None:
        raise Unmatched(
            f"{edited[0]}.\nBring it back from version control, make it anew with `--update`, or say why that does not "
            "matter: --accept REASON, which is printed with the result."
        )
    reasons = [*edited, *checks.unmatched(new, old)]
    if reasons and accept is None:
        raise Unmatched(
            f"{name} and {file} are not matched: {'; '.join(reasons)}.\n"
            f"{checks.mend(new, old)}, make a new baseline with `--update`, or say why that does not matter: --accept "
            "REASON, which is printed with the result."
        )
    return reasons


def values(new: GateResults, old: GateResults) -> Sides:
    """Scores of both sides, benchmark by benchmark of the baseline."""
    return [new.benchmarks[one].values for one in old.benchmarks], [one.values for one in old.benchmarks.values()]


def attempts(new: GateResults, old: GateResults) -> Attempts:
    """A problem, of both sides, benchmark by benchmark of the baseline, seed by seed."""
    return [new.benchmarks[one].k for one in old.benchmarks], [one.k for one in old.benchmarks.values()]


def same_answers(new: GateResults, old: GateResults) -> bool:
    """Whether every answer is the baseline's, text by text, seed by seed, and was marked alike."""
    pairs = [(new.benchmarks[name], counts) for name, counts in old.benchmarks.items()]
    return all(one.answers and one.answers == other.answers and one.correct == other.correct for one, other in pairs)
