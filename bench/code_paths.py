"""Tests on each code path that torch has for this processor, one after the other, and what of a tolerance they use.

    python bench/code_paths.py tests/algorithms tests/local tests/fidelity

Arguments are pytest's. torch picks its kernels by ATEN_CPU_CAPABILITY, and the libraries that multiply matrices for it
theirs by settings of their own. A path that the processor lacks is not run, and said to be so. Tests whose comparisons
(`tests/closeness.py`) use more than a tenth of what they allow are named: another processor may use ten times as much.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PATHS = {
    "default": {"ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_CBWR": "COMPATIBLE"},
    "avx2": {"ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_CBWR": "AVX2"},
    "avx512": {},
}
"""name to torch -> the same to oneDNN and MKL; a processor that has one has those before it"""
SWITCH = "ATEN_CPU_CAPABILITY"
PROBE = "import torch; print(torch.backends.cpu.get_cpu_capability().lower())"
MARGIN = 10


Pair = tuple[float, float]
"""error that was seen, and the one that is allowed, of the norm"""


@dataclass(frozen=True)
class Outcome:
    """Of the tests on one path."""

    passed: bool
    seconds: float
    used: dict[str, Pair]
    """test function -> the comparison in it that uses most of what it allows"""


def available() -> list[str]:
    """Up to the one that torch takes by itself; a further one it would take if asked, and crash."""
    plain = {name: value for name, value in os.environ.items() if name != SWITCH}
    probe = subprocess.run([sys.executable, "-c", PROBE], env=plain, capture_output=True, text=True, check=True)
    names, most = list(PATHS), probe.stdout.strip()
    return names[: names.index(most) + 1 if most in names else 1]


def run(path: str, arguments: list[str]) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "record"
        record.touch()
        # one thread, unless it is said otherwise: how many there are is another order of adding up
        settings = {"OMP_NUM_THREADS": "1"} | os.environ | PATHS[path]
        environment = settings | {SWITCH: path, "RENCE_TOLERANCES": str(record)}
        start = time.monotonic()
        done = subprocess.run([sys.executable, "-m", "pytest", "-q", *arguments], env=environment)
        rows = map(json.loads, record.read_text(encoding="utf-8").splitlines())
        used = largest((row["test"].split("[")[0], (row["seen"], row["within"])) for row in rows)
        return Outcome(done.returncode == 0, time.monotonic() - start, used)


def share(pair: Pair) -> float:
    seen, within = pair
    return seen / within if within else float(seen > 0)


def largest(pairs: Iterable[tuple[str, Pair]]) -> dict[str, Pair]:
    """By name, the pair that uses most."""
    found: dict[str, Pair] = {}
    for name, pair in pairs:
        found[name] = max(found.get(name, pair), pair, key=share)
    return found


def report(outcomes: dict[str, Outcome]) -> Iterator[str]:
    """A line for each file of tests and for each path, and the tests that lack the margin on any path."""
    files = [largest((name.split("::")[0], pair) for name, pair in one.used.items()) for one in outcomes.values()]
    yield f"{'most of a tolerance: seen / allowed':<45}" + "".join(f"{path:>20}" for path in outcomes)
    for name in sorted(set().union(*files)):
        cells = ["{:.1e} / {:.0e}".format(*one[name]) if name in one else "" for one in files]
        yield f"{name:<45}" + "".join(f"{cell:>20}" for cell in cells)
    every = largest(pair for one in outcomes.values() for pair in one.used.items())
    tight = sorted((name for name in every if share(every[name]) * MARGIN > 1), key=lambda name: -share(every[name]))
    yield f"{len(tight)} of {len(every)} tests use more than 1/{MARGIN} of a tolerance on some path"
    yield from ("  {}: {:.1e} / {:.0e}".format(name, *every[name]) for name in tight)
    for path, outcome in outcomes.items():
        yield f"{path}: {'passed' if outcome.passed else 'FAILED'} in {outcome.seconds:.0f} s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    _, arguments = parser.parse_known_args()
    has, outcomes = available(), {}
    for path in has:
        print(f"code path {path}", flush=True)
        outcomes[path] = run(path, arguments)
    print(*report(outcomes), sep="\n")
    for path in list(PATHS)[len(has) :]:
        print(f"{path}: not run, this processor has no {path.upper()}")
    return 0 if all(outcome.passed for outcome in outcomes.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
