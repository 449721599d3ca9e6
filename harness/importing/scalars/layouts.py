"""How a table is laid out: which column is what, and what its other columns of numbers are."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pandas as pd

from harness.base.errors import UserError, nearest
from harness.importing.scalars.run_labels import seeds_alone, split_all
from harness.importing.scalars.scalar_tables import ScalarTable
from harness.importing.scalars.vocabulary import (
    ANSWERS,
    CORRECT,
    GAPS,
    IS_NO_SCORE,
    ROLES,
    SYNONYMS,
    TOTAL,
    is_average,
    is_score,
    plain,
)
from harness.records import DataError

Values = Literal["score", "runs and metrics", "runs", "seeds", "benchmarks", "arms", "metrics"]
"""what stands in the columns of numbers: one column of scores; or scores in columns called by these"""
OF_RUN = re.compile(r"(?:[Gg]roup: )?(?P<run>.+?) - (?P<metric>.+)", re.DOTALL)
"""a column of Weights & Biases' export of a chart"""
_BESIDE = ("__MIN", "__MAX", "_step")
_SAMPLE = 1000
ROUNDED = 0.0051
"""what a share may differ by that was rounded to two digits"""
WORDS: Mapping[Values, str] = {
    "score": "a row for each score",
    "runs and metrics": "a column for each run's metric",
    "runs": "a column for each run",
    "seeds": "a column for each seed",
    "benchmarks": "a column for each benchmark",
    "arms": "a column for each arm",
    "metrics": "a column for each metric",
}


@dataclass(frozen=True)
class TableLayout:
    """Of one table."""

    values: Values
    roles: Mapping[str, str]
    """role -> column"""
    columns: Sequence[str]
    """that hold scores"""
    ignored: Sequence[str] = ()
    """columns of numbers that do not"""
    metrics: Sequence[str] = field(default=())
    """names to choose from; empty where there is nothing to choose"""


def layout(table: ScalarTable, asked: Mapping[str, str], one_run: bool, metrics: Sequence[str] = ()) -> TableLayout:
    """
    Args:
        asked: role -> column, as the command says.
        one_run: whether the command names its arm.
        metrics: that the command names.
    Raises: UserError for a column that is not there; DataError if there is no column of numbers.
    """
    roles = _roles(table, asked)
    taken = set(roles.values())
    numbers = [name for name in table.cells.columns if name not in taken and is_numeric(table.cells[name])]
    if "score" in asked:
        return TableLayout("score", roles, [roles["score"]], numbers, _named(table, roles))
    _check_no_answers(table, asked)
    means = [] if table.of_one_run else _means(table, numbers, metrics)
    found = _by_name(table, roles, [name for name in numbers if name not in means], one_run)
    return replace(found, ignored=[*found.ignored, *means])


def _check_no_answers(table: ScalarTable, asked: Mapping[str, str]) -> None:
    """Raises: DataError for rows of answers to problems, which would be read as scores of seeds."""
    there = [name for name in map(str, table.cells.columns) if name not in asked.values() and plain(name) in ANSWERS]
    if len(there) > 1:
        path = table.source.path
        raise DataError(
            f"{path} holds answers to problems (columns {', '.join(there[:4])}), which say more than scores.\n"
            f"They are imported by: {shlex.join(['rence', 'import', str(path), '--out', 'RUN'])}"
        )


def _by_name(table: ScalarTable, roles: dict[str, str], numbers: Sequence[str], one_run: bool) -> TableLayout:
    named = [name for name in numbers if plain(name) in SYNONYMS["score"]]
    # in a log of one run these words are metrics among others; beside a column of metrics' names one holds the values
    if named and (("metric" in roles) or (len(named) == 1 and not table.of_one_run)):
        roles["score"] = named[0]
        return TableLayout("score", roles, named[:1], [x for x in numbers if x != named[0]], _named(table, roles))
    return _wide(table, roles, numbers, one_run)


