"""A sweep's factors: what each level does, against the base's."""

from __future__ import annotations

from reports.data import sweeps
from reports.data.analysis import Analysis
from reports.data.sweeps import Effect, Effects
from reports.document import Block, Cell, Column, Figure, Folded, Row, Section, Table, Text, text
from reports.figures.intervals import IntervalRow, intervals
from reports.figures.svg import INK, colour
from reports.verdict import COVERS
from reports.words import GAP, capital, listing, p_text, percent, plural, reaching, signed

DESIGNS = {
    "full": "every combination of the levels",
    "one_at_a_time": "the base with one factor changed",
    "ablate": "the base without one of its pieces",
}


def section(a: Analysis) -> Section | None:
    found = sweeps.effects(a)
    if not found:
        return None
    blocks: list[Block] = []
    for place, one in enumerate(found):
        blocks += [Text(_found(a, one)), _table(a, one, place), *_figure(a, one, place)]
        if one.interactions:
            title = f"Interactions ({plural(len(one.interactions), 'pair')} of factors with two levels)"
            blocks.append(Folded(title, [_interactions(a, one, place)]))
    return Section("effects", "The effect of each factor", blocks)


def tables(a: Analysis) -> list[Table]:
    """One for each sweep."""
    return [_table(a, one, place) for place, one in enumerate(sweeps.effects(a))]


def _found(a: Analysis, one: Effects) -> str:
    clear = [effect for effect in one.main if effect.direction(a.alpha)]
    arms, base = plural(len(one.sweep.cells), "arm"), a.label(one.sweep.base)
    head = f"{capital(DESIGNS[one.sweep.kind])}, {arms} around {base}."
    if not clear:
        which = {"ablate": "No piece", "full": "No factor", "one_at_a_time": "No change"}[one.sweep.kind]
        return f"{head} {which} has a significant effect on the average."
    said = listing([f"{_words(one, effect)} ({signed(effect.estimate.value)})" for effect in clear if effect.estimate])
    rest = len(one.main) - len(clear)
    none = f"; the other {rest} {'is' if rest == 1 else 'are'} not separated from zero" if rest else ""
    return f"{head} Significant effects on the average, in points: {said}{none}."


def _words(one: Effects, effect: Effect) -> str:
    return f"minus {effect.factor}" if one.sweep.kind == "ablate" else f"{effect.factor} {effect.level}"


def _name(kind: str, place: int) -> str:
    return kind if not place else f"{kind}-{place + 1}"


def _table(a: Analysis, one: Effects, place: int) -> Table:
    """A row for each level, below the base's of its factor; of an ablation a row for each piece, below the base."""
    ablate, full = one.sweep.kind == "ablate", one.sweep.kind == "full"
    several = full and any(effect.used < effect.planned for effect in one.main)
    columns = [
        Column("Minus" if ablate else "Factor", numeric=False),
        *([] if ablate else [Column("Level", numeric=False)]),
        Column("Average"),
        Column("Points"),
        Column(f"{100 * (1 - a.alpha):g} % interval"),
        Column("adjusted p"),
        Column("raw p"),
        *([Column("Combinations")] if several else []),
        Column("Finding", numeric=False),
    ]
    rows = [_base(one, len(columns))] if ablate else []
    for factor in one.sweep.factors:
        if not ablate:
            rows.append(_reference(one, factor, len(columns)))
        for effect in one.main:
            if effect.factor == factor:
                level = [] if ablate else [text(effect.level)]
                used = [Cell(f"{effect.used} of {effect.planned}", effect.used)] if several else []
                cells = [text(factor), *level, Cell(percent(effect.mean), effect.mean), *_numbers(effect), *used]
                rows.append(Row([*cells, text(effect.finding(a.alpha))]))
    return Table(_name("effects", place), columns, rows, _caption(a, one))


def _base(one: Effects, width: int) -> Row:
    mean = next(iter(one.references.values()))
    return Row([text("(nothing)"), Cell(percent(mean), mean), *[Cell(GAP)] * (width - 3), text("the base")], quiet=True)


def _reference(one: Effects, factor: str, width: int) -> Row:
    mean = one.references[factor]
    cells = [text(factor), text(one.sweep.cells[one.sweep.base][factor]), Cell(percent(mean), mean)]
    return Row([*cells, *[Cell(GAP)] * (width - 4), text("the base's")])


