"""Matched blocks: whether the trials of a seed share data order, starting weights and budget, arm by arm."""

from __future__ import annotations

from reports.data.analysis import Analysis
from reports.document import Block, Cell, Column, Folded, Row, Section, Table, Text, text
from reports.words import GAP, listing, plural

OTHER = {"data_order": "another data order", "initial_weights": "other weights", "budget_rollouts": "another budget"}
TICK = "✓"


def section(a: Analysis) -> Section | None:
    """None for one arm, and where nothing was trained here."""
    if len(a.arms) < 2 or not a.run.trials:
        return None
    seeds = a.run.plan.seeds
    differing = {(arm.name, seed): _differs(a, arm.name, seed) for arm in a.arms for seed in seeds}
    columns = [Column("", numeric=False), *(Column(f"seed {seed}", numeric=False) for seed in seeds)]
    rows = [Row([text(a.label(arm.name)), *(_cell(differing[arm.name, seed]) for seed in seeds)]) for arm in a.arms]
    caption = (
        f"A block is a seed. {TICK}: the same order of the training data, the same weights to start from and the same "
        f"budget as {a.label(a.target)} of that seed, or as the first arm that ran it; else what differs. "
        f"{GAP}: not run."
    )
    table = Table("blocks", columns, rows, caption)
    wrong = [seed for seed in seeds if any(differing[arm.name, seed] for arm in a.arms)]
    blocks: list[Block] = [Text(_sentence(a, wrong)), Folded("Block by block", [table]) if not wrong else table]
    return Section("blocks", "Blocks" if a.checked.accepted else "Matched blocks", blocks)


def _sentence(a: Analysis, wrong: list[int]) -> str:
    seeds = a.run.plan.seeds
    short = [seed for seed in seeds if any((arm.name, seed) not in a.run.trials for arm in a.arms)]
    verb = "is" if len(seeds) == 1 else "are"
    how = "alike by what the trials' headers say" if a.checked.accepted else "matched"
    matched = f"{len(seeds) - len(wrong)} of {plural(len(seeds), 'block')} (seeds) {verb} {how}"
    missing = f" An arm is missing in {_seeds(short)}." if short else ""
    if wrong:
        return f"{matched}: something differs in {_seeds(wrong)}.{missing}"
    return f"{matched}: every arm that ran had the same data order, weights and budget.{missing}"


def _seeds(seeds: list[int]) -> str:
    return f"{'seed' if len(seeds) == 1 else 'seeds'} {listing(list(map(str, seeds)))}"


def _differs(a: Analysis, arm: str, seed: int) -> list[str] | None:
    """What is not as in the block's reference; None if the trial was not run."""
    trial = a.run.trials.get((arm, seed))
    if trial is None:
        return None
    order = [a.target, *(one.name for one in a.arms)]
    reference = next(a.run.trials[name, seed].record for name in order if (name, seed) in a.run.trials)
    return [what for field, what in OTHER.items() if getattr(trial.record, field) != getattr(reference, field)]


def _cell(differing: list[str] | None) -> Cell:
    if differing is None:
        return Cell(GAP)
    return text(listing(differing), bold=True) if differing else Cell(TICK)
