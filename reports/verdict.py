"""What the run shows, in a sentence or two, and the words of its captions."""

from __future__ import annotations

from harness.records import START
from reports.data import axes, dependence, failed_rewards, orders, readings, stability, unhealthy
from reports.data.analysis import Analysis, once
from reports.data.pairs import Pair
from reports.data.scores import AVERAGE, final
from reports.imported import EXPLORATORY, MATCHING_UNKNOWN
from reports.statistics import ESTIMANDS
from reports.words import capital, listing, p_text, plural, reaching, signed

COVERS = {
    "algorithm": "new seeds and new problems like these",
    "benchmark": "new seeds on these problems",
    "checkpoints": "these checkpoints on new problems like these",
    "answers": "new answers of these checkpoints to these problems",
}

MOST_DEVIATIONS = 2
"""with more of them than this they are counted, and left to the notes"""
MOST_NUMBERS = 5
"""with more baselines than this the numbers are left to the table"""
MOST_NAMES = 8


@once
def sentences(a: Analysis) -> list[str]:
    """The verdict, then what it rests on."""
    facts, collapsed = axes.facts(a), stability.sentence(a)
    judged, asked = dependence.study(a), dependence.question(a)
    order = orders.sentence(orders.variants(a, judged), asked.labels)
    depends = [*filter(None, [order]), *dependence.sentences(judged, asked)]
    numbers = [*_numbers(a), *readings.sentences(a), *filter(None, [facts, failed_rewards.sentence(a)])]
    found = [*numbers, *depends, *_start(a), *filter(None, [collapsed])]
    return [_verdict(a), *_rewards(a), *a.checked.sentences, *found, basis(a)]


def _rewards(a: Analysis) -> list[str]:
    """What each arm of a comparison of rewards was paid for."""
    plan = a.run.plan
    if plan.comparison.factor != "reward":
        return []
    named = {arm.name: arm.recipe_differences.get("reward", plan.recipe.get("reward", "label")) for arm in plan.arms}
    said = [f"{a.label(name)} by `{named[name]}`" for name in (a.target, *plan.comparison.baselines)]
    return [f"What is compared is the reward in training, not an algorithm: {listing(said)}; scores are the marker's."]


def _verdict(a: Analysis) -> str:
    """One sentence: the baselines in groups by what was found against them, those without a result last."""
    primary = a.family("primary")
    name = a.label(a.target)
    if (a.target, AVERAGE) not in a.scores:
        return f"No verdict: {name} has no complete result at the headline yet."
    if not primary:
        return (
            f"{name} has nothing to be compared with."
            if a.run.plan.imported
            else f"No comparison was planned for {name}."
        )
    # what could not be tested is no finding: "not separated" takes a test that was made
    groups = [
        ("is above", [p for p in primary if p.direction > 0 and not p.equivalent]),
        ("is below", [p for p in primary if p.direction < 0 and not p.equivalent]),
        ("is above, yet equivalent to,", [p for p in primary if p.direction > 0 and p.equivalent]),
        ("is below, yet equivalent to,", [p for p in primary if p.direction < 0 and p.equivalent]),
        ("is equivalent to", [p for p in primary if not p.direction and p.equivalent]),
        ("is not separated from", [p for p in primary if p.simultaneous and not p.direction and not p.equivalent]),
        ("could not be tested against", [p for p in primary if p.estimate and not p.simultaneous]),
    ]
    clauses = [
        f"{verb} {_named(a, pairs)}" + (within(pairs[0]) if pairs[0].equivalent else "")
        for verb, pairs in groups
        if pairs
    ]
    missing = [a.label(p.b) for p in primary if p.estimate is None]
    if missing:
        clauses.append(f"could not be compared with {listing(missing)} (no complete result)")
    side = _side(a, a.target)
    return f"{side if side == name else capital(side)} {listing(clauses)}."


def _about_checkpoints(pair: Pair) -> bool:
    return pair.estimate is not None and pair.estimate.estimand in ("checkpoints", "answers")


