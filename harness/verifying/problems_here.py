"""The problems that were asked, if this machine has them, and by which rule answers equal golds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from benchmarks.marks import Form, Rule
from benchmarks.problems import Benchmark, Problem, ProblemsError
from benchmarks.registry import TRAINING_SETS
from harness import config
from harness.base import registry
from harness.base.errors import UserError
from harness.base.plugins import PluginError
from harness.config.experiment import Experiment
from harness.models.resolving import SHIPPED
from harness.records import EvalRecord
from harness.verifying.found import NotComparable
from harness.verifying.scope import VerifiedFolder

_WITHIN = re.compile(r", decimals within ([0-9.]+)%\Z")


@dataclass
class ProblemsHere:
    """Looks benchmarks up: in files that were named, in the run's experiment, in the registry."""

    scope: VerifiedFolder
    files: Sequence[Path] = ()
    """of problems of one's own, whose names are those of their benchmarks"""
    _known: dict[tuple[str, str], Benchmark] = field(default_factory=dict)

    @cached_property
    def experiment(self) -> Experiment:
        """The run's, from its resolved file. Raises: NotComparable if it cannot be read here."""
        if self.scope.run is None or not self.scope.run.resolved.exists():
            raise NotComparable("the experiment's resolved.json is not there")
        # Where they were made, model and problems lay in folders of their own. Who answers does not depend on them: the
        # weights come from the folder, and problems are compared by their hash.
        files = [f"evaluation.benchmarks.{path.stem}.file={path.absolute()}" for path in self.files]
        elsewhere = [f"model={smallest}" for smallest in SHIPPED] + [f"train={next(iter(TRAINING_SETS))}"]
        first: Exception | None = None
        for changes in ([], files, [*files, *elsewhere]):
            try:
                return config.load_run(self.scope.run.resolved, changes)
            except (UserError, PluginError, ProblemsError) as error:
                first = first or error
        raise NotComparable(f"the experiment cannot be read here: {_first(first or ValueError())}")

    def benchmark(self, header: EvalRecord) -> Benchmark:
        """The problems that the header names. Raises: NotComparable if this machine has none, or others."""
        key = (header.benchmark, header.benchmark_hash)
        if key not in self._known:
            self._known[key] = self._found(header)
        return self._known[key]

    def _found(self, header: EvalRecord) -> Benchmark:
        try:
            found = self._named(header)
            if found.hash == header.benchmark_hash:
                return found
        except (UserError, registry.UnknownBenchmark, PluginError, ProblemsError) as error:
            raise NotComparable(f"the problems of {header.benchmark} are not here: {_first(error)}") from None
        raise NotComparable(
            f"the problems of {header.benchmark} here are others (hash {found.hash}, and not {header.benchmark_hash})"
        )

    def _named(self, header: EvalRecord) -> Benchmark:
        named = next((path for path in self.files if path.stem == header.benchmark), None)
        if named:
            return Benchmark.from_file(named, header.benchmark).first(header.limit)
        if self.scope.run and not self.scope.imported:
            try:
                return self.experiment.evaluation.benchmark(header.benchmark)
            except NotComparable:  # a registered one needs no experiment
                pass
        return registry.benchmark(header.benchmark).first(header.limit)

    def rules(self, header: EvalRecord) -> Mapping[str, tuple[Rule, str]] | Rule:
        """Problem -> its rule and gold; the one rule of all, by the header's words, where the problems are not here.

        Raises: NotComparable if neither is known.
        """
        written = rule_of(header.rule)
        try:
            problems = self.benchmark(header).problems
        except NotComparable:
            if written is None:
                raise
            return written
        # The command may have said a rule of its own for a file, and a later version may mark by another one.
        own = {problem.rule.in_words for problem in problems}
        other = header.rule and set(header.rule.split("; ")) != own
        if other and written is None:
            raise NotComparable(f"answers to {header.benchmark} were marked by another rule ({header.rule})")
        return {one.id: ((written if other else None) or one.rule, one.gold) for one in problems}

    def asked(self, header: EvalRecord) -> Sequence[Problem]:
        """In the order in which they were asked. Raises: NotComparable."""
        problems = self.benchmark(header).problems
        if header.order or header.stopped_by:
            raise NotComparable("it was asked look by look for a sequential gate, and in which chunks is not kept")
        return problems


def rule_of(words: str) -> Rule | None:
    """The rule of these words, as `Rule.in_words` has them; None for several, or for others."""
    within = _WITHIN.search(words)
    tolerance = float(within[1]) / 100 if within else 0.0
    return next((rule for form in Form if (rule := Rule(form, tolerance)).in_words == words), None)


def _first(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
