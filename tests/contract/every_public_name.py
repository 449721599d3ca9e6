# pyright: reportUnnecessaryTypeIgnoreComment=true
"""For pyright alone, never run: each public name has its real type, and a name that does not exist is an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, assert_type

import pandas as pd
from matplotlib.axes import Axes

import rence
import rence.backends
import rence.objectives
import rence.ops

mistaken = rence.Algoritm  # pyright: ignore[reportAttributeAccessIssue]

assert_type(rence.__version__, str)
assert_type(rence.algorithm("grpo", clip_low=0.1), rence.Algorithm)
assert_type(rence.benchmark("mini_sums"), rence.Benchmark)
assert_type(rence.training_set("mini_rl"), rence.TrainingSet)
assert_type(rence.training_set("mini_rl").load(), rence.Selection)
assert_type(rence.benchmark("mini_sums").problems, tuple[rence.Problem, ...])
assert_type(rence.Problem("1+1", "2").rule, rence.Rule)
assert_type(rence.Rule(rence.Form("choice")).form, rence.Form)
marks: list[rence.Mark] = [rence.Mark("correct")]
pair = rence.compare("a", Path("b"), margin=0.02)
if isinstance(pair, rence.PairResults):
    assert_type(pair.frame(), pd.DataFrame)
assert_type(rence.load("runs/x").compare("a", "b"), rence.PairResults)
assert_type(rence.compare("a", "b", margin=0.02).text(), str)
assert_type(rence.load(Path("runs/x"), accept="known", only_common=True), rence.Results)
assert_type(rence.load("runs/x").scores(by_seed=True), pd.DataFrame)
assert_type(rence.load("runs/x").plot_curves(x="tokens"), Axes)
assert_type(rence.load("runs/x").analysis, rence.Analysis)
refusals: list[type[Exception]] = [rence.BrokenSeal, rence.DataError, rence.Unmatched]
rence.evaluated_model(Path("results"))
rence.main(["list", "runs"])


@dataclass(frozen=True)
class Mine(rence.PolicyGradient):
    """An objective of one's own, from operators."""

    title: ClassVar[str] = "Mine"
    source: ClassVar[str] = "here"
    clip: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        rence.check_ranges(self, clip="(0, 1)")

    @property
    def activity(self) -> tuple[rence.Activity, ...]:
        return (rence.Activity("actor/pg_clipfrac", "share of tokens clipped", 1e-4),)

    def keep(self, batch: rence.Rollouts):
        return rence.ops.group_sum(batch.reward_B, batch.group_B, batch.groups) > 0

    def loss(self, batch: rence.Rollouts, logp_BT, totals: rence.Totals) -> rence.Loss:
        surrogate = rence.ops.log_ratio(logp_BT, None, batch)
        value = rence.ops.aggregate(-surrogate, batch, totals, "token_mean")
        assert_type(totals.tokens, int)
        return rence.Loss(value, {"mine/share": rence.Mean(1.0, 1.0)})

    def unused(self, batch: rence.Rollouts) -> object:
        return [
            rence.ops.GroupTable, rence.ops.Surrogate, rence.ops.advantages, rence.ops.as_means, rence.ops.base_logp,
            rence.ops.centred, rence.ops.clipped_surrogate, rence.ops.divergence_tokens, rence.ops.group_std,
            rence.ops.kl_tokens, rence.ops.less_overlong, rence.ops.lowest, rence.ops.margins,
            rence.ops.mean_old_logp, rence.ops.mean_over_contrasts, rence.ops.movement, rence.ops.nce_losses,
            rence.ops.nce_reduced, rence.ops.overlong_penalty, rence.ops.pair_table, rence.ops.place_in_group,
            rence.ops.positive_nll, rence.ops.ratio, rence.ops.sequence_metrics, rence.ops.sequence_score,
            rence.ops.share, rence.ops.weigh_gradient, rence.ops, rence.objectives,
        ]  # fmt: skip


shipped: list[type[rence.Algorithm]] = [
    rence.objectives.ALoL, rence.objectives.CISPO, rence.objectives.CoPG, rence.objectives.ConSPO,
    rence.objectives.DAPO, rence.objectives.DNO, rence.objectives.DisCO, rence.objectives.DrGRPO,
    rence.objectives.GRPO, rence.objectives.GSPO, rence.objectives.InfoNCA, rence.objectives.LitePPO,
    rence.objectives.Magistral, rence.objectives.NCA, rence.objectives.NSR, rence.objectives.ODPO,
    rence.objectives.OnlineDPO, rence.objectives.PSR, rence.objectives.RLOO, rence.objectives.RPG,
    rence.objectives.ReNCE, rence.objectives.Reinforce, rence.objectives.ReinforcePP,
    rence.objectives.ReinforcePPBaseline, rence.objectives.Rejection, rence.objectives.SemiOnlineDPO,
    rence.objectives.WReinforce,
]  # fmt: skip


