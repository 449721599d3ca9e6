"""How many answers the marker marks in a second.

    python bench/grading.py --data FOLDER [--workers N]

Three loads: ordinary outputs (GSM8K's, with their labels), expressions that differ (every symbolic answer of the
labelled sets against golds of other problems, first as met, then with all texts read before), and hostile answers
among ordinary ones. FOLDER holds `grading/` with the labelled sets; see `tests/benchmarks/test_agreement.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.marking import mark_all
from benchmarks.marking.comparison import decide
from benchmarks.marking.marker import mark_texts
from benchmarks.marking.pool import Pool
from benchmarks.marks import MATHS, Mark, Marked, Response

HOSTILE = ("9^{9^{9^{9}}}", "3^{300000000}", "10^{9}!", r"\binom{10^{9}}{10^{8}}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    pool = Pool(arguments.workers)
    pool.ask_all([("same", f"x+{n}", "x", 0.0) for n in range(4 * arguments.workers)])  # workers are up
    load = os.getloadavg()[0]
    print(f"{arguments.workers} workers, load {load:.1f}")
    ordinary(_rows(arguments.data / "grading" / "real_gsm8k_6b.jsonl"), pool)
    mismatches(_rows(arguments.data / "grading" / "derived_shuffled_neg.jsonl"), pool)
    hostile(pool)
    pool.close()


def ordinary(rows: Sequence[dict[str, str]], pool: Pool) -> None:
    texts = [Response(row["pred"], row["gold"], MATHS) for row in rows]
    boxes = [Response(f"{row['pred']}\n\\boxed{{{row['pred'].split()[-1]}}}", row["gold"], MATHS) for row in rows]
    started = time.perf_counter()
    mark_texts(texts, pool)
    _say("ordinary outputs, answer anywhere", len(texts), started)
    started = time.perf_counter()
    mark_all(boxes, pool)
    _say("ordinary outputs, boxed", len(boxes), started)


def mismatches(rows: Sequence[dict[str, str]], pool: Pool) -> None:
    """Pairs are never repeated: no verdict is kept from before, only what the texts were read as."""
    open_ = [row for row in rows if decide(row["pred"], row["gold"], MATHS) is None]
    golds = [row["gold"] for row in open_]
    first = [Response(f"\\boxed{{{row['pred']}}}", row["gold"], MATHS) for row in open_]
    started = time.perf_counter()
    mark_all(first, pool)
    _say("expressions that differ, met for the first time", len(first), started)
    draw = random.Random(0)
    for _ in range(6):  # each worker has read nearly all
        mark_all(_paired(open_, golds, draw), pool)
    again = _paired(open_, golds, draw)
    started = time.perf_counter()
    found = mark_all(again, pool)
    _say("expressions that differ, new pairs of texts read before", len(again), started)
    print(f"  of which equal after all: {sum(one.mark is Mark.CORRECT for one in found)}")


def _paired(rows: Sequence[dict[str, str]], golds: list[str], draw: random.Random) -> list[Response]:
    draw.shuffle(golds)
    pairs = [(row["pred"], gold) for row, gold in zip(rows, golds, strict=True)]
    return [Response(f"\\boxed{{{a}}}", g, MATHS) for a, g in pairs if decide(a, g, MATHS) is None]


def hostile(pool: Pool) -> None:
    for text in HOSTILE:
        started = time.perf_counter()
        (one,) = mark_all([Response(f"\\boxed{{{text}}}", r"\sqrt{5}", MATHS)], pool)
        print(f"hostile {text}: {time.perf_counter() - started:.2f} s, {one.mark}")
    many = [Response(f"\\boxed{{{text}+{n}}}", r"\sqrt{5}", MATHS) for n in range(5) for text in HOSTILE[:2]]
    others = [Response(f"\\boxed{{\\sqrt{{{n}}}+1}}", r"\sqrt{5}", MATHS) for n in range(500)]
    mixed = [*many, *others]
    random.Random(0).shuffle(mixed)
    started = time.perf_counter()
    found: list[Marked] = mark_all(mixed, pool)
    _say(f"{len(many)} hostile among {len(others)} expressions", len(mixed), started)
    print(f"  failed: {sum(one.mark is Mark.GRADER_FAILED for one in found)}")


def _rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _say(what: str, count: int, started: float) -> None:
    seconds = time.perf_counter() - started
    print(f"{what}: {count:,} in {seconds:.2f} s, {count / seconds:,.0f} a second")


if __name__ == "__main__":
    main()
