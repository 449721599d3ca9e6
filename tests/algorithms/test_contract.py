"""Every algorithm of the registry keeps the contract, with every switch; and the contract catches those that do not."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, get_args, get_type_hints

import pytest
import torch

from algorithms import registry
from algorithms.base import SPEC, Algorithm
from algorithms.contract import CHECKS, parts_can_be_turned_off, separable_losses_add_up
from algorithms.example import example, learn
from algorithms.objectives.a_lol import ALoL
from algorithms.objectives.cispo import CISPO
from algorithms.objectives.conspo import ConSPO
from algorithms.objectives.copg import CoPG
from algorithms.objectives.dapo import DAPO
from algorithms.objectives.disco import DisCO
from algorithms.objectives.dno import DNO
from algorithms.objectives.grpo import GRPO
from algorithms.objectives.nca import NCA, InfoNCA
from algorithms.objectives.odpo import ODPO
from algorithms.objectives.online_dpo import OnlineDPO
from algorithms.objectives.reinforce_pp import ReinforcePP
from algorithms.objectives.rejection import Rejection
from algorithms.objectives.rence import ReNCE
from algorithms.objectives.rpg import RPG
from algorithms.objectives.w_reinforce import WReinforce
from algorithms.ops.metrics import MEANINGS
from algorithms.rollouts import Loss, Mean, Totals
from rence.cli.checking import outcome
from tests.closeness import assert_close

COMPANIONS = ({}, {"scale": "none"}, {"baseline": "group_mean"}, {"kl_reference": "synced"}, {"kl_place": "loss"})
"""some options cannot be without another, such as a scale without a baseline"""


def accepted(name, change):
    """The change with the first companion that makes it allowed."""
    for also in COMPANIONS:
        try:
            registry.get(name, **also, **change)
        except (ValueError, TypeError):
            continue
        return {**also, **change}
    raise AssertionError(f"{name} {change}")


def switches():
    """Each algorithm with each other option of each of its choices, one at a time, and a few that act together."""
    for name, default in {type(one): (name, one) for name, one in reversed(registry.ALL.items())}.values():
        hints = get_type_hints(type(default))
        for field in fields(default):
            options = (True, False) if hints[field.name] is bool else get_args(hints[field.name])
            for option in options:
                if isinstance(option, str | bool) and option != getattr(default, field.name):
                    change = accepted(name, {field.name: option})
                    yield pytest.param(name, change, id=f"{name}-{field.name}-{option}")
    together = (
        ("rence", {"score_ref": "none", "score_norm": "mean", "nce_form": "log_sum", "nll_coef": 0.5}),
        ("rence", {"negatives": "random_k", "negatives_k": 2, "nce_form": "sum_log", "overlong_factor": 1.0}),
        ("rence", {"kl_mode": "penalty", "kl_coef": 1.0, "kl_estimator": "k2"}),
        ("rence", {"kl_mode": "controller", "kl_coef": 1.0, "kl_reference": "old"}),
        ("rence", {"kl_coef": 1.0, "kl_window": 0.0}),
        ("grpo", {"clip_dual": 1.1, "clip_low": 0.05, "clip_high": 0.05, "kl_coef": 1.0, "kl_estimator": "rho_k3"}),
        ("grpo", {"entropy_coef": 0.5, "kl_place": "reward", "kl_coef": 0.5, "scale": "batch_std"}),
        ("reinforce", {"kl_coef": 0.5, "kl_estimator": "rho_k3", "entropy_coef": 0.5}),
        ("reinforce_pp", {"kl_coef": 0.5, "baseline": "group_mean", "scale": "std"}),
        ("gspo", {"clip_dual": 1.001}),
        ("cispo", {"clip_low": 0.1, "clip_high": 0.1, "baseline": "none", "scale": "none"}),
        ("dapo", {"mask_truncated": True, "truncated_in_baseline": False, "aggregation": "seq_mean_token_mean"}),
        ("online_dpo", {"pairs": "all", "score_norm": "mean", "nll_coef": 1.0}),
        ("odpo", {"pairs": "all", "offset": "log_gap", "overlong_factor": 1.0, "nll_coef": 1.0}),
        ("infonca", {"alpha": 1.0}),
        ("nca", {"alpha": 1.0, "beta": 1.0}),
        ("disco", {"score": "l_ratio", "tau": 0.1, "kl_divergence": "ufkl", "kl_coef": 1.0}),
        ("disco", {"negatives": "mean", "kl_threshold": 1.0}),
        ("copg", {"beta": 2.0}),
        ("dno", {"eta": 2.0}),
        ("a_lol", {"importance": "none", "kl_coef": 0.5, "kl_estimator": "k1"}),
        ("rpg", {"style": "differentiable", "divergence": "fkl", "divergence_coef": 1.0, "clip_dual": None}),
        ("rpg", {"style": "differentiable", "divergence": "ufkl", "divergence_coef": 1.0}),
        ("rpg", {"style": "differentiable", "divergence": "rkl", "divergence_coef": 1.0, "entropy_coef": 0.1}),
    )
    yield from (pytest.param(name, changes, id=f"{name}-{'-'.join(changes)}") for name, changes in together)


def failures(algorithm):
    rows = [outcome("algorithm", check, algorithm) for check in CHECKS]
    return {row.name: row.detail for row in rows if not row.passed}


@pytest.mark.parametrize("name", registry.ALL)
def test_defaults(name):
    assert failures(registry.get(name)) == {}


@pytest.mark.parametrize(("name", "changes"), list(switches()))
def test_switches(name, changes):
    assert failures(registry.get(name, **changes)) == {}


@pytest.mark.parametrize(
    "algorithm",
    [
        ReNCE(margin_mode="curriculum", negatives="random_k", overlong_factor=0.5, kl_window=0.3),
        GRPO(clip_dual=3.0, entropy_coef=0.1),
        DAPO(clip_dual=3.0, kl_coef=0.1, mask_truncated=True),
        OnlineDPO(),
        CISPO(kl_coef=0.1),
        ReinforcePP(scale="std", baseline="group_mean", clip_dual=3.0),
        WReinforce(kl_coef=0.1, baseline="group_mean", scale="batch_std", clip_dual=3.0),
        Rejection(),
        ODPO(overlong_factor=0.5),
        InfoNCA(),
        NCA(),
        DisCO(),
        ConSPO(negatives="random_k", overlong_factor=0.5, kl_mode="window", kl_window=0.3, t_easy=0.5),
        CoPG(),
        DNO(),
        ALoL(kl_coef=0.1, scale="std", entropy_coef=0.1),
        RPG(kl_coef=0.1, scale="std", mask_truncated=True, entropy_coef=0.1),
    ],
    ids=lambda algorithm: type(algorithm).__name__,
)
def test_every_hyperparameter_shows_in_the_spec(algorithm):
    """Two settings with one spec would be two arms that a report calls the same."""
    hints = get_type_hints(type(algorithm))
    for field in fields(algorithm):
        value = getattr(algorithm, field.name)
        if isinstance(value, bool):
            others = [not value]
        elif isinstance(value, str):
            others = [option for option in get_args(hints[field.name]) if option != value]
        else:
            others = [value - 1 if isinstance(value, int) else 0.93 * value + 0.05]
        changed = []
        for other in others:
            # "init" of one reference cannot go with "synced" of another, nor a scale without a baseline
            with suppress(ValueError):
                changed.append(replace(algorithm, **{field.name: other}).spec())
        assert changed and algorithm.spec() not in changed, field.name


@pytest.mark.parametrize("name", registry.ALL)
def test_single_precision(name):
    algorithm = registry.get(name)
    batch, logp_BT = example()
    tokens = {"old_logp_BT": batch.old_logp_BT, "ref_logp_BT": batch.ref_logp_BT, "weight_BT": batch.weight_BT}
    single = {field: value.float() for field, value in {**tokens, "reward_B": batch.reward_B}.items()}
    loss, gradient_BT = learn(algorithm, batch, logp_BT)
    found, found_BT = learn(algorithm, replace(batch, **single), logp_BT.float())
    assert found.value.dtype == torch.float32
    assert_close(found.value, loss.value, within=1e-5, floor=1.0)  # some losses are differences of terms of that size
    assert_close(found_BT, gradient_BT, within=1e-5)


def test_what_is_logged_has_a_meaning_and_nothing_else_has_one():
    logged = set()
    for case in switches():
        name, changes = case.values
        algorithm = registry.get(name, **changes)
        logged |= learn(algorithm, *example())[0].metrics.keys()
    assert logged == MEANINGS.keys()


def test_the_example_is_awkward():
    batch, logp_BT = example()
    assert sorted(batch.size_G.tolist()) == [1, 3, 3, 3, 4, 5, 6]
    assert sorted(batch.positives_G.tolist()) == [0, 1, 1, 2, 2, 2, 3]
    assert batch.group_B.diff().lt(0).any() and not batch.mask_BT.all() and (batch.length_B == 1).any()
    assert 0 < batch.truncated_B.sum() < 25
    # tokens far enough from the old policy to be clipped
    assert ((logp_BT - batch.old_logp_BT)[batch.mask_BT].abs() > 0.25).any()


@dataclass(frozen=True)
class Reinforce(Algorithm):
    """REINFORCE without a baseline, mean over tokens: keeps the contract and is not contrastive."""

    title: ClassVar[str] = "REINFORCE"
    source: ClassVar[str] = "Williams 1992"
    scale: float = 1.0

    @property
    def contrastive(self):
        return False

    def loss(self, batch, logp_BT, totals):
        if logp_BT.shape != batch.mask_BT.shape:
            raise ValueError("shape")
        token_BT = torch.where(batch.mask_BT, logp_BT, 0) * batch.reward_B[:, None]
        return Loss(-self.scale * token_BT.sum() / max(totals.tokens, 1), {"tokens": Mean(1.0, 1.0)})

    def spec(self):
        return {**dict.fromkeys(SPEC, "none"), "scale": f"{self.scale:g}"}


class UncheckedField(Reinforce):
    def __post_init__(self):
        pass


class NoSpec(Reinforce):
    def spec(self):
        return {**super().spec(), "KL": ""}


class Secretive(Reinforce):
    """What `scale` does is not said."""

    def spec(self):
        return {**super().spec(), "scale": "some"}


class NotPicklable(Reinforce):
    def __reduce__(self):
        raise TypeError("no")


class CreditOfTheta(Reinforce):
    def credit(self, batch, rng):
        return {"half": torch.zeros(len(batch) // 2)}


class NotFinite(Reinforce):
    def loss(self, batch, logp_BT, totals):
        return Loss(super().loss(batch, logp_BT, totals).value / 0.0)


class ByRow(Reinforce):
    """Lets the first row of the batch count twice."""

    def credit(self, batch, rng) -> Mapping[str, torch.Tensor]:
        return {"weight": 1.0 + (torch.arange(len(batch)) == 0)}

    def loss(self, batch, logp_BT, totals):
        value = (torch.where(batch.mask_BT, logp_BT, 0).sum(1) * batch.credit["weight"]).sum()
        return Loss(value / totals.tokens)


class ByGroupNumber(Reinforce):
    def credit(self, batch, rng) -> Mapping[str, torch.Tensor]:
        return {"weight": 1.0 + (batch.group_B == 0)}

    loss = ByRow.loss


class ByWidth(Reinforce):
    """Dr. GRPO's trap: divides by the padded length."""

    def loss(self, batch, logp_BT, totals):
        return Loss(super().loss(batch, logp_BT, totals).value / logp_BT.shape[1])


