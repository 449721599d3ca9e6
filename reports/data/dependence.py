"""What the differences of the comparison depend on: each under every alternative, with the paired interaction.

The rule is `statistics/dependence.py`'s. All choices together are one family, for a verdict names any of them: each has
an equal share of alpha, and of that an equal share each of its alternatives times the plan's baselines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.data.alternatives import Alternative, MeasuringChoice, average, choices, minus, of_scores, planned
from reports.data.analysis import Analysis, once
from reports.statistics import Estimand, Estimate
from reports.statistics.dependence import MARGIN, Interaction, Matrices, common, interaction
from reports.words import listing, over_choices, plural, reaching, signed

MOST_TESTS = 200
"""in a choice of more tests than this, changes within the margin, which cannot be found to matter, have no interval"""
MOST_NAMES = 3
MOST_SENTENCES, MOST_RANGES = 4, 5
"""in a verdict"""


@dataclass(frozen=True)
class Question:
    """What is asked of a difference."""

    target: str
    baselines: Sequence[str]
    labels: Mapping[str, str]
    """arm -> what sentences call it"""
    alpha: float
    margin: float
    """changes within it do not matter: a fraction"""
    estimand: Estimand
    """what the interval of a change covers, unless the alternative says another"""
    paired: frozenset[str] = frozenset()
    """baselines whose seeds are paired with the target's"""

    def label(self, arm: str) -> str:
        return self.labels.get(arm, arm)


@dataclass(frozen=True)
class DependsOn:
    """What the sign of one difference depends on."""

    sentences: tuple[str, ...] = ()
    """for people"""
    found: tuple[str, ...] = ()
    """for programs: empty if it is not shown to depend on anything"""


NOT_STUDIED = DependsOn()


@dataclass(frozen=True)
class Dependence:
    """The difference of one pair of arms under one alternative. Differences are fractions."""

    alternative: str
    a: str
    b: str
    planned: float | None
    """a - b as planned, on what the alternative is about; None, as `under`, where a side has no average"""
    under: float | None
    """a - b under the alternative"""
    change: Interaction
    whole: bool = True
    """whether the alternative is about all of the headline"""

    @property
    def known(self) -> bool:
        """Whether there are two numbers to set against each other."""
        return self.planned is not None and self.under is not None

    @property
    def depends(self) -> bool:
        """Whether the sign depends on the choice: it is another, and by a change that is material."""
        differ = self.planned is not None and self.under is not None and self.planned * self.under < 0
        return differ and self.change.material


@dataclass(frozen=True)
class JudgedChoice:
    """One choice with all that was tested of it."""

    choice: MeasuringChoice
    tests: list[Dependence]
    confidence: float
    """at which each interval is, so that those of all choices hold together"""

    def against(self, baseline: str) -> list[Dependence]:
        """The tests of one pair, in the order of the alternatives."""
        return [test for test in self.tests if test.b == baseline]

    def of(self, alternative: str, baseline: str) -> Dependence | None:
        """None if the choice has no such alternative."""
        tests = [test for test in self.against(baseline) if test.alternative == alternative]
        return tests[0] if tests else None


def question(a: Analysis) -> Question:
    """Of a run's plan; without a margin in it, one of 2 points."""
    comparison, target = a.run.plan.comparison, a.by_seed(a.target).keys()
    return Question(
        a.target,
        comparison.baselines,
        {arm.name: a.label(arm.name) for arm in a.arms},
        a.alpha,
        MARGIN if comparison.margin is None else comparison.margin,
        a.estimand,
        frozenset(arm for arm in comparison.baselines if comparison.pair_seeds and a.by_seed(arm).keys() == target),
    )


@once
def study(a: Analysis) -> list[JudgedChoice]:
    """Every choice that has an alternative, with the interactions of the target's differences."""
    return judge_all(choices(a), planned(a), question(a))


def of_pair(
    base: Mapping[str, Matrices],
    titles: Sequence[str],
    rows: Mapping[str, Sequence[int]],
    asked: Question,
    more: Sequence[MeasuringChoice] = (),
) -> DependsOn:
    """Of two sides that are no run's, under the choices of which their scores have alternatives.

    Args:
        base, titles, rows: `base`, `titles` and `seeds` of `alternatives.of_scores`.
        more: choices that scores alone do not tell; one without an alternative is none.
    """
    fixed = asked.estimand in ("checkpoints", "answers")
    there = [choice for choice in more if choice.alternatives]
    judged = judge_all([*there, *of_scores(base, titles, rows, fixed)], base, asked)
    return DependsOn(tuple(sentences(judged, asked)), tuple(told(judged, asked)))


def found(a: Analysis) -> list[str]:
    """What the sign of a difference depends on, a string for each choice and baseline; empty if nothing was shown.

    Such as `ReNCE − GRPO depends on the reading of answers: truncated left out changes it by −57.0 points (−63.0 to
    −51.0)`.
    """
    return told(study(a), question(a))


def told(judged: Sequence[JudgedChoice], asked: Question) -> list[str]:
    """`found`, of what was studied."""
    return [
        f"{asked.label(asked.target)} − {asked.label(baseline)} depends on the {one.choice.name}: {_changes(tests)}"
        for one in judged
        for baseline in asked.baselines
        if (tests := [test for test in one.against(baseline) if test.depends])
    ]


