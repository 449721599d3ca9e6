"""What `rence verify` finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from harness.base.errors import FAILED, INCOMPLETE, OK

Kind = Literal["run", "import", "arm", "trial", "evaluation"]


class NotComparable(Exception):
    """Why something cannot be made again here. It says nothing about what is there."""


@dataclass(frozen=True)
class Discrepancy:
    """One file that is not what it must be."""

    kind: Literal["differs", "missing"]
    file: Path
    what: str
    """`FILE WHAT. MEND.` are the sentences that people read"""
    mend: str

    @property
    def sentence(self) -> str:
        return f"{self.file} {self.what}. {self.mend}."


@dataclass(frozen=True)
class ChangedMark:
    """An answer whose mark or final answer is another when it is marked again."""

    problem_id: str
    sample: int
    old: str
    new: str
    old_answer: str | None
    new_answer: str | None


@dataclass(frozen=True)
class RemarkedEvaluation:
    """An evaluation's answers marked again."""

    marker: str = ""
    """the version that made the marks that are there"""
    attempts: int = 0
    """that were marked again"""
    without_text: int = 0
    """answers that an import did not bring"""
    changed: Sequence[ChangedMark] = ()
    undecided: int = 0
    """of those that changed, where one of the two comparisons ran out of time or broke"""
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """mark -> `old` and `new`: how many there were, how many there are now"""
    same_marker: bool = False
    """whether the marker that is installed made the marks"""
    reason: str = ""
    """why it could not be marked again; empty if it was"""

    @property
    def differs(self) -> int:
        """Changed marks that nothing explains: the same marker decided both times."""
        return len(self.changed) - self.undecided if self.same_marker else 0


@dataclass(frozen=True)
class ChangedText:
    """An answer that is another when it is generated again."""

    problem_id: str
    sample: int
    what: Literal["text", "key", "length"]
    """text, the response; key, the hash of what it was made of; length, its tokens or why it ended"""
    old: str
    new: str


@dataclass(frozen=True)
class RegeneratedEvaluation:
    """A sample of an evaluation's answers generated again."""

    attempts: int = 0
    """that were generated again"""
    equal: int = 0
    changed: Sequence[ChangedText] = ()
    reason: str = ""
    """why it is not comparable; empty if it is. Then `changed` is what differed, and stands for nothing"""

    @property
    def differs(self) -> int:
        """Answers that are others, or whose keys are: a key is arithmetic on words, the same everywhere."""
        kept = [one for one in self.changed if one.what == "key" or not self.reason]
        return len({(one.problem_id, one.sample) for one in kept})


@dataclass
class VerifiedEvaluation:
    """One evaluation: who was asked what, what is there, and what was made of it again."""

    folder: Path
    arm: str
    seed: int | None
    step: int
    benchmark: str
    """and the decoding, if it is not the first one, as the folder is called"""
    decoding: str = ""
    """empty for the first, or only, one"""
    problems: int = 0
    k: int = 0
    grid: int = 0
    """the point of the rollout grid, or of an import's steps, that it belongs to"""
    attempts: int = 0
    """rows that are there"""
    marks: Mapping[str, int] = field(default_factory=dict)
    complete: bool = False
    weights: Literal["as evaluated", "others", "not here", "unknown"] = "unknown"
    """of the evaluated model; unknown: nobody says where it is, or which it was"""
    remarked: RemarkedEvaluation | None = None
    regenerated: RegeneratedEvaluation | None = None

    @property
    def name(self) -> str:
        """`grpo/seed0 step 4 mini_sums`"""
        who = self.arm if self.seed is None else f"{self.arm}/seed{self.seed} step {self.step}"
        return f"{who} {self.benchmark}"


@dataclass
class Verification:
    """All of it."""

    root: Path
    kind: Kind
    state: Literal["sealed", "unsealed"] = "unsealed"
    evidence: str = ""
    """SHA-256 over what the chain of seals checked"""
    report: Literal["of these files", "of other files", "unsealed", "none"] = "none"
    evaluations: list[VerifiedEvaluation] = field(default_factory=list)
    discrepancies: list[Discrepancy] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    scores_only: bool = False
    """whether it is an import of scores, which has seals and no evaluations"""

    @property
    def differs(self) -> int:
        """Files, marks and texts that differ."""
        files = sum(one.kind == "differs" for one in self.discrepancies)
        marks = sum(one.remarked.differs for one in self.evaluations if one.remarked)
        return files + marks + sum(one.regenerated.differs for one in self.evaluations if one.regenerated)

    @property
    def missing(self) -> int:
        return sum(one.kind == "missing" for one in self.discrepancies)

    @property
    def unanswered(self) -> list[str]:
        """What was asked for and could be done for no evaluation at all."""
        asked = {
            "marked again": [one.remarked for one in self.evaluations if one.remarked],
            "generated again": [one.regenerated for one in self.evaluations if one.regenerated],
        }
        return [what for what, found in asked.items() if found and all(one.reason for one in found)]

    @property
    def exit_code(self) -> int:
        """1 if something differs, 3 if something is missing or nothing of what was asked for could be tried, else 0."""
        if self.differs:
            return FAILED
        nothing = not self.evaluations and not self.scores_only
        return INCOMPLETE if self.missing or self.unanswered or nothing else OK

    def to_json(self) -> dict[str, Any]:
        """What `rence verify --json` prints."""
        return {
            "schema": 1,
            "root": str(self.root),
            "kind": self.kind,
            "exit_code": self.exit_code,
            "whole": not (self.differs or self.missing),
            "sealed": self.state,
            "evidence": self.evidence,
            "report": self.report,
            "differs": self.differs,
            "missing": self.missing,
            "discrepancies": [{**asdict(one), "file": str(one.file)} for one in self.discrepancies],
            "evaluations": [_evaluation(one) for one in self.evaluations],
            "notes": self.notes,
        }


def _evaluation(one: VerifiedEvaluation) -> dict[str, Any]:
    data = {**asdict(one), "folder": str(one.folder)}
    for key, made in (("remarked", one.remarked), ("regenerated", one.regenerated)):
        if made is not None:
            data[key]["differs"] = made.differs
    return data
