"""Where the quickstart's time goes, and what a second worker brings.

    python bench/experiment.py [--rollouts 1024] [--repeats 1] [--whole] [--keep FOLDER] [--json FILE]

Trains and evaluates the quickstart, all arms and seeds, from `rence run` to the report, by one worker and by two. A
small budget in the place of the 12,288 rollouts leaves the evaluations as they are,
so they weigh more; `--whole` is `make demo` itself. Processor seconds are of all processes, the server of jobs and the
workers included (Linux). Learning, evaluation and generation are of the trials' own clocks; what is left of their time
is loading and writing, and what is left of the run's is the driver, the first start of torch and the report. How far a
second worker helps is seconds by the clock, so other work on the machine counts: the load is printed, and beside it
what the trials' clocks promise, which other work touches less, and the processor seconds of one over those of two:
below 1, two hinder each other in caches and memory, which no order of the jobs mends.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.sides import Run, alternate, child, median, write
from harness.records import RunFolder, Timing

ROOT = Path(__file__).resolve().parents[1]
WHOLE, SHORT = 12_288, 1_024
"""rollouts of a trial"""
_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER: orphans become our children, and their processor seconds are told to us"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rollouts", type=int, default=SHORT)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--whole", action="store_true", help=f"--rollouts {WHOLE}")
    parser.add_argument("--keep", type=Path, help="where run folders stay, for bench/startup.py --run")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rollouts = WHOLE if arguments.whole else arguments.rollouts
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory() as scratch:
        folder = (arguments.keep or Path(scratch)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        sides = {
            "one worker": lambda: experiment(folder, "one", rollouts, ["--workers", "1"]),
            "two workers": lambda: experiment(folder, "two", rollouts, ["--workers", "2"]),
        }
        runs = alternate(sides, arguments.repeats)
    results = tables(runs, rollouts)
    show(results)
    write(arguments.json, results)


def experiment(folder: Path, name: str, rollouts: int, options: Sequence[str]) -> Run:
    """A run of the quickstart to its report. The value: what its files say of times."""
    shutil.rmtree(folder / "runs" / name, ignore_errors=True)
    command = [sys.executable, "-m", "rence", "run", str(ROOT / "configs" / "quickstart.yaml")]
    settings = [f"name={name}", f"budget.rollouts={rollouts}"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = child([*command, *settings, *options], cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)})
    _wait_for_orphans()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = RunFolder(folder / "runs" / name)
    user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    return Run(user, system, ran.wall, {"timings": [vars(one) for one in timings(run)], "load": os.getloadavg()[0]})


def _wait_for_orphans() -> None:
    """Processes that nobody waits for: workers of the marker end after the trial that has started them."""
    try:
        while True:
            os.wait()
    except ChildProcessError:
        return


def timings(run: RunFolder) -> Iterator[Timing]:
    """Of the untrained model's evaluation and of every trial."""
    for path in sorted(run.root.glob("**/timing.json")):
        yield Timing.read(path)


def tables(runs: dict[str, list[Run]], rollouts: int) -> dict[str, list[dict[str, Any]]]:
    """Title -> rows, as `bench/page.py` prints them."""
    size = "whole quickstart" if rollouts == WHOLE else f"quickstart, {rollouts:,} rollouts a trial"
    jobs, work = [], []
    for name, found in runs.items():
        parts = [_parts(run) for run in found]
        middle = {key: median(part[key] for part in parts) for key in parts[0]}
        total = sum(middle.values())
        jobs.append({"work": f"{size}, {name}", **{f"{key}, %": 100 * value / total for key, value in middle.items()}})
        work.append(
            {
                "work": f"{size}, {name}",
                "seconds": median(run.wall for run in found),
                "cpu-s": median(run.cpu for run in found),
                "of it system, %": median(100 * run.system / run.cpu for run in found),
                "load": median(run.value["load"] for run in found),
            }
        )
    one, two = (median(run.wall for run in runs[name]) for name in ("one worker", "two workers"))
    work[-1]["ratio"] = one / two
    work[-1]["ratio by the trials' clocks"] = median(_promised(run) for run in runs["one worker"])
    cpu = [median(run.cpu for run in runs[name]) for name in ("one worker", "two workers")]
    work[-1]["ratio of their cpu-s"] = cpu[0] / cpu[1]
    return {"Run": work, "Where the workers' time goes": jobs}


def _parts(run: Run) -> dict[str, float]:
    """Seconds of workers, by what they did."""
    times = run.value["timings"]
    found = {name: sum(one[f"{name}_seconds"] for one in times) for name in ("train", "evaluate", "generate")}
    rest = sum(one["wall_seconds"] for one in times) - sum(found.values())
    return {
        "learning": found["train"],
        "evaluation": found["evaluate"],
        "generation": found["generate"],
        "loading and writing": max(rest, 0.0),
    }


def _promised(run: Run) -> float:
    """What two workers could make of the jobs of one, started in their order, if they did not hinder each other: what
    is not in a job (the driver, the start of torch, the report) stays as it is."""
    jobs = [one["wall_seconds"] for one in sorted(run.value["timings"], key=lambda one: one["started"])]
    rest = max(run.wall - sum(jobs), 0.0)
    ends = [0.0, 0.0]
    for seconds in jobs:
        ends[ends.index(min(ends))] += seconds
    return run.wall / (rest + max(ends))


def show(results: dict[str, list[dict[str, Any]]]) -> None:
    for title, rows in results.items():
        print(title)
        for row in rows:
            said = (f"{key} {value:.1f}" if isinstance(value, float) else str(value) for key, value in row.items())
            print("  " + ", ".join(said))


if __name__ == "__main__":
    main()
