"""RUN against a baseline file, from files to a result."""

from __future__ import annotations

from pathlib import Path

from reports.data.matching import Unmatched
from reports.gate import checks, reading
from reports.gate.baseline import MARGIN_POINTS
from reports.gate.decide import GateOutcome, decide
from reports.gate.measure import measure
from reports.gate.sharpen import sharper
from reports.gate.verdict import Gate, Policy


def run(name: str, file: Path, margin: float | None, allow_unmatched: bool, on_inconclusive: Policy) -> Gate:
    """Raises: DataError, Unmatched, ValueError: see `reports.gate_run`."""
    baseline = reading.read(file, MARGIN_POINTS / 100)
    old = baseline.results
    measured = measure(name, old.benchmarks)
    new = measured.results
    checks.check_same_problems(name, new, str(file), old)
    reasons = checks.unmatched(new, old)
    if reasons and not allow_unmatched:
        raise Unmatched(
            f"{name} and {file} are not matched: {'; '.join(reasons)}.\n"
            "Evaluate as the baseline was, make a new one with `--update`, or use --allow-unmatched."
        )
    pairs = [(new.benchmarks[benchmark].values, counts.values) for benchmark, counts in old.benchmarks.items()]
    decision = decide([n for n, _ in pairs], [o for _, o in pairs], baseline.margin if margin is None else margin)
    open_question = decision.outcome == GateOutcome.INCONCLUSIVE
    return Gate(
        run=name,
        baseline=file.as_posix(),
        new=new,
        old=old,
        decision=decision,
        sharper=sharper(decision.average, decision.margin, new, old) if open_question else None,
        unmatched=reasons,
        unstated=checks.unstated(new, old),
        notes=checks.notes(measured, old),
        on_inconclusive=on_inconclusive,
    )
