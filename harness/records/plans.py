"""What was planned before training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypedDict

from harness.records.allowed import ASCENDING, DISTINCT, FILLED, Count, FolderName, NonNegative, Positive, Whole
from harness.records.decode import decoder
from harness.records.fields import LATER
from harness.records.files import DataError
from harness.records.layout import eval_name
from harness.records.record import Record
from harness.records.scores_alone import refusal, scores_only
from harness.records.tuned import TuningRecord, tuning_mistakes
from harness.records.wrong_type import WrongType


@dataclass(frozen=True)
class CollapseRule:
    """What counts as a seed that collapsed. One that meets either part did."""

    below_start: bool = True
    """its score, the average at the headline, is below the start model's"""
    towards_start: float | None = 0.5
    """it fell by more than this share of the way from its arm's median to the start model's score, where the median is
    above that; null: this part does not count"""


@dataclass(frozen=True)
class Comparison(Record):
    """The primary comparison, fixed before training."""

    target: str
    """the arm that is compared"""
    baselines: list[str]
    """the arms it is compared with; one test each, adjusted together"""
    estimand: Literal["algorithm", "benchmark", "checkpoints"] = "algorithm"
    """what an interval covers: algorithm (new seeds, new problems), benchmark (these problems, new seeds),
    checkpoints (these seeds, new problems)"""
    alpha: float = 0.05
    """family-wise error rate"""
    margin: float | None = field(default=None, metadata=LATER)
    """differences smaller than this, a fraction such as 0.02, do not matter: with it the report can say `equivalent`"""
    pair_seeds: bool = field(default=False, metadata=LATER)
    """compare two arms seed by seed: trials of the seeds that both have; others are left out of that pair and named.
    It pays where seeds agree between arms (`rence plan` says from which correlation), and costs power elsewhere"""
    factor: Literal["algorithm", "reward"] = field(default="algorithm", metadata=LATER)
    """what the arms of the comparison differ in: `algorithm`, and then a reward of one's own must be the same; or
    `reward`, and then algorithm and recipe must be, and the verdict says that rewards are compared"""
    collapse: CollapseRule | None = field(default=CollapseRule(), metadata=LATER)
    """what counts as a seed that collapsed, such as `{below_start: true, towards_start: 0.5}`; null: none is counted"""

    def mistakes(self) -> Iterator[str]:
        """What a file may not say."""
        if not 0 < self.alpha < 1:
            yield f"must have an `alpha` between 0 and 1, but it is {self.alpha} instead"
        if self.margin is not None and self.margin <= 0:
            yield f"must have a `margin` above 0, but it is {self.margin} instead"


class ActivityRecord(TypedDict):
    """A metric that describes an objective's special part."""

    metric: str
    label: str
    inactive_below: float
    """nothing reads it; locks of plans hash it"""


@dataclass(frozen=True)
class ArmRecord(Record):
    """One arm, resolved."""

    name: FolderName
    """that of its folder"""
    algorithm: str
    """its name in the registry"""
    title: str
    """the name tables print"""
    hyperparameters: dict[str, Any]
    """all of them, resolved"""
    spec: dict[str, str]
    """semantics as a table row"""
    recipe_differences: dict[str, Any]
    """recipe settings in which this arm differs from the experiment's recipe"""
    activity: list[ActivityRecord]
    """what it logs of the objective's special part"""
    fingerprint: str
    """hash of the resolved semantics"""


@dataclass(frozen=True)
class Sweep(Record):
    """Arms of a plan that were made from one of them by changing factors, and which arm has which."""

    kind: Literal["full", "one_at_a_time", "ablate"]
    """full: every combination of levels; one_at_a_time: the base with one factor changed; ablate: the base without one
    of its pieces, whose levels are `on` and `off`"""
    base: str
    """the arm that was changed; its levels are what the others are compared with"""
    factors: dict[str, list[str]]
    """factor -> its levels, in words"""
    cells: dict[str, dict[str, str]]
    """arm -> factor -> level, the base's own among them"""

    def mistakes(self) -> Iterator[str]:
        """What a file may not say."""
        if self.base not in self.cells:
            yield f"must have its base among its cells, but has no cell of `{self.base}`"
        for arm, cell in self.cells.items():
            levels = {factor: cell.get(factor) for factor in self.factors}
            wrong = [factor for factor, level in levels.items() if level not in self.factors[factor]]
            if wrong or len(cell) > len(levels):
                yield f"must have a level of each of its factors for each arm, but `{arm}` has others"


@dataclass(frozen=True)
class DecodingRecord:
    """One way in which answers are sampled at the headline, with nothing left to be looked up elsewhere."""

    temperature: NonNegative
    top_p: Positive
    max_tokens: Count
    benchmarks: Annotated[dict[FolderName, Count], FILLED]
    """benchmark -> k"""


