"""The names of what is in a run folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SEAL = "seal.json"
"""of an evaluation, a checkpoint, a report: hashes of what is beside it (`seals.py`)"""
START = "start"
"""the arm name of the untrained model"""


SEPARATOR = "@"
"""between a benchmark and a decoding in a folder's name; no benchmark has it in an experiment with decodings"""


def eval_name(benchmark: str, decoding: str = "") -> str:
    """Of an evaluation's folder.

    Args:
        decoding: empty for the first, or only, one.
    """
    return f"{benchmark}{SEPARATOR}{decoding}" if decoding else benchmark


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
    def scores_plan(self) -> Path:
        """of an import of scores without problems, in the place of a plan (`seed_scores.py`)"""
        return self.root / "scores.json"

    @property
    def scores(self) -> Path:
        """the rows of such an import"""
        return self.root / "scores.parquet"

    @property
    def expected(self) -> Path:
        """published scores; may be missing"""
        return self.root / "expected.json"

    @property
    def report(self) -> Path:
        return self.root / "report"

    def all_evals(self) -> list[EvalFolder]:
        """Of the untrained model and of every trial, in the order of their names."""
        found = (*self.root.glob("start/evals/*/eval.json"), *self.root.glob("*/seed*/evals/step_*/*/eval.json"))
        return [EvalFolder(path.parent) for path in sorted(found)]

    def start_eval(self, name: str) -> EvalFolder:
        """By `eval_name`."""
        return EvalFolder(self.root / START / "evals" / name)

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

    def rollouts(self, step: int) -> Path:
        """A recorded rollout batch; its existence means that it is complete."""
        return self.root / "rollouts" / f"step_{step}"

    def log(self, attempt: int) -> Path:
        return self.root / "logs" / f"attempt_{attempt}"

    def eval(self, step: int, name: str) -> EvalFolder:
        """By `eval_name`."""
        return EvalFolder(self.root / "evals" / f"step_{step}" / name)

    def evals(self) -> list[EvalFolder]:
        """Every evaluation begun so far, by step and benchmark name."""
        found = [p for p in self.root.glob("evals/step_*/*/eval.json") if is_step(p.parent.parent)]
        return [EvalFolder(p.parent) for p in sorted(found, key=lambda p: (_step(p.parent.parent), p.parent.name))]


@dataclass(frozen=True)
class EvalFolder:
    """`.../evals/[step_<n>/]<benchmark>[@<decoding>]/`: the header, and the attempts while open and when complete."""

    root: Path

    @property
    def header(self) -> Path:
        return self.root / "eval.json"

    @property
    def order(self) -> Path:
        """Of the problems, where it is not the benchmark's own."""
        return self.root / "order.json"

    @property
    def open_attempts(self) -> Path:
        return self.root / "attempts.jsonl"

    @property
    def open_chunks(self) -> Path:
        """The number of rows and the hash of each chunk of the open attempts; gone when they are complete."""
        return self.root / "chunks.jsonl"

    @property
    def attempts(self) -> Path:
        return self.root / "attempts.parquet"

    @property
    def complete(self) -> bool:
        """Whether all attempts are there and sealed: the open ones go last, so a kill before that leaves it open."""
        return self.attempts.exists() and not self.open_attempts.exists()

    @property
    def seal(self) -> Path:
        """What the complete evaluation is bound by; none in folders from before there were seals"""
        return self.root / SEAL


def is_step(folder: Path) -> bool:
    """Whether it is called as we call folders of a step: `step_8 (copy)` is somebody else's."""
    number = folder.name.removeprefix("step_")
    return number.isdecimal() and folder.name == f"step_{int(number)}"


def _step(folder: Path) -> int:
    return int(folder.name.removeprefix("step_"))
