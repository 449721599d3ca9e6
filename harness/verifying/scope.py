"""What a folder is: a run, an import, an arm, a trial, or answers of `rence eval`; and the evaluations in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from harness.records import START, DataError, EvalFolder, Plan, RunFolder, TrialFolder
from harness.records.files import real_path
from harness.verifying.found import Kind

_ROWS = ("eval.json", "attempts.parquet", "attempts.jsonl")
"""one of them is enough for a folder to be an evaluation, whole or not"""


@dataclass(frozen=True)
class EvaluationPlace:
    """An evaluation's folder, and what its path says that it is; `header` alone knows in a folder of `rence eval`."""

    folder: EvalFolder
    arm: str | None
    seed: int | None
    step: int
    benchmark: str


@dataclass(frozen=True)
class VerifiedFolder:
    """What is verified."""

    root: Path
    kind: Kind
    run: RunFolder | None
    """the run that it is or is in; None: in none"""
    arm: str | None = None
    seed: int | None = None
    plan: Plan | None = None
    """of the run; None if it has none that can be read"""
    unread: str = ""
    """why its plan cannot be read"""

    @property
    def imported(self) -> bool:
        """Whether the answers were made elsewhere."""
        return bool(self.plan and self.plan.imported)

    def planned(self) -> list[tuple[str, int, TrialFolder]]:
        """Arm, seed and folder of each trial that the plan has here, in its order."""
        if self.run is None or self.plan is None:
            return [(self.arm or "", self.seed or 0, TrialFolder(self.root))] if self.kind == "trial" else []
        return [
            (arm.name, seed, self.run.trial(arm.name, seed))
            for arm in self.plan.arms
            for seed in self.plan.seeds
            if self.arm in (None, arm.name) and self.seed in (None, seed)
        ]

    @property
    def has_start(self) -> bool:
        """Whether the untrained model's answers are part of it."""
        return self.kind in ("run", "import") or self.arm == START

    def places(self) -> list[EvaluationPlace]:
        """Every evaluation that was begun, whatever is left of it, in the order of their names."""
        if self.kind == "evaluation":
            return [EvaluationPlace(EvalFolder(at), None, None, 0, at.name) for at in _begun(self.root.glob("evals/*"))]
        found = []
        if self.has_start:
            base = self.root if self.arm == START else self.root / START
            found += [EvaluationPlace(EvalFolder(at), START, None, 0, at.name) for at in _begun(base.glob("evals/*"))]
        for trial in self._trials():
            for at in _begun(trial.glob("evals/step_*/*")):
                step = at.parent.name.removeprefix("step_")
                arm = self.arm or trial.parent.name
                seed = _number(trial.name.removeprefix("seed"), self.seed)
                found.append(EvaluationPlace(EvalFolder(at), arm, seed, _number(step, -1) or 0, at.name))
        return found

    def _trials(self) -> list[Path]:
        if self.kind == "trial":
            return [self.root]
        there = self._below()
        if self.plan is None:
            return there
        planned = {place.root for _, _, place in self.planned()}
        return [path for path in there if path in planned]

    def strangers(self) -> list[Path]:
        """Folders of trials that the plan does not have."""
        if self.plan is None or self.kind == "trial":
            return []
        planned = {place.root for _, _, place in self.planned()}
        begun = [path for path in self._below() if path not in planned]
        return [path for path in begun if (path / "trial.json").exists() or _begun(path.glob("evals/step_*/*"))]

    def _below(self) -> list[Path]:
        pattern = "seed*" if self.kind == "arm" else "*/seed*"
        return sorted(path for path in self.root.glob(pattern) if path.is_dir())


def find(root: Path) -> VerifiedFolder:
    """What the folder is. Raises: DataError if it is none of ours."""
    found = _kind(root)
    if found.run is None or not found.run.plan.exists():
        return found
    try:
        return replace(found, plan=Plan.read(found.run.plan))
    except DataError as error:
        return replace(found, unread=str(error))


def _kind(root: Path) -> VerifiedFolder:
    if not root.is_dir():
        raise DataError(f"{root} is not a folder. `rence list runs` shows the runs there are.")
    if _is_run(root):
        run = RunFolder(root)
        return VerifiedFolder(root, "import" if run.imported.exists() else "run", run)
    name, above = real_path(root).name, _above(root)
    if _is_run(above) and (name == START or any(_begun(root.glob("seed*/evals/step_*/*"))) or _trial_below(root)):
        return VerifiedFolder(root, "arm", RunFolder(above), name)
    trial = (root / "trial.json").exists() or any(_begun(root.glob("evals/step_*/*")))
    if trial:
        run = RunFolder(_above(above)) if _is_run(_above(above)) else None
        return VerifiedFolder(root, "trial", run, real_path(above).name, _number(name.removeprefix("seed"), None))
    if any(_begun(root.glob("evals/*"))):
        return VerifiedFolder(root, "evaluation", None)
    raise DataError(
        f"{root} is neither a run, an import, an arm or a trial of one, nor a folder of `rence eval`. "
        "`rence list runs` shows the runs there are."
    )


def _above(folder: Path) -> Path:
    """The folder that it is in, by its own name where it has one."""
    return folder.parent if folder.name not in ("", "..") else real_path(folder).parent


def _is_run(root: Path) -> bool:
    """Also one that lost its plan."""
    if (root / "plan.json").exists():
        return True
    return any((root / name).exists() for name in ("resolved.json", "import.json")) or any(root.glob("*/seed*/evals"))


def _trial_below(root: Path) -> bool:
    return any(root.glob("seed*/trial.json"))


def _begun(folders: Iterable[Path]) -> list[Path]:
    return sorted(path for path in folders if any((path / name).exists() for name in _ROWS))


def _number(word: str, otherwise: int | None) -> int | None:
    return int(word) if word.isdecimal() and word.isascii() else otherwise
