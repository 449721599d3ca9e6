"""How many answers the marker marks in a processor second, beside plain Math-Verify on the same rows.

    python bench/grading.py [--data FOLDER] [--workers N] [--json FILE]

Processor seconds are those of this process and of all that it starts, their start included. Loads: outputs on GSM8K,
with their labels; expressions that differ (every answer of the labelled sets that is no plain number, against golds of
other problems), first as they are and then in new pairs; and hostile answers among ordinary ones, ours alone. No pair
is met twice. FOLDER, RENCE_DATA_DIR unless it is named, holds `grading/` with the labelled sets; see
`tests/benchmarks/test_agreement.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.sides import write
from benchmarks.marking import mark_all
from benchmarks.marking.marker import mark_texts
from benchmarks.marking.pool import Pool
from benchmarks.marks import MATHS, Mark, Marked, Response

HOSTILE = ("9^{9^{9^{9}}}", "3^{300000000}", "10^{9}!", r"\binom{10^{9}}{10^{8}}")
ROUNDS = 3
"""of new pairs"""
PLAIN_NUMBER = re.compile(r"[-+0-9.,/ $%]*")
MATH_VERIFY = """
import json, logging, sys
from math_verify import parse, verify
logging.disable(logging.CRITICAL)
found = []
for text, gold in json.load(sys.stdin):
    found.append(verify(parse("$" + gold + "$"), parse(text)))
print(sum(found))
"""
Rows = Sequence[tuple[str, str]]
"""(text, gold)"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("RENCE_DATA_DIR", ".")))
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    print(f"{arguments.workers} workers, load {os.getloadavg()[0]:.1f}; rows a processor second, how many are correct")
    print(f"{'':44} {'rows':>6} {'ours':>7} {'correct':>8} {'Math-Verify':>12} {'correct':>8}")
    grading = arguments.data / "grading"
    outputs = [(row["pred"], row["gold"]) for row in _rows(grading / "real_gsm8k_6b.jsonl")]
    rows = [_line("outputs, answer anywhere", outputs, mark_texts, arguments.workers)]
    boxed = [(f"{text}\n\\boxed{{{text.split()[-1]}}}", gold) for text, gold in outputs]
    rows.append(_line("outputs, boxed", boxed, mark_all, arguments.workers))
    pairs = [(row["pred"], row["gold"]) for row in _rows(grading / "derived_shuffled_neg.jsonl")]
    pairs = [pair for pair in pairs if not all(PLAIN_NUMBER.fullmatch(text) for text in pair)]
    rows.append(_line("expressions that differ", _in_boxes(pairs), mark_all, arguments.workers))
    rows.append(_line("expressions that differ, new pairs", _in_boxes(_paired(pairs)), mark_all, arguments.workers))
    hostile(arguments.workers)
    write(arguments.json, rows)


def _rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _in_boxes(pairs: Rows) -> Rows:
    return [(f"\\boxed{{{answer}}}", gold) for answer, gold in pairs]


def _paired(pairs: Rows) -> Rows:
    """Every answer with other golds."""
    draw, golds = random.Random(0), [gold for _, gold in pairs]
    found = set()
    for _ in range(ROUNDS):
        draw.shuffle(golds)
        found |= {(answer, gold) for (answer, _), gold in zip(pairs, golds, strict=True) if answer != gold}
    return sorted(found - set(pairs))


def _line(what: str, rows: Rows, mark: Callable[..., list[Marked]], workers: int) -> dict[str, Any]:
    """One row: the rows a processor second of both sides, and how many are correct to each."""
    before = _processor_seconds()
    found = _marked(rows, mark, workers)
    ours = _processor_seconds() - before
    theirs_correct = subprocess.run(
        [sys.executable, "-c", MATH_VERIFY], input=json.dumps(list(rows)), capture_output=True, text=True, check=True
    ).stdout
    theirs = _processor_seconds() - before - ours
    correct = sum(one.mark is Mark.CORRECT for one in found)
    rate = f"{len(rows) / ours:>7,.0f} {correct:>8,}"
    print(f"{what:44} {len(rows):>6,} {rate} {len(rows) / theirs:>12,.0f} {int(theirs_correct):>8,}", flush=True)
    return {
        "work": what,
        "rows": len(rows),
        "ours, rows a cpu-s": len(rows) / ours,
        "Math-Verify, rows a cpu-s": len(rows) / theirs,
        "correct, ours": correct,
        "correct, Math-Verify": int(theirs_correct),
        "ratio": theirs / ours,
    }


def _marked(rows: Rows, mark: Callable[..., list[Marked]], workers: int) -> list[Marked]:
    """With workers of their own, ended before this returns: only then their time is known."""
    pool = Pool(workers)
    found = mark([Response(text, gold, MATHS) for text, gold in rows], pool)
    pool.close()
    return found


def _processor_seconds() -> float:
    """Of this process, and of those it started that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def hostile(workers: int) -> None:
    many = [f"{text}+{n}" for n in range(5) for text in HOSTILE]
    others = [f"\\sqrt{{{n}}}+1" for n in range(500)]
    rows = [(text, "\\sqrt{5}") for text in (*many, *others)]
    random.Random(0).shuffle(rows)
    before = _processor_seconds()
    found = _marked(_in_boxes(rows), mark_all, workers)
    spent = _processor_seconds() - before
    failed = sum(one.mark is Mark.GRADER_FAILED for one in found)
    print(f"{'hostile ones among expressions':44} {len(rows):>6,} {len(rows) / spent:>7,.0f} ({failed} not decided)")


if __name__ == "__main__":
    main()
