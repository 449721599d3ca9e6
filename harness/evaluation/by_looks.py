"""An evaluation that may stop early: problems in a random order, a share of every benchmark at a time, and after each a
look by somebody who says whether that was enough. What is asked, and in which chunks, does not depend on what is seen.

    evals/<benchmark>/{order.json, eval.json, attempts.jsonl -> attempts.parquet}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.problems import Problem
from harness.base.errors import UserError
from harness.engines.base import Engine
from harness.evaluation import attempts
from harness.evaluation.evaluator import Begun, Evaluator, Watch, go_on
from harness.records import EvalFolder, EvalRecord, OrderRecord, random_order


@dataclass(frozen=True)
class Looks:
    """When to look, and who does."""

    sizes: Sequence[Mapping[str, int]]
    """problems of each benchmark at each look, ascending; at the last one all"""
    decided: Callable[[], bool]
    """asked after each look's problems are on disk; True ends the evaluation"""
    by: str = "gate"
    """what `stopped_by` says"""


@dataclass(frozen=True)
class Asking:
    """One benchmark, and how it is asked."""

    evaluator: Evaluator
    header: EvalRecord
    problems: Sequence[Problem]
    folder: EvalFolder

    def claim(self) -> None:
        """Raises: UserError if the folder holds an evaluation of something else, or in another order."""
        order = self.order
        if self.folder.header.exists() and OrderRecord.read(self.folder.order) != order:
            raise UserError(
                f"{self.folder.order} does not have the order that is drawn for these problems. Give a new `--out`."
            )
        if not self.folder.order.exists():
            order.write(self.folder.order)
        attempts.claim(self.folder, self.header)

    @property
    def order(self) -> OrderRecord:
        """In which these problems are asked: drawn by their identity, so that nobody can choose it."""
        ids = random_order(self.header.benchmark_hash, (problem.id for problem in self.problems))
        return OrderRecord(self.header.benchmark, self.header.benchmark_hash, ids)

    def ask(self, engine: Engine, ends: Sequence[int], looks: int, watch: Watch) -> None:
        """What so many looks need."""
        if attempts.is_complete(self.folder) or EvalRecord.read(self.folder.header).stopped_by:
            return
        by_id = {problem.id: problem for problem in self.problems}
        problems = [by_id[one] for one in self.order.problems]
        chunks = self.evaluator.left(self.header, problems, self.folder, ends, looks)
        go_on(engine, [Begun(self.evaluator, self.header, self.folder, chunks, closes=False)], watch)

    def end(self, problems: int, by: str) -> None:
        """Complete it with so many problems, all or fewer."""
        if attempts.is_complete(self.folder):
            return
        if problems < len(self.problems):
            attempts.stop(self.folder, problems, by)
        else:
            attempts.seal(self.folder)


def ask(looks: Looks, engine: Engine, benchmarks: Mapping[str, Asking], watch: Watch) -> None:
    """All benchmarks up to each look, until one decides.

    Raises: UserError if a folder holds an evaluation of something else.
    """
    for one in benchmarks.values():
        one.claim()
    ends = {name: [sizes[name] for sizes in looks.sizes] for name in benchmarks}
    for look, sizes in enumerate(looks.sizes, 1):
        for name, one in benchmarks.items():
            one.ask(engine, ends[name], look, watch)
        if look == len(looks.sizes) or looks.decided():
            for name, one in benchmarks.items():
                one.end(sizes[name], looks.by)
            return
