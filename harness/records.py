"""The files a run leaves behind: their schema, their folder layout, and how they are written and read.

Standard library only: `reports` imports this module and nothing else of ours. Every file is JSON or JSON lines,
but for finished attempts, which are Parquet. A file is written whole under another name and then renamed, so
nothing half-written is ever read as whole. Units: scores are fractions, lengths are tokens, times are seconds.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Self

SCHEMA = 1
START = "start"
"""the arm name of the untrained model"""


class DataError(Exception):
    """A result file is missing, broken, or newer than this program. Ends a command with exit code 3."""


class Mark(StrEnum):
    """What became of one answer. Absence is never zero: five words for five different things."""

    CORRECT = "correct"
    """equal to the gold answer"""
    WRONG = "wrong"
    """a final answer was found and it differs"""
    NO_ANSWER = "no_answer"
    """finished, but no final answer could be found"""
    TRUNCATED = "truncated"
    """stopped by the token limit before a final answer"""
    GRADER_FAILED = "grader_failed"
    """the comparison ran out of time or broke; counts as not correct, and is shown"""


class _Record:
    """JSON to and from a frozen dataclass; the header of every file carries the schema version."""

    def to_json(self) -> dict[str, Any]:
        return {"schema": SCHEMA, **asdict(self)}  # type: ignore[call-overload]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises: DataError, naming the file and what is wrong with it."""
        data = read_json(path)
        known = {f.name for f in fields(cls)}  # type: ignore[arg-type]
        try:
            return cls(**{key: value for key, value in data.items() if key in known})
        except TypeError as error:
            raise DataError(f"{path}: {error}. Run the experiment again to rewrite it.") from None

    def write(self, path: Path) -> None:
        write_json(path, self.to_json())


@dataclass(frozen=True)
class Comparison(_Record):
    """The primary comparison, fixed before training."""

    target: str
    """the arm that is compared"""
    baselines: list[str]
    """the arms it is compared with; one test each, Holm within the family"""
    estimand: Literal["algorithm", "benchmark", "checkpoints"] = "algorithm"
    """what an interval covers: algorithm (new seeds, new problems), benchmark (these problems, new seeds),
    checkpoints (these seeds, new problems)"""
    alpha: float = 0.05
    """family-wise error rate"""
    margin: float | None = None
    """differences smaller than this, a fraction such as 0.02, do not matter: with it the report can say `equivalent`"""


@dataclass(frozen=True)
class ArmRecord(_Record):
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
class Plan(_Record):
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
    """hash of all of the others"""
    verl: dict[str, Any] = field(default_factory=dict)
    """settings of backend `verl`: empty, and then not written, for another"""
    imported: str = ""
    """what was imported, in words, by `rence import`: such a plan was made after the results were seen, has no budget
    and no trials, and its grid counts steps; empty, and then not written, for a run of ours"""

    def to_json(self) -> dict[str, Any]:
        data = {key: value for key, value in super().to_json().items() if value or key not in ("verl", "imported")}
        if self.comparison.margin is None:  # and so plans without one keep their lock
            del data["comparison"]["margin"]
        return data

    @classmethod
    def read(cls, path: Path) -> Self:
        data = read_json(path)
        data["arms"] = [ArmRecord(**_known(ArmRecord, arm)) for arm in data.get("arms", [])]
        data["comparison"] = Comparison(**_known(Comparison, data.get("comparison", {})))
        return cls(**_known(cls, data))


@dataclass(frozen=True)
class TrialRecord(_Record):
    """`trial.json`: one arm with one seed; written first."""

    experiment: str
    arm: str
    seed: int
    fingerprint: str
    """of the trial: the arm's fingerprint with seed, data order, initial weights and budget"""
    arm_fingerprint: str
    data_order: str
    """hash of the permutation of prompts that this seed consumes; equal in all arms of a matched seed"""
    initial_weights: str
    """hash of the checkpoint that training starts from"""
    budget_rollouts: int
    backend: str
    environment: dict[str, str]
    """versions of the packages that matter, git commit and dirty flag, processor"""


