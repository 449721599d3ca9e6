"""What marking by every reading costs beside the rule alone.

    python bench/readings.py RULE ATTEMPTS.parquet...      # RULE: maths or numbers

Prints processor-seconds, workers included, of both, twice; and what each reading makes of the answers.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import pyarrow.parquet as pq

from benchmarks.marking.marker import mark_all, mark_readings
from benchmarks.marking.pool import Pool
from benchmarks.marks import Form, Reading, Response, Rule

MOST = 20_000
"""answers"""


def main() -> None:
    """Of the files that the command names."""
    rule, columns = Rule(Form(sys.argv[1])), ["response", "gold", "finish_reason"]
    rows = [row for file in sys.argv[2:] for row in pq.read_table(file, columns=columns).to_pylist()][:MOST]
    responses = [Response(row["response"], row["gold"], rule, row["finish_reason"] != "stop") for row in rows]
    found: list[Any] = []
    for name, mark in (("rule", mark_all), ("readings", mark_readings)) * 2:
        seconds, found = timed(mark, responses)
        print(f"{name}: {len(responses):,} answers, {seconds:.2f} s, {1e6 * seconds / len(responses):.0f} us each")
    counts = Counter((one[Reading.RULE].mark.value, one[Reading.ANYWHERE].mark.value) for one in found)
    for (ours, anywhere), count in counts.most_common():
        print(f"{ours} by the rule, {anywhere} anywhere: {count:,}")


def timed(mark: Callable[..., list[Any]], responses: list[Response]) -> tuple[float, list[Any]]:
    """Processor-seconds, and the marks."""
    before, pool = sum(os.times()[:4]), Pool(1)
    try:
        found = mark(responses, pool)
    finally:
        pool.close()
    return sum(os.times()[:4]) - before, found


if __name__ == "__main__":
    main()
