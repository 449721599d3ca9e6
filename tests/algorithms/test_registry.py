"""Names, hyper-parameters, and what can be read without torch."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest

from algorithms import registry
from algorithms.objectives.grpo import GRPO

ROOT = Path(__file__).parents[2]
BUILT_IN = list(registry.ALL)


def test_the_built_in_algorithms():
    assert BUILT_IN[:4] == ["rence", "rence_plain", "rence_mean", "grpo"]
    assert registry.names() == BUILT_IN
    specs = [str((algorithm.spec(), dict(algorithm.recipe))) for algorithm in registry.ALL.values()]
    assert len(set(specs)) == len(specs)


def test_presets_add_no_code_to_the_class_they_are_settings_of():
    """Methods, and constants that are no hyper-parameters."""

    def code(cls: type) -> set[str]:
        own = {name for name in vars(cls) if not name.startswith(("__", "_abc"))}
        return own - {f.name for f in fields(cls)} - {"title", "source", "recipe", "rewards_alone"}

    for own, presets in registry.PRESETS.items():
        base = registry.ALGORITHMS[own]
        for name, preset in presets.items():
            assert type(preset) in (type(base), *type(base).__subclasses__()), name
            assert type(preset) is type(base) or not code(type(preset)), name
            assert registry.preset_of(name, preset) == own
            assert {f.name for f in fields(preset)} == {f.name for f in fields(base)}
            changed = registry.settings(name, preset)
            assert (changed or preset.recipe) and replace(base, **changed).spec() == preset.spec(), name
    classes = [type(algorithm) for algorithm in registry.ALGORITHMS.values()]
    assert len(set(classes)) == len(classes)
    assert [one for one in classes if not code(one) and set(one.__bases__) & set(classes)] == []
    assert registry.preset_of("grpo", GRPO()) is None and registry.settings("grpo", GRPO()) == {}
    assert registry.preset_of("mine", GRPO(clip_low=0.1)) == "grpo"
    assert registry.settings("mine", GRPO(clip_low=0.1)) == {"clip_low": 0.1}


def test_semi_online_dpo_is_online_dpo_with_a_recipe():
    semi, online = registry.get("semi_online_dpo"), registry.get("online_dpo")
    assert dict(semi.recipe) == {"generator_sync_steps": 10, "reference_sync_steps": 10}
    assert semi.spec() == online.spec() and asdict(semi) == asdict(online) and semi != online
    assert [name for name, one in registry.ALL.items() if one.recipe] == ["semi_online_dpo"]


def test_get_changes_hyperparameters():
    assert registry.get("grpo") == GRPO()
    assert registry.get("grpo", clip_low=0.1, kl_coef=0) == GRPO(clip_low=0.1, kl_coef=0.0)


def test_unknown_algorithm():
    with pytest.raises(registry.UnknownAlgorithm) as raised:
        registry.get("grpoo")
    assert str(raised.value) == "there is no algorithm `grpoo`. Did you mean `grpo`? See: rence list algorithms"
    assert isinstance(raised.value, LookupError)


def test_unknown_hyperparameter():
    with pytest.raises(ValueError, match=r"`dapo` has no hyper-parameter `clip_lo`\. Did you mean `clip_low`\?"):
        registry.get("dapo", clip_lo=0.2)


def test_bad_hyperparameter():
    with pytest.raises(ValueError, match=r"`clip_low` must be in \(0, 1\], but is 2 instead"):
        registry.get("grpo", clip_low=2)


@pytest.mark.parametrize("name", BUILT_IN)
def test_pickles(name):
    assert pickle.loads(pickle.dumps(registry.get(name))) == registry.get(name)


def test_rence_says_that_it_is_a_reconstruction():
    for name in ("rence", "rence_plain", "rence_mean"):
        algorithm = registry.get(name)
        assert algorithm.title == "ReNCE (reconstruction)" and "reconstruction" in algorithm.source
    assert "reconstruction" in sys.modules["algorithms.objectives.rence"].__doc__


def test_everything_but_the_maths_is_readable_without_torch():
    program = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise ImportError("torch was asked for")
sys.meta_path.insert(0, Refuse())
from dataclasses import asdict
from algorithms import contract, registry
for name, algorithm in registry.ALL.items():
    print(name, algorithm.title, asdict(algorithm), algorithm.spec(), algorithm.reference, algorithm.refill,
          algorithm.contrastive, algorithm.measures, algorithm.activity)
try:
    registry.get("grpo", clip_low=2)
except ValueError as error:
    print(error)
try:
    contract.example()
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()[: len(BUILT_IN)]] == BUILT_IN
    assert "`clip_low` must be in (0, 1]" in done.stdout
    assert done.stdout.splitlines()[-1] == "torch was asked for"


def test_every_algorithm_is_in_the_docs():
    page = (ROOT / "docs" / "algorithms.md").read_text(encoding="utf-8")
    assert [name for name in BUILT_IN if f"`{name}`" not in page] == []
    for own, presets in registry.PRESETS.items():
        assert f"| `{own}` | `{next(iter(presets))}` (" in page


def test_the_family_that_is_compared_tells_classes_from_presets():
    family = (ROOT / "configs" / "ablations" / "family.yaml").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^  (\w+): {}(?: # preset of (\w+))?$", family, re.MULTILINE))
    assert listed and all(registry.PRESETS[own].keys() >= {name} for name, own in listed.items() if own)
    assert {name for name, own in listed.items() if not own} <= registry.ALGORITHMS.keys()
