"""rence-bench: which RL algorithm makes a language model reason better, by how much, and how sure are we?

The public Python, in one name for users, notebooks and plug-ins. Results (docs/reference/python.md):

    load         the results of a folder as pandas DataFrames and pictures: Results
    compare      two arms or models, paired by problem: PairResults
    errors       DataError Unmatched BrokenSeal

What is there to build with (docs/how-to/plugins.md):

    algorithms   Algorithm PolicyGradient Rollouts Totals Loss Mean Activity; ops, objectives (ours, to subclass)
    problems     Problem Benchmark TrainingSet Selection; Rule Form Response Marked Mark mark_all
    engines      Engine Request Sampling Completion
    backends     Backend LocalBackend Mistake BackendCosts Throughput Checkpoint TrainingResult RUNTIME; backends
                 (what ours are built from)
    reports      Section Analysis Text Bullets Table Column Row Cell Figure Folded

What has a name, plug-ins included, is looked up with `algorithm("grpo", clip_low=0.1)`, `benchmark("mini_sums")` and
`training_set("mini_rl")`.

Nothing is imported before it is asked for; torch, numpy and pandas come last of all.
"""

from __future__ import annotations

import atexit
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from algorithms.base import Activity, Algorithm
    from algorithms.hyperparameters import check_ranges
    from algorithms.policy_gradient import PolicyGradient
    from algorithms.rollouts import Loss, Mean, Rollouts, Totals
    from benchmarks.marking import mark_all
    from benchmarks.marks import Form, Mark, Marked, Response, Rule
    from benchmarks.problems import Benchmark, Problem, Selection, TrainingSet
    from harness.backends.base import Backend, BackendCosts, Checkpoint, Mistake, Throughput, TrainingResult
    from harness.backends.local.backend import LocalBackend
    from harness.base.registry import algorithm, benchmark, training_set
    from harness.engines.base import Completion, Engine, Request, Sampling
    from harness.records import DataError
    from harness.records.chain import BrokenSeal
    from harness.records.fields import RUNTIME
    from rence import backends, objectives, ops
    from rence.version import __version__
    from reports import compare, evaluated_model, load
    from reports.data.analysis import Analysis
    from reports.data.matching import Unmatched
    from reports.document import Bullets, Cell, Column, Figure, Folded, Row, Section, Table, Text
    from reports.frames.compared import PairResults
    from reports.frames.loaded import Results
else:

    def __getattr__(name: str) -> object:
        from rence.lazy import attribute

        return attribute(__name__, name)


__all__ = [
    "RUNTIME",
    "Activity",
    "Algorithm",
    "Analysis",
    "Backend",
    "BackendCosts",
    "Benchmark",
    "BrokenSeal",
    "Bullets",
    "Cell",
    "Checkpoint",
    "Column",
    "Completion",
    "DataError",
    "Engine",
    "Figure",
    "Folded",
    "Form",
    "LocalBackend",
    "Loss",
    "Mark",
    "Marked",
    "Mean",
    "Mistake",
    "PairResults",
    "PolicyGradient",
    "Problem",
    "Request",
    "Response",
    "Results",
    "Rollouts",
    "Row",
    "Rule",
    "Sampling",
    "Section",
    "Selection",
    "Table",
    "Text",
    "Throughput",
    "Totals",
    "TrainingResult",
    "TrainingSet",
    "Unmatched",
    "__version__",
    "algorithm",
    "backends",
    "benchmark",
    "check_ranges",
    "compare",
    "evaluated_model",
    "load",
    "main",
    "mark_all",
    "objectives",
    "ops",
    "training_set",
]  # fmt: skip


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def main(arguments: list[str] | None = None) -> None:
    """Run a command of `rence` and exit with its code; with 2 where another package takes the place of one of ours.

    Args:
        arguments: the command's words; those of the command line if None.
    """
    from rence.shadows import ShadowedError, refuse_shadows

    try:
        refuse_shadows()
    except ShadowedError as error:
        print(f"rence: {error}", file=sys.stderr)
        sys.exit(2)
    from rence.cli import main as command_line

    try:
        command_line(arguments)
    except SystemExit as end:
        if arguments is not None:
            raise
        # The program is over, and streams are flushed. To take apart what it has imported would cost seconds.
        atexit._run_exitfuncs()
        os._exit(end.code if isinstance(end.code, int) else 0)
