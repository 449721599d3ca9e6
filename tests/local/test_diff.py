"""The frozen-batch diff by numbers: on-policy weights from the formulas, gradients against the trainer's own, and what
must change nothing."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from algorithms.registry import get
from harness.backends import recorded
from harness.backends.local.gradients import gradients, layers, values
from harness.backends.local.logprobs import response_logp
from harness.backends.local.token_weights import ENTROPY, LOGP, outcome
from harness.backends.local.update import Learner, make_optimizer
from harness.config.training_recipe import Recipe
from harness.diff import compare as comparing
from harness.diff.asked import NamedAlgorithm, parse
from harness.diff.compare import compare
from harness.diff.frozen import SHIPPED, Frozen, read
from harness.diff.summary import summary
from harness.models.language_model import LanguageModel, load
from harness.models.resolving import SHIPPED as MODELS
from harness.models.resolving import model_hash
from tests.closeness import assert_close

DR_GRPO = "dr_grpo"


@pytest.fixture(scope="module")
def frozen() -> Frozen:
    return read(None, None, None)


@pytest.fixture(scope="module")
def model(frozen: Frozen) -> LanguageModel:
    return load(frozen.model)


@pytest.fixture(scope="module")
def logp_BT(frozen: Frozen, model: LanguageModel) -> Tensor:
    return values(model, frozen.batch, frozen.temperature, [LOGP])[LOGP]


@pytest.fixture(scope="module")
def on_policy(frozen: Frozen, logp_BT: Tensor) -> Frozen:
    """The same rollouts as if theta had sampled them."""
    return replace(frozen, batch=replace(frozen.batch, old_logp_BT=logp_BT), init_logp_BT=logp_BT)


def one(word: str) -> NamedAlgorithm:
    return parse([word, "rejection"])[0]


def weights(word: str, frozen: Frozen, logp_BT: Tensor) -> Tensor:
    return outcome(one(word).algorithm, frozen, {LOGP: logp_BT}).weights[LOGP]


def told(word: str, frozen: Frozen, logp_BT: Tensor) -> dict[str, Any]:
    return summary(outcome(one(word).algorithm, frozen, {LOGP: logp_BT}), frozen.batch)


def selected(frozen: Frozen, rows_B: Tensor) -> tuple[Frozen, Tensor]:
    """Some rollouts as a batch of their own, and which they are."""
    batch = frozen.batch.rows(rows_B)
    some = batch.select(torch.nonzero(batch.size_G > 0)[:, 0])
    return replace(frozen, batch=some, init_logp_BT=None, synced_logp_BT=None), torch.nonzero(rows_B)[:, 0]


# ---- the shipped batch


def test_the_shipped_batch_is_what_its_page_says(frozen: Frozen) -> None:
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file()) < 1_000_000
    batch = frozen.batch
    assert (batch.groups, len(batch), int(batch.label_B.sum()), int(batch.mask_BT.sum())) == (32, 256, 157, 5145)
    assert set(batch.positives_G.tolist()) == set(range(9)) and batch.size_G.unique().tolist() == [8]
    assert (frozen.step, frozen.seed, frozen.progress, frozen.temperature) == (24, 0, 0.5, 1.0)
    assert (batch.label_B == batch.correct_B).all()


def test_the_shipped_batch_is_of_the_quickstart(frozen: Frozen) -> None:
    start = MODELS["quickstart-base"]
    assert recorded.read(SHIPPED).origin.start_hash == model_hash(start) != model_hash(frozen.model)
    with torch.no_grad():
        start_BT = response_logp(load(start), frozen.batch, 1.0)
    assert_close(frozen.init_logp_BT, start_BT, within=2e-5)


def test_its_weights_have_moved_off_the_sampler_a_little(frozen: Frozen, logp_BT: Tensor) -> None:
    moved_N = (logp_BT - frozen.batch.old_logp_BT)[frozen.batch.mask_BT]
    assert 0.01 < moved_N.square().mean().sqrt() < 0.2


# ---- weights from formulas


def test_grpo_on_policy(on_policy: Frozen, logp_BT: Tensor) -> None:
    # sample standard deviation of P ones among K: sqrt(P N / (K (K - 1))); the weight of a token is A / |y| / B
    batch = on_policy.batch
    positives_B = batch.positives_G[batch.group_B].double()
    std_B = (positives_B * (8 - positives_B) / 56).sqrt()
    advantage_B = (batch.label_B.double() - positives_B / 8) / (std_B + 1e-6)
    expected_BT = (advantage_B / batch.length_B / 256)[:, None] * batch.mask_BT
    assert_close(weights("grpo:kl_coef=0", on_policy, logp_BT), expected_BT, within=1e-9)


def test_rence_on_policy_is_g4(on_policy: Frozen, logp_BT: Tensor) -> None:
    # w(P, N) (r_k - P/K) with w = beta K / (1 + N), times 1/K and a mean over the 26 groups with a contrast:
    # beta/K N / (1 + N) / 26 for a correct rollout's tokens, -beta/K P / (1 + N) / 26 for an incorrect one's
    batch = on_policy.batch
    positives_B = batch.positives_G[batch.group_B].double()
    negatives_B = 8 - positives_B
    weight_B = torch.where(batch.label_B, negatives_B, -positives_B) / (1 + negatives_B) * 0.1 / 8 / 26
    contrast_B = batch.contrast_G[batch.group_B]
    expected_BT = (weight_B * contrast_B)[:, None] * batch.mask_BT
    assert_close(weights("rence_plain", on_policy, logp_BT), expected_BT, within=1e-9)


def test_groups_without_a_contrast_have_no_weight(frozen: Frozen, logp_BT: Tensor) -> None:
    batch = frozen.batch
    equal_B = ~batch.contrast_G[batch.group_B]
    assert equal_B.sum() == 48
    for word in ("grpo:kl_coef=0", "dapo", "rence", "online_dpo"):
        assert not weights(word, frozen, logp_BT)[equal_B].any(), word
    assert weights("grpo", frozen, logp_BT)[equal_B].any()  # its KL pulls everywhere


def test_padding_has_no_weight(frozen: Frozen, logp_BT: Tensor) -> None:
    for word in ("grpo", "dapo", "rence"):
        assert not weights(word, frozen, logp_BT)[~frozen.batch.mask_BT].any()


# ---- what is told of them


def test_the_exponent_of_length_tells_token_from_sequence_means(on_policy: Frozen, logp_BT: Tensor) -> None:
    for word, sequence in (("grpo:kl_coef=0", 0.0), (DR_GRPO, 1.0), ("rence_plain", 1.0)):
        for side in ("correct", "incorrect"):
            found = told(word, on_policy, logp_BT)["length"][side]
            exponents = [found["sequence"]["exponent"], found["token"]["exponent"]]
            assert_close(exponents, [sequence, sequence - 1], within=1e-9)


def test_rank_correlation_with_length() -> None:
    # ranks of weights 1 3 2 4 against lengths 1 2 3 4: 1 - 6 (0 + 1 + 1 + 0) / (4 * 15) = 0.8
    from harness.diff.summary import _rank

    assert _rank(torch.tensor([1.0, 30.0, 2.0, 99.0]), torch.tensor([5, 6, 7, 8])) == pytest.approx(0.8)
    assert _rank(torch.tensor([1.0, 1.0, 1.0]), torch.tensor([5, 6, 7])) is None
    # ties share 1.5 and 3.5: sums of products of centred ranks 4, of squares 4 and 5
    assert _rank(torch.tensor([1.0, 1.0, 2.0, 2.0]), torch.tensor([1, 2, 3, 4])) == pytest.approx(4 / math.sqrt(20))


def test_composition_of_grpo_on_policy(on_policy: Frozen, logp_BT: Tensor) -> None:
    rows = told("grpo:kl_coef=0", on_policy, logp_BT)["composition"]
    assert [row["positives"] for row in rows] == list(range(9)) and sum(row["groups"] for row in rows) == 32
    assert sum(row["share"] for row in rows) == pytest.approx(1)
    assert rows[0]["correct"] is None and rows[8]["incorrect"] is None
    assert rows[0]["incorrect"]["mean"] == rows[8]["correct"]["mean"] == 0
    for row in rows[1:8]:
        p, n = row["positives"], 8 - row["positives"]
        # a group's weights add up to 0, and their sizes to 2 sqrt(P N (K-1) / K)
        assert p * row["correct"]["mean"] == pytest.approx(-n * row["incorrect"]["mean"])
        assert row["share"] / row["groups"] / rows[4]["share"] * rows[4]["groups"] == pytest.approx(
            math.sqrt(p * n) / 4, rel=1e-4
        )


def test_a_filter_drops_and_is_counted(frozen: Frozen, logp_BT: Tensor) -> None:
    found = told("rence", frozen, logp_BT)  # P of K from 1 to 6: 7/8 is above t_easy
    dropped = [row["positives"] for row in found["composition"] if not row["groups_kept"]]
    assert dropped == [0, 7, 8]
    assert found["rollouts_kept"] == 8 * found["groups_kept"] == 8 * (32 - 3 - 7 - 3)
    assert sum(found["rollouts"].values()) == pytest.approx(1)


def test_clipped_tokens_are_those_without_weight(frozen: Frozen, logp_BT: Tensor) -> None:
    loose, tight = (
        told(f"grpo:kl_coef=0,clip_low={bound},clip_high={bound}", frozen, logp_BT)["tokens"] for bound in (1, 0.02)
    )
    equal = float(frozen.batch.mask_BT[~frozen.batch.contrast_G[frozen.batch.group_B]].sum() / 5145)
    assert loose["clipped"] == 0 and loose["none"] == pytest.approx(equal)
    assert tight["clipped"] > 0.02
    assert tight["none"] == pytest.approx(equal + tight["clipped"])


def test_relative_weights_do_not_hang_on_the_size_of_the_loss(frozen: Frozen, logp_BT: Tensor) -> None:
    found = outcome(one("rence").algorithm, frozen, {LOGP: logp_BT})
    larger = replace(found, weights={LOGP: 1000 * found.weights[LOGP]})
    a, b = (summary(o, frozen.batch) for o in (found, larger))
    assert a["sequence_weight"] == pytest.approx(b["sequence_weight"])
    assert sum(map(abs, a["sequence_weight"])) == pytest.approx(256)
    assert b["tokens"]["mean_abs"] == pytest.approx(1000 * a["tokens"]["mean_abs"])


# ---- gradients


def test_the_gradient_is_the_trainers(frozen: Frozen, model: LanguageModel) -> None:
    both = values(model, frozen.batch, 1.0, [LOGP, ENTROPY])
    for word in ("grpo", "rence", "online_dpo_ref_init", "grpo:entropy_coef=0.1"):
        found = outcome(one(word).algorithm, frozen, both)
        assert (ENTROPY in found.weights) == ("entropy" in word)
        of = layers(model)
        (mine,) = gradients(model, frozen.batch, 1.0, [found.weights], of)
        algorithm = found.algorithm
        batch = replace(frozen.batch, ref_logp_BT=frozen.init_logp_BT).select(torch.nonzero(found.keep_G)[:, 0])
        batch = replace(batch, reward_B=algorithm.shape(batch))

        def rng(problem: str) -> torch.Generator:
            from harness.base.seeds import derive

            return torch.Generator().manual_seed(derive("credit", 0, 24, problem))

        batch = replace(batch, credit=algorithm.credit(batch, rng))
        recipe = Recipe(microbatch_tokens=2000)
        learner = Learner(model, algorithm, recipe, make_optimizer(model, recipe))
        loss, _ = learner.backward(batch, 0.5)
        theirs = torch.cat([p.grad.flatten() for p in of.parameters if p.grad is not None])
        model.net.zero_grad()
        assert_close(found.loss, loss, within=1e-6, floor=1.0)
        assert_close(mine, -theirs, within=2e-5)


def test_layers_are_a_partition(frozen: Frozen, model: LanguageModel) -> None:
    of = layers(model)
    assert of.names == ["embeddings", "block 0", "block 1", "head"]
    spans = of.spans()
    assert [span.start for span in spans.values()] == [0, *(span.stop for span in spans.values())][:-1]
    total = sum(parameter.numel() for parameter in model.net.parameters())
    assert spans["head"].stop == total == sum(p.numel() for p in of.parameters)


@pytest.mark.parametrize("architecture", ["qwen3", "llama", "gpt2", "mistral"])
def test_layers_of_other_architectures(folders: dict[str, Path], architecture: str) -> None:
    of = layers(load(folders[architecture]))
    assert of.names == ["embeddings", "block 0", "block 1", "head"]
    head = sum(p.numel() for p, name in zip(of.parameters, of.of, strict=True) if name == "head")
    # the final norm (32 of RMS, 64 of LayerNorm), and the head's own weights where they are not the embeddings'
    assert head == {"qwen3": 32, "gpt2": 64, "llama": 32 + 32 * 21, "mistral": 32 + 32 * 21}[architecture]


def test_more_gradients_than_there_is_room_for_are_refused(
    frozen: Frozen, model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.base.errors import UserError

    # room for 2.5 gradients of 132,736 parameters of 4 bytes in a machine of a million bytes
    monkeypatch.setattr("harness.backends.local.gradients.os.sysconf", lambda name: 1000)
    monkeypatch.setattr("harness.backends.local.gradients.MOST_MEMORY", 2.5 * 4 * 132736 / 1e6)
    with pytest.raises(UserError, match=r"3 gradients of 132,736 parameters take 0\.0 GB.* at most 2 algorithms"):
        gradients(model, frozen.batch, 1.0, [{}] * 3, layers(model))
    gradients(model, frozen.batch, 1.0, [{}] * 2, layers(model))


@pytest.fixture(scope="module")
def document(frozen: Frozen) -> dict[str, Any]:
    words = ["grpo", "grpo:kl_coef=0.04", "grpo:kl_coef=0", DR_GRPO, "dapo", "rence", "rejection"]
    return compare(parse(words), frozen)


def test_equal_algorithms_have_cosine_one_and_no_differences(document: dict[str, Any], frozen: Frozen) -> None:
    for matrix in (document["cosine"]["overall"], *document["cosine"]["layers"].values()):
        assert matrix[0][1] == pytest.approx(1)
        for i, row in enumerate(matrix):
            assert row[i] == 1 and all(value == matrix[j][i] and -1 <= value <= 1 for j, value in enumerate(row))
    first, second = (dict(document["algorithms"][i], label="") for i in (0, 1))
    assert first == second
    assert comparing.differences(parse(["grpo", "grpo:kl_coef=0.04"])) == {}


def test_norms_of_layers_add_up(document: dict[str, Any]) -> None:
    for found in document["algorithms"]:
        squares = sum(norm**2 for norm in found["gradient_norm_by_layer"].values())
        assert math.sqrt(squares) == pytest.approx(found["gradient_norm"])
    assert sum(layer["parameters"] for layer in document["layers"]) == 132736


def test_only_rows_that_differ_are_told(document: dict[str, Any]) -> None:
    found = comparing.differences(parse(["grpo", DR_GRPO]))
    assert set(found) == {"scale", "aggregation", "KL", "reference"}
    assert found["scale"] == ["std of the group, ddof 1", "none"]
    assert comparing.differences(parse(["grpo", "rence"]))["margin"] == [None, "0.5 × reward_gap"]


def test_with_equal_lengths_and_compositions_grpo_is_dr_grpo(on_policy: Frozen) -> None:
    # then dividing by the length and by the standard deviation are dividing by constants
    lengths = on_policy.batch.length_B
    common = int(lengths.mode().values)
    some, _ = selected(on_policy, lengths == common)
    same_G = (some.batch.size_G == some.batch.size_G.mode().values) & some.batch.contrast_G
    positives_G = torch.where(same_G, some.batch.positives_G, -1)
    chosen_G = positives_G == positives_G[same_G].mode().values
    assert chosen_G.sum() >= 2
    some, _ = selected(some, chosen_G[some.batch.group_B])
    found = compare(parse(["grpo:kl_coef=0", DR_GRPO, "dapo"]), some)
    assert found["cosine"]["overall"][0][1] == pytest.approx(1)
    assert found["algorithms"][0]["sequence_weight"] == pytest.approx(found["algorithms"][1]["sequence_weight"])


def test_without_equal_lengths_it_is_not(document: dict[str, Any]) -> None:
    assert 0.5 < document["cosine"]["overall"][2][3] < 0.95


# ---- what changes nothing


def test_padding_changes_nothing(frozen: Frozen, document: dict[str, Any]) -> None:
    def wider(value_BT: Tensor) -> Tensor:
        return torch.nn.functional.pad(value_BT, (0, 7))

    batch = frozen.batch
    names = [f.name for f in fields(batch) if f.name.endswith("_BT") and getattr(batch, f.name) is not None]
    batch = replace(batch, **{name: wider(getattr(batch, name)) for name in names})
    assert frozen.init_logp_BT is not None
    found = compare(
        parse([a["label"] for a in document["algorithms"]]),
        replace(frozen, batch=batch, init_logp_BT=wider(frozen.init_logp_BT)),
    )
    for a, b in zip(found["algorithms"], document["algorithms"], strict=True):
        assert a["sequence_weight"] == pytest.approx(b["sequence_weight"], rel=1e-6)
        assert a["gradient_norm"] == pytest.approx(b["gradient_norm"], rel=1e-5)


def test_the_same_batch_gives_the_same_document(frozen: Frozen, document: dict[str, Any]) -> None:
    assert compare(parse([a["label"] for a in document["algorithms"]]), frozen) == document


def test_micro_batches_change_nothing(
    frozen: Frozen, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.backends.local.gradients.MICRO_TOKENS", 700)
    found = compare(parse([a["label"] for a in document["algorithms"]]), frozen)
    for a, b in zip(found["algorithms"], document["algorithms"], strict=True):
        assert a["gradient_norm"] == pytest.approx(b["gradient_norm"], rel=1e-5)


def test_an_algorithm_that_keeps_no_group_has_no_loss_and_no_direction(frozen: Frozen) -> None:
    some, _ = selected(frozen, ~frozen.batch.contrast_G[frozen.batch.group_B])
    found = compare(parse(["dapo", "grpo:kl_coef=0", "rejection"]), some)
    dapo, grpo, rejection = found["algorithms"]
    assert (dapo["loss"], dapo["groups_kept"], dapo["gradient_norm"]) == (None, 0, 0)
    assert dapo["rollouts"] == {"up": None, "down": None, "none": None} and dapo["tokens"]["none"] is None
    assert grpo["rollouts"]["none"] == 1 and grpo["gradient_norm"] == 0
    assert found["cosine"]["overall"] == [[None] * 3, [None] * 3, [None, None, 1.0]]
    assert rejection["gradient_norm"] > 0


def test_variants_are_refused_with_what_is_allowed() -> None:
    from harness.base.errors import UserError

    for words, message in {
        ("grpo", "grop"): "no algorithm `grop`. Did you mean `grpo`?",
        ("grpo", "grpo:clip_hi=0.4"): "`grpo:clip_hi=0.4`: `grpo` has no hyper-parameter `clip_hi`",
        ("grpo", "grpo:clip_high=-1"): r"`clip_high` must be in \(0, inf\), but is -1",
        ("grpo", "grpo:clip_high"): "must be ALGORITHM:NAME=VALUE",
        ("grpo", "grpo:"): "must be ALGORITHM:NAME=VALUE",
        ("grpo", "grpo"): "`grpo` is named twice",
        ("grpo",): "at least two algorithms",
    }.items():
        with pytest.raises(UserError, match=message):
            parse(list(words))


def test_variants_and_all() -> None:
    found = parse(["grpo", "grpo:clip_high=0.4,kl_coef=1e-3", "grpo:aggregation=token_mean,clip_dual=3"])
    assert found[1].algorithm == get("grpo", clip_high=0.4, kl_coef=1e-3)
    assert found[2].algorithm == get("grpo", aggregation="token_mean", clip_dual=3.0)
    from algorithms import registry

    assert [asked.label for asked in parse(["all"])] == registry.names()


def test_every_algorithm_can_be_run(frozen: Frozen) -> None:
    found = compare(parse(["all"]), frozen)
    for told in found["algorithms"]:
        assert told["loss"] is not None and math.isfinite(told["loss"]) and told["gradient_norm"] > 0, told["label"]
