"""What a rollout is learnt from as, right or wrong: the marker's verdict, or what the recipe's `reward` puts in its
place. The same on every backend.

Filters, pairs and advantages all follow the label. Marks stay what they are, and so does every logged accuracy.

`majority` is the reward of TTRL, Zuo et al. 2025, arXiv:2504.16084, section 2: the most frequent final answer of a
group stands in for the gold one, which is not looked at.
- Answers are equal as an answer equals its gold for the marker (the problem's rule, Math-Verify). That need not be
  transitive: in the order of the samples, each joins the first answer that it equals.
- Of equally frequent answers the one that was given first wins, as in TTRL's code. Samples are exchangeable, so that
  this is as fair as a draw.
- Rollouts without an answer do not vote and are negatives. One whose marking failed votes, and is not learnt from.
- TTRL votes with more samples of a prompt than it learns from (64 and 32); here all of a group do both.

`mislabelled` is a positive control: training that is known to be worse, for a comparison to see. On a tenth of the
problems right and wrong are exchanged; which ones is a property of the data, the same for all seeds and all epochs.
Rollouts without an answer stay negatives. It is the worst that a wrong label can do: a wrong gold answer that no
rollout gives would make all of a group negatives, and most objectives would learn nothing from it.

What a function of the user's own returns becomes a label in `own_rewards.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

from benchmarks.marking import equal_all
from harness.backends.groups import Group
from harness.base.seeds import derive
from harness.config.training_recipe import Reward
from harness.prompts.stream import Prompt
from harness.records import Mark

ANSWERED = (Mark.CORRECT, Mark.WRONG)
"""marks of rollouts in which a final answer was found; where marking failed nothing is learnt anyway"""
MISLABELLED_EVERY = 10
"""one problem of so many, by a hash of its id, is mislabelled"""


def labelled(groups: Sequence[Group], reward: Reward, seed: int) -> list[Group]:
    """The groups with the labels that `reward` asks for.

    Args:
        seed: of the trial. Coins are keyed by it, the epoch, the problem and the sample, never by call order.
    """
    match reward:
        case "label":
            return list(groups)
        case "random":
            labels = [[_coin(group.prompt, seed, sample) for sample in range(len(group.rollouts))] for group in groups]
        case "format":
            labels = [[rollout.mark in ANSWERED for rollout in group.rollouts] for group in groups]
        case "mislabelled":
            labels = [[r.mark is _right(group.prompt) for r in group.rollouts] for group in groups]
        case "majority":
            labels = [_most_frequent(numbers) for numbers in _numbered(groups)]
    return [group.labelled(own) for group, own in zip(groups, labels, strict=True)]


def _coin(prompt: Prompt, seed: int, sample: int) -> bool:
    return derive("reward", seed, prompt.epoch, prompt.problem.id, sample) % 2 == 1


def _right(prompt: Prompt) -> Mark:
    """What is learnt from as right on a problem where a tenth of them is mislabelled."""
    mislabelled = derive("mislabelled", prompt.problem.id) % MISLABELLED_EVERY == 0
    return Mark.WRONG if mislabelled else Mark.CORRECT


def _most_frequent(numbers: Sequence[int | None]) -> list[bool]:
    """
    Args:
        numbers: of each rollout's answer, equal for equal answers; None if there is none.
    """
    votes = Counter(number for number in numbers if number is not None)
    most = max(votes, key=votes.__getitem__, default=None)  # the first of several, and a Counter keeps their order
    return [number is not None and number == most for number in numbers]


def _numbered(groups: Sequence[Group]) -> list[list[int | None]]:
    """Of each group, the numbers of its rollouts' answers: equal answers have that of the first of them."""
    texts = [list(dict.fromkeys(r.answer for r in group.rollouts if r.answer is not None)) for group in groups]
    pairs = [
        (said[later], said[first], group.prompt.problem.rule)
        for group, said in zip(groups, texts, strict=True)
        for first, later in combinations(range(len(said)), 2)
    ]
    verdicts = iter(equal_all(pairs))
    found = []
    for group, said in zip(groups, texts, strict=True):
        equal = {pair for pair in combinations(range(len(said)), 2) if next(verdicts)}
        number = _first_equal(len(said), equal)
        of_text = dict(zip(said, number, strict=True))
        found.append([None if r.answer is None else of_text[r.answer] for r in group.rollouts])
    return found


def _first_equal(count: int, equal: set[tuple[int, int]]) -> list[int]:
    """For each of some things, the first one that it equals and that equals none before it; or itself."""
    number: list[int] = []
    for later in range(count):
        firsts = [first for first in range(later) if number[first] == first and (first, later) in equal]
        number.append(firsts[0] if firsts else later)
    return number
