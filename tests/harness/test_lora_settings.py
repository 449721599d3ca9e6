"""`recipe.lora`: what an experiment may ask for, and what is refused before anything starts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness import config
from harness.base.errors import UserError
from harness.config import adapting
from harness.config.explain import explain
from harness.config.factors import words
from harness.config.load import resolved
from harness.config.training_recipe import Recipe
from harness.models import resolving
from harness.models.lora import Adaptable, Lora, adaptable, mistake
from harness.models.shape import STATED
from harness.planning import plan

QUICKSTART = Path(__file__).parents[2] / "configs/quickstart.yaml"
MODEL = resolving.SHIPPED["quickstart-base"]
SMALL = Adaptable({"layers.0.attn.q_proj": (8, 4), "layers.0.mlp.up_proj": (16, 4), "lm_head": (32, 4)}, "lm_head")


def test_without_it_nothing_changes() -> None:
    """Plans and files of before hold no such key, and their locks stay."""
    before, said = config.load(QUICKSTART), config.load(QUICKSTART, ["recipe.lora=null"])
    assert before == said and plan.make(before, MODEL).lock == plan.make(said, MODEL).lock
    assert "lora" not in plan.make(before, MODEL).recipe


def test_it_is_part_of_the_lock_and_of_an_arms_fingerprint() -> None:
    plain, small, large = (
        config.load(QUICKSTART, [f"recipe.lora={lora}"]) for lora in ("null", "{rank: 4}", "{rank: 8, alpha: 32}")
    )
    assert len({plan.make(one, MODEL).lock for one in (plain, small, large)}) == 3
    assert len({one.arms[0].fingerprint for one in (plain, small, large)}) == 3
    made = plan.make(small, MODEL)
    assert made.recipe["lora"] == {"rank": 4, "alpha": 32, "targets": ["all-linear"]}
    assert made.arms[0].spec["adapters"] == "LoRA, rank 4, alpha 32, all-linear"


def test_an_arm_that_leaves_the_shared_recipe_says_so(tmp_path: Path) -> None:
    changed = config.load(QUICKSTART, ["arms.grpo.recipe={lora: {rank: 4, targets: [q_proj, v_proj]}}"])
    arm = changed.arm("grpo")
    assert arm.recipe.lora == Lora(4, 32, ("q_proj", "v_proj")) and changed.recipe.lora is None
    (record,) = (one for one in plan.make(changed, MODEL).arms if one.name == "grpo")
    assert json.loads(json.dumps(record.recipe_differences)) == {
        "lora": {"rank": 4, "alpha": 32, "targets": ["q_proj", "v_proj"]}
    }
    (tmp_path / "resolved.json").write_text(json.dumps(resolved(changed)))
    assert config.load_run(tmp_path / "resolved.json") == changed


def test_levels_of_a_sweep() -> None:
    sweep = '{base: grpo, factors: {"weights": {all: {recipe.lora: null}, r4: {recipe.lora: {rank: 4}}}}}'
    made = config.load(QUICKSTART, [f"grid={sweep}", "comparison={target: rence}"])
    assert {arm.recipe.lora for arm in made.arms} == {None, Lora(4)}


@pytest.mark.parametrize(
    ("lora", "message"),
    [
        ("{rank: 0}", "`recipe.lora.rank` must be at least 1, but is 0 instead."),
        ("{alpha: 0}", "`recipe.lora.alpha` must be at least 1, but is 0 instead."),
        ("{rnk: 4}", "`recipe.lora.rnk` is not a key. Did you mean `rank`?"),
        ("{targets: []}", "`recipe.lora.targets` must be longer: it may not be empty"),
        ("{targets: q_proj}", "`recipe.lora.targets` must be a list"),
        ("5", "`recipe.lora` must be a mapping, but is 5 instead."),
        (
            "{rank: 4, targets: [q_prj]}",
            "`targets` names `q_prj`, but no linear layer of the model is called so. Did you mean `q_proj`? It has: ",
        ),
        ("{rank: 4, targets: [proj]}", "no linear layer of the model is called so. "),
        ("{rank: 4, targets: [q_proj, lm_head]}", "`lm_head`, which shares its weights with the embeddings"),
        ("{rank: 4, targets: [embed_tokens]}", "`embed_tokens`, which is no linear layer"),
        ("{rank: 65}", "`rank` must be at most 64 with these `targets`, but is 65 instead"),
    ],
)
def test_what_is_refused_before_anything_starts(lora: str, message: str) -> None:
    for key in ("recipe", "arms.grpo.recipe"):
        written = f"{key}={{lora: {lora}}}" if key != "recipe" else f"recipe.lora={lora}"
        with pytest.raises(UserError) as error:
            config.load(QUICKSTART, [written])
        said = str(error.value).replace("arms.grpo.recipe.lora", "recipe.lora")
        assert message in said and len(said.splitlines()) <= 3


def test_a_model_of_the_hub_is_looked_at_by_its_stated_sizes_and_again_when_it_is_here() -> None:
    asked = ["model=Qwen/Qwen3-1.7B", "backend=local", "recipe.lora={targets: [qkv_proj]}"]
    with pytest.raises(UserError, match="`qkv_proj`, but no linear layer"):
        config.load(QUICKSTART, asked)
    unknown = config.load(QUICKSTART, ["model=someone/else", *asked[1:]])
    adapting.check_fetched(replace(unknown, recipe=Recipe()), MODEL.parent)  # nothing can be read there: not told
    with pytest.raises(UserError, match=r"arm `.*`, `recipe.lora`: `targets` names `qkv_proj`"):
        adapting.check_fetched(unknown, MODEL)


def test_which_layers_get_one() -> None:
    assert set(SMALL.adapted(Lora(2))) == {"layers.0.attn.q_proj", "layers.0.mlp.up_proj"}
    assert set(SMALL.adapted(Lora(2, targets=("lm_head", "attn.q_proj")))) == {"lm_head", "layers.0.attn.q_proj"}
    assert SMALL.parameters(Lora(2)) == 2 * (8 + 4) + 2 * (16 + 4)
    assert not mistake(Lora(4), SMALL) and "at most 4" in mistake(Lora(5), SMALL)


def test_numbers_that_learn_of_a_stated_model() -> None:
    """Of a layer of Qwen3-1.7B: q and o 2048 x 2048, k and v 1024 x 2048, three of 6144 x 2048; 28 layers."""
    model = adaptable("Qwen/Qwen3-1.7B", None)
    assert model and model.parameters(Lora(32)) == 28 * 32 * (2 * 4096 + 2 * 3072 + 3 * 8192) == 34_865_152
    assert STATED["Qwen/Qwen3-1.7B"].tied and not model.head


def test_explained() -> None:
    assert "rank" in explain("recipe.lora") and "at least 1" in explain("recipe.lora.alpha")


def test_in_words() -> None:
    assert words({"rank": 8, "targets": ["q_proj", "v_proj"]}) == "rank 8, targets q_proj+v_proj"