def _side(a: Analysis, arm: str) -> str:
    """An arm's label; `this checkpoint of` it where the whole primary family is about checkpoints, for then no
    algorithm is named as above another."""
    tested = [p for p in a.family("primary") if p.estimate]
    if not tested or not all(map(_about_checkpoints, tested)):
        return a.label(arm)
    score = a.scores.get((arm, AVERAGE))
    return f"{'these checkpoints' if score and len(score.seeds) > 1 else 'this checkpoint'} of {a.label(arm)}"


def _named(a: Analysis, pairs: list[Pair]) -> str:
    """The baselines by name; very many by number, for the table has them."""
    if len(pairs) > MOST_NAMES:
        return f"{len(pairs)} baselines"
    mixed = len({_about_checkpoints(p) for p in a.family("primary") if p.estimate}) > 1
    return listing(
        [
            f"{_side(a, p.b)}{' (these checkpoints alone)' if mixed and _about_checkpoints(p) else ''}".replace(
                "this checkpoint of", "that of"
            )
            for p in pairs
        ]
    )


def within(pair: Pair) -> str:
    """` (within ±2 points)`"""
    return "" if pair.margin is None else f" (within ±{100 * pair.margin:g} points)"


def _numbers(a: Analysis) -> list[str]:
    """`ReNCE minus GRPO: +2.5 points (−0.7 to +5.6, p .178); minus DAPO: ...`, intervals and p adjusted alike."""
    clauses = [
        f"minus {a.label(pair.b)}: {signed(pair.estimate.value)} points ({_sure(pair)})"
        for pair in a.family("primary")
        if pair.estimate is not None
    ]
    return [f"{a.label(a.target)} {'; '.join(clauses)}."] if 0 < len(clauses) <= MOST_NUMBERS else []


def _sure(pair: Pair) -> str:
    if pair.simultaneous is None:
        return "no interval can be given"
    same = "" if pair.p_equivalence is None else f", equivalence p {p_text(pair.p_equivalence)}"
    return f"{reaching(pair.simultaneous)}, p {p_text(pair.p_adjusted)}{same}"


def _start(a: Analysis) -> list[str]:
    pairs = [p for p in a.family("start") if p.estimate]
    above = [a.label(p.a) for p in pairs if p.direction > 0]
    below = [a.label(p.a) for p in pairs if p.direction < 0]
    even = [a.label(p.a) for p in pairs if not p.direction]
    if not pairs:
        return []
    if len(above) == len(pairs):
        everyone = "Every arm is" if len(pairs) > 1 else f"{above[0]} is"
        return [f"{everyone} above the untrained model."]
    clauses = [
        f"{listing(names)} {'is' if len(names) == 1 else 'are'} {verb} the untrained model"
        for names, verb in ((above, "above"), (below, "below"), (even, "not separated from"))
        if names
    ]
    return [f"{'; '.join(clauses)}."]


def basis(a: Analysis) -> str:
    """Target, number of problems, k, seeds, test, sealed or not, matched or not, as planned or not."""
    plan, score = a.run.plan, a.scores.get((a.target, AVERAGE))
    pairs = [p for p in a.family("primary") if p.estimate]
    covered = {p.estimate.estimand for p in pairs if p.simultaneous and p.estimate}
    about = f", about {listing([COVERS[one] for one in ESTIMANDS if one in covered], 'or')}" if covered else ""
    problems = score.n_problems if score else None
    ks = sorted({k for arm in a.rows if (arm, AVERAGE) in a.scores for k in a.scores[arm, AVERAGE].k})
    decoding = f", decoding {next(iter(plan.decodings))}" if plan.decodings else ""
    seeds = sorted({len(a.scores[arm, AVERAGE].seeds) for arm in a.rows if arm != START and (arm, AVERAGE) in a.scores})
    parts = [
        f"Differences on the average of {plural(len(a.benchmarks), 'benchmark')}"
        + (f" ({plural(problems, 'problem')}, k = {span(ks)}{decoding})" if problems else ""),
        f"{span(seeds) or 'no'} {'seed' if seeds == [1] else 'seeds'} an arm",
        *effort(a),
        f"{100 * (1 - a.alpha):g} % intervals and tests paired by problem"
        f"{' and seed' if plan.comparison.pair_seeds else ''} "
        f"with seeds crossed{about}" + (", intervals and p both Bonferroni-adjusted" if len(pairs) > 1 else ""),
        *_few(a),
        *([f"equivalence by two one-sided tests{within(pairs[0])}"] if pairs and pairs[0].margin else []),
        *unhealthy.fine_print(a),
        *a.checked.unsealed,
        standing(a),
    ]
    return "; ".join(parts) + "."


