"""How long `rence report` takes on large runs, what it needs, and how long its page takes to open.

    python bench/report.py [--keep FOLDER] [--only NAME]... [--characters N] [--json FILE]

Writes synthetic runs in the real format, with answers of realistic length, builds each one's report in a fresh process
with one thread, and opens the page in headless Chromium where there is one (`chromium` and `chromium-driver`). FOLDER
keeps the runs for another time; without it they are removed. The first three shapes are made if none is named.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.sides import Run, write
from harness.records import (
    START,
    ArmRecord,
    Comparison,
    DoneRecord,
    EvalFolder,
    EvalRecord,
    Mark,
    Plan,
    RunFolder,
    StepRecord,
    Timing,
    TrialRecord,
    append_jsonl,
)
from harness.records.seals import lock_in

SIX = {"math500": 500, "aime24": 30, "aime25": 30, "amc23": 40, "minerva": 272, "olympiad": 674}
MARKS = [mark.value for mark in Mark]
FAILURES = (0.80, 0.06, 0.13, 0.01)
"""of the incorrect attempts: wrong, no answer, truncated, marker failed"""
STEPS, PER_STEP = 200, 1024


@dataclass(frozen=True)
class Shape:
    arms: int
    seeds: int
    benchmarks: Mapping[str, int]
    k: int
    points: int = 4

    @property
    def attempts(self) -> int:
        """at the headline, of trained arms"""
        return self.arms * self.seeds * self.k * sum(self.benchmarks.values())


SHAPES = {
    "paper": Shape(4, 8, SIX, 32),
    "arms": Shape(20, 3, SIX, 32),
    "problems": Shape(4, 3, {"long": 2000}, 8),
    "attempts": Shape(16, 10, SIX, 64, points=1),
    "families": Shape(200, 3, SIX, 4, points=1),
    "seeds": Shape(2, 500, SIX, 2, points=1),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--only", action="append", choices=list(SHAPES))
    parser.add_argument("--characters", type=int, default=2000, help="mean length of an answer")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for name in arguments.only or list(SHAPES)[:3]:
            shape, run = SHAPES[name], (arguments.keep or Path(scratch)) / name
            if not RunFolder(run).plan.exists():
                started = time.perf_counter()
                Writer(shape, RunFolder(run), arguments.characters).write()
                print(f"{name}: written in {time.perf_counter() - started:.0f} s", file=sys.stderr)
            row = {
                "run": f"{name}: {shape.arms} arms x {shape.seeds} seeds",
                "attempts": shape.attempts,
                **measure(run),
            }
            print(", ".join(f"{key} {value}" for key, value in row.items()), flush=True)
            rows.append(row)
    write(arguments.json, rows)


def measure(run: Path) -> dict[str, object]:
    """What a report took and how large its page is, as a row of the page of speed."""
    page = run / "report" / "index.html"
    used = use(["report", str(run)])
    size = {"page, MB": page.stat().st_size / 1e6, "opens in": opening(page)}
    return {"seconds": used.wall, "cpu-s": used.cpu, "GB at most": (used.peak_mb or 0) / 1e3, **size}


_ALONE = """
import os, sys
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, used = os.wait4(pid, 0)
print(status, used.ru_utime, used.ru_stime, used.ru_maxrss)
"""
"""between us and the command: a process begins with the memory of the one that made it, and ours may be large"""


def use(words: Sequence[str]) -> Run:
    """One `rence ...` in a process of its own, with one thread."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "rence", *words]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    asked = [sys.executable, "-c", _ALONE, *command]
    done = subprocess.run(asked, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    status, user, system, kilobytes = map(float, done.stdout.split())
    if status:
        raise SystemExit(f"{' '.join(command)} failed.")
    return Run(user, system, time.perf_counter() - started, None, kilobytes / 1e3)


def said(used: Run) -> str:
    """In words."""
    return f"{used.wall:.1f} s, cpu {used.cpu:.1f} s, peak {(used.peak_mb or 0) / 1e3:.2f} GB"


def opening(page: Path) -> str:
    """Seconds until Chromium has loaded and drawn a page, the median of five."""
    try:
        from selenium import webdriver
    except ImportError:
        return "not opened: selenium is not installed"
    programs = (shutil.which("chromium"), shutil.which("chromedriver"))
    if not all(programs):
        return "not opened: chromium or chromedriver is not installed"
    options = webdriver.ChromeOptions()
    options.binary_location = str(programs[0])
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    with webdriver.Chrome(options, webdriver.ChromeService(str(programs[1]))) as browser:
        seconds = []
        for _ in range(5):
            browser.get("about:blank")
            started = time.perf_counter()
            browser.get(page.resolve().as_uri())
            drawn = "requestAnimationFrame(() => setTimeout(arguments[0], 0))"
            browser.execute_async_script(drawn)
            seconds.append(time.perf_counter() - started)
        nodes = browser.execute_script("return document.querySelectorAll('*').length")
    return f"open in {sorted(seconds)[2]:.2f} s, {nodes:,} elements"


class Writer:
    """A run folder of a shape: what a backend and an evaluation would have left, with seeded draws."""

    def __init__(self, shape: Shape, folder: RunFolder, characters: int) -> None:
        self.shape, self.folder = shape, folder
        self.arms = [f"arm{i:02d}" for i in range(shape.arms)]
        self.seeds = list(range(shape.seeds))
        self.budget = STEPS * PER_STEP
        self.grid = [self.budget * i // shape.points for i in range(1, shape.points + 1)]
        rng = np.random.default_rng(0)
        words = np.array(["so", "we", "have", "$x^2$", "<", "&", "the", "sum", "is", "\\frac{1}{2}", "thus", "\n\n"])
        lengths = np.maximum(20, rng.lognormal(np.log(characters / 4 / 1.3), 0.7, 400)).astype(int)
        self.texts = [" ".join(words[rng.integers(len(words), size=n)]) for n in lengths]

    def write(self) -> None:
        self._plan().write(self.folder.plan)
        for benchmark in self.shape.benchmarks:
            self._evaluation(self.folder.start_eval(benchmark), None, None, 0, benchmark)
        for arm in self.arms:
            for seed in self.seeds:
                self._trial(arm, seed)

    def _trial(self, arm: str, seed: int) -> None:
        place = self.folder.trial(arm, seed)
        TrialRecord(
            "bench", arm, seed, f"t-{arm}-{seed}", f"f-{arm}", f"order-{seed}", "m0", self.budget, "local", {}
        ).write(place.trial)
        noise = np.random.default_rng([seed, self.arms.index(arm)]).random(STEPS).tolist()
        steps = [
            StepRecord(
                s, s * PER_STEP, s * PER_STEP * 500, 4 * s, 64 * s,
                {"actor/pg_clipfrac": 0.02 * noise[s - 1], "actor/entropy": 1 - s / STEPS / 2},
            )
            for s in range(1, STEPS + 1)
        ]  # fmt: skip
        append_jsonl(place.steps, [asdict(step) for step in steps])
        for point in range(1, self.shape.points + 1):
            curve = list(self.shape.benchmarks)[:1]
            for benchmark in self.shape.benchmarks if point == self.shape.points else curve:
                self._evaluation(place.eval(STEPS * point // self.shape.points, benchmark), arm, seed, point, benchmark)
        DoneRecord("finished", STEPS, self.budget, self.budget * 500, 4 * STEPS, 96, "w").write(place.done)
        Timing(1, 61.5, 60.0, 20.0, 30.0, 10.0, "2026-01-01T00:00:00", "2026-01-01T00:01:00").write(place.timing)

    def _evaluation(self, place: EvalFolder, arm: str | None, seed: int | None, point: int, benchmark: str) -> None:
        problems, k = self.shape.benchmarks[benchmark], self.shape.k
        header = EvalRecord(
            arm=arm or START,
            seed=seed,
            step=STEPS * point // self.shape.points,
            rollouts=self.grid[point - 1] if point else 0,
            grid=self.grid[point - 1] if point else 0,
            benchmark=benchmark,
            benchmark_hash=f"h-{benchmark}",
            problems=problems,
            k=k,
            model_hash=f"m-{arm}-{seed}-{point}",
            template="plain-1",
            engine="local",
            engine_version="1",
            grader_version="1",
            sampling={"temperature": 1.0, "top_p": 1.0, "max_tokens": 4096, "seed": 0},
        )
        header.write(place.header)
        pq.write_table(self._table(header, self._marks(header)), place.attempts, compression="zstd")

    def _marks(self, header: EvalRecord) -> np.ndarray:
        """problems x samples, places in MARKS; arms gain in logits, each seed by its own amount."""
        which = list(self.shape.benchmarks).index(header.benchmark)
        difficulty = np.random.default_rng([1, which]).normal(-0.5, 2.0, header.problems)
        who, seed = (-1, 99) if header.seed is None else (self.arms.index(header.arm), header.seed)
        taste = np.random.default_rng([4, who + 1, which]).normal(0, 0.8, header.problems)
        gain = (0.8 - 0.02 * who + np.random.default_rng([2, who + 1, seed]).normal(0, 0.1)) * header.grid / self.budget
        rng = np.random.default_rng([3, who + 1, seed, header.grid, which])
        right = rng.random((header.problems, header.k)) < 1 / (1 + np.exp(-(difficulty + gain + taste)))[:, None]
        return np.where(right, 0, 1 + rng.choice(len(FAILURES), right.shape, p=FAILURES))

    def _table(self, header: EvalRecord, marks: np.ndarray) -> pa.Table:
        """The columns of `records.Attempt`."""
        n, k = marks.size, header.k
        rng = np.random.default_rng([5, n])
        mark = marks.reshape(-1)
        text = rng.integers(len(self.texts), size=n)
        number = np.where(mark == 0, np.repeat(np.arange(header.problems), k), rng.integers(900, size=n))
        lengths = np.array([len(t) for t in self.texts])
        golds = np.repeat(np.arange(header.problems).astype(str), k)

        def constant(value: str) -> pa.Array:
            return pa.repeat(pa.scalar(value), n)

        none = (mark == 2) | (mark == 3)
        return pa.table(
            {
                "arm": constant(header.arm),
                "seed": pa.array([header.seed], pa.int64()).take(pa.array(np.zeros(n, np.int64))),
                "step": np.full(n, header.step),
                "benchmark": constant(header.benchmark),
                "problem_id": np.repeat([f"{header.benchmark}-{i:012d}" for i in range(header.problems)], k),
                "sample": np.tile(np.arange(k), header.problems),
                "response": pa.array(self.texts).take(pa.array(text)),
                "answer": pa.array(number.astype(str), mask=none),
                "gold": golds,
                "mark": pa.array(MARKS).take(pa.array(mark)),
                "finish_reason": pa.array(["stop", "length"]).take(pa.array((mark == 3).astype(int))),
                "tokens": lengths[text] // 4,
                "template": constant(header.template),
                "engine": constant(header.engine),
                "generation_key": np.arange(n).astype(str),
                "grader_version": constant(header.grader_version),
                "mark_second": pa.nulls(n, pa.string()),
            }
        )

    def _plan(self) -> Plan:
        clip = {"metric": "actor/pg_clipfrac", "label": "share of tokens clipped", "inactive_below": 0.001}
        k = dict.fromkeys(self.shape.benchmarks, self.shape.k)
        plan = Plan(
            experiment="bench",
            arms=[
                ArmRecord(
                    arm, "grpo", f"Algorithm {arm[3:]}", {"clip": 0.2}, {"baseline": "mean"}, {}, [clip], f"f-{arm}"
                )
                for arm in self.arms
            ],
            seeds=self.seeds,
            benchmarks=k,
            curve_benchmarks=dict(list(k.items())[:1]),
            comparison=Comparison(self.arms[0], self.arms[1:]),
            budget_rollouts=self.budget,
            grid_rollouts=self.grid,
            backend="local",
            model="synthetic",
            model_hash="m0",
            train="synthetic",
            template="plain-1",
            recipe={"group_size": 8, "learning_rate": 1e-6},
            evaluation={"temperature": 1.0, "top_p": 1.0, "max_tokens": 4096},
            tuning={},
            lock="",
        )
        return replace(plan, lock=lock_in(plan.to_json()) or "")


if __name__ == "__main__":
    main()
