"""All that `rence verify` does, in its order. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.base.errors import UserError
from harness.records import EvalFolder
from harness.records.scores_alone import refusal, scores_only
from harness.verifying import counts, sealed
from harness.verifying.checkpoints_kept import EvaluatedWeights
from harness.verifying.found import Discrepancy, RemarkedEvaluation, Verification
from harness.verifying.problems_here import ProblemsHere
from harness.verifying.scope import find


def verify(
    root: Path,
    remark: bool = False,
    regenerate: float | None = None,
    model: str | None = None,
    problems: Sequence[Path] = (),
    watch: Callable[[str], None] = lambda _: None,
) -> Verification:
    """Check a run, an arm, a trial, an import or a folder of `rence eval`.

    Args:
        remark: derive every mark again.
        regenerate: this share of the answers, above 0 and at most 1; None: none.
        model: where the model is that no trial of the folder made, where the folder does not say so, or says another.
        problems: files of problems of one's own.
        watch: told what is being done.
    Raises: DataError if the folder is none of ours; UserError if packages for what is asked are missing.
    """
    scope = find(root)
    if (only := scores_only(root)) and (remark or regenerate is not None):
        raise UserError(refusal(only))
    made = Verification(root, scope.kind)
    if scores_only(root):
        made.scores_only = True
        made.notes.append("Scores without problems: seals and report are checked; there are no answers to count.")
    elif scope.run and not scope.run.plan.exists():
        what = "is gone: what was planned is not known"
        made.discrepancies.append(Discrepancy("missing", scope.run.plan, what, "Take it from where the run was made"))
    if scope.unread and scope.run:
        what = f"cannot be read: {scope.unread.splitlines()[0].rstrip('.')}"
        made.discrepancies.append(Discrepancy("differs", scope.run.plan, what, "Bring it back from a copy"))
    # The seals first: of each file their word is kept, for they know most of it.
    watch("seals")
    made.discrepancies += sealed.chain(scope, made)
    watch("counts")
    for place in scope.places():
        one, wrong = counts.count(scope, place)
        made.evaluations.append(one)
        made.discrepancies += wrong
    made.discrepancies += counts.trials(scope, made.evaluations)
    made.notes += counts.gaps(scope, made.evaluations)
    watch("weights")
    weights = EvaluatedWeights(scope, model)
    made.discrepancies += weights.check(made.evaluations)
    made.discrepancies += sealed.report(scope, made)
    made.discrepancies = _once(made.discrepancies)
    here = ProblemsHere(scope, problems)
    if remark:
        from harness.verifying.remark import remark as again

        for one in made.evaluations:
            watch(f"{one.name}: marks")
            whole = one.complete
            one.remarked = again(scope, here, EvalFolder(one.folder)) if whole else RemarkedEvaluation(reason=_OPEN)
    if regenerate is not None:
        from harness.verifying.regenerate import Regeneration

        Regeneration(scope, here, weights, watch).run(made.evaluations, regenerate)
    return made


_OPEN = "it is not complete"


def _once(found: Sequence[Discrepancy]) -> list[Discrepancy]:
    """Of each file what was said first, the seals' word before the counts'."""
    first: dict[Path, Discrepancy] = {}
    for one in found:
        first.setdefault(one.file, one)
    return list(first.values())
