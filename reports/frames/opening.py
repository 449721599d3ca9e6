"""The analysis of a folder: of a run, as its report has it; of what `rence eval` left, in the same shape.

Raises, everywhere in this module: records.DataError for a folder that holds no results, or broken ones; BrokenSeal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from harness.records import ArmRecord, Comparison, EvalFolder, Plan
from harness.records.layout import eval_name
from reports.data import analysis, by_decoding
from reports.data.agreement import analysed
from reports.data.analysis import Analysis
from reports.data.load import Run, count, read_attempts
from reports.data.pairs import UNTRAINED
from reports.data.scores import AVERAGE
from reports.evaluation import result
from reports.frames.kinds import HEADERS, Kind


@dataclass(frozen=True)
class EvaluatedRun(Run):
    """A folder of `rence eval` in the tables of a run: one arm, the model, and no trial."""

    def folder(self, e: int) -> EvalFolder:
        row = self.evals.iloc[e]
        return EvalFolder(self.root / "evals" / eval_name(str(row["benchmark"]), str(row["decoding"])))


def of_folder(root: Path, kind: Kind, accept: str | None, only_common: bool) -> tuple[Analysis, list[str]]:
    """The analysis that a report of this folder is made from, and, of an evaluation, notes of its own.

    Args:
        accept: why a broken seal or a mismatch does not matter; None: it does.
        only_common: keep of each benchmark the problems that all have.
    """
    return _evaluation(root, accept) if kind == "evaluation" else (analysed(root, accept, only_common), [])


def _evaluation(root: Path, accept: str | None) -> tuple[Analysis, list[str]]:
    """As `rence eval` counts: an interval is about this checkpoint on new problems, and no average of benchmarks that
    share problems."""
    model = result.read(root, accept)
    header = model.header
    folders = by_decoding.first(EvalFolder(path.parent) for path in sorted(root.glob(HEADERS)))
    evals, attempts = read_attempts(one for one in folders if one.complete)
    plan = Plan(
        experiment=root.resolve().name,
        arms=[ArmRecord(header.arm, "", header.arm, {}, {}, {}, [], header.model_hash)],
        seeds=[UNTRAINED],
        benchmarks={one.name: one.header.k for one in model.results},
        curve_benchmarks={},
        comparison=Comparison(header.arm, [], "checkpoints"),
        budget_rollouts=0,
        grid_rollouts=[header.grid],
        backend="",
        model=header.arm,
        model_hash=header.model_hash,
        train="",
        template=header.template,
        recipe={},
        evaluation={},
        tuning={},
        lock="",
        imported="rence eval",  # of its training nothing is known
    )
    run = EvaluatedRun(root, plan, {}, evals, count(attempts), pd.DataFrame(), attempts=attempts)
    found = analysis.analyse(run, model.checked)
    if model.average is None:
        scores = {key: score for key, score in found.scores.items() if key[1] != AVERAGE}
        found = replace(found, scores=scores, weighted={})
    return found, list(model.notes)