@dataclass(frozen=True)
class DataRecord(_Record):
    """`data.json`: what the training set was made of."""

    train: str
    """the training set's name"""
    problems: int
    hash: str
    """of the problems' ids in order"""
    removed: dict[str, int]
    """reason -> problems that were left out: copies, contradictions, what is in a benchmark or near one"""


@dataclass(frozen=True)
class ImportRecord(_Record):
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


@dataclass(frozen=True)
class StepRecord(_Record):
    """One line of `steps.jsonl`. Counters run over the whole trial."""

    step: int
    """rollout batches learnt from, starting at 1"""
    rollouts: int
    """generated so far, filtered and discarded ones included"""
    tokens: int
    """generated so far"""
    updates: int
    """optimiser steps so far"""
    cursor: int
    """prompts consumed so far from the seed's permutation"""
    metrics: dict[str, float | None] = field(default_factory=dict)
    """verl's names where verl has one; None where nothing was counted"""


@dataclass(frozen=True)
class EvalRecord(_Record):
    """`eval.json`, the header of one evaluation of one checkpoint on one benchmark; written before the attempts."""

    arm: str
    seed: int | None
    """None for a model that was not trained here, as the untrained one"""
    step: int
    rollouts: int
    """generated in training when the checkpoint was taken; 0 in an imported run, which does not know"""
    grid: int
    """the point of the rollout grid this evaluation belongs to (of steps, in an imported run); 0 for the untrained
    model"""
    benchmark: str
    benchmark_hash: str
    problems: int
    k: int
    model_hash: str
    template: str
    engine: str
    engine_version: str
    grader_version: str
    sampling: dict[str, Any]
    """temperature, top_p, max_tokens, the evaluation seed, and problems generated together"""
    limit: int | None = None
    """only so many problems were asked, the first ones; None: all"""
    second_marker: bool = False
    """whether rows have `mark_second`"""


@dataclass(frozen=True)
class Attempt:
    """One answer to one problem: a line of `attempts.jsonl`, a row of `attempts.parquet`."""

    arm: str
    seed: int | None
    step: int
    benchmark: str
    problem_id: str
    sample: int
    """0..k-1"""
    response: str
    answer: str | None
    """the final answer that was found, as text"""
    gold: str
    mark: str
    finish_reason: str
    """stop, length (the limit of tokens) or context (the model's own limit)"""
    tokens: int
    template: str
    engine: str
    generation_key: str
    """hash of (model, tokenizer and template, prompt, sampling parameters, seed, sample, engine version)"""
    grader_version: str
    mark_second: str | None = None
    """the second marker's mark, where one ran"""


@dataclass(frozen=True)
class DoneRecord(_Record):
    """`done.json`: written last, so its existence means that the trial is complete."""

    status: str
    """finished, or diverged (the loss or the weights became not finite; reason says where)"""
    steps: int
    rollouts: int
    tokens: int
    updates: int
    discarded_rollouts: int
    """generated but never learnt from: dropped by the filter, or surplus"""
    final_weights: str
    reason: str = ""


@dataclass(frozen=True)
class Timing(_Record):
    """`timing.json`: the one file that differs between an uninterrupted run and a resumed one."""

    attempts: int
    """times the trial was started"""
    wall_seconds: float
    cpu_seconds: float
    generate_seconds: float
    train_seconds: float
    evaluate_seconds: float
    started: str
    """ISO date of the first start"""
    finished: str
    """ISO date, empty while running"""


@dataclass(frozen=True)
class Published(_Record):
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


def read_published(path: Path) -> list[Published]:
    """What `expected.json` holds; no file, nothing. Raises: DataError."""
    if not path.exists():
        return []
    try:
        return [Published(**_known(Published, entry)) for entry in read_json(path)["published"]]
    except (KeyError, TypeError) as error:
        raise DataError(f"{path}: {error}. `rence report RUN --expected FILE` writes it anew.") from None


