"""Bad hyper-parameters are told in one grammar."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from algorithms.hyperparameters import nearest
from algorithms.objectives.dapo import DAPO
from algorithms.objectives.grpo import GRPO
from algorithms.objectives.online_dpo import OnlineDPO
from algorithms.objectives.rence import ReNCE


@pytest.mark.parametrize(
    ("algorithm", "changes", "message"),
    [
        (GRPO, {"clip_low": 2}, "`clip_low` must be in (0, 1], but is 2 instead."),
        (GRPO, {"clip_dual": 1.0}, "`clip_dual` must be in (1, inf), but is 1 instead."),
        (GRPO, {"std_ddof": 2}, "`std_ddof` must be in [0, 1], but is 2 instead."),
        (GRPO, {"std_ddof": 1.0}, "`std_ddof` must be of type int, but is 1.0 instead."),
        (GRPO, {"kl_coef": float("nan")}, "`kl_coef` must be finite, but is nan instead."),
        (GRPO, {"kl_coef": True}, "`kl_coef` must be a number, but is True instead."),
        (
            *(GRPO, {"kl_coef": "1e-3"}),
            "`kl_coef` must be a number, but is '1e-3' instead. In YAML, write 1.0e-3 rather than 1e-3.",
        ),
        (
            GRPO,
            {"scale": "sd"},
            "`scale` must be one of none, std, batch_std, batch_advantage_std, but is 'sd' instead.",
        ),
        (DAPO, {"overlong_buffer": 0}, "`overlong_buffer` must be in (0, 1], but is 0 instead."),
        (DAPO, {"mask_truncated": 1}, "`mask_truncated` must be of type bool, but is 1 instead."),
        (OnlineDPO, {"beta": 0}, "`beta` must be in (0, inf), but is 0 instead."),
        (OnlineDPO, {"ref_policy": None}, "`ref_policy` must be one of init, synced, but is None instead."),
        (ReNCE, {"t_easy": 1.5}, "`t_easy` must be in (0, 1], but is 1.5 instead."),
        (ReNCE, {"t_hard": 0.9}, "`t_hard` must be in [0, 0.8], but is 0.9 instead."),
        (ReNCE, {"negatives_k": 0}, "`negatives_k` must be in [1, inf), but is 0 instead."),
        (ReNCE, {"kl_mode": "controller", "kl_coef": 0}, "`kl_coef` must be in (0, inf), but is 0 instead."),
    ],
)
def test_message(algorithm, changes, message):
    with pytest.raises(ValueError) as raised:
        algorithm(**changes)
    assert str(raised.value) == message


def test_fields_of_other_types():
    @dataclass(frozen=True)
    class Own(GRPO):
        layers: tuple[int, ...] = (1, 2)
        name: str | None = None

    assert Own().layers == (1, 2) and Own(name="a").name == "a"
    for changes in ({"layers": [1]}, {"name": 3}):
        with pytest.raises(ValueError, match=f"`{next(iter(changes))}` must be of type"):
            Own(**changes)


def test_bounds_that_are_allowed():
    assert GRPO(clip_low=1).clip_low == 1
    assert ReNCE(easy_stat="pos_neg_ratio", t_easy=4).t_easy == 4
    assert GRPO(clip_dual=None).clip_dual is None


def test_whole_numbers_and_floats_are_one_setting():
    assert repr(GRPO(kl_coef=0, clip_dual=3)) == repr(GRPO(kl_coef=0.0, clip_dual=3.0))


def test_nearest():
    assert nearest("clip_lo", ["clip_high", "clip_low"]) == "Did you mean `clip_low`?"
    assert nearest("zzz", ["beta", "pairs"]) == "Allowed: beta, pairs."
    assert nearest("zzz", []) == "Allowed: none."
