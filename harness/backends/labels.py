"""What a rollout is learnt from as, right or wrong: the marker's verdict, or a control's. The same on every backend.

Filters, pairs and advantages all follow the label. Marks stay what they are, and so does every logged accuracy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.backends.groups import Group, Rollout
from harness.experiment import Reward
from harness.records import Mark
from harness.seeds import derive
from harness.stream import Prompt

ANSWERED = (Mark.CORRECT, Mark.WRONG)
"""marks of rollouts in which a final answer was found; where marking failed nothing is learnt anyway"""


def labelled(groups: Sequence[Group], reward: Reward, seed: int) -> list[Group]:
    """The groups with the labels that `reward` asks for.

    Args:
        seed: of the trial. Coins are keyed by it, the epoch, the problem and the sample, never by call order.
    """
    if reward == "label":
        return list(groups)
    return [replace(group, rollouts=tuple(_labelled(group, reward, seed))) for group in groups]


def _labelled(group: Group, reward: Reward, seed: int) -> list[Rollout]:
    return [
        replace(rollout, control=_coin(group.prompt, seed, sample) if reward == "random" else rollout.mark in ANSWERED)
        for sample, rollout in enumerate(group.rollouts)
    ]


def _coin(prompt: Prompt, seed: int, sample: int) -> bool:
    return derive("reward", seed, prompt.epoch, prompt.problem.id, sample) % 2 == 1