def sentences(judged: Sequence[JudgedChoice], asked: Question) -> list[str]:
    """For a verdict: each sign that depends on a choice, as it is and as it would be; and of the differences that are
    not shown to depend on a choice the range over its alternatives."""
    if not judged or not asked.baselines:
        return []
    depends = [
        f"{asked.label(asked.target)} − {asked.label(baseline)} depends on the {one.choice.name}: "
        f"{signed(tests[0].planned)} points at the headline{'' if tests[0].whole else ' on the same benchmarks'}; "
        f"{_instead(tests)}."
        for one in judged
        for baseline in asked.baselines
        if (tests := [test for test in one.against(baseline) if test.depends])
    ]
    if len(depends) > MOST_SENTENCES:
        more = len(depends) - MOST_SENTENCES
        depends[MOST_SENTENCES:] = [f"So do {plural(more, 'other sign')}: see what the ranking rests on."]
    return [*depends, *filter(None, [_ranges(judged, asked)])]


def _instead(tests: Sequence[Dependence]) -> str:
    """`greedy: −3.0; T .6: −1.2`"""
    named = [f"{test.alternative}: {signed(test.under)}" for test in tests[:MOST_NAMES]]
    return "; ".join([*named, *([f"{len(tests) - MOST_NAMES} more"] if len(tests) > MOST_NAMES else [])])


def _ranges(judged: Sequence[JudgedChoice], asked: Question) -> str:
    """`Whether ReNCE is ahead is not shown to depend on the benchmarks or the seed. Over these choices, in points:
    ReNCE − GRPO +0.3 to +2.5.` Of choices on which no sign depends."""
    quiet = [one for one in looked_at(judged) if not any(test.depends for test in one.tests)]
    unknown = [f"the {one.choice.name}" for one in judged if one not in looked_at(judged)]
    lacking = f"What {listing(unknown, 'or')} would change is not known: scores are missing." if unknown else ""
    if not quiet:
        return lacking
    names = listing([f"the {one.choice.name}" for one in quiet], "or")
    said = [f"Whether {asked.label(asked.target)} is ahead is not shown to depend on {names}."]
    # a difference on some of the benchmarks is another number, and in no range with those on all
    ranged = [one for one in quiet if all(test.whole for test in one.tests)]
    apart = [f"the {one.choice.name}" for one in quiet if one not in ranged]
    clauses = []
    for baseline in asked.baselines:
        tests = [test for one in ranged for test in one.against(baseline) if test.known]
        values = [value for test in tests for value in (test.planned, test.under) if value is not None]
        if values:
            clauses.append(f"− {asked.label(baseline)} {over_choices(values)}")
    if 0 < len(clauses) <= MOST_RANGES:
        over = "Over these choices" if len(quiet) > 1 else "Over this choice"
        but = f" but {listing(apart)}" if apart else ""
        said.append(f"{over}{but}, in points: {asked.label(asked.target)} {', '.join(clauses)}.")
    return " ".join([*said, *filter(None, [lacking])])


def looked_at(judged: Sequence[JudgedChoice]) -> list[JudgedChoice]:
    """The choices of which an alternative is known for some pair."""
    return [one for one in judged if any(test.known for test in one.tests)]


def judge_all(every: Sequence[MeasuringChoice], base: Mapping[str, Matrices], asked: Question) -> list[JudgedChoice]:
    """All that is looked at beside one headline, which is one family.

    Args:
        base: arm -> its matrices as planned.
    """
    return [judge(choice, base, asked, len(every)) for choice in every]


def judge(choice: MeasuringChoice, base: Mapping[str, Matrices], asked: Question, among: int) -> JudgedChoice:
    """Every alternative with every baseline; their number is fixed whatever is missing.

    Args:
        base: arm -> its matrices as planned.
        among: so many choices that are looked at, this one too.
    """
    pairs = [(alternative, baseline) for alternative in choice.alternatives for baseline in asked.baselines]
    confidence = common(asked.alpha, len(pairs) * among)
    averages = {arm: average(matrices) for arm, matrices in base.items()}
    tests = [
        Dependence(
            alternative.name,
            asked.target,
            baseline,
            minus(averages if alternative.against is None else alternative.against, asked.target, baseline),
            minus(alternative.averages, asked.target, baseline),
            Interaction(
                _estimate(asked, alternative, baseline, confidence, len(pairs)), len(pairs) * among, asked.margin
            ),
            alternative.against is None,
        )
        for alternative, baseline in pairs
    ]
    return JudgedChoice(choice, tests, confidence)


def _estimate(
    asked: Question, alternative: Alternative, baseline: str, confidence: float, tests: int
) -> Estimate | None:
    if not {asked.target, baseline} <= alternative.changes.keys():
        return None
    ours, theirs = alternative.changes[asked.target], alternative.changes[baseline]
    if tests > MOST_TESTS and abs(average(ours) - average(theirs)) <= asked.margin:
        return None
    return interaction(ours, theirs, alternative.estimand or asked.estimand, confidence, baseline in asked.paired)


def _changes(tests: Sequence[Dependence]) -> str:
    named = [
        f"{test.alternative} changes it by {signed(test.change.estimate.value)} points "
        f"({reaching(test.change.estimate.interval)})"
        for test in tests[:MOST_NAMES]
        if test.change.estimate is not None
    ]
    more = [f"{len(tests) - MOST_NAMES} more"] if len(tests) > MOST_NAMES else []
    return listing([*named, *more])
