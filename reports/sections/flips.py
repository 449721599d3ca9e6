"""Where two arms part, problem by problem: counts of flips, and the two answers side by side with the gold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.records import START
from reports.data.analysis import Analysis
from reports.data.answers import AnswerText, texts
from reports.data.excerpts import HEAD, TAIL, cut, short
from reports.data.flips import CATEGORIES, CORRECT, KINDS, Category, FlipCounts, Flips, flips, representative, tallies
from reports.data.load import MARKS
from reports.document import Block, Case, Cases, Cell, Column, Excerpt, Folded, Row, Section, Table, text
from reports.sections import marks
from reports.words import GAP, count, plural, signed

MOST_CASES, MOST_OF_PAIR = 200, 60
"""whose texts are shown, in all and of one pair of arms: at the lengths of an excerpt they keep a page below 5 MB"""
STABLE = 5
"""one in so many of a pair's cases is of a problem that did not flip"""

TITLES = ("Problems", "Gained", "Lost", "Net", "Format", "Maths", "Marker", "Both solve", "Neither")
TAGS: Mapping[Category, str] = {"gained": "gained", "lost": "lost", "both": "both solve", "neither": "neither solves"}


@dataclass(frozen=True)
class _Place:
    """A problem of a benchmark, in a pair of arms."""

    benchmark: str
    flips: Flips
    problem: int

    @property
    def sides(self) -> tuple[FlipCounts, FlipCounts]:
        return self.flips.a, self.flips.b


Pairs = Mapping[str, Mapping[str, Flips]]
"""the arm that the target is compared with -> benchmark -> what flipped"""
Wanted = dict[int, dict[tuple[int, int], AnswerText]]
"""row of `Run.evals` -> (problem, sample) -> its text"""


