"""The verdict of a run with scores alone, and what it rests on."""

from __future__ import annotations

from reports.data.pairs import Pair
from reports.imported import EXPLORATORY, MATCHING_UNKNOWN
from reports.seed_scores import best_step
from reports.seed_scores.compared import ComparedScores
from reports.seed_scores.found import AVERAGE
from reports.seed_scores.numbers import ScoreWords
from reports.words import listing, p_text, plural

COVERS = "new seeds, on the benchmarks as they were asked"
ABSENT = (
    "These are scores without problems: nothing is said of problems gained or lost, of pass@k, of marks or lengths, "
    "and no interval covers new problems."
)
MOST_NAMES = 3
MOST_BASELINES = 5
"""with more the numbers are left to the table"""


def sentences(a: ComparedScores) -> list[str]:
    """What was found, then what it rests on."""
    return [_verdict(a), *a.run.checked.sentences, *_numbers(a), *_best(a), basis(a)]


def on(column: str, benchmarks: int) -> str:
    """What a score is of: `sums`, or `the average of 3 benchmarks`."""
    return f"the average of {benchmarks} benchmarks" if column == AVERAGE else column


def _verdict(a: ComparedScores) -> str:
    pairs = a.family("primary")
    where = on(a.run.headline, len(a.run.plan.benchmarks))
    if not pairs:
        return f"{a.target} has nothing to be compared with."
    if (a.target, a.run.headline) not in a.scores:
        return f"No verdict: {a.target} has no seed with a score on {where}."
    return f"{a.target} {grouped(pairs)} on {where}."


def grouped(pairs: list[Pair]) -> str:
    """Baselines in groups by what was found against them."""
    groups = {
        "is above": [p for p in pairs if p.direction > 0],
        "is below": [p for p in pairs if p.direction < 0],
        "is equivalent to": [p for p in pairs if not p.direction and p.equivalent],
        "is not separated from": [p for p in pairs if p.simultaneous and not p.direction and not p.equivalent],
        "could not be tested against": [p for p in pairs if p.estimate and not p.simultaneous],
        "cannot be compared with": [p for p in pairs if not p.estimate],
    }
    return "; it ".join(f"{words} {listing([p.b for p in found])}" for words, found in groups.items() if found)


def _numbers(a: ComparedScores) -> list[str]:
    words, pairs = ScoreWords(a.run.raw), [p for p in a.family("primary") if p.estimate]
    if not pairs:
        return []
    if len(pairs) > MOST_BASELINES:
        return [f"The {len(pairs)} differences are in the table."]
    return [f"{'; '.join(number(words, pair) for pair in pairs)}."]


def number(words: ScoreWords, pair: Pair) -> str:
    """One difference: `tuned minus base: +2.1 points (+0.4 to +3.8, p .021)`"""
    e = pair.estimate
    assert e is not None
    head = f"{pair.a} minus {pair.b}: {words.signed(e.value)}{words.points}"
    if pair.simultaneous is None:
        return f"{head}, without an interval"
    return f"{head} ({words.reaching(pair.simultaneous)}, p {p_text(pair.p_adjusted)})"


def why_no_interval(a: ComparedScores) -> str:
    """Which arms have one seed, or seeds that do not differ; empty where every difference has an interval."""
    if all(pair.simultaneous for pair in a.family("primary")):
        return ""
    counts = {arm: len(a.run.by_seed.get((arm, a.run.headline), {})) for arm in a.run.plan.arms}
    single = [arm for arm, count in counts.items() if count == 1]
    if single:
        verb = "has" if len(single) == 1 else "have"
        who = listing(single) if len(single) <= MOST_NAMES else f"{len(single)} arms"
        return f"{who} {verb} one seed: how much seeds differ is not known, so there is no interval or test"
    empty = [arm for arm, count in counts.items() if count == 0]
    if empty:
        return f"{listing(empty)} lacks a score where arms are compared"
    return "seeds do not differ at all, which tells nothing of new ones"


def _best(a: ComparedScores) -> list[str]:
    """What the best checkpoint would add to the target's score."""
    if not a.run.has_curves:
        return []
    words = ScoreWords(a.run.raw)
    row = next((row for row in best_step.found(a, a.run.headline) if row.arm == a.target), None)
    if row is None or row.gain.value <= 0:
        return []
    head = f"Reporting each seed's best checkpoint would add {words.value(row.gain.value)}{words.points} to {a.target}"
    if row.noise is None or row.share is None:
        return [f"{head}."]
    return [f"{head}, of which noise alone explains {_share(row.share)}."]


def _share(share: float) -> str:
    return "all" if share >= 0.995 else f"{100 * share:.0f} %"


def basis(a: ComparedScores) -> str:
    """Seeds, step, method, what the interval covers, what is not known."""
    plan = a.run.plan
    counts = sorted({len(a.run.by_seed.get((arm, a.run.headline), {})) for arm in plan.arms})
    seeds = plural(counts[0], "seed") if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds"
    step = [f"step {plan.step}"] if plan.step is not None else ["the last step of each"] if a.run.has_curves else []
    how = "seeds are paired" if a.paired else "seeds are not paired"
    missing = why_no_interval(a)
    covers = missing or f"intervals cover {COVERS}"
    parts = [f"{seeds} an arm", *step, how, covers, MATCHING_UNKNOWN, EXPLORATORY, *a.run.checked.unsealed]
    return f"{'; '.join(parts)}. {ABSENT}"
