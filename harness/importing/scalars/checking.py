"""Rows as they were written -> scores: numbers, one unit, no copies, nothing that contradicts itself."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from harness.base import reserved
from harness.base.errors import UserError
from harness.importing.scalars.averages import without_averages
from harness.importing.scalars.layouts import is_numeric
from harness.importing.scalars.no_seeds import no_seeds
from harness.importing.scalars.resolving import UNNAMED, ResolvedScores, ScalarOptions
from harness.importing.scalars.score_cells import distinct, numbers_of
from harness.importing.scalars.vocabulary import GAPS, SUMMARIES, plain
from harness.importing.sources import LARGEST
from harness.records import START, DataError
from harness.records.allowed import names_a_folder
from harness.records.seed_scores import Unit

KEYS = ["arm", "seed", "benchmark", "step"]
NO_STEP = -1
Frame = Any
"""a table or a column of pandas, whose own types do not say which"""
_SEED = re.compile(r"(?:(?:seed|s)[-_=: ]?)?(\d+)(?:\.0+)?\Z", re.IGNORECASE)


@dataclass(frozen=True)
class CheckedScores:
    """What is written."""

    rows: pd.DataFrame
    """KEYS and score, sorted; `step` is NO_STEP where there is none; scores are fractions, or raw"""
    unit: Unit
    numbered: bool
    arms: Sequence[str]
    """in the order of the source"""
    benchmarks: Sequence[str]
    shape: str
    notes: Sequence[str]


def check(found: ResolvedScores, asked: ScalarOptions, unit: Unit | None) -> CheckedScores:
    """
    Args:
        unit: of all scores; None: recognised.
    Raises: DataError with the place of what is wrong; UserError where an option decides.
    """
    rows, notes = found.rows, list(found.notes)
    scores, percent = numbers_of(found)
    frame: Frame = pd.DataFrame(
        {
            "arm": _arms(found, notes),
            "benchmark": _words(found, rows.benchmark, "benchmark"),
            "step": _steps(found),
            "score": scores,
        }
    )
    frame["seed"], numbered = _seeds(found, frame, asked, notes)
    frame["place"] = np.arange(len(frame))
    # before the unit: a row that is left out has no part in what all are written in
    frame = _averages(found, frame, notes)
    percent = percent[frame["place"].to_numpy()]
    unit = _unit(found, frame, percent, unit)
    if unit == "percent":
        frame["score"] = frame["score"] / 100
    arms, benchmarks = (list(pd.unique(frame[name])) for name in ("arm", "benchmark"))
    frame = _once(found, frame.sort_values(KEYS, kind="stable"), notes)
    if unit == "raw" and len(benchmarks) > 1:
        raise UserError(
            f"--unit raw: scores of no known scale have no average over {len(benchmarks)} benchmarks "
            f"({', '.join(benchmarks[:6])}). Import one: --metric NAME."
        )
    rows_out = frame[[*KEYS, "score"]].reset_index(drop=True)
    return CheckedScores(rows_out, unit, numbered, arms, benchmarks, found.shape, notes)


def _unit(found: ResolvedScores, frame: Frame, percent: np.ndarray, asked: Unit | None) -> Unit:
    """One for all scores: a benchmark of low percentages alone would be read as fractions. Raises: DataError."""
    at = lambda row: found.at(int(frame["place"].iloc[row]))  # noqa: E731
    if percent.any() and not percent.all():
        one, other = int(np.flatnonzero(percent)[0]), int(np.flatnonzero(~percent)[0])
        raise DataError(f"{at(one)} has a percent sign and {at(other)} has none. Write all in one way.")
    values = frame["score"].to_numpy()
    low, high = int(values.argmin()), int(values.argmax())
    if asked is None and percent.any():
        asked = "percent"
    ends = {"fraction": 1.0, "percent": 100.0, "raw": math.inf}
    if asked:
        if asked != "raw" and (values[low] < 0 or values[high] > ends[asked]):
            worst = low if values[low] < 0 else high
            raise DataError(f"{at(worst)}: {values[worst]:g} is no {asked}: at least 0 and at most "
                            f"{ends[asked]:g} is allowed. --unit raw keeps numbers of any scale.")  # fmt: skip
        return asked
    if values[low] < 0 or values[high] > 100:
        worst = low if values[low] < 0 else high
        raise DataError(
            f"{at(worst)}: {values[worst]:g} is neither a fraction nor a percentage (all: {values[low]:g} to "
            f"{values[high]:g}).\n--unit raw keeps numbers as they are, such as rewards or returns."
        )
    if values[high] <= 1:
        return "fraction"
    # 0.8 among percentages may be a low one, or a fraction: only somebody who knows can say
    small = np.flatnonzero((values > 0) & (values <= 1))
    if len(small):
        raise DataError(
            f"{at(int(small[0]))} is {values[small[0]]:g} and {at(high)} is {values[high]:g}: percentages "
            f"and fractions seem to be mixed ({len(small):,} of {len(values):,} are above 0 and at most 1).\n"
            "If all are percentages: --unit percent. If not, write all in one way."
        )
    return "percent"


def _arms(found: ResolvedScores, notes: list[str]) -> Frame:
    arms = _words(found, found.rows.arm, "arm")
    changed = {name: new for name in pd.unique(arms) if (new := re.sub(r"[/\\]+", "_", name)) != name}
    if changed:
        notes.append(f"In arms' names `/` became `_`: {', '.join(f'{a} -> {b}' for a, b in changed.items())}.")
        arms = arms.replace(changed)
    for name in pd.unique(arms):
        if not names_a_folder(name) or (reserved.is_reserved(name) and name != START):
            raise UserError(f"`{name[:60]}` cannot be an arm's name. Give it another in the file, or before the path: "
                            "grpo/seed0=PATH.")  # fmt: skip
    return arms


def _words(found: ResolvedScores, values: np.ndarray, role: str) -> Frame:
    """Names as texts. Raises: DataError for an empty one; UserError for a reserved one."""
    once, rows = distinct(values)
    words = ["" if value is None else str(value).strip() for value in once]
    empty = np.flatnonzero(np.array([word.casefold() in GAPS for word in words])[rows])
    if len(empty):
        raise DataError(f"{found.at(int(empty[0]))}: the {role} is empty"
                        + (f" (and so in {len(empty) - 1:,} more)." if len(empty) > 1 else "."))  # fmt: skip
    return pd.Series(pd.array(words, "str")[rows])


def _averages(found: ResolvedScores, frame: Frame, notes: list[str]) -> Frame:
    """Raises: UserError for a benchmark that is called as ours of all is, or as an average and is none."""
    frame = without_averages(found, frame, notes)
    names = pd.unique(frame["benchmark"])
    if any(reserved.same_on_disk(name) == reserved.AVERAGE for name in names):
        if set(names) != {reserved.AVERAGE}:
            raise UserError(
                "a benchmark is called `average`, which is the mean of the others here: leave its rows out."
            )
        frame = frame.assign(benchmark=UNNAMED)
    return frame


def _steps(found: ResolvedScores) -> np.ndarray:
    """Whole numbers; NO_STEP where a table has none. Raises: DataError."""
    once, rows = distinct(found.rows.step)
    missing = np.array(
        [value is None or (isinstance(value, str) and value.strip().casefold() in GAPS) for value in once]
    )
    read: Frame = pd.to_numeric(pd.Series(once, dtype=object).where(~missing, NO_STEP), errors="coerce")
    numbers = read.to_numpy(float)
    wrong = ~missing & (~np.isfinite(numbers) | (numbers != np.floor(numbers)) | (numbers < 0) | (numbers > LARGEST))
    missing, bad = missing[rows], np.flatnonzero(wrong[rows])
    if len(bad):
        value = found.rows.step[bad[0]]
        raise DataError(f"{found.at(int(bad[0]))}: the step must be a whole number of at least 0, but is `{value}`. "
                        "--column step=NAME takes another column.")  # fmt: skip
    if missing.any() and not missing.all():
        place = int(np.flatnonzero(missing)[0])
        raise DataError(f"{found.at(place)}: the step is empty, and other rows have one. Scores with and without a "
                        "step cannot be compared.")  # fmt: skip
    return numbers.astype(np.int64)[rows]


def _seeds(found: ResolvedScores, frame: Frame, asked: ScalarOptions, notes: list[str]) -> tuple[np.ndarray, bool]:
    """Seeds as numbers, and whether they are ours. Raises: UserError if nothing says them."""
    raw: Frame = pd.Series(found.rows.seed, dtype=object)
    missing = np.array([value is None or (isinstance(value, str) and not value.strip()) for value in raw], bool)
    seedless = np.array([table.seedless for table in found.tables], bool)[found.rows.table]
    if asked.seed is not None:
        raw, missing = raw.where(~missing, asked.seed), np.zeros(len(raw), bool)
    if (missing & seedless).any():
        notes.append("The files know no seeds: each arm is one evaluated model, which is counted as seed 0.")
        raw, missing = raw.where(~(missing & seedless), 0), missing & ~seedless
    # what the tool or the role says comes before what is asked of the user
    start = missing & (frame["arm"] == START).to_numpy()
    if start.any():
        notes.append(f"`{START}`, the untrained model, has no seeds: it is counted as one.")
        raw, missing = raw.where(~start, 0), missing & ~start
    if missing.any():
        if not asked.number_seeds:
            raise UserError(no_seeds(found, frame, int(missing.sum())))
        if not missing.all():
            raise UserError(
                "--number-seeds: some rows have a seed and others none. Leave the option out, or the seeds."
            )
        notes.append("Seeds have no names: rows of one arm, benchmark and step are numbered in their order.")
        return frame.groupby(["arm", "benchmark", "step"], sort=False).cumcount().to_numpy(np.int64), True
    once, rows = distinct(raw.to_numpy(object))
    texts = [str(value).strip() for value in once]
    numbers = [_seed(text) for text in texts]
    if None in numbers:
        _check_words(found, texts, rows)
        order = {one: place for place, one in enumerate(sorted(set(texts)))}
        shown = ", ".join(f"{one} = {place}" for one, place in list(order.items())[:6])
        notes.append(f"Seeds are words, and are numbered in their order: {shown}{', ...' if len(order) > 6 else ''}.")
        numbers = [order[text] for text in texts]
    return np.array(numbers, np.int64)[rows], False


def _check_words(found: ResolvedScores, texts: Sequence[str], rows: np.ndarray | slice) -> None:
    """Raises: DataError for a seed that is a number and no whole one, or the name of a summary.

    Args:
        rows: which of the texts each row has.
    """
    written = np.array(texts, object)[rows]
    summary = np.flatnonzero(np.array([plain(text) in SUMMARIES for text in texts])[rows])
    if len(summary):
        place = int(summary[0])
        raise DataError(f"{found.at(place)}: `{written[place]}` is no seed, but a summary of them. Leave such rows "
                        f"out ({len(summary):,}).")  # fmt: skip
    read: Frame = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce")
    wrong = np.flatnonzero((read.notna().to_numpy() & np.array([_seed(text) is None for text in texts]))[rows])
    if len(wrong):
        place = int(wrong[0])
        raise DataError(
            f"{found.at(place)}: the seed must be a whole number of at least 0, or a word, but is `{written[place]}`."
        )


def _seed(word: str) -> int | None:
    found = _SEED.match(word)
    return int(found[1]) if found and int(found[1]) <= LARGEST else None


def _once(found: ResolvedScores, frame: Frame, notes: list[str]) -> Frame:
    """Every arm, seed, benchmark and step once; copies that say the same are one.

    Args:
        frame: sorted by KEYS, and rows of the same in the order of the source.
    Raises: DataError.
    """
    # neighbours, for `duplicated` needs 66 bytes a row
    like_next = np.logical_and.reduce([(frame[key].array[1:] == frame[key].array[:-1]) for key in KEYS]).astype(bool)
    if not like_next.any():
        return frame
    twice = frame[np.append(like_next, False) | np.append(False, like_next)].sort_values("place")
    apart = twice.groupby(KEYS)["score"].transform("nunique") > 1
    if apart.any():
        first = twice[apart].iloc[0]
        same = twice[(twice[KEYS] == first[KEYS]).all(axis=1)]
        a, b = same.iloc[0], same[same["score"] != same.iloc[0]["score"]].iloc[0]
        step = "" if first["step"] == NO_STEP else f", step {first['step']}"
        raise DataError(
            f"{found.at(int(a['place']))} and {found.at(int(b['place']))} are both {first['arm']} seed {first['seed']} "
            f"on {first['benchmark']}{step}, and differ: {a['score']:g} and {b['score']:g}.{_told_apart(found, a, b)}"
        )
    kept = frame.drop_duplicates(KEYS)
    notes.append(f"{len(frame) - len(kept):,} rows are copies of others, and were left out.")
    return kept


def _told_apart(found: ResolvedScores, a: Frame, b: Frame) -> str:
    """The columns in which two rows differ that should be one."""
    places = [(int(found.rows.table[int(one["place"])]), int(found.rows.row[int(one["place"])])) for one in (a, b)]
    if places[0][0] != places[1][0] or places[0][1] == places[1][1]:
        return ""
    cells = found.tables[places[0][0]].cells
    one, other = (cells.iloc[row] for _, row in places)
    apart = [str(name) for name in cells.columns if str(one[name]) != str(other[name])]
    names = [name for name in apart if not is_numeric(cells[name])]
    if not names:
        return ""
    return f"\nThey also differ in {', '.join(names)}: --column arm=NAME or benchmark=NAME, if that tells them apart."
