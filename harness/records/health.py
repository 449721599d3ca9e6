"""Whether a trial was healthy: signs that it learnt nothing any more, or answers nothing any more, whatever its score.

A finding is a string, `code: words`, in `done.json`. It is no error: a trial may have collapsed, and that is a result.
What is a broken instrument (weights, logits, an engine) never gets here: it ends with an error.

    entropy      the policy has next to no entropy left: all its answers to a prompt are one
    zero         the gradient is exactly zero: nothing is learnt
    clipped      the gradient is longer than its limit by so much that its length is the limit's
    nothing      no group passed the algorithm's filter, so nothing was learnt from
    null         a metric that had numbers has none any more
    reward       a reward of the user's own says nothing of a hundredth of the rollouts or more
    truncated    nearly all answers are cut off before they answer
    identical    nearly all answers are one text, though the problems' answers differ
    still        a worker stood still for a minute or longer

Signs in steps must be in a planned share of them, those in answers in two evaluations in a row, for one alone may be
chance. All but `still` are functions of files that a kill does not change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness.records.reward_failures import RewardFailures

SHARE = 0.1
"""of the steps that logged it, from which on a sign in steps is a finding"""
ENTROPY = 0.01
"""nats a token"""
CLIPPED = 100.0
"""times the limit"""
MOST = 0.95
"""share of the answers that are truncated, or one text"""
FAILED = 0.01
"""share of the rollouts on which a reward fails, from which on it is a finding"""
STILL = 60.0
"""seconds"""
ALWAYS = (
    "actor/entropy",
    "actor/grad_norm",
    "actor/loss",
    "actor/pg_loss",
    "critic/rewards/mean",
    "critic/score/mean",
    "response_length/mean",
)
"""metrics that are numbers wherever they are logged: one step without says that something is not finite. Others are
means over what a step may have none of, such as its correct rollouts"""


@dataclass(frozen=True)
class Answers:
    """One evaluation's answers, as far as health goes."""

    step: int
    benchmark: str
    attempts: int
    truncated: int
    most_common: int
    """attempts whose text is the most frequent one"""
    most_common_gold: int
    """attempts at problems whose answer is the most frequent one"""

    @property
    def is_truncated(self) -> bool:
        return self.attempts > 0 and self.truncated >= MOST * self.attempts

    @property
    def is_identical(self) -> bool:
        """Not where the problems' own answers are one: there a good model says the same everywhere."""
        most = MOST * self.attempts
        return self.attempts > 1 and self.most_common >= most > self.most_common_gold


Metrics = Mapping[str, float | None]
"""of one step"""


def in_steps(steps: Sequence[Metrics], limit: float) -> Iterator[str]:
    """Findings in the steps of a trial.

    Args:
        steps: the metrics of each, in their order.
        limit: of the gradient's norm, `recipe.max_grad_norm`.
    """
    entropy, norm = _logged(steps, "actor/entropy"), _logged(steps, "actor/grad_norm")
    signs = (
        ("entropy", f"the entropy is below {ENTROPY:g} nats a token", [value < ENTROPY for value in entropy]),
        ("zero", "the gradient's norm is exactly 0", [value == 0 for value in norm]),
        (
            "clipped",
            f"the gradient's norm is more than {CLIPPED:g} times its limit of {limit:g}",
            [value > CLIPPED * limit for value in norm],
        ),
    )
    for code, words, seen in signs:
        if any(seen) and sum(seen) >= SHARE * len(seen):
            yield f"{code}: {words} in {sum(seen)} of {len(seen)} steps"
    # Such steps log no gradient, so `zero` does not see them.
    kept = _logged(steps, "groups/kept")
    empty = kept.count(0)
    if empty and empty >= SHARE * len(kept):
        yield (
            f"nothing: no group passed the filter in {empty} of {len(kept)} steps, which learnt nothing; a higher "
            "`recipe.prompts_per_step`, or `recipe.refill_batches` where the algorithm refills, asks more prompts"
        )
    gone = {name: at for name in _names(steps) if (at := _gone(steps, name)) is not None}
    if gone:
        first = min(gone, key=lambda name: (gone[name], name))
        others = f", and {len(gone) - 1} other metrics" if len(gone) > 2 else ", and another metric" * (len(gone) - 1)
        yield f"null: {first} has no numbers from step {gone[first]} on{others}"


def in_rewards(failures: RewardFailures | None) -> Iterator[str]:
    """
    Args:
        failures: of the trial; None where it has no reward of the user's own.
    """
    if failures and failures.failed >= FAILED * failures.rollouts and failures.failed:
        yield f"reward: {failures.words}"


def in_answers(evaluations: Iterable[Answers]) -> Iterator[str]:
    """Findings in the evaluations of a trial: what two in a row have, of one benchmark at successive points, or of
    different ones at one point."""
    ordered = sorted(evaluations, key=lambda one: (one.step, one.benchmark))
    lines = [[one for one in ordered if one.benchmark == name] for name in sorted({one.benchmark for one in ordered})]
    lines += [[one for one in ordered if one.step == step] for step in sorted({one.step for one in ordered})]
    pairs = [pair for line in lines for pair in pairwise(line)]
    cut = [pair for pair in pairs if all(one.is_truncated for one in pair)]
    if cut:
        yield f"truncated: {100 * MOST:g} % of the answers or more are cut off, {_where(cut[0])}"
    same = [pair for pair in pairs if all(one.is_identical for one in pair)]
    if same:
        yield f"identical: {100 * MOST:g} % of the answers or more are one text, {_where(same[0])}"


def in_time(still_seconds: float) -> Iterator[str]:
    """
    Args:
        still_seconds: of `timing.json`. The finding does not say them, for they are never the same twice.
    """
    if still_seconds >= STILL:
        yield f"still: a worker stood still for {STILL:g} s or longer; `still_seconds` of timing.json says how long"


def parts(finding: str) -> tuple[str, str]:
    """Code and words."""
    code, _, words = finding.partition(": ")
    return code, words


def _logged(steps: Sequence[Metrics], name: str) -> list[float]:
    return [value for step in steps if (value := step.get(name)) is not None]


def _names(steps: Sequence[Metrics]) -> list[str]:
    return sorted({name for step in steps for name in step})


def _gone(steps: Sequence[Metrics], name: str) -> int | None:
    """The step, counted from 1, from which on a metric that had a number has none wherever it is logged; None if that
    is no finding."""
    logged = [(number, step[name]) for number, step in enumerate(steps, 1) if name in step]
    last = max((place for place, (_, value) in enumerate(logged) if value is not None), default=None)
    if last is None or last + 1 == len(logged):
        return None
    empty = len(logged) - last - 1
    enough = name in ALWAYS or (empty > 1 and empty >= SHARE * len(logged))
    return logged[last + 1][0] if enough else None


def _where(pair: tuple[Answers, Answers]) -> str:
    one, other = pair
    if one.step == other.step:
        return f"on {one.benchmark} and {other.benchmark} at step {one.step}"
    return f"on {one.benchmark} at steps {one.step} and {other.step}"
