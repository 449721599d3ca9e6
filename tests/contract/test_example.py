"""The example package of docs/examples: installed by pip, listed, checked, and trained on the local backend. (On verl:
tests/verl/test_plugin.py.)"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import combinations
from math import comb, sqrt
from pathlib import Path

import pytest
import torch

from rence import Rollouts
from rence.objectives import GRPO
from tests.closeness import assert_close

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "docs" / "examples" / "pass_at_k"
EXPERIMENT = """\
name: example
model: quickstart-base
template: bare
train: mini_rl
seeds: [0]
budget: {rollouts: 64}
recipe: {group_size: 8, prompts_per_step: 4, checkpoint_steps: 1}
evaluation: {benchmarks: {mini_sums: 1}, points: 1, limit: 20}
arms: {pass_at_k: {k: 2}, grpo: {}}
comparison: {target: pass_at_k, baselines: [grpo]}
"""


@pytest.fixture
def rence(example: Path, tmp_path: Path):
    def call(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "rence", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{example}", "NO_COLOR": "1", "OMP_NUM_THREADS": "1",
                 "MLFLOW_TRACKING_URI": "http://127.0.0.1:9"},
            capture_output=True,
            text=True,
            timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


@pytest.fixture
def example_class(example: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(example)
    from pass_at_k import PassAtK

    yield PassAtK
    sys.modules.pop("pass_at_k")


def test_it_is_short() -> None:
    files = sorted(path.name for path in SOURCE.iterdir())
    assert files == ["pass_at_k.py", "pyproject.toml"]
    assert sum(len((SOURCE / name).read_text(encoding="utf-8").splitlines()) for name in files) <= 40


def test_it_is_listed_shown_and_keeps_the_contract(rence) -> None:
    rows = json.loads(rence("list", "algorithms", "--json"))
    assert rows[-1] == {
        "name": "pass_at_k",
        "title": "Pass@k training",
        "preset_of": None,
        "setting": "",
        "source": "Chen et al. 2025, arXiv:2508.10751, eq. 14 and 15",
    }
    sheet = json.loads(rence("show", "pass_at_k", "--json"))
    assert sheet["hyperparameters"][-1] == {
        "name": "k",
        "default": 4,
        "meaning": "rollouts in a set, those of a group at most; 1: GRPO with the deviation of the population",
    }
    checks = json.loads(rence("check", "pass_at_k", "--json"))["checks"]
    assert len(checks) >= 16 and all(check["passed"] for check in checks)


def test_its_advantages_are_the_papers(example_class) -> None:
    """N = 6 rollouts, 2 correct, k = 3: C(4,3)/C(6,3) = 4/20 of all sets fail; with a given wrong rollout
    C(3,2)/C(5,2) = 3/10. So s = sqrt(0.2 x 0.8) = 0.4, and the advantages are 0.2/0.4 and (0.2 - 0.3)/0.4."""
    advantage = credit(example_class(k=3), [1, 0, 0, 1, 0, 0])
    assert_close(advantage, [0.5, -0.25, -0.25, 0.5, -0.25, -0.25], within=3e-5)  # 1e-6 is added to the deviation
    assert credit(example_class(k=5), [1, 0, 0, 1, 0, 0]).abs().max() == 0, "no set of 5 is without a correct one"
    # where all k that can be drawn are drawn, a set fails only as a whole
    assert credit(example_class(k=9), [0, 0, 0]).abs().max() == 0
    # k = 1 is GRPO, with the standard deviation of the population
    labels = [1, 0, 1, 1, 0]
    expected = credit(GRPO(std_ddof=0), labels)
    assert_close(credit(example_class(k=1), labels), expected, within=3e-5)


def test_its_advantages_are_means_over_all_sets(example_class) -> None:
    """Each equals the standardised mean reward of the sets that the rollout is in, minus that of all sets."""
    labels, k = [1, 0, 0, 0, 1, 0, 0], 3
    sets = list(combinations(range(7), k))
    reward = {chosen: float(any(labels[i] for i in chosen)) for chosen in sets}
    mean = sum(reward.values()) / len(sets)
    std = sqrt(sum((value - mean) ** 2 for value in reward.values()) / comb(7, 3))
    own = [[reward[chosen] for chosen in sets if i in chosen] for i in range(7)]
    expected = [(sum(values) / len(values) - mean) / std for values in own]
    assert_close(credit(example_class(k=k), labels), expected, within=3e-5)


def test_a_k_out_of_range_is_refused(example_class) -> None:
    with pytest.raises(ValueError, match=r"`k` must be in \[1, inf\), but is 0 instead"):
        example_class(k=0)


def credit(algorithm: GRPO, labels: list[int]) -> torch.Tensor:
    rows, label_B = len(labels), torch.tensor(labels).bool()
    mask_BT = torch.ones(rows, 2, dtype=torch.bool)
    one = Rollouts(
        group_B=torch.zeros(rows, dtype=torch.int64),
        label_B=label_B,
        reward_B=label_B.double(),
        truncated_B=~mask_BT[:, 0],
        mask_BT=mask_BT,
        old_logp_BT=-mask_BT.double(),
        problem_ids=("a",),
        max_tokens=4,
    )
    return algorithm.credit(one, lambda problem_id: torch.Generator())["advantage"]


def test_it_trains_on_the_local_backend(rence, tmp_path: Path) -> None:
    (tmp_path / "example.yaml").write_text(EXPERIMENT)
    rence("run", "example.yaml", "--workers", "1")
    run = tmp_path / "runs" / "example"
    trials = {arm: run / arm / "seed0" for arm in ("pass_at_k", "grpo")}
    steps = {arm: (folder / "steps.jsonl").read_text().splitlines() for arm, folder in trials.items()}
    first = {arm: json.loads(lines[0])["metrics"] for arm, lines in steps.items()}
    for same in ("generated/score/mean", "groups/kept", "marks/correct"):
        assert first["pass_at_k"][same] == first["grpo"][same], "before the first update the arms are one"
    assert abs(first["pass_at_k"]["actor/loss"] - first["grpo"]["actor/loss"]) > 1e-4
    assert first["pass_at_k"]["actor/grad_norm"] > 0
    environment = {
        arm: json.loads((folder / "trial.json").read_text())["environment"] for arm, folder in trials.items()
    }
    assert environment["pass_at_k"]["rence-pass-at-k"] == "0.1.0"
    assert "rence-pass-at-k" not in environment["grpo"]
    page = (run / "report" / "report.md").read_text(encoding="utf-8")
    assert "Pass@k training" in page and "share of sets of 2 that fail" in page
