"""Whose answers they are: the weights that were evaluated, if they are here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from harness.base.errors import UserError
from harness.models import resolving, smollm
from harness.records import START, DataError, DoneRecord, EvalRecord
from harness.verifying.found import Discrepancy, NotComparable, VerifiedEvaluation
from harness.verifying.scope import VerifiedFolder


@dataclass
class EvaluatedWeights:
    """Finds and hashes models, each once."""

    scope: VerifiedFolder
    model: str | None = None
    """where the model is that no trial of this folder made: shipped, a folder, or a hub id"""
    _hashes: dict[Path, str] = field(default_factory=dict)

    def folder(self, one: VerifiedEvaluation) -> Path:
        """Where the evaluated model is. Raises: NotComparable if it is not here."""
        if self.scope.imported:
            raise NotComparable("the answers were made elsewhere and imported")
        if one.seed is not None and self.scope.kind != "evaluation":
            trial = self.scope.run.trial(one.arm, one.seed).root if self.scope.run else self.scope.root
            kept = trial / "checkpoints" / f"step_{one.step}"
            if not kept.is_dir():
                raise NotComparable("the weights are gone: a trial keeps those of its last step")
            return kept
        return self._untrained(one)

    def _untrained(self, one: VerifiedEvaluation) -> Path:
        plan = self.scope.plan
        name = self.model or (plan.model if plan and one.arm == START else _shipped(one.arm))
        if name is None:
            raise NotComparable(f"where `{one.arm}` is, the folder does not say: `--model DIR_OR_ID` does")
        try:
            found = resolving.find(name)
        except UserError:
            found = None
        if found is None:
            raise NotComparable(f"model `{name}` is not on this machine: `--model DIR` says where it is")
        return found

    def hash(self, folder: Path) -> str:
        """Raises: UserError if there are no weights in it."""
        if folder not in self._hashes:
            self._hashes[folder] = resolving.model_hash(folder)
        return self._hashes[folder]

    def check(self, evaluations: Iterable[VerifiedEvaluation]) -> list[Discrepancy]:
        """Say of each evaluation whether its weights are here, and what kept weights are not those that answered."""
        if self.scope.imported:  # which does not know whose answers they are
            return []
        found: dict[Path, Discrepancy] = {}
        for one in evaluations:
            header = one.folder / "eval.json"
            try:
                folder = self.folder(one)
                wanted = EvalRecord.read(header).model_hash
            except NotComparable:
                one.weights = "not here"
                continue
            except DataError:
                continue  # which `counts` has said
            try:
                same = self.hash(folder) == wanted
            except UserError as error:
                found[folder] = Discrepancy("missing", folder, f"is not whole: {error}".rstrip("."), _COPY)
                one.weights = "not here"
                continue
            one.weights = "as evaluated" if same else "others"
            # A model that lies elsewhere, such as on the hub, is this machine's and not the folder's.
            if not same and self.scope.root in (folder, *folder.parents):
                what = f"does not hold the weights that gave the answers in {header.parent}"
                found[folder] = Discrepancy("differs", folder, what, _COPY)
        return [*found.values(), *self._final(found)]

    def _final(self, known: Iterable[Path]) -> Iterable[Discrepancy]:
        """The last checkpoints against done.json, where no evaluation has told already."""
        for _, _, trial in self.scope.planned():
            try:
                done = DoneRecord.read(trial.done)
                kept = trial.checkpoint(done.steps)
                if kept in known or not done.final_weights or not kept.is_dir():
                    continue
                if self.hash(kept) != done.final_weights:
                    yield Discrepancy("differs", kept, "does not hold the weights that done.json names", _COPY)
            except (DataError, UserError):
                continue  # which `counts` has said


_COPY = "Copy the checkpoint again from where it was made"


def _shipped(name: str) -> str | None:
    """The model of ours that tables call so."""
    return next((one for one in (*resolving.SHIPPED, smollm.NAME) if resolving.short_name(one) == name), None)
