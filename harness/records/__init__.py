"""The files a run leaves behind: their schema, their folder layout, and how they are written and read.

Standard library, PyYAML, and pyarrow where attempts are read, with the five marks of `benchmarks`: `reports` imports
this package and nothing else of ours.
Every file is JSON or JSON lines, but for finished attempts, which are Parquet.
Units: scores are fractions, lengths are tokens, times are seconds.
"""

from benchmarks.marks import Mark, disagree
from harness.records.evaluations import EvalRecord, OrderRecord, identity, random_order
from harness.records.expected import Published, add_published, read_published
from harness.records.files import (
    SCHEMA,
    DataError,
    append_jsonl,
    append_text,
    json_line,
    json_text,
    last_line,
    read_json,
    read_jsonl,
    read_whole,
    to_disk,
    unfinished,
    write_bytes,
    write_json,
    write_text,
)
from harness.records.layout import SEPARATOR, START, EvalFolder, RunFolder, TrialFolder, eval_name
from harness.records.left_out import LeftOut
from harness.records.origins import DataRecord, ImportRecord
from harness.records.plans import ArmRecord, CollapseRule, Comparison, DecodingRecord, Plan, Sweep
from harness.records.schema import Attempt
from harness.records.trials import DoneRecord, StepRecord, Timing, TrialRecord

__all__ = [
    "SCHEMA",
    "SEPARATOR",
    "START",
    "ArmRecord",
    "Attempt",
    "CollapseRule",
    "Comparison",
    "DataError",
    "DataRecord",
    "DecodingRecord",
    "DoneRecord",
    "EvalFolder",
    "EvalRecord",
    "ImportRecord",
    "LeftOut",
    "Mark",
    "OrderRecord",
    "Plan",
    "Published",
    "RunFolder",
    "StepRecord",
    "Sweep",
    "Timing",
    "TrialFolder",
    "TrialRecord",
    "add_published",
    "append_jsonl",
    "append_text",
    "disagree",
    "eval_name",
    "identity",
    "json_line",
    "json_text",
    "last_line",
    "random_order",
    "read_json",
    "read_jsonl",
    "read_published",
    "read_whole",
    "to_disk",
    "unfinished",
    "write_bytes",
    "write_json",
    "write_text",
]
