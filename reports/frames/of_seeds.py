"""`rence.load` of an import of scores without problems: what seeds tell, and words where answers are needed."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NoReturn

from harness.records import DataError
from reports.document import Table
from reports.frames.loaded import Results
from reports.words import plural

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from reports.seed_scores.compared import ComparedScores
    from reports.seed_scores.sides import ComparedSeeds


class SeedResults(Results):
    """Scores without problems (`rence import scores`): what seeds tell, and a DataError where answers are needed."""

    @property
    def name(self) -> str:
        return self._scores.run.plan.experiment

    @property
    def benchmarks(self) -> tuple[str, ...]:
        return tuple(self._scores.run.plan.benchmarks)

    @property
    def decodings(self) -> tuple[str, ...]:
        return ()

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self._scores.run.record.notes)

    @cached_property
    def _scores(self) -> ComparedScores:
        from reports.seed_scores import contents

        return contents.compared(self.root, self.accept)

    @cached_property
    def _sentences(self) -> list[str]:
        from reports.seed_scores.sentences import sentences

        return sentences(self._scores)

    @cached_property
    def _read(self) -> NoReturn:
        raise DataError(
            f"{self.root} holds scores without problems, and this needs answers to problems. There are the tables "
            "arms, trials, scores, curves, differences and missing, `compare`, and the pictures plot_scores, "
            "plot_curves and plot_differences. `rence import` of the answers themselves brings the rest."
        )

    def arms(self) -> pd.DataFrame:
        from reports.frames import seed_frames

        return seed_frames.arms(self._scores)

    def trials(self) -> pd.DataFrame:
        from reports.frames import seed_frames

        return seed_frames.trials(self._scores)

    def scores(self, *, by_seed: bool = False, decoding: str | None = None) -> pd.DataFrame:
        from reports.frames import seed_frames

        self._decoding(decoding)
        return (seed_frames.seed_scores if by_seed else seed_frames.scores)(self._scores)

    def curves(self, *, by_seed: bool = False) -> pd.DataFrame:
        from reports.frames import seed_frames

        return (seed_frames.seed_curves if by_seed else seed_frames.curves)(self._scores)

    def differences(self) -> pd.DataFrame:
        from reports.frames import seed_frames

        return seed_frames.differences(self._scores)

    def compare(  # pyright: ignore[reportIncompatibleMethodOverride]  # there is no frame of problems to give
        self, a: str, b: str, *, accept: str | None = None, margin: float | None = None
    ) -> ComparedSeeds:
        from reports.seed_scores import sides

        arms = self._scores.run.plan.arms
        if unknown := next((name for name in (a, b) if name not in arms), None):
            raise ValueError(f"`{unknown}` is no arm of {self.name}. Its arms: {', '.join(arms)}.")
        one, other = (str(self.root / name) for name in (a, b))
        return sides.compare_sides(one, other, accept or self.accept, self._scores.alpha, margin)

    def plot_scores(self, benchmark: str = "average", ax: Axes | None = None) -> Axes:
        from reports.frames import seed_pictures

        return seed_pictures.score_rows(self._scores, benchmark, ax)

    def plot_curves(self, benchmark: str = "average", x: str | None = None, ax: Axes | None = None) -> Axes:
        from reports.frames import seed_pictures

        return seed_pictures.learning_curves(self._scores, benchmark, x or self._axis, ax)

    def plot_differences(self, by_benchmark: bool = False, ax: Axes | None = None) -> Axes:
        from reports.frames import seed_pictures

        return seed_pictures.difference_rows(self._scores, by_benchmark, ax)

    def missing(self) -> pd.DataFrame:
        from reports.frames import seed_frames

        return seed_frames.missing(self._scores)

    def _shown(self) -> tuple[str, list[Table], list[str]]:
        from reports import writing
        from reports.seed_scores import sections_of

        plan = self._scores.run.plan
        sizes = f"{plural(len(plan.arms), 'arm')}, {plural(len(plan.benchmarks), 'benchmark')}"
        said = [writing.HIGHEST, *self._sentences, *self.notes]
        return f"{plan.experiment} (scores): {sizes}", [sections_of.score_table(self._scores)], said