class Unmasked(Reinforce):
    def loss(self, batch, logp_BT, totals):
        return Loss((logp_BT * batch.reward_B[:, None]).sum() / max(totals.tokens, 1))


class OwnDenominator(Reinforce):
    """A mean of means over micro-batches."""

    def loss(self, batch, logp_BT, totals):
        return super().loss(batch, logp_BT, Totals.of(batch))


class OfTheGroup(ReNCE):
    """Compares scores within the group, and says that it does not."""

    @property
    def separable(self):
        return True


class WrongGradient(Reinforce):
    def loss(self, batch, logp_BT, totals):
        value = super().loss(batch, logp_BT, totals).value
        return Loss(2 * value - value.detach())


class WeightsTwice(Reinforce):
    def loss(self, batch, logp_BT, totals):
        value = super().loss(batch, logp_BT, totals).value
        return Loss(value if batch.weight_BT is None else value * 1.5)


class ClaimsContrast(Reinforce):
    @property
    def contrastive(self):
        return True


class NeedsRollouts(Reinforce):
    def loss(self, batch, logp_BT, totals):
        return Loss(super().loss(batch, logp_BT, totals).value + 1 / totals.rollouts)


class Broadcasts(Reinforce):
    def loss(self, batch, logp_BT, totals):
        return super().loss(batch, logp_BT.expand(batch.mask_BT.shape), totals)