def _few(a: Analysis) -> list[str]:
    """Two seeds: what they can and cannot say."""
    pairs = [p for p in a.family("primary") if p.estimate and p.estimate.estimand == "algorithm"]
    two = any(part.df <= 1 for p in pairs if p.estimate for part in p.estimate.parts.seeds)
    return ["two seeds tell little of how much seeds differ, so intervals are wide by intention"] if two else []


def effort(a: Analysis) -> list[str]:
    """What was spent on a trial, and by which backend; of an import, the steps that are compared."""
    plan = a.run.plan
    if plan.imported:
        evals = final(a.run)
        steps = sorted({int(step) for step, arm in zip(evals["step"], evals["arm"], strict=True) if arm != START})
        return [f"imported from {plan.imported}", *([f"step {span(steps)}"] if any(steps) else [])]
    return [f"{plan.budget_rollouts:,} rollouts a trial", f"backend {plan.backend}"]


def standing(a: Analysis) -> str:
    """In words: matched or not, as planned or not; where something was let through neither, but why it was."""
    if not a.checked.accepted:
        return f"{_matched(a)}; {_planned(a)}"
    if a.run.plan.imported:
        return f"{a.checked.words}; {EXPLORATORY}"
    left = [f"{plural(len(a.deviations), 'deviation')} from the plan, see the notes"] if a.deviations else []
    return "; ".join([a.checked.words, *left])


def _matched(a: Analysis) -> str:
    """In words: matched, or not and every reason once, or that it is not known, of an import."""
    reasons = sorted({reason for p in a.family("primary") for reason in p.unmatched})
    if reasons:
        return f"not matched: {'; '.join(reasons)}"
    matched = "arms matched but for the reward" if a.run.plan.comparison.factor == "reward" else "arms matched"
    return MATCHING_UNKNOWN if a.run.plan.imported else matched


def _planned(a: Analysis) -> str:
    """In words: as planned, or a few deviations in full, or how many there are."""
    if a.run.plan.imported:
        return EXPLORATORY
    if not a.deviations:
        return "as planned"
    if len(a.deviations) <= MOST_DEVIATIONS:
        return f"not as planned: {' '.join(a.deviations).removesuffix('.')}"
    return f"not as planned: {plural(len(a.deviations), 'deviation')}, see the notes"


def covered(a: Analysis) -> str:
    """What the intervals of the arms' scores cover: of an arm with one seed that checkpoint alone."""
    found = {score.estimate.estimand for (arm, _), score in a.scores.items() if arm != START} or {a.estimand}
    return listing([COVERS[estimand] for estimand in ESTIMANDS if estimand in found], "or, of an arm with one seed,")


def span(numbers: list[int]) -> str:
    """`4`, or `3 to 5`"""
    return f"{numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else "".join(map(str, numbers))


def ranking(a: Analysis) -> list[str]:
    """Trained arms by average, best first; ties by name. Arms without an average are left out."""
    present = [arm.name for arm in a.arms if (arm.name, AVERAGE) in a.scores]
    return sorted(present, key=lambda arm: (-a.scores[arm, AVERAGE].estimate.value, arm))
