"""What was planned before training, where data and imported results come from, and what others have published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from harness.records.fields import LATER, stated
from harness.records.files import SCHEMA, DataError, read_json, write_json
from harness.records.left_out import LeftOut
from harness.records.record import Record, known


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
    collapse: CollapseRule | None = field(default=CollapseRule(), metadata=LATER)
    """what counts as a seed that collapsed, such as `{below_start: true, towards_start: 0.5}`; null: none is counted"""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """As a plan's file has it, which need not hold the keys that came later."""
        said = known(cls, data)
        if said.get("collapse") is not None:
            said["collapse"] = CollapseRule(**known(CollapseRule, said["collapse"]))
        return cls(**said)


@dataclass(frozen=True)
class ArmRecord(Record):
    """One arm, resolved."""

    name: str
    algorithm: str
    title: str
    """the name tables print"""
    hyperparameters: dict[str, Any]
    spec: dict[str, str]
    """semantics as a table row"""
    recipe_differences: dict[str, Any]
    """recipe settings in which this arm differs from the experiment's recipe"""
    activity: list[dict[str, Any]]
    """metric, label and inactive_below of what tells whether the objective's special part acted"""
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


@dataclass(frozen=True)
class Plan(Record):
    """`plan.json`: everything that fixes what a reported number means, hashed and written before training."""

    experiment: str
    arms: list[ArmRecord]
    seeds: list[int]
    benchmarks: dict[str, int]
    """benchmark -> k, samples a problem at the headline"""
    curve_benchmarks: dict[str, int]
    """benchmark -> k at the earlier points of the grid"""
    comparison: Comparison
    budget_rollouts: int
    """a trial stops at the first step at or past it; filtered rollouts count"""
    grid_rollouts: list[int]
    """where a trial is evaluated; the last is the budget and the headline"""
    backend: str
    model: str
    model_hash: str
    train: str
    """the training set's name"""
    template: str
    recipe: dict[str, Any]
    evaluation: dict[str, Any]
    """sampling parameters of the evaluations"""
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
            raise DataError(
                f"{path.parent} is no run folder: it has no {path.name}. `rence list runs` shows the runs there are; "
                "`rence run CONFIG` makes one, and so does `rence import ... --out RUN` of results made elsewhere."
            )
        data = read_json(path)
        data["arms"] = [ArmRecord(**known(ArmRecord, arm)) for arm in data.get("arms", [])]
        data["comparison"] = Comparison.of(data.get("comparison", {}))
        data["backend_settings"] = data.get(data.get("backend", ""), {})
        data["sweeps"] = [Sweep(**known(Sweep, sweep)) for sweep in data.get("sweeps", [])]
        return cls(**known(cls, data))


@dataclass(frozen=True)
class DataRecord(Record):
    """`data.json`: what the training set was made of."""

    train: str
    """the training set's name"""
    problems: int
    hash: str
    """of the problems' ids in order"""
    removed: dict[str, int]
    """reason -> problems that were left out: copies, contradictions, what is in a benchmark or near one"""


@dataclass(frozen=True)
class ImportRecord(Record):
    """`import.json`: where the results of an imported run come from."""

    source: str
    """attempts, generations, verl, lm-eval or lighteval"""
    options: dict[str, Any]
    """that were given and decide what was read"""
    files: list[dict[str, Any]]
    """path as given, bytes and sha256 of each; arm, seed and step where the command named them"""
    coarse: list[str]
    """benchmarks of which only correct or not is known: there `wrong` may also be one of the other marks"""
    notes: list[str]
    """choices that were made, and what the source does not tell"""
    left_out: list[LeftOut] = field(default_factory=list, metadata=LATER)
    """of `--common`: what was not kept, for each evaluation of a benchmark that lost problems"""

    @classmethod
    def read(cls, path: Path) -> Self:
        data = read_json(path)
        data["left_out"] = [LeftOut(**known(LeftOut, one)) for one in data.get("left_out", [])]
        try:
            return cls(**known(cls, data))
        except TypeError as error:
            raise DataError(f"{path}: {error}. `rence import` with --clean writes it anew.") from None


@dataclass(frozen=True)
class Published(Record):
    """An entry of `expected.json`: scores that others have published, to be set beside ours."""

    title: str
    """what tables call it, such as `Dr. GRPO, table 4`"""
    source: str
    """authors, year, paper and table"""
    url: str
    model: str
    """what they trained"""
    protocol: str
    """how it was measured, as far as it is known"""
    percent: dict[str, dict[str, float | None]]
    """arm (`start`: their untrained model) -> benchmark or `average` -> percent, as printed; null: not known"""
    attempts: dict[str, int] = field(default_factory=dict)
    """benchmark -> k, attempts a problem, where it is known: a printed score must then be a possible one"""
    weights: Literal["same", "own training"] | None = field(default=None, metadata=LATER)
    """whether ours is to be the very checkpoint, or a training of our own; null: not stated"""
    seeds: int | None = field(default=None, metadata=LATER)
    """training seeds that each score is the mean of; null: not stated"""
    decoding: dict[str, float | int | str] = field(default_factory=dict, metadata=LATER)
    """temperature, top_p, max_tokens and others, as far as they are stated"""
    golds: Literal["raw", "errata"] | None = field(default=None, metadata=LATER)
    """whether answers were marked by the benchmark's own golds or by corrected ones; null: not stated"""
    decimals: int | None = field(default=None, metadata=LATER)
    """of the printed percent; null: not stated"""


def read_published(path: Path) -> list[Published]:
    """What `expected.json` holds; no file, nothing. Raises: DataError."""
    if not path.exists():
        return []
    try:
        return [Published(**known(Published, entry)) for entry in read_json(path)["published"]]
    except (KeyError, TypeError) as error:
        raise DataError(f"{path}: {error}. `rence report RUN --expected FILE` writes it anew.") from None


def add_published(path: Path, published: Sequence[Published]) -> None:
    """Add to `expected.json`; an entry of the same title is replaced. Writes only what changes something."""
    old = read_published(path)
    new = {entry.title: entry for entry in [*old, *published]}
    if list(new.values()) != old:
        write_json(path, {"schema": SCHEMA, "published": [stated(entry) for entry in new.values()]})
