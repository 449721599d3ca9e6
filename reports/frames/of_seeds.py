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

    from reports.seed_scores.compared import ComparedScores


class SeedResults(Results):
    """Scores without problems (`rence import scores`): tables of arms, trials, scores, curves, differences, missing."""

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
            f"{self.root} holds scores without problems, and this needs answers. There are the tables arms, trials, "
            f"scores, curves, differences and missing; `rence report {self.root}` draws the pictures, and "
            "`rence.compare` takes two arms. `rence import` of the answers themselves brings the rest."
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
