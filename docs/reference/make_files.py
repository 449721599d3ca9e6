"""The files of a run and the fields of each, from the strings below the fields of their records; the metrics of a step,
from where they are logged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from markdown import code, paragraph, table

from algorithms.ops.metrics import MEANINGS as OF_OBJECTIVES
from harness.backends.metrics import MEANINGS as OF_STEPS
from harness.config.shape import docs
from harness.records import (
    ArmRecord,
    Attempt,
    Comparison,
    DataRecord,
    DoneRecord,
    EvalRecord,
    ImportRecord,
    OrderRecord,
    Plan,
    Published,
    StepRecord,
    Timing,
    TrialRecord,
)
from harness.records.seals import EvalSeal, FolderSeal
from harness.records.seed_scores import ScoresPlan

HEAD = """\
# Files of a run

*Written by `make reference` from the records that read and write these files; a test holds the two together.*

Every file is JSON or JSON lines, but for finished attempts, which are Parquet. A file is written whole or not at all.
Scores are fractions, lengths are tokens, times are seconds. Each has `schema`, the version of its format: a newer one
than the program knows is refused. What is missing is null or not there, never 0.

```text
runs/EXPERIMENT/
  experiment.yaml           the file that was run, as it was
  resolved.json             the same with every default written out
  plan.json                 what fixes the meaning of a number, locked before training
  data.json                 what the training set was made of
  expected.json             published scores to set beside ours, if there are any
  start/evals/BENCHMARK/    the untrained model
  ARM/seed0/
    trial.json              written first: what is trained
    steps.jsonl             a line for each step
    checkpoints/step_N/     weights as transformers reads them, and trainer.json, from which training goes on
    rollouts/step_N/        recorded rollout batches, where the experiment asks for them
    evals/step_N/BENCHMARK[@DECODING]/
      eval.json             what was asked, and how
      attempts.jsonl        answers, while the evaluation is under way
      attempts.parquet      all answers, when it is complete
      seal.json             hashes of both
    logs/attempt_N          what a worker printed
    timing.json             the one file that differs after a resume
    done.json               written last: the trial is complete
  report/                   index.html, report.md, table.tex, results.csv, verdict.json, figures/, seal.json
```

An import has `import.json` in the place of training's files; an import of scores has `scores.json` and
`scores.parquet`. A folder of `rence eval` has `evals/BENCHMARK/` alone.

"""
RECORDS: Mapping[str, type] = {
    "plan.json": Plan,
    "plan.json: an entry of `arms`": ArmRecord,
    "plan.json: `comparison`": Comparison,
    "data.json": DataRecord,
    "trial.json": TrialRecord,
    "steps.jsonl": StepRecord,
    "timing.json": Timing,
    "done.json": DoneRecord,
    "eval.json": EvalRecord,
    "order.json": OrderRecord,
    "attempts.parquet": Attempt,
    "seal.json of an evaluation": EvalSeal,
    "seal.json of a checkpoint or a report": FolderSeal,
    "import.json": ImportRecord,
    "scores.json": ScoresPlan,
    "expected.json: an entry of `published`": Published,
}
_KINDS: Mapping[Any, str] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "true or false",
    NoneType: "null",
}


def page() -> str:
    """The whole page."""
    parts = [part for title, record in RECORDS.items() for part in _record(title, record)]
    return "\n".join((HEAD.rstrip() + "\n", *parts, *_metrics())).rstrip() + "\n"


def _record(title: str, record: type) -> Iterator[str]:
    """What the record says of itself, and its fields."""
    told, hints = docs(record), get_type_hints(record)
    yield f"## {title}\n"
    # the docstring begins with the file's name, which the heading has
    words = re.sub(r"^[^:;,]*`[\w.]+`[^:,]*[:,] ", "", " ".join((record.__doc__ or "").split()))
    if words:
        yield paragraph(words[:1].upper() + words[1:]) + "\n"
    rows = [(code(field.name), _kind(hints[field.name]), told.get(field.name, "")) for field in fields(record)]
    yield table(("field", "is", "means"), rows)


def _kind(hint: Any) -> str:
    """A type as JSON has it, in words."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " or ".join(map(_kind, inner))
    if origin is Literal:
        return " or ".join(code(str(one)) for one in inner)
    if origin is list:
        return f"list of {_kind(inner[0])}"
    if origin is dict:
        return f"mapping: {_kind(inner[0])} to {_kind(inner[1])}"
    if hint in _KINDS:
        return _KINDS[hint]
    return "mapping" if isinstance(hint, type) and (is_dataclass(hint) or issubclass(hint, dict)) else "anything"


_OF_EVERY_TRIAL = """They have verl's names where verl has one, and on verl a step has more of verl's own. A value is
null where nothing was counted. Logged by every trial, where they apply:"""
_OF_SOME = "Logged by the algorithms that have such a part (`rence show NAME` says which):"
_ACTIVITY = """`activity/PART/norm` and `activity/PART/angle`: how much the gradient changes when a part of the
objective is turned off, as a share of its norm and as an angle; `activity/halves/angle`: between the gradients of two
halves of a batch, which is what noise alone does. They are measured at two steps of each trial."""


def _metrics() -> Iterator[str]:
    yield "## Metrics in steps.jsonl\n"
    for words, meanings in ((_OF_EVERY_TRIAL, OF_STEPS), (_OF_SOME, OF_OBJECTIVES)):
        yield paragraph(words) + "\n"
        yield table(("metric", "means"), [(code(name), meaning) for name, meaning in meanings.items()])
    yield paragraph(_ACTIVITY) + "\n"