class Constant:
    """An engine."""

    name, version, positions = "constant", "1", None

    def generate(self, requests: list[rence.Request], sampling: rence.Sampling) -> list[list[rence.Completion]]:
        return [[rence.Completion("2", sampling.max_tokens, "stop") for _ in request.seeds] for request in requests]


def section(a: rence.Analysis) -> rence.Section | None:
    columns = [rence.Column("arm", numeric=False), rence.Column("trials")]
    rows = [rence.Row([rence.Cell(name), rence.Cell("3", 3)]) for name in a.benchmarks]
    table = rence.Table("trials", columns, rows)
    blocks = [rence.Text("words"), rence.Bullets(["one"]), table, rence.Folded("more", [table])]
    return rence.Section("mine", "Mine", [*blocks, rence.Figure("picture", "<svg/>", "a picture")])


def points(checkpoint: rence.Checkpoint, result: rence.TrainingResult, by: Mapping[str, rence.Backend]) -> int:
    return checkpoint.step + result.steps + len(by)


def uses(engine: rence.Engine) -> str:
    return engine.name


assert_type(rence.mark_all([rence.Response("2", "2", rence.Rule())]), list[rence.Marked])


class Trains(rence.Backend):
    """A backend."""

    def mistakes(self, experiment: rence.backends.Experiment) -> list[rence.Mistake]:
        return [rence.Mistake((("seeds",),), "no seeds")]

    def costs(self, experiment: rence.backends.Experiment) -> rence.BackendCosts:
        return rence.BackendCosts(rence.Throughput("core", 1e9, 1e9, "a guess"))

    def start_engine(self, experiment: rence.backends.Experiment, model: Path) -> rence.Engine:
        assert_type(rence.backends.model_hash(model), str)
        raise NotImplementedError(rence.backends.load_model, rence.backends.sample, rence.backends.render)

    def train(
        self,
        trial: rence.backends.Trial,
        model: Path,
        prompts: rence.backends.PromptStream,
        folder: rence.backends.TrialFolder,
        evaluate: Callable[[rence.Engine, rence.Checkpoint], None],
        observer: rence.backends.Observer,
    ) -> rence.TrainingResult:
        record = rence.backends.StepRecord(1, 8, 80, 1, 8)
        observer.on_step(record)
        rence.backends.append_jsonl(folder.steps, [record.to_json()])
        evaluate(self.start_engine(trial.experiment, model), rence.Checkpoint(1, 8, 8, ""))
        return rence.backends.checkpoints.TrainingProgress().result("")


def learns(
    trial: rence.backends.Trial, stream: rence.backends.PromptStream, answer: rence.backends.Rollout
) -> list[rence.backends.TokenRollouts]:
    """What a backend makes of a step."""

    def generate(prompts: Sequence[rence.backends.Prompt]) -> list[rence.backends.Group]:
        rence.backends.check_room([rence.Request((1,), ()) for _ in prompts], rence.Sampling(8), None)
        (given,) = rence.backends.rewarded(trial.arm.recipe, [rence.backends.Rated("2", prompts[0].problem)])
        return [rence.backends.Group(prompt, (1,), (replace(answer, given=given),)) for prompt in prompts]

    collected = rence.backends.collect(trial, stream, rence.backends.derive("place", 1), generate, print)
    batch = rence.backends.as_batch(collected.groups, 8)
    if not rence.backends.metrics.step_metrics(collected, batch, {}):
        raise rence.backends.Diverged("nothing is known")
    return [batch.select(groups) for groups in rence.backends.micro_batches(batch, 1024)]


@dataclass(frozen=True)
class MineSettings:
    """Of a backend of one's own."""

    trials: int = field(default=2, metadata=rence.RUNTIME)
    """most trials side by side"""


class MineBackend(rence.LocalBackend):
    """The local backend with settings."""

    settings = MineSettings

    def costs(self, experiment: object) -> rence.BackendCosts:
        return rence.BackendCosts(rence.Throughput("core", 1e9, 1e9, "a guess"))

    def mistakes(self, experiment: object) -> list[rence.Mistake]:
        return [rence.Mistake((("recipe", "epochs"),), "`epochs` must be 1.")]