def _numbers(effect: Effect) -> list[Cell]:
    e = effect.estimate
    if e is None:
        return [Cell(GAP)] * 4
    return [
        Cell(signed(e.value), e.value),
        Cell(reaching(effect.simultaneous), effect.simultaneous[0] if effect.simultaneous else None),
        Cell(p_text(effect.p_adjusted), effect.p_adjusted),
        Cell(p_text(e.p_value), e.p_value),
    ]


def _caption(a: Analysis, one: Effects) -> str:
    covered = next((effect.estimate.estimand for effect in one.main if effect.estimate), a.estimand)
    what = {
        "full": "Points: the mean, over all combinations of the other factors' levels, of the arm at this level less "
        "the arm at the base's level (main effect). Average: of all arms at the level.",
        "one_at_a_time": f"Points: the arm with this one level less {a.label(one.sweep.base)}. With other levels of "
        "the other factors it may do something else, which this design does not show.",
        "ablate": f"Points: the arm without the piece less {a.label(one.sweep.base)}, so a piece that helps is below "
        "zero. Pieces that stand in for each other may each look useless.",
    }[one.sweep.kind]
    return (
        f"{what} On the average over the benchmarks; intervals cover {COVERS[covered]}. Intervals are "
        f"simultaneous and p adjusted, both by Bonferroni's method within these {len(one.main)}; raw p is not."
    )


def _interactions(a: Analysis, one: Effects, place: int) -> Table:
    columns = [
        Column("Pair", numeric=False),
        Column("Points"),
        Column(f"{100 * (1 - a.alpha):g} % interval"),
        Column("adjusted p"),
        Column("raw p"),
        Column("Finding", numeric=False),
    ]
    rows = [Row([text(e.factor), *_numbers(e), text(e.finding(a.alpha))]) for e in one.interactions]
    caption = (
        "How much more the second level does where the first is set than where it is not; zero if effects add up. A "
        "difference of differences has twice the standard error of a main effect. A family of its own, intervals and p "
        "adjusted by Bonferroni's method."
    )
    return Table(_name("interactions", place), columns, rows, caption)


def _figure(a: Analysis, one: Effects, place: int) -> list[Figure]:
    entries: list[IntervalRow] = []
    ablate = one.sweep.kind == "ablate"
    for factor in one.sweep.factors:
        own = [effect for effect in one.main if effect.factor == factor]
        own.sort(key=lambda effect: -(effect.estimate.value if effect.estimate else -1))
        if not ablate:
            entries.append(IntervalRow(factor))
        entries += [_entry(a, one, effect, 0 if ablate else 1) for effect in own]
    if ablate:
        entries.sort(key=lambda entry: -entry.value if entry.value is not None else 100)
    if not any(entry.value is not None for entry in entries):
        return []
    caption = (
        "Each level less the base's, on the average, in points, with "
        f"simultaneous {100 * (1 - a.alpha):g} % intervals; {'' if ablate else 'within a factor '}the highest first. "
        "Bold and in colour: significant after adjustment."
    )
    return [Figure(_name("effects", place), intervals(_name("effects", place), entries, "points", zero=True), caption)]


def _entry(a: Analysis, one: Effects, effect: Effect, indent: int) -> IntervalRow:
    label = effect.level if indent else _words(one, effect)
    e = effect.estimate
    if e is None:
        return IntervalRow(f"{label} {GAP}", indent=indent)
    found = effect.simultaneous
    interval = None if found is None else (100 * found[0], 100 * found[1])
    clear = effect.direction(a.alpha) != 0
    return IntervalRow(label, 100 * e.value, interval, colour=colour(0) if clear else INK, strong=clear, indent=indent)


def tidy(a: Analysis) -> Table:
    """`effects.csv`: a row for each level of each factor of each sweep, fractions unrounded, empty where unknown."""
    titles = ["sweep", "design", "base", "factor", "level", "reference", "mean", "points", "ci_low", "ci_high"]
    titles += ["p_value", "p_adjusted", "combinations"]
    rows = []
    for place, one in enumerate(sweeps.effects(a), 1):
        for effect in [*one.main, *one.interactions]:
            e = effect.estimate
            low, high = (e.interval if e else None) or (None, None)
            design = "interaction" if effect in one.interactions else one.sweep.kind
            words = [place, design, one.sweep.base, effect.factor, effect.level, effect.reference]
            numbers = [effect.mean, e.value if e else None, low, high, e.p_value if e else None, effect.p_adjusted]
            known = ["" if number is None else repr(number) for number in numbers]
            rows.append(Row([*map(text, words), *map(Cell, known), text(effect.used)]))
    return Table("effects", [Column(title, numeric=i > 5) for i, title in enumerate(titles)], rows)
