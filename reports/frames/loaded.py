"""`rence.load`: the results of a folder, read when they are first asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from harness.records import DataError
from harness.records.chain import BrokenSeal
from reports.data.matching import Unmatched
from reports.document import Table
from reports.frames.kinds import Kind
from reports.words import listing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from reports.data.analysis import Analysis
    from reports.data.load import Run
    from reports.frames.compared import PairResults


@dataclass(frozen=True, repr=False)
class Results:
    """The results of one folder, as tables and pictures.

    Tables are pandas DataFrames with the columns, types and units of the tables below, made anew at each call: change
    them as you like. Their numbers are those of the report (`rence report`), from the same code. Scores and differences
    are fractions in tables and percent in pictures; what is missing is NaN, never 0.

    Files are read when something is first asked for, and kept: what a run under way has added since is seen by a new
    `load`.
    """

    root: Path
    """the folder"""
    kind: Kind
    """run (made by `rence run`), import (by `rence import`), scores (by `rence import scores`) or evaluation (by `rence
    eval`)"""
    accept: str | None = None
    only_common: bool = False

    @property
    def name(self) -> str:
        """The experiment's; of an evaluation, its folder's."""
        return self.analysis.run.plan.experiment

    @property
    def benchmarks(self) -> tuple[str, ...]:
        """Names, in the plan's order."""
        return tuple(self.analysis.benchmarks)

    @property
    def decodings(self) -> tuple[str, ...]:
        """Names of the ways in which answers were sampled, the headline's first; empty where there is one."""
        return tuple(self.analysis.run.plan.decodings)

    @property
    def verdict(self) -> str:
        """What the report says was found, what it depends on, and what it rests on."""
        return " ".join(self._sentences)

    @cached_property
    def _sentences(self) -> list[str]:
        from reports import verdict

        if self.kind == "evaluation":
            return ["Percent; the intervals are about this one checkpoint on new problems like these."]
        return verdict.sentences(self.analysis)

    @property
    def notes(self) -> tuple[str, ...]:
        """What one must know beside the numbers: what is missing, unfinished, failed or differs."""
        from reports.sections import notes

        return tuple(self._read[1] if self.kind == "evaluation" else notes.collect(self.analysis))

    @property
    def analysis(self) -> Analysis:
        """What sections of a report are made from (docs/how-to/plugins.md), for what no table has."""
        return self._read[0]

    @cached_property
    def _read(self) -> tuple[Analysis, list[str]]:
        from reports.frames import opening

        return opening.of_folder(self.root, self.kind, self.accept, self.only_common)

    def arms(self) -> pd.DataFrame:
        """What is compared: the untrained model, and the arms in the plan's order."""
        from reports.frames import score_frames

        return score_frames.arms(self.analysis)

    def trials(self) -> pd.DataFrame:
        """Each arm with each seed: how far it is, its score, and what it has cost. Empty for an evaluation."""
        from reports.frames import score_frames

        return score_frames.trials(self.analysis)

    def scores(self, *, by_seed: bool = False, decoding: str | None = None) -> pd.DataFrame:
        """Scores at the headline with their intervals: `results.csv`.

        An arm without a complete result has a row of NaN; with `by_seed` it has none.

        Args:
            by_seed: a row for each checkpoint, without intervals.
            decoding: one of `decodings`; the headline's if None.
        """
        from reports.frames import score_frames

        make = score_frames.seed_scores if by_seed else score_frames.scores
        return make(self.analysis, self._decoding(decoding))

    def problems(self, *, by_seed: bool = False, decoding: str | None = None) -> pd.DataFrame:
        """Each arm on each problem at the headline: pass rates, marks and lengths.

        Args:
            by_seed: a row for each checkpoint and problem, instead of all seeds together.
            decoding: one of `decodings`; the headline's if None.
        """
        from reports.frames import answer_frames

        return answer_frames.problems(self._run(decoding), by_seed)

    def attempts(self, *, text: bool = False, headline: bool = True, decoding: str | None = None) -> pd.DataFrame:
        """Every attempt: its mark, its length, and with `text` what was answered.

        Args:
            text: with the columns of texts, and how the answer was made. They can take much memory.
            headline: those at the full budget and of the untrained model alone; else all evaluations.
            decoding: one of `decodings`; the headline's if None.
        """
        from reports.frames import answer_frames

        return answer_frames.attempts(self._run(decoding), text, not headline)

    def curves(self, *, by_seed: bool = False) -> pd.DataFrame:
        """Scores over training, with the band of the report's picture, on the benchmarks that curves are made of.

        Args:
            by_seed: a row for each evaluation, instead of the mean over seeds.
        """
        from reports.frames import curve_frames

        return (curve_frames.seed_curves if by_seed else curve_frames.curves)(self.analysis)

    def differences(self) -> pd.DataFrame:
        """The planned paired differences with their tests: the `pairs` of `verdict.json`. `compare` makes others."""
        from reports.frames import score_frames

        return score_frames.differences(self.analysis)

    def flips(self, a: str, b: str) -> pd.DataFrame:
        """Which problems arm `a` solves and arm `b` does not, and the other way round.

        Solved: more than half of all seeds' attempts are correct. Whether arms differ, `compare` says, not flips.

        Raises: ValueError for a name that is no arm's.
        """
        from reports.frames import answer_frames

        return answer_frames.flipped(self.analysis, self._arm(a), self._arm(b))

    def pass_at_k(self) -> pd.DataFrame:
        """pass@k, pass^k and maj@k of each arm at the headline, for k = 1, 2, 4, ... up to the attempts there are."""
        from reports.frames import curve_frames

        return curve_frames.pass_at_k(self.analysis)

    def pass_at_k_differences(self) -> pd.DataFrame:
        """Paired differences of pass@k: the target with each baseline, and each arm with the untrained model.

        A family of its own: intervals are not adjusted.
        """
        from reports.frames import curve_frames

        return curve_frames.pass_differences(self.analysis)

    def markers(self) -> pd.DataFrame:
        """How far two markers agree, where a second one ran (`evaluation.second_marker`); empty where none did."""
        from reports.frames import score_frames

        return score_frames.markers(self.analysis)

    def steps(self) -> pd.DataFrame:
        """What trials logged at each step, with a float64 column for each metric, by the name in `steps.jsonl`."""
        from reports.frames import score_frames

        return score_frames.steps(self.analysis)

    def missing(self) -> pd.DataFrame:
        """Planned results of the headline that are not there, or not yet; empty where all are."""
        from reports.frames import score_frames

        return score_frames.missing(self.analysis)

    def compare(self, a: str, b: str, *, accept: str | None = None, margin: float | None = None) -> PairResults:
        """Two arms of this run, or `start`, as `rence compare` does.

        Args:
            a, b: names of arms.
            accept: why a mismatch does not matter.
            margin: a fraction; differences smaller than this do not matter.

        Raises: ValueError for a name that is no arm's; Unmatched; DataError if a trial of theirs is unfinished.
        """
        from reports import comparing
        from reports.frames.compared import PairResults

        planned, sides = self.analysis.run.plan.comparison, [str(self.root / self._arm(name)) for name in (a, b)]
        options = (accept or self.accept, planned.estimand, planned.alpha, margin, self.only_common)
        return PairResults(**vars(comparing.compare(sides[0], sides[1], *options)))

    def plot_scores(self, benchmark: str = "average", ax: Axes | None = None) -> Axes:
        """Each arm's score in percent with its interval, and every seed as a dot."""
        from reports.frames import pictures

        return pictures.score_rows(self.analysis, benchmark, ax)

    def plot_curves(self, benchmark: str = "average", x: str | None = None, ax: Axes | None = None) -> Axes:
        """Learning curves in percent: each arm's mean with its band, and every seed thin.

        Args:
            x: rollouts, updates, tokens or step; rollouts if None, and steps for an import, which knows no more.
        """
        from reports.frames import pictures

        return pictures.learning_curves(self.analysis, benchmark, x or self._axis, ax)

    def plot_differences(self, by_benchmark: bool = False, ax: Axes | None = None) -> Axes:
        """The target minus each baseline in points, with intervals that are simultaneous within their family.

        Args:
            by_benchmark: on each benchmark too, not on the average alone.
        """
        from reports.frames import pictures

        return pictures.difference_rows(self.analysis, by_benchmark, ax)

    def plot_pass_at_k(self, benchmark: str = "average", ax: Axes | None = None) -> Axes:
        """pass@k in percent against k, with every seed thin."""
        from reports.frames import pictures

        return pictures.attempts_curve(self.analysis, benchmark, ax)

    def plot_cost(self, x: str = "tokens", ax: Axes | None = None) -> Axes:
        """The average in percent against what training took: every seed a dot, the mean of an arm a cross.

        Args:
            x: tokens, rollouts, updates, cpu_seconds or wall_seconds.
        """
        from reports.frames import pictures

        return pictures.cost_cloud(self.analysis, x, ax)

    @property
    def _axis(self) -> str:
        return "rollouts" if self.kind == "run" else "step"

    def _decoding(self, name: str | None) -> str:
        if name is not None and name not in self.decodings:
            there = f"it must be one of {listing(self.decodings, 'or')}" if self.decodings else "there is one decoding"
            raise ValueError(f"`decoding` is `{name}`, but {there}.")
        return name or ""

    def _run(self, decoding: str | None) -> Run:
        return self.analysis.run.decoded.get(self._decoding(decoding), self.analysis.run)

    def _arm(self, name: str) -> str:
        if name not in self.analysis.rows:
            raise ValueError(f"`{name}` is no arm of {self.name}. Its arms: {', '.join(self.analysis.rows)}.")
        return name

    def __repr__(self) -> str:
        from reports.frames import shown

        try:
            return shown.text(*self._shown())
        except (DataError, Unmatched, BrokenSeal) as error:
            return f"{self.root}: {error}"

    def _repr_html_(self) -> str:
        from reports.frames import shown

        try:
            return shown.html(*self._shown())
        except (DataError, Unmatched, BrokenSeal) as error:
            return shown.html(str(self.root), [], [str(error)])

    def _shown(self) -> tuple[str, list[Table], list[str]]:
        """Head, table of scores, and sentences below it."""
        from reports.frames import shown

        notes = self.notes if self.kind == "evaluation" else ()
        return shown.parts(self.analysis, self.kind, [*self._sentences, *shown.gaps(self.missing()), *notes])
