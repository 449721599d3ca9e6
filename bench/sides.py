"""Two or more sides of a measurement: run in turns, counted in processor seconds, set against the ceiling of matrix
products, and written to a file that says where it was measured.

    runs = alternate({"ours": lambda: here(ours), "theirs": lambda: child([python, "theirs.py"])}, repeats=5, warm=1)
    ratio(runs["theirs"], runs["ours"])     # processor seconds of theirs for one of ours: above 1, ours is faster

A side is a function that gives a `Run`: `here` calls a function in this process, `child` runs a command in one of its
own. Both count user and system seconds, of the processes that were started and have ended, too.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from harness.records.environment import environment

LOOK_SECONDS = 0.005
"""between looks at a child's memory and whether it has ended: its wall time is as exact as that"""


@dataclass(frozen=True)
class Run:
    """One side, run once."""

    user: float
    """processor seconds outside the kernel"""
    system: float
    """processor seconds in the kernel: page faults, reading files"""
    wall: float
    """seconds; on a machine that others use they say little"""
    value: Any
    """what the work gave: what proves that both sides did the same, such as the tokens made"""
    peak_mb: float | None = None
    """most memory (RSS) of a process of its own, children aside; None in this process, whose peak is of all that it
    ever did"""

    @property
    def cpu(self) -> float:
        """Processor seconds, user and system."""
        return self.user + self.system


def here(work: Callable[[], Any]) -> Run:
    """Call it in this process. Children are counted once they have ended and were waited for."""
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    value = work()
    wall = time.perf_counter() - start
    own_after, others_after = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    user = own_after.ru_utime - own.ru_utime + others_after.ru_utime - others.ru_utime
    system = own_after.ru_stime - own.ru_stime + others_after.ru_stime - others.ru_stime
    return Run(user, system, wall, value)


def child(command: Sequence[str | Path], **options: Any) -> Run:
    """Run a command to its end, start-up included; with the children that it waits for.

    The value is the last line of what it prints if that is JSON, else None.

    Args:
        options: of `subprocess.Popen`, such as `env` and `cwd`.
    Raises: RuntimeError with the last lines of what it printed, if it fails.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen([str(word) for word in command], stdout=out, stderr=errors, **options)
        peak, ended = None, 0
        # Not `wait`: the usage of this child alone. Its `ru_maxrss` would begin with this process's own memory, whose
        # copy it was before it became another program.
        while not ended:
            peak = _peak_mb(process.pid) or peak
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            time.sleep(0 if ended else LOOK_SECONDS)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0), errors.seek(0)
        printed = out.read().strip().splitlines()
        if process.returncode:
            said = "\n".join([*printed, *errors.read().strip().splitlines()][-12:])
            raise RuntimeError(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{said}")
    return Run(usage.ru_utime, usage.ru_stime, wall, _json(printed[-1] if printed else ""), peak)


def _peak_mb(process: int) -> float | None:
    """Until now. None where the system does not say (it is Linux that does), or has no more to say of a process."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), None)


def _json(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def alternate(sides: Mapping[str, Callable[[], Run]], repeats: int, warm: int = 0) -> dict[str, list[Run]]:
    """All sides in turns, every round in the other direction, so that the machine's other work falls on all alike.

    Args:
        warm: rounds before, which are not counted.
    """
    runs: dict[str, list[Run]] = {name: [] for name in sides}
    for turn in range(warm + repeats):
        for name in list(sides)[:: -1 if turn % 2 else 1]:
            run = sides[name]()
            if turn >= warm:
                runs[name].append(run)
    return runs


def summary(runs: Sequence[Run]) -> dict[str, float]:
    """Medians: `cpu_s`, `system_share` of it, `wall_s`, and `peak_mb` where it is known; and how many `runs`."""
    middle = {"cpu_s": median(run.cpu for run in runs), "wall_s": median(run.wall for run in runs)}
    middle["system_share"] = median(run.system / run.cpu for run in runs)
    peaks = [run.peak_mb for run in runs if run.peak_mb is not None]
    return {**middle, **({"peak_mb": median(peaks)} if peaks else {}), "runs": len(runs)}


def ratio(theirs: Sequence[Run], ours: Sequence[Run]) -> float:
    """Median processor seconds of theirs over those of ours: above 1, ours is faster."""
    return median(run.cpu for run in theirs) / median(run.cpu for run in ours)


def median(numbers: Iterable[float]) -> float:
    return statistics.median(numbers)


def gemm_rate(rows: int, inner: int, outer: int, seconds: float = 0.1) -> float:
    """Floating-point operations a processor second in fp32: (rows, inner) x (inner, outer), by torch's own `linear` or
    by oneDNN's product (`harness/models/linear.py`), whichever is faster here: the ceiling of a share."""
    import torch

    from harness.models.linear import available

    x, weight = torch.randn(rows, inner), torch.randn(outer, inner)
    ways: list[Callable[[], Any]] = [lambda: torch.nn.functional.linear(x, weight)]
    if available():
        ways.append(lambda: torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], ""))
    return 2 * rows * inner * outer / min(_seconds_of(way, seconds) for way in ways)


def _seconds_of(work: Callable[[], Any], seconds: float) -> float:
    """Processor seconds of a call, by the mean over so many of them."""
    for _ in range(3):
        work()
    start, calls = time.process_time(), 0
    while (spent := time.process_time() - start) < seconds:
        for _ in range(5):
            work()
        calls += 5
    return spent / calls


def gemm_seconds(rows: int, products: Iterable[tuple[int, int, int]]) -> float:
    """Least processor seconds of the matrix products of so many rows.

    Args:
        products: (inner, outer, how many); see `products_of`.
    """
    return sum(
        count * 2 * rows * inner * outer / gemm_rate(rows, inner, outer) for inner, outer, count in products if count
    )


def products_of(config: Any) -> list[tuple[int, int, int]]:
    """(inner, outer, how many) of the products with weights that a token goes through, head included; attention's own
    are left out. Once forward; backward takes each twice.

    Args:
        config: of transformers, of a dense decoder with a gated MLP.
    """
    hidden, layers, size = config.hidden_size, config.num_hidden_layers, config.head_dim
    queries, keys = config.num_attention_heads * size, config.num_key_value_heads * size
    return [
        (hidden, queries, layers),
        (hidden, keys, 2 * layers),
        (queries, hidden, layers),
        (hidden, config.intermediate_size, 2 * layers),
        (config.intermediate_size, hidden, layers),
        (hidden, config.vocab_size, 1),
    ]


def write(path: Path | None, results: Any) -> None:
    """`{command, date, commit, dirty, processor, cores, packages, results}` as JSON.

    Args:
        path: None: nowhere.
    """
    if path is None:
        return
    words = [Path(sys.argv[0]).name, *sys.argv[1:]]
    where = environment()
    said = {
        "command": f"OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', '')} python bench/{' '.join(words)}",
        "date": date.today().isoformat(),
        **where,
        "cores": os.cpu_count(),
        "results": results,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