def section(a: Analysis) -> Section | None:
    pairs = _pairs(a)
    if not pairs:
        return None
    rows = [_row(a, b, list(each.values())) for b, each in pairs.items()]
    blocks: list[Block] = [_table("flips", rows, _caption(a))]
    if len(a.benchmarks) > 1:
        rows = [
            _row(a, b, [each[name]], name) if name in each else _gap(a, b, name)
            for b, each in pairs.items()
            for name in a.benchmarks
        ]
        blocks.append(Folded("By benchmark", [_table("flips-by-benchmark", rows, "")]))
    places = {b: _choose(each, min(MOST_OF_PAIR, MOST_CASES // len(pairs))) for b, each in pairs.items()}
    found = _read(a, [place for chosen in places.values() for place in chosen])
    blocks += [
        Folded(
            f"{_difference(a, b)}: {plural(len(chosen), 'problem')} with both answers", [_cases(a, b, chosen, found)]
        )
        for b, chosen in places.items()
        if chosen
    ]
    return Section("flips", "Problems gained and lost", blocks)


def _pairs(a: Analysis) -> Pairs:
    known = tallies(a.run)
    others = [*a.run.plan.comparison.baselines, *([START] if a.target != START else [])]
    pairs = {
        b: {
            name: flips(known[a.target, name], known[b, name])
            for name in a.benchmarks
            if {(a.target, name), (b, name)} <= known.keys()
        }
        for b in dict.fromkeys(others)
    }
    return {b: each for b, each in pairs.items() if each}


def _difference(a: Analysis, b: str) -> str:
    return f"{a.label(a.target)} − {a.label(b)}"


def _caption(a: Analysis) -> str:
    return (
        "Problems, at the headline. Solved: more than half of an arm's attempts at it are correct, over all seeds and "
        f"samples. Gained: {a.label(a.target)} solves it and the other does not; lost: the other way round. A flip, "
        "gained (+) or lost (−), is one of maths if the same side alone solves the problem where answers may stand "
        "anywhere in the text too, and one of format if not. Where answers were not read so, it is one of format if "
        "more than half of the incorrect attempts of the side that fails "
        "found no answer or were truncated before one, and one of maths otherwise; attempts that the marker failed on "
        "are set aside. Flips where it failed on all are counted apart. These are counts, not a test: arms of "
        "equal skill flip too. Whether they differ is for the paired differences to say. A benchmark that either has "
        "no result on is a gap, and not in the sums."
    )


def _table(name: str, rows: list[Row], caption: str) -> Table:
    named = ["Difference", "Benchmark"][: len(rows[0].cells) - len(TITLES)]
    return Table(name, [*(Column(title, numeric=False) for title in named), *map(Column, TITLES)], rows, caption)


def _row(a: Analysis, b: str, each: Sequence[Flips], *names: str) -> Row:
    """Sums over benchmarks; kinds are a gap where they are not known of one."""
    gained, lost, both, neither = (sum(one.count(category) for one in each) for category in CATEGORIES)
    by_kind = [
        (sum(one.count("gained", kind) for one in each), sum(one.count("lost", kind) for one in each)) for kind in KINDS
    ]
    net = gained - lost
    return Row(
        [
            text(_difference(a, b)),
            *(text(a.benchmark_title(name)) for name in names),
            _number(gained + lost + both + neither),
            _number(gained),
            _number(lost),
            Cell(f"{net:+,}".replace("-", "−") if net else "0", net),
            *(
                [Cell(GAP)] * len(KINDS)
                if any(one.coarse and not one.read_anywhere for one in each)
                else map(_signs, by_kind)
            ),
            _number(both),
            _number(neither),
        ]
    )


def _signs(flipped: tuple[int, int]) -> Cell:
    plus, minus = flipped
    return Cell(f"+{plus} −{minus}" if plus + minus else "0", plus + minus)


def _gap(a: Analysis, b: str, benchmark: str) -> Row:
    return Row([text(_difference(a, b)), text(a.benchmark_title(benchmark)), *[Cell(GAP)] * len(TITLES)])


def _number(number: int) -> Cell:
    return Cell(count(number), number)


def _choose(each: Mapping[str, Flips], most: int) -> list[_Place]:
    """The largest changes of each category over all benchmarks; what one category leaves, another may take."""
    ranked = {category: _ranked(each, category, most) for category in CATEGORIES}
    stable = most // STABLE
    half = (most - stable) // 2
    gained, lost = (ranked[name] for name in ("gained", "lost"))
    chosen = [*gained[: most - stable - min(len(lost), half)]]
    chosen += lost[: most - stable - len(chosen)]
    return [*chosen, *ranked["both"][: stable - stable // 2], *ranked["neither"][: stable // 2]]


def _ranked(each: Mapping[str, Flips], category: Category, most: int) -> list[_Place]:
    places = [_Place(name, one, problem) for name, one in each.items() for problem in one.largest(category, most)]
    return sorted(places, key=lambda place: -abs(place.flips.difference[place.problem]))


def _read(a: Analysis, places: Sequence[_Place]) -> Wanted:
    """The texts of all that are shown, every file opened once."""
    asked: dict[int, list[tuple[int, int]]] = {}
    for place in places:
        for tally in place.sides:
            e, sample = representative(a.run, tally, place.problem)
            asked.setdefault(e, []).append((place.problem, sample))
    return {e: dict(zip(wanted, texts(a.run, e, wanted), strict=True)) for e, wanted in sorted(asked.items())}


def _cases(a: Analysis, b: str, places: Sequence[_Place], found: Wanted) -> Cases:
    caption = (
        "The largest changes of each category, in points of the share correct, chosen for being large: most would be "
        "smaller if they were sampled again. Of each side one attempt: the first, by seed and sample, that is correct "
        "where the side solves the problem, and otherwise has the most frequent mark of what kept it from that. Texts "
        f"of more than {HEAD + TAIL:,} characters are cut to their first {HEAD} and last {TAIL}."
    )
    return Cases(f"cases-{b}", [_case(a, b, place, found) for place in places], caption)


def _case(a: Analysis, b: str, place: _Place, found: Wanted) -> Case:
    """A problem with one attempt of either side; the gold is the same for both, and a gap where no file has it."""
    problem, pair = place.problem, place.flips
    category, kind = CATEGORIES[pair.category[problem]], pair.kind[problem]
    sides = [(arm, tally, representative(a.run, tally, problem)) for arm, tally in ((a.target, pair.a), (b, pair.b))]
    golds = [found[e][problem, sample].gold for _, _, (e, sample) in sides]
    gold = next((one for one in golds if one is not None), None)
    return Case(
        tags=[TAGS[category], *([KINDS[kind]] if kind >= 0 else [])],
        title=f"{a.benchmark_title(place.benchmark)} {pair.a.ids[problem]}",
        change=signed(float(pair.difference[problem])) if pair.difference[problem] else "0",
        gold=GAP if gold is None else short(gold),
        sides=[
            _excerpt(
                a,
                arm,
                tally.marks[problem],
                MARKS[a.run.attempts[e].marks[problem, sample]],
                (e, sample),
                found[e][problem, sample],
            )
            for arm, tally, (e, sample) in sides
        ],
    )


def _excerpt(
    a: Analysis, arm: str, counts: np.ndarray, mark: str, attempt: tuple[int, int], read: AnswerText
) -> Excerpt:
    e, sample = attempt
    seed = int(a.run.evals.at[e, "seed"])  # type: ignore[arg-type]
    others = [f"{counts[i]:,} {marks.TITLES[name]}" for i, name in enumerate(MARKS) if i != CORRECT and counts[i]]
    head, omitted, tail = cut("No text was kept." if read.response is None else read.response)
    return Excerpt(
        who=a.label(arm),
        tally=", ".join([f"{counts[CORRECT]:,} of {counts.sum():,} correct", *others]),
        attempt=f"sample {sample}" if seed < 0 else f"seed {seed}, sample {sample}",
        mark=marks.TITLES[mark],
        answer=GAP if read.answer is None else short(read.answer),
        head=head,
        omitted=omitted,
        tail=tail,
    )


def problems(a: Analysis) -> Table:
    """`problems.csv`: each problem's share of correct attempts by arm, at the headline; an empty cell is a gap."""
    known = tallies(a.run)
    rows = []
    for benchmark in a.benchmarks:
        found = {arm: known[arm, benchmark] for arm in a.rows if (arm, benchmark) in known}
        ids = next(iter(found.values())).ids if found else []
        shares = {arm: one.share.tolist() for arm, one in found.items()}
        for i, name in enumerate(ids):
            cells = [Cell(repr(shares[arm][i]) if arm in shares else "") for arm in a.rows]
            rows.append(Row([text(benchmark), text(name), *cells]))
    return Table("problems", [Column("benchmark", False), Column("problem", False), *map(Column, a.rows)], rows)
