"""Tests on each code path that torch has for this processor, one after the other, and what of a tolerance they use.

    PYTHONPATH=$PWD OMP_NUM_THREADS=1 python bench/code_paths.py tests/algorithms tests/local tests/fidelity

Arguments are pytest's. torch picks its kernels by ATEN_CPU_CAPABILITY; a path that the processor lacks is not run, and
said to be so. Comparisons that use more than a tenth of what they allow (`tests/closeness.py`) are named: another
processor may well use ten times as much.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PATHS = ("default", "avx2", "avx512")
"""each includes those before it"""
SWITCH = "ATEN_CPU_CAPABILITY"
PROBE = "import torch; print(torch.backends.cpu.get_cpu_capability().lower())"
MARGIN = 10


@dataclass(frozen=True)
class Outcome:
    """Of the tests on one path."""

    passed: bool
    seconds: float
    used: dict[str, tuple[float, float]]
    """test function -> the comparison that used most of what it allows: (seen, allowed), of the norm"""


def available() -> tuple[str, ...]:
    """Up to the one that torch takes by itself; a further one it would take if asked, and crash."""
    plain = {name: value for name, value in os.environ.items() if name != SWITCH}
    probe = subprocess.run([sys.executable, "-c", PROBE], env=plain, capture_output=True, text=True, check=True)
    name = probe.stdout.strip()
    return PATHS[: PATHS.index(name) + 1] if name in PATHS else PATHS[:1]


def run(path: str, arguments: list[str]) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "record"
        record.touch()
        environment = os.environ | {SWITCH: path, "RENCE_TOLERANCES": str(record)}
        start = time.monotonic()
        done = subprocess.run([sys.executable, "-m", "pytest", "-q", *arguments], env=environment)
        return Outcome(done.returncode == 0, time.monotonic() - start, used(record))


def used(record: Path) -> dict[str, tuple[float, float]]:
    found: dict[str, tuple[float, float]] = {}
    for line in record.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        name, pair = row["test"].split("[")[0], (row["seen"], row["within"])
        if share(pair) >= share(found.get(name, (0.0, 1.0))):
            found[name] = pair
    return found


def share(pair: tuple[float, float]) -> float:
    seen, within = pair
    return seen / within if within else float(seen > 0)


def report(outcomes: dict[str, Outcome]) -> Iterator[str]:
    """The tests that have less than the margin on any path, and a line for each path."""
    largest: dict[str, tuple[float, float]] = {}
    for outcome in outcomes.values():
        for name, pair in outcome.used.items():
            largest[name] = max(largest.get(name, pair), pair, key=share)
    tight = [name for name in largest if share(largest[name]) * MARGIN > 1]
    yield f"{len(tight)} of {len(largest)} test functions use more than 1/{MARGIN} of a tolerance on some path"
    for name in sorted(tight, key=lambda name: -share(largest[name])):
        yield "  {}: {:.2g} of the norm seen, {:g} allowed".format(name, *largest[name])
    for path, outcome in outcomes.items():
        most = max(map(share, outcome.used.values()), default=0.0)
        state = "passed" if outcome.passed else "FAILED"
        yield f"{path}: {state} in {outcome.seconds:.0f} s, at most {most:.3f} of a tolerance used"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    _, arguments = parser.parse_known_args()
    outcomes, has = {}, available()
    for path in has:
        print(f"code path {path}", flush=True)
        outcomes[path] = run(path, arguments)
    print(*report(outcomes), sep="\n")
    for path in PATHS[len(has) :]:
        print(f"{path}: not run, this processor has no {path.upper()}")
    return 0 if all(outcome.passed for outcome in outcomes.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