def _means(table: ScalarTable, numbers: Sequence[str], metrics: Sequence[str]) -> list[str]:
    """Columns that are called averages and stand beside two others or more: of these they are the mean, up to how it
    was rounded, or no benchmark.

    Args:
        metrics: that the command names: then it says itself which columns count.
    Raises: UserError where such a column is not the mean of the others.
    """
    averages = [name for name in numbers if is_average(name)]
    others = [
        name
        for name in numbers
        if name not in averages and not IS_NO_SCORE.search(plain(name)) and len(set(table.cells[name])) > 1
    ]
    # with one other column it may as well be a setting
    if not averages or len(others) < 2:
        return []
    if metrics:
        return [name for name in averages if name not in metrics]
    read = {name: _numbers(table.cells[name]) for name in (*averages, *others)}
    mean: Any = pd.DataFrame({name: read[name] for name in others}).mean(axis=1, skipna=False)
    for name in averages:
        there = mean.notna() & read[name].notna()
        apart = (mean - read[name])[there].abs().max() if there.any() else 0.0
        if apart > ROUNDED * (100 if (read[name] > 1).any() else 1):
            named = " ".join(f"--metric {shlex.quote(other)}" for other in others)
            raise UserError(
                f"{table.source.path}: `{name}` is called an average, and is not the mean of {', '.join(others)}: they "
                f"are up to {apart:.3g} apart.\nIf the others are benchmarks, which are averaged here: {named}\n"
                f"If it is the score: --column 'score={name}'"
            )
    return averages


def _numbers(cells: Any) -> Any:
    return pd.to_numeric(cells.astype(str).str.strip().str.removesuffix("%"), errors="coerce")


def _check_counts(table: ScalarTable, numbers: Sequence[str]) -> None:
    """Raises: DataError where columns hold how many of how many: 15 of 30 would be read as 15 %."""
    correct, total = (next((x for x in numbers if plain(x) in words), None) for words in (CORRECT, TOTAL))
    if correct is None or total is None:
        return
    some, every = _numbers(table.cells[correct]), _numbers(table.cells[total])
    if (every > 1).any() and (some.dropna() % 1 == 0).all() and (some.dropna() <= every[some.notna()]).all():
        raise DataError(f"{table.source.path}: `{correct}` of `{total}` are counts, and a score is a share. Write a "
                        "column of shares, such as `accuracy`, in their place.")  # fmt: skip


def _wide(table: ScalarTable, roles: dict[str, str], numbers: Sequence[str], one_run: bool) -> TableLayout:
    """Scores in several columns: what these are called by."""
    pairs = {name: found for name in numbers if (found := OF_RUN.fullmatch(name)) and not name.endswith(_BESIDE)}
    if pairs and "step" in roles and not table.of_one_run:
        metrics = list(dict.fromkeys(found["metric"] for found in pairs.values()))
        return TableLayout("runs and metrics", roles, list(pairs), (), metrics)
    kept = [name for name in numbers if not name.endswith(_BESIDE)]
    if not kept:
        raise DataError(
            f"{table.source.path} has no column of scores among {', '.join(map(str, table.cells.columns))}. "
            "--column score=NAME names it."
        )
    if not table.of_one_run and "arm" not in roles and split_all(kept):
        return TableLayout("runs", roles, kept)
    if "arm" in roles and "seed" not in roles and seeds_alone(kept):
        return TableLayout("seeds", roles, kept)
    scores = [name for name in kept if not IS_NO_SCORE.search(plain(name))]
    left = [name for name in kept if name not in scores]
    like_metrics = sum(is_score(name) or bool(IS_NO_SCORE.search(plain(name))) for name in kept)
    if table.of_one_run or ("arm" not in roles and (one_run or 2 * like_metrics >= len(kept))):
        return TableLayout("metrics", roles, kept, (), kept)
    _check_counts(table, kept)
    if not scores:
        are = f"`{kept[0]}` is no score" if len(kept) == 1 else f"{', '.join(kept)} are no scores"
        raise DataError(
            f"{table.source.path}: by the name {are}, but a spread, a loss, a length or the like, and there is no "
            "other column of numbers. If one is the score: --column score=NAME."
        )
    if "arm" not in roles:
        return TableLayout("arms", roles, scores, left)
    known = [name for name in scores if plain(name) in SYNONYMS["score"]]
    # accuracy beside reward: two measures of the same thing, of which somebody must choose
    return TableLayout("benchmarks", roles, scores, left, known if len(known) > 1 else ())


