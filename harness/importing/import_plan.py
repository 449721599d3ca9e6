"""What is compared with what, and at which step: the plan of an import, made after the results were seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from harness.base.errors import UserError, nearest
from harness.base.fingerprint import fingerprint
from harness.importing.evaluations import ImportedEvaluation, benchmarks
from harness.importing.rows import UNKNOWN
from harness.records import START, ArmRecord, Comparison, DataError, ImportRecord, Plan
from harness.records.seals import import_lock, read_hashes

LAST = "last"
Estimand = Literal["algorithm", "benchmark", "checkpoints"]


@dataclass(frozen=True)
class ImportComparison:
    """What the command says of the comparison."""

    target: str | None = None
    """None: the first arm"""
    baselines: Sequence[str] = ()
    """empty: all other arms"""
    estimand: Estimand = "algorithm"
    step: str | None = None
    """a number, or `last`: the last of each arm and seed, whatever its number. None: the last that all have"""


@dataclass(frozen=True)
class ImportDesign:
    """Evaluations at their points of the grid, the last of which is compared."""

    evaluated: Sequence[ImportedEvaluation]
    grid: Sequence[int]
    points: Sequence[int]
    """of each evaluation"""
    notes: Sequence[str]

    def final(self, benchmark: str | None = None) -> list[ImportedEvaluation]:
        """What is compared."""
        return [
            one
            for one, point in zip(self.evaluated, self.points, strict=True)
            if one.arm != START and point == self.grid[-1] and benchmark in (None, one.benchmark)
        ]


def arrange(evaluated: Sequence[ImportedEvaluation], step: str | None) -> ImportDesign:
    """Raises: UserError for a step that nobody has; DataError if arms and seeds have no step in common."""
    steps: dict[tuple[str, int | None], set[int]] = {}
    for one in evaluated:
        if one.arm != START:
            steps.setdefault((one.arm, one.seed), set()).add(one.step)
    if not steps:
        raise DataError(f"there is nothing but `{START}`, the untrained model. Name at least one arm: grpo/seed0=PATH.")
    if step == LAST:
        return _at_the_last(evaluated, steps)
    headline = _headline(steps) if step is None else _asked(steps, step)
    kept = [one for one in evaluated if one.arm == START or one.step <= headline]
    grid = sorted({one.step for one in kept if one.arm != START})
    left = sorted({one.step for one in evaluated} - {one.step for one in kept})
    notes = [f"Compared at step {headline}; later evaluations were left out: step {', '.join(map(str, left))}."]
    return ImportDesign(kept, grid, [one.step for one in kept], notes if left else [])


def _headline(steps: dict[tuple[str, int | None], set[int]]) -> int:
    common = set.intersection(*steps.values())
    if common:
        return max(common)
    ends = sorted({(max(found), f"{arm} seed {seed} at {max(found)}") for (arm, seed), found in steps.items()})
    raise DataError(
        f"no step is there for all arms and seeds, which end at {ends[0][0]} to {ends[-1][0]} ({ends[0][1]}, "
        f"{ends[-1][1]}).\n--step N compares at one, where the others are gaps; --step {LAST} the last of each."
    )


def _asked(steps: dict[tuple[str, int | None], set[int]], word: str) -> int:
    there = sorted(set.union(*steps.values()))
    if not word.isdigit() or int(word) not in there:
        raise UserError(f"--step {word}: no evaluation is of it. Allowed: {', '.join(map(str, there))} or {LAST}.")
    return int(word)


def _at_the_last(
    evaluated: Sequence[ImportedEvaluation], steps: dict[tuple[str, int | None], set[int]]
) -> ImportDesign:
    ends = {who: max(found) for who, found in steps.items()}
    headline = max(ends.values())
    points = [0 if one.arm == START else _point(one, ends, headline) for one in evaluated]
    grid = sorted({point for one, point in zip(evaluated, points, strict=True) if one.arm != START})
    apart = sorted(set(ends.values()))
    notes = [f"The last step of each arm and seed is compared: {apart[0]} to {apart[-1]}."] if len(apart) > 1 else []
    return ImportDesign(evaluated, grid, points, notes)


def _point(one: ImportedEvaluation, ends: dict[tuple[str, int | None], int], headline: int) -> int:
    return headline if one.step == ends[one.arm, one.seed] else one.step


def plan(
    name: str, imported: str, design: ImportDesign, wanted: ImportComparison, record: ImportRecord, import_hash: str
) -> Plan:
    """
    Args:
        imported: what was, in words.
        record: of what was read, for the lock.
        import_hash: of the file that holds it.
    """
    evaluated = design.evaluated
    arms = list(dict.fromkeys(one.arm for one in evaluated if one.arm != START))
    names = [name for name in benchmarks(evaluated) if design.final(name)]
    points = zip(evaluated, design.points, strict=True)
    earlier = [one for one, point in points if one.arm != START and point != design.grid[-1]]
    # What no file says is `unknown` or empty, never a guess: without a budget and a recipe nothing is called matched.
    made = Plan(
        experiment=name,
        arms=[_arm(arm, record) for arm in arms],
        seeds=sorted({one.seed for one in evaluated if one.seed is not None}),
        benchmarks={name: design.final(name)[0].k for name in names},
        curve_benchmarks={one.benchmark: one.k for one in earlier if one.benchmark in names},
        comparison=_comparison(arms, wanted),
        budget_rollouts=0,
        grid_rollouts=list(design.grid),
        backend="import",
        model=_words(one.facts.model for one in evaluated),
        model_hash=UNKNOWN,
        train=UNKNOWN,
        template=_words(one.template for one in evaluated),
        recipe={},
        evaluation={},
        tuning={},
        lock="",
        imported=imported,
        seals=1,
        import_hash=import_hash,
    )
    return replace(made, lock=import_lock(made.to_json(), record))


def _arm(name: str, record: ImportRecord) -> ArmRecord:
    return ArmRecord(
        name=name,
        algorithm=UNKNOWN,
        title=name,
        hyperparameters={},
        spec={},
        recipe_differences={},
        activity=[],
        fingerprint=fingerprint(arm=name, files=read_hashes(record)),
    )


def _comparison(arms: Sequence[str], wanted: ImportComparison) -> Comparison:
    """Who is compared with whom: as asked, else the first arm with the others. Raises: UserError."""
    # options are checked one by one, so that the message names the one that is wrong
    asked = [("--target", arm) for arm in [wanted.target] if arm] + [("--baseline", arm) for arm in wanted.baselines]
    for option, arm in asked:
        if arm == START:
            raise UserError(
                f"{option} {START}: `{START}` is the untrained model, which every arm is compared with wherever it is "
                f"imported; it is neither target nor baseline. Leave out the option, or name an arm: {', '.join(arms)}."
            )
        if arm not in arms:
            raise UserError(f"there is no arm `{arm}` in what is imported. {nearest(arm, arms)}")
    if twice := [arm for arm, times in Counter(wanted.baselines).items() if times > 1]:
        raise UserError(f"--baseline {twice[0]} is given twice. Name each baseline once.")
    others = [arm for arm in arms if arm not in wanted.baselines]
    if not wanted.target and not others:
        raise UserError(
            "all arms are baselines, so there is nothing to compare with them. Leave out the --baseline that is the "
            f"target: {', '.join(arms)}."
        )
    target = wanted.target or others[0]
    if target in wanted.baselines:
        raise UserError(f"--baseline {target}: the target cannot be its own baseline. Leave out one of the two.")
    return Comparison(target, list(wanted.baselines) or [arm for arm in arms if arm != target], wanted.estimand)


def _words(values: Iterable[str]) -> str:
    return ", ".join(sorted(set(values)))