def add_published(path: Path, published: Sequence[Published]) -> None:
    """Add to `expected.json`; an entry of the same title is replaced. Writes only what changes something."""
    old = read_published(path)
    new = {entry.title: entry for entry in [*old, *published]}
    if list(new.values()) != old:
        write_json(path, {"schema": SCHEMA, "published": [asdict(entry) for entry in new.values()]})


@dataclass(frozen=True)
class RunFolder:
    """`runs/<experiment>/` and the names of what is in it."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / "experiment.yaml"

    @property
    def resolved(self) -> Path:
        return self.root / "resolved.json"

    @property
    def plan(self) -> Path:
        return self.root / "plan.json"

    @property
    def data(self) -> Path:
        return self.root / "data.json"

    @property
    def imported(self) -> Path:
        return self.root / "import.json"

    @property
    def expected(self) -> Path:
        """published scores; may be missing"""
        return self.root / "expected.json"

    @property
    def report(self) -> Path:
        return self.root / "report"

    def start_eval(self, benchmark: str) -> EvalFolder:
        return EvalFolder(self.root / START / "evals" / benchmark)

    def trial(self, arm: str, seed: int) -> TrialFolder:
        return TrialFolder(self.root / arm / f"seed{seed}")


@dataclass(frozen=True)
class TrialFolder:
    """`runs/<experiment>/<arm>/seed<k>/`"""

    root: Path

    @property
    def trial(self) -> Path:
        return self.root / "trial.json"

    @property
    def steps(self) -> Path:
        return self.root / "steps.jsonl"

    @property
    def timing(self) -> Path:
        return self.root / "timing.json"

    @property
    def done(self) -> Path:
        return self.root / "done.json"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    def checkpoint(self, step: int) -> Path:
        return self.checkpoints / f"step_{step}"

    def log(self, attempt: int) -> Path:
        return self.root / "logs" / f"attempt_{attempt}"

    def eval(self, step: int, benchmark: str) -> EvalFolder:
        return EvalFolder(self.root / "evals" / f"step_{step}" / benchmark)

    def evals(self) -> list[EvalFolder]:
        """Every evaluation begun so far, by step and benchmark name."""
        found = self.root.glob("evals/step_*/*/eval.json")
        return [EvalFolder(p.parent) for p in sorted(found, key=lambda p: (_step(p.parent.parent), p.parent.name))]


@dataclass(frozen=True)
class EvalFolder:
    """`.../evals/[step_<n>/]<benchmark>/`: the header, and the attempts while open and when complete."""

    root: Path

    @property
    def header(self) -> Path:
        return self.root / "eval.json"

    @property
    def open_attempts(self) -> Path:
        return self.root / "attempts.jsonl"

    @property
    def attempts(self) -> Path:
        """Its existence means that the evaluation is complete."""
        return self.root / "attempts.parquet"


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write whole or not at all: a new file, flushed to disk, renamed over the old one."""
    write_text(path, json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Like `write_json`, for any text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def to_disk(path: Path) -> None:
    """Return once a file or a folder's list of names is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_json(path: Path) -> dict[str, Any]:
    """Raises: DataError if the file is missing, not JSON, or of a newer schema."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path} does not exist. Run the experiment again to make it.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not valid JSON: {error}.") from None
    if not isinstance(data, dict):
        raise DataError(f"{path} must hold a JSON object, but holds {type(data).__name__} instead.")
    if data.get("schema", SCHEMA) > SCHEMA:
        raise DataError(f"{path} has schema {data['schema']}; this rence reads up to {SCHEMA}. Upgrade rence-bench.")
    return data


def append_jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    """Add lines and flush them to disk before returning."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)
        file.flush()
        os.fsync(file.fileno())


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a file; a last line that a kill cut off is left out. No file, no lines."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith("\n"):
                return
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise DataError(f"{path}:{number} is not valid JSON: {error}.") from None


def _known(record: type, data: Mapping[str, Any]) -> dict[str, Any]:
    names = {f.name for f in fields(record)}
    return {key: value for key, value in data.items() if key in names}


def _step(folder: Path) -> int:
    return int(folder.name.removeprefix("step_"))
