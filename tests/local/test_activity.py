"""What the parts of an objective do to the gradient: by numbers worked out by hand, and in training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor

from algorithms.base import Algorithm
from algorithms.objectives.reinforce import Reinforce
from algorithms.registry import ALL, get
from algorithms.rollouts import Rollouts
from harness.backends.local import activity
from harness.backends.local.activity import HALVES, due
from harness.backends.local.gradients import gradients, layers, products, values
from harness.backends.local.token_weights import LOGP, Moment, outcome
from harness.diff.frozen import Frozen, read
from harness.models.language_model import LanguageModel, load
from harness.models.resolving import model_hash
from harness.records import read_jsonl

if TYPE_CHECKING:
    from conftest import Run, Tiny


@pytest.fixture(scope="module")
def frozen() -> Frozen:
    """Eight groups of the shipped batch, of which theta has moved off the sampler: 0, 1, 4, 7 and 8 of 8 correct."""
    found = read(None, None, None)
    few = torch.nonzero(torch.isin(found.batch.positives_G, torch.tensor([0, 4, 8])))[:8, 0]
    rows = torch.cat([torch.nonzero(found.batch.group_B == group)[:, 0] for group in few])
    init = None if found.init_logp_BT is None else found.init_logp_BT[rows]
    synced = None if found.synced_logp_BT is None else found.synced_logp_BT[rows]
    return replace(found, batch=found.batch.select(few), init_logp_BT=init, synced_logp_BT=synced)


@pytest.fixture(scope="module")
def moved(frozen: Frozen) -> LanguageModel:
    return load(frozen.model)


@pytest.fixture(scope="module")
def on_policy(frozen: Frozen, moved: LanguageModel) -> Frozen:
    """The same rollouts as if theta had sampled them."""
    logp_BT = values(moved, frozen.batch, frozen.temperature, [LOGP])[LOGP]
    return replace(frozen, batch=replace(frozen.batch, old_logp_BT=logp_BT), init_logp_BT=logp_BT)


def measured(algorithm: Algorithm, moment: Frozen, model: LanguageModel) -> dict[str, float]:
    return activity.activity(model, algorithm, moment, moment.temperature)


def test_products_of_gradients_become_relative_norms_and_angles() -> None:
    # g = (3, 4); without one part (0, 4), without another g itself, without a third nothing; halves at right angles
    rows = torch.tensor([[3.0, 4.0], [0.0, 4.0], [0.0, 0.0], [0.0, 2.0], [5.0, 0.0]], dtype=torch.float64)
    found = dict(activity._metrics(rows @ rows.T, [0, 1, 0, 2, 3, 4], ["clip", "KL", "margin"], 2))
    assert found == {
        "activity/clip/norm": pytest.approx(3 / 5),
        "activity/clip/angle": pytest.approx(36.8698976),
        "activity/KL/norm": 0.0,
        "activity/KL/angle": 0.0,
        "activity/margin/norm": pytest.approx(1.0),  # all of g is the part, and there is no angle to nothing
        HALVES: pytest.approx(90.0),
    }


def test_without_a_gradient_nothing_is_said() -> None:
    gram = torch.tensor([[0.0, 0.0], [0.0, 4.0]], dtype=torch.float64)
    assert activity._metrics(gram, [0, 1, 0, 1], ["clip"], 2) == []


def test_a_clip_that_never_binds_is_exactly_nothing(on_policy: Frozen, moved: LanguageModel) -> None:
    found = measured(get("grpo", kl_coef=0), on_policy, moved)
    assert (found["activity/clip/norm"], found["activity/clip/angle"]) == (0.0, 0.0)
    assert 0 < found[HALVES] < 180
    assert "activity/KL/norm" not in found and "activity/filter/norm" not in found


def test_a_clip_that_binds_is_what_it_takes_from_the_gradient(frozen: Frozen, moved: LanguageModel) -> None:
    narrow = get("grpo", kl_coef=0, clip_low=0.01, clip_high=0.01)
    found = measured(narrow, frozen, moved)
    logp = values(moved, frozen.batch, frozen.temperature, [LOGP])
    both = [outcome(one, frozen, logp).weights for one in (narrow, get("grpo", kl_coef=0, clip_low=1, clip_high=1e9))]
    g, off = gradients(moved, frozen.batch, frozen.temperature, both, layers(moved)).double()
    assert found["activity/clip/norm"] == pytest.approx(float((g - off).norm() / g.norm()), rel=1e-5)
    assert found["activity/clip/norm"] > 0.05


@dataclass(frozen=True)
class Half(Reinforce):
    """Learns from groups with a correct rollout; with rewards of 0 and 1 the others have no gradient."""

    def keep(self, batch: Rollouts) -> Tensor:
        return batch.positives_G > 0


def test_a_filter_that_drops_half_of_what_teaches_nothing_doubles_the_gradient(
    frozen: Frozen, moved: LanguageModel
) -> None:
    solved, unsolved = (torch.nonzero(frozen.batch.positives_G == count)[:, 0] for count in (8, 0))
    pair = torch.stack([solved[0], unsolved[0]])
    some = Moment(batch=frozen.batch.select(pair), init_logp_BT=None, synced_logp_BT=None, progress=0.5, seed=0, step=1)
    found = activity.activity(moved, Half(), some, 1.0)
    # the mean over 8 rollouts against that over 16, of which 8 add nothing: g_off = g / 2
    assert found["activity/filter/norm"] == pytest.approx(0.5, abs=1e-6)
    assert found["activity/filter/angle"] == pytest.approx(0.0, abs=0.01)
    assert HALVES not in found  # one group is no two halves


def test_halves_are_every_other_kept_group(on_policy: Frozen, moved: LanguageModel) -> None:
    dapo = get("dapo")
    found = measured(dapo, on_policy, moved)
    kept = torch.nonzero(dapo.keep(on_policy.batch))[:, 0]
    logp = values(moved, on_policy.batch, on_policy.temperature, [LOGP])
    halves = []
    for some in (kept[::2], kept[1::2]):
        chosen_G = torch.zeros(on_policy.batch.groups, dtype=torch.bool).index_fill_(0, some, True)
        halves.append(outcome(dapo, on_policy, logp, chosen_G).weights)
    gram = products(gradients(moved, on_policy.batch, on_policy.temperature, halves, layers(moved)))
    cosine = float(gram[0, 1] / (gram[0, 0] * gram[1, 1]).sqrt())
    assert torch.tensor(found[HALVES]).deg2rad().cos().item() == pytest.approx(cosine, abs=1e-4)


@pytest.mark.parametrize("name", list(ALL))
def test_every_part_of_every_algorithm_can_be_turned_off(name: str, frozen: Frozen) -> None:
    algorithm = get(name)
    logp = {LOGP: frozen.batch.old_logp_BT - 0.05 * frozen.batch.mask_BT}
    for part, off in activity.without_parts(algorithm).items():
        assert off != algorithm, part
        assert outcome(off, frozen, logp).weights[LOGP].isfinite().all(), part


def test_parts_are_those_that_are_on() -> None:
    names = {name: list(get(name).parts) for name in ("grpo", "dapo", "rence", "rence_plain", "online_dpo", "nca")}
    assert names == {
        "grpo": ["clip", "KL"],
        "dapo": ["clip", "overlong penalty"],
        "rence": ["margin", "KL", "KL gate"],
        "rence_plain": [],
        "online_dpo": ["one pair of a group"],
        "nca": [],
    }
    assert list(get("grpo", kl_coef=0, clip_dual=3, entropy_coef=0.01).parts) == ["clip", "dual clip", "entropy bonus"]


def test_steps_that_reach_a_third_and_two_thirds_of_the_budget_are_measured() -> None:
    assert [step for step in range(1, 10) if due(16 * (step - 1), 16 * step, 144)] == [3, 6]
    assert due(0, 100, 100) and not due(70, 100, 100)


@pytest.fixture(scope="module")
def run(tiny: Tiny) -> Run:
    return tiny.train(tiny.trial("dapo", budget=8 * 16, learning_rate=5e-3))


def test_training_logs_it_on_those_steps_alone(run: Run) -> None:
    rows = [row["metrics"] for row in read_jsonl(run.folder.steps)]
    with_it = [place for place, row in enumerate(rows) if "activity/clip/norm" in row]
    assert 1 <= len(with_it) <= 2
    for place in with_it:
        assert rows[place]["activity/clip/norm"] >= 0 and 0 <= rows[place]["activity/filter/angle"] <= 180


def test_measuring_changes_nothing_of_the_training(tiny: Tiny, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "SHARES", ())
    without = tiny.train(tiny.trial("dapo", budget=8 * 16, learning_rate=5e-3))
    assert without.result.final_weights == run.result.final_weights
    assert model_hash(without.folder.checkpoint(without.result.steps)) == without.result.final_weights
    bare = [
        {name: value for name, value in row["metrics"].items() if not name.startswith("activity/")}
        for row in read_jsonl(run.folder.steps)
    ]
    assert bare == [row["metrics"] for row in read_jsonl(without.folder.steps)]


def test_an_algorithm_that_refuses_a_part_of_its_batch_is_trained_all_the_same(tiny: Tiny) -> None:
    """Measuring asks it about halves of a batch, which training never does."""

    @dataclass(frozen=True)
    class Whole(Reinforce):
        def credit(self, batch: Rollouts, rng: object) -> dict[str, Tensor]:
            if batch.groups < 4:
                raise ValueError("four groups or none")
            return dict(super().credit(batch, rng))  # type: ignore[arg-type]

    run = tiny.train(tiny.trial(Whole(), budget=96))
    assert run.result.rollouts >= 96
    assert not [name for record in run.watcher.records for name in record.metrics if name.startswith("activity/")]
