"""How long `rence import` takes on many attempts, what it needs, and what the report of them needs.

    python -m bench.importing [--arms 16] [--seeds 10] [--k 64] [--problems N] [--characters 0] [--question 0]
                              [--format parquet] [--mixed] [--source attempts] [--no-report] [--keep FOLDER]
    python -m bench.importing --scores ROWS [--format csv]

Writes attempts as others would have: one file with a row for each answer to the problems of six benchmarks, or of one
with N problems, with answers, golds and lengths, and with responses and questions of so many characters. `--mixed`:
problem by problem, so that the rows of an evaluation lie apart; without it evaluation by evaluation. Then `rence
import` and `rence report` run in processes of their own, with one thread. `--scores`: so many rows of arm, seed,
benchmark, step and score instead, for `rence import scores`.

A million attempts are `--arms 4 --seeds 5 --k 32`; with many problems that have texts, `--arms 1 --seeds 1 --k 8
--problems 62500 --question 300`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from bench.report import FAILURES, MARKS, SIX, said, use
from harness.records import START

ROWS = 1 << 16
"""made and written together"""
FORMATS = ("parquet", "jsonl", "csv", "jsonl.gz", "csv.gz", "jsonl.zst", "csv.zst")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arms", type=int, default=16)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--k", type=int, default=64)
    parser.add_argument("--problems", type=int, default=0, help="of one benchmark; 0: six as they are published")
    parser.add_argument("--characters", type=int, default=0, help="of a response; 0: there are none")
    parser.add_argument("--question", type=int, default=0, help="characters of a problem's text; 0: there are none")
    parser.add_argument("--format", choices=FORMATS, default="parquet")
    parser.add_argument("--mixed", action="store_true")
    parser.add_argument("--source", default="", help="named before the path; without it the shape is recognised")
    parser.add_argument("--scores", type=int, default=0)
    parser.add_argument("--no-report", dest="report", action="store_false")
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    kind = "scores" if arguments.scores else "attempts"
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        path, run = folder / f"{kind}.{arguments.format}", folder / "run"
        started = time.perf_counter()
        rows = 0
        if not path.exists():
            rows = write(path, scores(arguments.scores) if arguments.scores else attempts(arguments))
        seconds = time.perf_counter() - started
        print(f"{rows:,} {kind}, {path.stat().st_size / 1e6:,.0f} MB, written in {seconds:.0f} s", flush=True)
        source = ["scores"] if arguments.scores else [word for word in [arguments.source] if word]
        print("import:", said(use(["import", *source, str(path), "--out", str(run), "--clean", "--json"])), flush=True)
        if arguments.report:
            page = run / "report/index.html"
            print("report:", said(use(["report", str(run)])), f"page {page.stat().st_size / 1e6:.2f} MB")


def attempts(asked: argparse.Namespace) -> Iterator[pa.Table]:
    benchmarks = {"sums": asked.problems} if asked.problems else SIX
    for numbers in batches(asked, benchmarks):
        yield table(numbers, benchmarks, asked.characters, asked.question)


def scores(rows: int) -> Iterator[pa.Table]:
    """Four arms, ten seeds, five benchmarks, and as many steps as that gives."""
    shape = (4, 10, 5, max(1, rows // 200))
    for begin in range(0, int(np.prod(shape)), ROWS):
        places = np.arange(begin, min(int(np.prod(shape)), begin + ROWS))
        arm, seed, benchmark, step = np.unravel_index(places, shape)
        score = 0.3 + 0.02 * arm + 0.01 * benchmark + np.random.default_rng(begin).normal(0, 0.02, len(arm))
        yield pa.table(
            {
                "arm": pa.array([f"arm{i}" for i in range(4)]).take(pa.array(arm)),
                "seed": seed,
                "benchmark": pa.array([f"set{i}" for i in range(5)]).take(pa.array(benchmark)),
                "step": step,
                "score": np.round(score, 4),
            }
        )


def batches(asked: argparse.Namespace, benchmarks: Mapping[str, int]) -> Iterator[dict[str, np.ndarray]]:
    """Numbers of arm, seed, benchmark, problem and sample, in the order of the rows; the untrained model is arm -1."""
    who = [(-1, -1), *((arm, seed) for arm in range(asked.arms) for seed in range(asked.seeds))]
    whose = np.array(who, np.int64)
    for number, problems in enumerate(benchmarks.values()):
        shape = (problems, asked.k, len(who)) if asked.mixed else (len(who), problems, asked.k)
        total = int(np.prod(shape))
        for begin in range(0, total, ROWS):
            places = np.unravel_index(np.arange(begin, min(total, begin + ROWS)), shape)
            problem, sample, which = places if asked.mixed else (places[1], places[2], places[0])
            arm, seed = whose[which].T
            benchmark = np.full(len(arm), number)
            yield {"arm": arm, "seed": seed, "benchmark": benchmark, "problem": problem, "sample": sample}


def table(numbers: dict[str, np.ndarray], benchmarks: Mapping[str, int], characters: int, question: int) -> pa.Table:
    """Rows as somebody else might have written them."""
    arm, seed, benchmark, problem, sample = numbers.values()
    n = len(arm)
    rng = np.random.default_rng([int(x[0]) + 1 for x in numbers.values()])
    ease = np.random.default_rng(1).normal(-0.5, 2.0, (len(benchmarks), max(benchmarks.values())))
    right = rng.random(n) < 1 / (1 + np.exp(-(ease[benchmark, problem] + 0.8 - 0.02 * arm)))
    mark = np.where(right, 0, 1 + rng.choice(len(FAILURES), n, p=FAILURES))
    answer = np.where(right, problem, rng.integers(900, size=n))
    ids = pa.array([f"problem-{i:06d}" for i in range(max(benchmarks.values()))])
    columns = {
        "arm": pa.array([START, *(f"arm{i:03d}" for i in range(int(arm.max()) + 1))]).take(pa.array(arm + 1)),
        "seed": pa.array(seed, mask=seed < 0),
        "benchmark": pa.array(list(benchmarks)).take(pa.array(benchmark)),
        "problem_id": ids.take(pa.array(problem)),
        "sample": pa.array(sample),
        "answer": pa.array(answer.astype(str), mask=(mark == 2) | (mark == 3)),
        "gold": pa.array(problem.astype(str)),
        "mark": pa.array(MARKS).take(pa.array(mark)),
        "tokens": pa.array(rng.integers(100, 4000, size=n)),
    }
    if characters:
        # each its own, as of a model that samples: letters of a long text, from a place that is drawn
        letters = "".join(map(chr, rng.integers(97, 123, size=characters + 4096).tolist()))
        columns["response"] = pa.array([letters[i : i + characters] for i in rng.integers(4096, size=n).tolist()])
    if question:
        # the place of a problem is part of its text
        texts = [f"{name} {i}: ".ljust(question, "q") for name in benchmarks for i in range(max(benchmarks.values()))]
        columns["question"] = pa.array(texts).take(pa.array(benchmark * max(benchmarks.values()) + problem))
    return pa.table(columns)


def write(path: Path, tables: Iterator[pa.Table]) -> int:
    """Returns: the number of rows."""
    rows, writer = 0, None
    kind, _, packed = path.name.partition(".")[2].partition(".")
    with pa.output_stream(str(path), compression={"": None, "gz": "gzip", "zst": "zstd"}[packed]) as file:
        for one in tables:
            rows += one.num_rows
            if kind == "jsonl":
                file.write("".join(json.dumps(row) + "\n" for row in one.to_pylist()).encode())
                continue
            kinds = {"parquet": pq.ParquetWriter, "csv": pyarrow.csv.CSVWriter}
            writer = writer or kinds[kind](file, one.schema)
            writer.write_table(one)
        if writer:
            writer.close()
    return rows


if __name__ == "__main__":
    main()