@dataclass(frozen=True)
class Plan(Record):
    """`plan.json`: everything that fixes what a reported number means, hashed and written before training."""

    mend = "Restore the file from a copy: results are read by their plan, and it is written once."

    experiment: str
    """the experiment's name"""
    arms: Annotated[list[ArmRecord], FILLED]
    """what is compared"""
    seeds: Annotated[list[int], FILLED, DISTINCT]
    """one trial of every arm for each"""
    benchmarks: Annotated[dict[FolderName, Count], FILLED]
    """benchmark -> k, samples a problem at the headline"""
    curve_benchmarks: dict[FolderName, Count]
    """benchmark -> k at the earlier points of the grid"""
    comparison: Comparison
    """the primary comparison"""
    budget_rollouts: Whole
    """a trial stops at the first step at or past it; filtered rollouts count"""
    grid_rollouts: Annotated[list[Whole], FILLED, ASCENDING]
    """where a trial is evaluated; the last is the budget and the headline"""
    backend: str
    """what trains"""
    model: str
    """as the experiment names it"""
    model_hash: str
    """of its weights"""
    train: str
    """the training set's name"""
    template: str
    """how a problem becomes a prompt"""
    recipe: dict[str, Any]
    """what all arms share: everything of training that is not the objective"""
    evaluation: dict[str, Any]
    """sampling parameters of the evaluations; `decodings`, where there are several: name -> `DecodingRecord`, the
    first the headline's"""
    tuning: dict[str, Any]
    """what was tried to choose the recipe: trials for each arm, settings, seeds, split"""
    lock: str
    """hash of the others"""
    backend_settings: dict[str, Any] = field(default_factory=dict, metadata=LATER)
    """settings of the backend, in the file under the backend's name; empty for one without settings"""
    imported: str = field(default="", metadata=LATER)
    """what was imported, in words, by `rence import`: such a plan was made after the results were seen, has no budget
    and no trials, and its grid counts steps; empty, and then not written, for a run of ours"""
    sweeps: list[Sweep] = field(default_factory=list, metadata=LATER)
    """what grids and ablations the arms are made of; empty, and then not written, where they were listed by hand"""
    lock_version: int = field(default=1, metadata=LATER)
    """the rule of `lock`: 1, hash of everything else here; 2, of what fixes a number's meaning (`planning/plan.py`)"""
    train_hash: str = field(default="", metadata=LATER)
    """of the training set's problems, where it is a file of the user's"""
    seals: int = field(default=0, metadata=LATER)
    """1: every file of this run is bound to those it rests on (`seals.py`); 0: made before there were seals"""
    unlocked: dict[str, list[str]] = field(default_factory=dict, metadata=LATER)
    """keys of `recipe` and of the backend's settings that the lock leaves out: how a thing is computed, not what"""
    import_hash: str = field(default="", metadata=LATER)
    """of import.json; empty for a run of ours, and in imports from before there were seals"""

    def to_json(self) -> dict[str, Any]:
        """As the file has it: the settings of the backend stand under its name, as in an experiment."""
        names = {"backend_settings": self.backend}
        return {names.get(key, key): value for key, value in super().to_json().items()}

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises: DataError; a folder without a plan is no run, whatever else is in it."""
        if not path.exists():
            if only := scores_only(path.parent):
                raise DataError(refusal(only))
            raise DataError(
                f"{path.parent} is no run folder: it has no {path.name}. `rence list runs` shows the runs there are; "
                "`rence run CONFIG` makes one, and so does `rence import ... --out RUN` of results made elsewhere."
            )
        return super().read(path)

    @classmethod
    def named(cls, data: dict[str, Any]) -> dict[str, Any]:
        """What a file has under other names than the fields': the inverse of `to_json`."""
        backend = data.get("backend")
        return {**data, "backend_settings": data.get(backend, {}) if isinstance(backend, str) else {}}

    def mistakes(self) -> Iterator[str]:
        """What a file may not say."""
        names = [arm.name for arm in self.arms]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            yield f"must have each arm once, but has `{twice}` several times"
        compared = [self.comparison.target, *self.comparison.baselines]
        swept = [arm for sweep in self.sweeps for arm in sweep.cells]
        for arm in (arm for arm in [*compared, *swept] if arm not in names):
            yield f"must compare the arms that it has, {', '.join(names)}, but names `{arm}`"
        if self.decodings and len(self.decodings) < 2:
            yield "must have several decodings in `evaluation.decodings`, or none, but has one"
        if self.tuned:
            yield from tuning_mistakes(self.tuned, names)

    @property
    def decodings(self) -> dict[str, DecodingRecord]:
        """In their order, the first the headline's; empty where there is one way to sample."""
        try:
            return decoder(dict[FolderName, DecodingRecord])(self.evaluation.get("decodings", {}))
        except WrongType as error:
            raise error.inside("decodings").inside("evaluation") from None

    @property
    def other_decodings(self) -> dict[str, DecodingRecord]:
        """Those after the first: each has folders of its own beside the headline's."""
        return dict(list(self.decodings.items())[1:])

    @property
    def headline(self) -> list[tuple[str, str, int]]:
        """Folder's name, benchmark and k of every evaluation of a trial's last checkpoint, and of the untrained
        model."""
        asked = {"": self.benchmarks, **{name: one.benchmarks for name, one in self.other_decodings.items()}}
        return [(eval_name(b, decoding), b, k) for decoding, counts in asked.items() for b, k in counts.items()]

    @property
    def tuned(self) -> TuningRecord | None:
        """None where `tuning` holds words of somebody's own, or nothing."""
        if not {"tried", "chosen"} <= self.tuning.keys():
            return None
        try:
            return decoder(TuningRecord)(self.tuning)
        except WrongType as error:
            raise error.inside("tuning") from None