def _named(table: ScalarTable, roles: Mapping[str, str]) -> list[str]:
    """Metrics that a column of their names has."""
    if "metric" not in roles:
        return []
    named: Any = table.cells[roles["metric"]].dropna()
    return [str(name) for name in named.unique() if str(name).strip()]


def _roles(table: ScalarTable, asked: Mapping[str, str]) -> dict[str, str]:
    columns = [str(name) for name in table.cells.columns]
    for role, column in asked.items():
        if role not in ROLES:
            raise UserError(f"--column {role}={column}: a role must be one of {', '.join(ROLES)}.")
        if column not in columns:
            raise UserError(f"--column {role}={column}: {table.source.path} has no such column. "
                            f"{nearest(column, columns)}")  # fmt: skip
    found = dict(asked)
    for role in ROLES:
        if role in found or role == "score":
            continue
        words = [(SYNONYMS[role].index(plain(name)), name) for name in columns if plain(name) in SYNONYMS[role]]
        words = [(place, name) for place, name in words if name not in found.values()]
        if words:
            found[role] = min(words)[1]
    if "step" in found and "step" not in asked and not is_numeric(table.cells[found["step"]]):
        del found["step"]
    return found


def is_numeric(cells: Any) -> bool:
    """Whether most of what stands there first is a number."""
    values = cells.dropna()
    head = values.iloc[:_SAMPLE].tolist()
    filled = [value for value in head if not (isinstance(value, str) and value.strip().casefold() in GAPS)]
    if not filled and len(values) > _SAMPLE:
        return is_numeric(values.iloc[_SAMPLE:])
    good = sum(_reads(value) for value in filled)
    return bool(filled) and 2 * good > len(filled)


def _reads(value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, str):
        value = value.strip().removesuffix("%").replace(",", ".")
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return True


def choose(metrics: Sequence[str], asked: Sequence[str], where: str, preferred: Sequence[str]) -> tuple[list[str], str]:
    """Which of the metrics are imported, and a note on the choice; empty where there was none to make.

    Args:
        asked: by the command; none: the one that is a score by its name.
        where: whose they are, for a message.
        preferred: beginnings of names that go before others.
    Raises: UserError that names what there is, and a command that works.
    """
    if asked:
        missing = [name for name in asked if name not in metrics]
        if missing:
            raise UserError(f"--metric {missing[0]}: {where} has no such metric. {nearest(missing[0], metrics)}")
        return list(dict.fromkeys(asked)), ""
    if len(metrics) == 1:
        return list(metrics), ""
    scores = [name for name in metrics if is_score(name)]
    # what was validated goes before what was trained on, where names tell the two apart
    for start in preferred:
        first = [name for name in scores if name.startswith(start)]
        if first:
            scores = first
            break
    if len(scores) == 1:
        only = f"Of {len(metrics):,} metrics `{scores[0]}` was taken, the one that is a score by its name"
        return scores, f"{only}; --metric NAME takes another."
    offered = scores or list(metrics)
    more = [f"and {len(offered) - _MOST_SHOWN:,} more"] if len(offered) > _MOST_SHOWN else []
    shown = ", ".join([*offered[:_MOST_SHOWN], *more])
    if not scores:
        raise UserError(
            f"{where} holds {len(metrics):,} columns of numbers, none of which is a score by its name: {shown}.\n"
            "If one is: --metric NAME; given again, each becomes a benchmark of its own."
        )
    raise UserError(
        f"{where} holds {len(metrics):,} metrics, of which {len(offered):,} are scores by their names: {shown}.\n"
        f"Add --metric '{offered[0]}' for one; given again, each becomes a benchmark of its own."
    )


_MOST_SHOWN = 12