class Meddles(Reinforce):
    def shape(self, batch):
        return batch.reward_B.add_(1)


@dataclass(frozen=True)
class NoSuchSetting(Reinforce):
    """Names a part by a hyper-parameter that it does not have."""

    @property
    def parts(self) -> Mapping[str, Mapping[str, Any]]:
        return {"clip": {"clip": None}}


class LabelsInSecret(Reinforce):
    """Learns from the labels, and says that it does not."""

    @property
    def reads_labels(self):
        return False

    def loss(self, batch, logp_BT, totals):
        value = (torch.where(batch.mask_BT, logp_BT, 0).sum(1) * batch.label_B).sum()
        return Loss(value / max(totals.tokens, 1))


def test_a_plain_algorithm_passes():
    assert failures(Reinforce()) == {}


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (UncheckedField, "hyperparameters are checked"),
        (NoSpec, "spec is complete"),
        (Secretive, "what changes the loss shows in the spec"),
        (NotPicklable, "pickles"),
        (CreditOfTheta, "shapes are right"),
        (NotFinite, "loss is finite"),
        (ByRow, "order in a group is irrelevant"),
        (ByGroupNumber, "order of groups is irrelevant"),
        (ByWidth, "padding is irrelevant"),
        (Unmasked, "masked values are irrelevant"),
        (OwnDenominator, "microbatches add up"),
        (OfTheGroup, "separable losses add up"),
        (WrongGradient, "gradient matches finite differences"),
        (WeightsTwice, "unit weights change nothing"),
        (ClaimsContrast, "equal labels teach nothing"),
        (NoSuchSetting, "parts can be turned off"),
        (LabelsInSecret, "labels are read as said"),
        (NeedsRollouts, "empty batches are harmless"),
        (Broadcasts, "bad batches are refused"),
        (Meddles, "calls leave the batch alone"),
    ],
)
def test_each_check_finds_its_fault(broken, check):
    found = failures(broken())
    assert found.get(check), found


