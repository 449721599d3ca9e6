"""The example backend on TRL's GRPOTrainer: installed by pip, its gradients those of the local backend, its contract,
and from plan to report. TRL is the real one; only its loss may not be called."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import torch
from trl.trainer.grpo_trainer import GRPOTrainer

from harness import config
from harness.backends.backend_contract import CHECKS
from harness.backends.base import TrainingResult
from harness.backends.collect import collect
from harness.backends.example_trial import Watcher, under_test
from harness.backends.groups import Group
from harness.backends.local.loop import Training as LocalTraining
from harness.backends.registry import get_backend
from harness.base import plugins
from harness.base.errors import UserError
from harness.base.registry import training_set
from harness.config.experiment import Trial
from harness.config.manifest import parse
from harness.models.resolving import resolve
from harness.prompts.stream import Prompt, PromptStream
from harness.records import Plan, RunFolder, read_json, read_jsonl
from reports.data.load import load
from tests.closeness import assert_close

ROOT, SEED = Path(__file__).parents[2], 3
EXPERIMENT = """\
name: example
backend: trl
model: quickstart-base
template: bare
train: mini_rl
seeds: [3]
budget: {rollouts: 128}
# AdamW's first step is next to the gradient's sign, which makes a whole step of an element's rounding: hence `adam_eps`
recipe: {group_size: 8, prompts_per_step: 16, epochs: 1, minibatches: 2, microbatch_tokens: 1500, adam_eps: 1e-3}
evaluation: {benchmarks: {mini_sums: 1}, points: 1, limit: 20}
arms: {grpo: {}, rence: {}, online_dpo: {}, magistral: {}}
comparison: {target: rence, baselines: [grpo]}
"""
Started = Callable[..., Any]


@pytest.fixture
def backend(trl_example: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Installed for this process."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(trl_example)
    plugins._found.cache_clear()
    yield
    for name in [name for name in sys.modules.keys() - before if name.startswith("trl_backend")]:
        del sys.modules[name]
    monkeypatch.undo()
    plugins._found.cache_clear()


@pytest.fixture
def started(backend: None, tmp_path: Path) -> Started:
    """A trial of an arm, before its first step; with overrides of the experiment."""

    def start(arm: str, *overrides: str) -> Any:
        from trl_backend.training import Training  # pyright: ignore[reportMissingImports]

        path = tmp_path / "example.yaml"
        path.write_text(EXPERIMENT)
        experiment = config.load(path, list(overrides))
        folder = RunFolder(tmp_path / "run").trial(arm, SEED)
        folder.root.mkdir(parents=True, exist_ok=True)
        trial = Trial(experiment, experiment.arm(arm), SEED)
        stream = PromptStream(training_set("mini_rl").problems, SEED)
        here = trial, resolve("quickstart-base"), stream, folder, lambda *_: None, Watcher()
        return Training(get_backend("trl"), *here)

    return start


def gradients_of(optimizer: torch.optim.Optimizer, net: torch.nn.Module) -> list[torch.Tensor]:
    """Filled before each step of the optimiser: all parameters, flat."""
    found: list[torch.Tensor] = []
    parameters = [parameter for _, parameter in sorted(net.named_parameters())]

    def keep(*_: object) -> None:
        found.append(torch.cat([parameter.grad.flatten().clone() for parameter in parameters]))  # type: ignore[union-attr]

    optimizer.register_step_pre_hook(keep)
    return found


# two forward passes in single precision, TRL's of padded rows and ours of packed ones: 2e-6 was seen
@pytest.mark.parametrize("arm", ["grpo", "rence", "online_dpo", "magistral"])
def test_two_updates_have_the_gradients_of_the_local_backend(
    started: Started, arm: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On the same rollouts, through AdamW, clipping and the learning rate; and TRL's loss is not called."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("TRL's loss was called")

    monkeypatch.setattr(GRPOTrainer, "_compute_loss", never)
    training = started(arm)
    trial = training.trial
    sampled: dict[str, Group] = {}
    generate = training.trainer.generate

    def kept(prompts: Sequence[Prompt]) -> list[Group]:
        groups = generate(prompts)
        sampled.update({group.prompt.problem.id: group for group in groups})
        return groups

    training.trainer.generate = kept
    theirs = gradients_of(training.trainer.optimizer, training.trainer.model)
    result = training.run()
    assert (result.steps, result.updates, result.diverged) == (1, 2, "")

    elsewhere = RunFolder(tmp_path / "local").trial(arm, SEED)
    local = LocalTraining(trial, resolve("quickstart-base"), training.stream, elsewhere, lambda *_: None, Watcher())
    ours = gradients_of(local.learner.optimizer, local.learner.model.net)
    collected = collect(trial, training.stream, 0, lambda prompts: [sampled[one.problem.id] for one in prompts], print)
    spent = min(1.0, collected.rollouts / trial.experiment.budget_rollouts)
    local.learner.learn(local.prepare(collected, 1), ("minibatches", SEED, 1), spent)

    assert len(theirs) == len(ours) == 2 and all(gradient.norm() > 0.1 for gradient in ours)
    for found, expected in zip(theirs, ours, strict=True):
        assert_close(found, expected, within=1e-5)
    assert (ours[0] - ours[1]).norm() > 0.01, "the second one is of other groups and other weights"


def test_a_reward_of_ones_own_is_learnt_from(started: Started, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text is worth its length. Without being asked it is missed, and the marker's word does not take its place."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("def score(text, gold, problem):\n    return len(text) / 100\n")
    training = started("grpo", "recipe.reward=mine:score")
    assert training.run().updates == 2
    (step,) = read_jsonl(training.folder.steps)
    length, worth = step["metrics"]["response_length/mean"], step["metrics"]["reward/mean"]
    assert 0 < worth < 1 and step["metrics"]["critic/rewards/mean"] == pytest.approx(worth, abs=1e-6) and length > 1

    def unasked(prompts: Sequence[Prompt]) -> list[Group]:
        groups = training.trainer.generate(prompts)
        return [replace(g, rollouts=tuple(replace(one, given=None) for one in g.rollouts)) for g in groups]

    with pytest.raises(UserError, match="backend `trl` does not ask the reward `mine:score`: it must set `given`"):
        collect(training.trial, training.stream, 0, unasked, print)


@pytest.mark.slow
def test_it_keeps_the_contract_and_a_stop_changes_no_bit(backend: None) -> None:
    of = under_test("trl")
    for check in CHECKS:
        check(of)
    assert of.resumed.result.final_weights == of.whole.result.final_weights
    assert [row["metrics"] for row in of.resumed.steps] == [row["metrics"] for row in of.whole.steps]


def test_a_reference_that_follows_is_there_again_after_a_stop(started: Started) -> None:
    """Of three steps it is refreshed before the first and the third; the stop comes after the second."""
    few = (
        "budget.rollouts=96",
        "recipe.prompts_per_step=4",
        "recipe.reference_sync_steps=2",
        "recipe.checkpoint_steps=1",
    )

    def run(place: str, stop_after: int = 0) -> TrainingResult:
        training = started("online_dpo", "recipe.checkpoint_steps=1", *few)
        training.folder = RunFolder(training.folder.root / place).trial("online_dpo", SEED)
        training.folder.root.mkdir(parents=True, exist_ok=True)
        training.observer = Watcher(stop_after)
        return training.run()

    whole = run("whole")
    with pytest.raises(KeyboardInterrupt):
        run("stopped", stop_after=2)
    again = run("stopped")
    assert (whole.steps, again.steps) == (3, 3) and again.final_weights == whole.final_weights


@pytest.mark.parametrize(
    ("instead", "message"),
    [
        ({"group_size: 8": "group_size: 1"}, "`group_size` must be at least 2 with backend `trl`, but is 1 for `psr`"),
        ({"epochs: 1": "epochs: 1, generator_sync_steps: 2"}, "must be 1 with backend `trl`, but is 2 for `psr`"),
        ({"psr: {}": "psr: {recipe: {generator_sync_steps: 2}}"}, "must be 1 with backend `trl`, but is 2 for `psr`"),
        ({"seeds: [3]": "seeds: [3]\nrecord_steps: [1]"}, "`record_steps` is of backend `local`, not of `trl`"),
        ({"limit: 20": "engine: vllm"}, "`evaluation.engine` must be `local` or `hf` with backend `trl`"),
        ({"seeds: [3]": "seeds: [3]\ntrl: {use_gpu: true}"}, "`trl.use_gpu` is not a key"),
    ],
)
def test_what_trl_cannot_do_is_refused(backend: None, instead: dict[str, str], message: str) -> None:
    text = EXPERIMENT.replace("grpo: {}, rence: {}, online_dpo: {}, magistral: {}", "psr: {}, nsr: {}")
    text = text.replace("target: rence, baselines: [grpo]", "target: psr, baselines: [nsr]")
    config.build(parse(text, "example"))
    for old, new in instead.items():
        text = text.replace(old, new)
    with pytest.raises(UserError) as refused:
        config.build(parse(text, "example"))
    assert message in str(refused.value)


def test_what_is_missing_here_is_said(backend: None, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = config.build(parse(EXPERIMENT, "example"))
    assert get_backend("trl").lacks(experiment) == ""
    monkeypatch.setattr("trl_backend.version", lambda _: "1.17.0")
    said = "it needs TRL 1.16, but here is 1.17.0. Run: pip install 'trl>=1.16,<1.17'"
    assert get_backend("trl").lacks(experiment) == said


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        (("recipe.learning_rate=1e30",), "step 1: loss "),
        (("recipe.learning_rate=1e20", "recipe.minibatches=1"), "step 2: the logits of the sampler are not finite"),
    ],
)
def test_a_trial_that_diverges_says_where(started: Started, settings: tuple[str, ...], where: str) -> None:
    training = started("grpo", "budget.rollouts=256", *settings)
    result = training.run()
    assert result.diverged.startswith(where) and result.final_weights == ""
    assert result.steps == len(list(read_jsonl(training.folder.steps))) == int(where[5]) - 1


@pytest.mark.slow
def test_from_plan_to_report(trl_example: Path, tmp_path: Path) -> None:
    """By the command line, each trial in a process of its own."""
    path = [str(ROOT), str(trl_example)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path), "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}

    def rence(*arguments: str) -> str:
        command = [sys.executable, "-m", "rence", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        return done.stdout

    readme = (ROOT / "docs" / "examples" / "trl_backend" / "README.md").read_text(encoding="utf-8")
    (experiment,) = re.findall(r"^```yaml parse\n(.*?)^```$", readme, re.M | re.S)
    (tmp_path / "with_trl.yaml").write_text(experiment)
    assert "trl" in rence("list", "backends") and "use_cpu" in rence("config", "explain", "trl")
    assert "2,048 rollouts" in rence("plan", "with_trl.yaml")
    few = ("seeds=[3]", "budget.rollouts=128", "recipe.prompts_per_step=16", "recipe.epochs=1", "evaluation.limit=20")
    rence("run", "with_trl.yaml", *few, "evaluation.points=1", "--workers", "1")
    run = RunFolder(tmp_path / "runs" / "with_trl")
    assert Plan.read(run.plan).backend_settings == {"use_cpu": True, "bf16": False}
    for arm in ("grpo", "rence"):
        (step,) = read_jsonl(run.trial(arm, SEED).steps)
        assert step["updates"] == 2 and step["metrics"]["actor/grad_norm"] > 0
        recorded = read_json(run.trial(arm, SEED).trial)["environment"]
        assert (recorded["rence-trl"], recorded["trl"]) == ("0.1.0", version("trl"))
    engines = {read_json(header)["engine"] for header in run.root.rglob("eval.json")}
    assert engines == {"local"}, "the untrained model and the checkpoints"
    trials = load(run.root).trials.values()
    assert len(trials) == 2 and all(trial.done and trial.done.status == "finished" for trial in trials)
    page = (run.report / "report.md").read_text(encoding="utf-8")
    assert (
        "backend trl" in page and "ReNCE (reconstruction) minus GRPO" in page and f"| trl | {version('trl')} |" in page
    )
