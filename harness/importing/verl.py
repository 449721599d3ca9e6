"""verl's validation dumps: what `trainer.validation_data_dir` makes it write, one `<step>.jsonl` for each validation.

Read beside verl 0.9.1, `RayPPOTrainer._dump_generations` and that of its V1 trainer. A line is one answer: `input` (the
prompt, chat template applied, special tokens left out), `output`, `gts` (the gold), `score`, `step`, and whatever else
the reward function returned (`acc`, `pred`, ...); `data_source` is there only if the reward function returns it. The
n answers to one prompt are n lines; nothing names the problem, so it is known by prompt and gold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from harness.importing import cells
from harness.importing.marking import MarkCount, Marker
from harness.importing.names import arm_of, seed_of, seeds_note
from harness.importing.raw import Raw
from harness.importing.readers import read
from harness.importing.rows import Facts, FoundRows, frame, numbered
from harness.importing.sources import ImportSource
from harness.records import START, DataError, identity

LOOKED_FOR = "<step>.jsonl"
SOURCE, ACC = "data_source", "acc"
SHOWN = 6
SAYS = "--correct-above X says it; --mark marks the answers again instead."
_TURN = re.compile(r"(.+_\d+)_(\d+)")
"""a `uid` of the V1 trainer: prompt and session, then the turn, of which the last has the score"""


@dataclass(frozen=True)
class DumpOptions:
    """What the command says."""

    benchmark: str | None = None
    above: float | None = None
    """a score above it is correct, where rows have no `acc`; None: above 0, if scores are two values"""


def files_in(folder: Path) -> list[Path]:
    return sorted((path for path in folder.glob("*.jsonl") if path.stem.isdigit()), key=lambda path: int(path.stem))


def read_all(sources: Sequence[ImportSource], asked: DumpOptions, marker: Marker | None) -> FoundRows:
    """The answers of all sources.

    Args:
        marker: marks the answers again; None: verl's reward function says which are correct.
    """
    for source in sources:
        arm_of(source)
    scores, hows, count = DumpScores(), dict[str, None](), MarkCount()

    def parts() -> Iterator[pd.DataFrame]:
        for i, source in enumerate(sources):
            raw = _final_turns(read(source))
            raw.need("input", "Is this a validation dump of verl?")
            if marker is None:
                scores.add(raw, asked)
                hows[_how(raw, asked)] = None
            rows = _rows(i, raw, asked, marker)
            yield count.of(marker.mark(rows) if marker else rows)
        scores.check(SAYS)

    def notes() -> list[str]:
        return [*_notes(hows, marker, count), *seeds_note(sources)]

    return FoundRows(parts(), sources, [Facts()] * len(sources), notes)


@dataclass(frozen=True)
class DumpedAnswers:
    """One file of a dump as columns, for those who need texts and right or wrong alone."""

    prompts: list[str]
    golds: list[str | None]
    outputs: list[str]
    correct: list[bool]
    step: int
    how: str
    """what was taken for correct"""


def answers(source: ImportSource, above: float | None) -> DumpedAnswers:
    """The final answers of one file.

    Args:
        above: a score above it is correct, where rows have no `acc`; None: above 0, if scores are two values.
    Raises: DataError with the line.
    """
    raw, asked = _final_turns(read(source)), DumpOptions(above=above)
    prompts = cells.texts(raw, "input", raw.need("input", "Is this a dump of verl?"))
    scores = DumpScores()
    scores.add(raw, asked)
    scores.check("--correct-above X says it.")
    steps = _step(raw)
    return DumpedAnswers(
        list(prompts),
        list(cells.written_or_none(raw.need("gts"))),
        list(cells.texts(raw, "output", raw.need("output"))),
        _correct(raw, asked).tolist(),
        steps if isinstance(steps, int) else int(steps[0]),
        _how(raw, asked),
    )


def _final_turns(raw: Raw) -> Raw:
    """Without the earlier turns of an answer in several."""
    if "uid" not in raw:
        return raw
    turns = [_TURN.fullmatch(str(uid)) for uid in raw["uid"]]
    if not all(turns):
        return raw
    last: dict[str, int] = {}
    for turn in turns:
        assert turn
        last[turn[1]] = max(last.get(turn[1], 0), int(turn[2]))
    keep = np.array([turn is not None and int(turn[2]) == last[turn[1]] for turn in turns])
    return raw.only(keep)


def _rows(place: int, raw: Raw, asked: DumpOptions, marker: Marker | None) -> pd.DataFrame:
    """One file's rows; a problem's samples are numbered as they stand."""
    arm = arm_of(raw.source)
    prompts = cells.texts(raw, "input", raw["input"])
    golds = cells.written_or_none(raw.need("gts"))
    benchmarks = _benchmarks(raw, asked)
    ids = [identity(prompt, gold) for prompt, gold in zip(prompts, golds, strict=True)]
    if marker:
        golds = cells.texts(raw, "gts", raw["gts"])
    columns = {
        "arm": arm,
        "seed": seed_of(raw.source),
        "step": 0 if arm == START else _step(raw),
        "benchmark": benchmarks,
        "problem_id": ids,
        "sample": numbered(zip(benchmarks, ids, strict=True)),
        "response": cells.texts(raw, "output", raw.need("output")),
        "gold": golds,
        "engine": "verl",
    }
    if marker is None or (ACC in raw and raw[ACC].isin([0, 1]).all()):
        columns["mark"] = np.where(_correct(raw, asked), "correct", "wrong")
    if marker is None:
        columns |= {"coarse": True, "grader_version": _how(raw, asked)}
        if "pred" in raw:
            columns["answer"] = cells.written_or_none(raw["pred"])
    return frame(place, raw.lines, columns)


def _benchmarks(raw: Raw, asked: DumpOptions) -> pd.Series:
    if asked.benchmark is not None:
        return pd.Series(asked.benchmark, index=raw.cells.index)
    hint = "verl dumps it only where the reward function returns it: --benchmark NAME says what was asked."
    return cells.names(raw, SOURCE, raw.need(SOURCE, hint))


def _step(raw: Raw) -> int | np.ndarray:
    name = raw.source.name.step
    steps = cells.whole(raw, "step", raw.need("step"))
    raw.check(steps != steps[0], lambda _: "`step` must be the same in all lines: a file is one validation.")
    return steps if name is None else name


def _correct(raw: Raw, asked: DumpOptions) -> np.ndarray:
    if ACC in raw:
        return cells.yes_or_no(raw, ACC, raw[ACC])
    return cells.numbers(raw, "score", raw.need("score")) > (asked.above or 0)


def _how(raw: Raw, asked: DumpOptions) -> str:
    return "verl acc" if ACC in raw else f"verl score > {asked.above or 0:g}"


@dataclass
class DumpScores:
    """The lowest scores of dumps without `acc`. Without a bound, a score tells right from wrong only if it is one of
    two values, one above 0: a third may be for the format alone."""

    values: set[float] = field(default_factory=set)
    first: Path | None = None
    """the file that they are of"""

    def add(self, raw: Raw, asked: DumpOptions) -> None:
        """Those of one file, if it is marked by its scores and no bound was given."""
        if ACC not in raw and asked.above is None:
            found = cells.numbers(raw, "score", raw.need("score")).tolist()
            self.values = set(sorted(self.values.union(found))[: SHOWN + 1])
            self.first = self.first or raw.source.path

    def check(self, hint: str) -> None:
        """Raises: DataError with the values."""
        scores = sorted(self.values)
        if len(scores) > 2 or (len(scores) == 2 and not scores[0] <= 0 < scores[1]):
            shown = ", ".join(f"{score:g}" for score in scores[:SHOWN]) + (", ..." if len(scores) > SHOWN else "")
            raise DataError(
                f"{self.first}: there is no `{ACC}`, and `score` has the values {shown}, so which of them are "
                f"correct is not known.\n{hint}"
            )


def _notes(hows: Iterable[str], marker: Marker | None, count: MarkCount) -> Iterator[str]:
    if marker:
        yield from marker.notes(count)
    else:
        yield f"Correct is what verl's reward function said: {', '.join(sorted(hows))}."
        yield "Of what is not correct it is not told whether it is wrong, missing or cut off."
    yield "verl's dumps do not name problems: each is known by its prompt and gold."