def test_every_check_was_seen_to_fail():
    parameters = test_each_check_finds_its_fault.pytestmark[0].args[1]
    assert {check for _, check in parameters} == {check.__name__.replace("_", " ") for check in CHECKS}


@pytest.mark.parametrize("name", registry.ALL)
def test_what_separates_says_so(name: str) -> None:
    """To say False is right of every algorithm, and would cost a separable one a pass for nothing."""
    algorithm = registry.get(name)

    class Claims(type(algorithm)):
        separable = property(lambda self: True)

    claims = Claims(**{field.name: getattr(algorithm, field.name) for field in fields(algorithm)})
    with nullcontext() if algorithm.separable else pytest.raises(AssertionError, match="in parts of groups the loss"):
        separable_losses_add_up(claims)


def test_stop_gradient_excuses_from_finite_differences():
    class Declared(WrongGradient):
        stop_gradient = property(lambda self: True)

    assert "gradient matches finite differences" not in failures(Declared())


@dataclass(frozen=True)
class NothingChanges(GRPO):
    """Turns a part off by what it is set to anyway."""

    @property
    def parts(self) -> Mapping[str, Mapping[str, Any]]:
        return {"KL": {"kl_coef": 0.04}}


def test_settings_that_are_there_anyway_turn_nothing_off() -> None:
    with pytest.raises(AssertionError, match="has anyway"):
        parts_can_be_turned_off(NothingChanges())
