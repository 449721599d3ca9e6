"""Kills `rence eval` at random moments, runs it again, and compares every byte with an uninterrupted run.

    PYTHONPATH=. python bench/kills.py --kills 20 [--seed 0] [--benchmarks mini_sums:8,...]

The moments are uniform over the time that an uninterrupted run takes, imports included. Each kill has a folder of its
own. Exit code 1 if a byte differs, or if a resumed run did not begin with all the chunks that were saved.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
BENCHMARKS = "mini_sums:8,mini_chains:8,mini_stories:8,mini_equations:8,mini_longer:8,mini_unseen:8"
CHUNK = 8
"""problems"""


def start(out: Path, benchmarks: str) -> subprocess.Popen[str]:
    sampling = ["--template", "bare", "--temperature", "1", "--top-p", "1", "--max-tokens", "48"]
    command = [sys.executable, "-m", "rence", "eval", "--model", "quickstart-base", "--benchmarks", benchmarks]
    return subprocess.Popen(
        [*command, *sampling, "--chunk", str(CHUNK), "--out", str(out)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[str, str]:
    """stdout and stderr."""
    out, err = process.communicate()
    if process.returncode:
        sys.exit(f"exit code {process.returncode}: {err}")
    return out, err


def saved(out: Path, benchmarks: str) -> int:
    """Answers in whole chunks."""
    rows = 0
    for item in benchmarks.split(","):
        name, _, k = item.partition(":")
        folder, size = out / "evals" / name, CHUNK * int(k)
        if (folder / "attempts.parquet").exists():
            rows += 200 * int(k)
        elif (folder / "attempts.jsonl").exists():
            rows += (folder / "attempts.jsonl").read_bytes().count(b"\n") // size * size
    return rows


def content(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def trial(out: Path, benchmarks: str, moment: float, expected: tuple[str, dict[str, bytes]]) -> bool:
    """Whether a run that is killed after so many seconds and run again ends as an uninterrupted one."""
    process = start(out, benchmarks)
    time.sleep(moment)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    rows = saved(out, benchmarks)
    table, said = finish(start(out, benchmarks))
    resumed = f"{rows:,} of" in said if rows else "answers are there" not in said
    complete = "nothing to do" in table
    equal = content(out) == expected[1] and table.endswith(expected[0])
    print(f"{moment:5.1f} s  {rows:6,} answers saved  {'equal' if equal else 'DIFFERENT'}", flush=True)
    return equal and (resumed or complete)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--benchmarks", default=BENCHMARKS)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole"
        began = time.monotonic()
        table, _ = finish(start(whole, arguments.benchmarks))
        took = time.monotonic() - began
        print(f"{took:5.1f} s  uninterrupted")
        expected = table, content(whole)
        good = [
            trial(Path(folder) / str(i), arguments.benchmarks, rng.uniform(0, took), expected)
            for i in range(arguments.kills)
        ]
    print(f"{sum(good)} of {len(good)} killed runs ended with the bytes of the uninterrupted one")
    sys.exit(not all(good))


if __name__ == "__main__":
    main()
