"""The columns of an attempt. Everything that writes, imports, reads or reports attempts asks this file.

A column is a field of `Attempt`: its type, where `X | None` is a cell that may be empty, and its meaning in the string
below it. To add an optional one:

1. here, at the end of `Attempt`:  `logprob: float | None = field(default=None, metadata=MEASURED)`  with its meaning;
2. where its value comes from: an engine that puts `{"logprob": ...}` into `Completion.measured`; or, without
   `metadata`, the line of the evaluator that fills it. Imports bring it without an edit, in a column of its name;
3. a section of reports that shows it, which reads `a.run.column(e, "logprob")`.

Files without the column stay readable: there it is absent, which is never zero. Columns are added, never renamed,
moved or taken away.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Union, get_args, get_origin, get_type_hints

from harness.records.allowed import MarkWord, Whole

NEEDED: Mapping[str, bool] = {"needed": True}
"""no attempt is without it, not even one that was imported"""
WORD: Mapping[str, bool] = {"word": True}
"""`unknown` in an import that does not say it"""
OURS: Mapping[str, bool] = {"ours": True}
"""empty in every import"""
DERIVED: Mapping[str, bool] = {"derived": True}
"""made by our marker from the texts, which an import may have; rows do not bring it"""
MEASURED: Mapping[str, bool] = {"measured": True}
"""the engine's, from `Completion.measured`; empty where the engine does not measure it"""
ARROW: Mapping[type, str] = {str: "string", int: "int64", float: "double"}
"""type of a column -> its name in Arrow"""


@dataclass(frozen=True)
class Attempt:
    """One answer to one problem: a line of `attempts.jsonl`, a row of `attempts.parquet`."""

    arm: str = field(metadata=NEEDED)
    """its name in the plan; `start`: the untrained model"""
    seed: int | None = field(metadata=NEEDED)
    """None for a model that was not trained here, as the untrained one"""
    step: Whole = field(metadata=NEEDED)
    """of the checkpoint; 0: the untrained model"""
    benchmark: str = field(metadata=NEEDED)
    """its name"""
    problem_id: str = field(metadata=NEEDED)
    """hash of the problem's content, or the import's own id"""
    sample: Whole = field(metadata=NEEDED)
    """0..k-1"""
    response: str
    """the whole text that was generated"""
    answer: str | None
    """the final answer that was found, as text"""
    gold: str
    """the answer it is marked against"""
    mark: MarkWord = field(metadata=NEEDED)
    """correct, wrong, no_answer, truncated or grader_failed"""
    finish_reason: str = field(metadata=WORD)
    """stop, length (the limit of tokens) or context (the model's own limit)"""
    tokens: Whole
    """of the response, the one that ends it included"""
    template: str = field(metadata=WORD)
    """how the problem became a prompt"""
    engine: str = field(metadata=WORD)
    """what answered"""
    generation_key: str = field(metadata=OURS)
    """hash of (model, tokenizer and template, prompt, sampling parameters, seed, sample, engine version)"""
    grader_version: str = field(metadata=WORD)
    """of the marker"""
    mark_second: MarkWord | None = field(default=None, metadata=DERIVED)
    """the second marker's mark, where one ran"""
    mark_box: MarkWord | None = field(default=None, metadata=DERIVED)
    """the mark if an answer is what the last box holds, and nothing else"""
    mark_anywhere: MarkWord | None = field(default=None, metadata=DERIVED)
    """the mark if an answer may stand anywhere in the text"""


@dataclass(frozen=True)
class AttemptColumn:
    """What the schema says of one column."""

    name: str
    type: type
    """str, int or float"""
    nullable: bool
    """whether a cell of ours may be empty; in an import every column that is not `needed` may be"""
    optional: bool = False
    """whether attempts were made before there was such a column, or are made without it: its default is None"""
    needed: bool = False
    word: bool = False
    ours: bool = False
    derived: bool = False
    measured: bool = False

    @property
    def arrow(self) -> str:
        """The type's name in Arrow."""
        return ARROW[self.type]

    @property
    def is_number(self) -> bool:
        return self.type is not str


def columns(record: type = Attempt) -> dict[str, AttemptColumn]:
    """Of attempts.parquet, by name, in their order.

    Raises: TypeError for a field of another type than `ARROW` has, or an optional one without a default.
    """
    hints, found = get_type_hints(record), {}
    for f in fields(record):
        kind, nullable = _bare(hints[f.name])
        if kind not in ARROW:
            allowed = ", ".join(one.__name__ for one in ARROW)
            raise TypeError(f"column `{f.name}` must be one of {allowed}, or that and None, but is {hints[f.name]}")
        if f.metadata.get("measured") and not (nullable and f.default is None):
            raise TypeError(f"column `{f.name}` is measured by some engines alone: it must be `X | None`, default None")
        found[f.name] = AttemptColumn(f.name, kind, nullable, f.default is None, **f.metadata)
    return found


def _bare(hint: Any) -> tuple[Any, bool]:
    """`X` of `X | None`, and whether None is allowed."""
    if get_origin(hint) not in (Union, types.UnionType):
        return hint, False
    kinds = [kind for kind in get_args(hint) if kind is not types.NoneType]
    return (kinds[0] if len(kinds) == 1 else hint), types.NoneType in get_args(hint)


COLUMNS = columns()
"""of `Attempt`"""
IMPORTED = tuple(name for name, column in COLUMNS.items() if not (column.ours or column.derived))
"""what rows that were made elsewhere may bring"""
