"""A small finished run, one that was stopped, an import, two evaluations and two baselines, all in one folder."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.diff.frozen import SHIPPED
from harness.records import (
    START,
    DataRecord,
    EvalFolder,
    OrderRecord,
    Published,
    RunFolder,
    Sweep,
    TrialFolder,
    add_published,
    append_jsonl,
    random_order,
    seals,
    write_json,
)
from harness.records.machines import MachineRecord, MachinesRecord
from harness.records.seals import lock_in
from tests.reports.conftest import Synthetic, write_eval

SMALL = Synthetic(
    gains={"rence": 0.8, "grpo": 0.6}, seeds=(0, 1), benchmarks={"mini_easy": (6, 2)}, curve=("mini_easy",), budget=100
)
OLDER = Path(__file__).parents[1] / "compatibility/files_6b4d70b.tar.xz"
SECONDS, WALL = 5.0, 60
"""of the processor, in which a command must end; and of the clock, for one that waits"""


class Hangs(BaseException):
    """A command that does not end."""


def call(*words: str) -> tuple[int, str, str]:
    """The command line in this process: exit code, stdout, stderr. What is no exit is a traceback, and is raised."""
    from rence.cli import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(list(words))
        except SystemExit as ended:
            return int(ended.code or 0), out.getvalue(), err.getvalue()
    raise AssertionError(f"{words} did not exit")


@contextlib.contextmanager
def in_time() -> Iterator[None]:
    """Raises: Hangs."""

    def late(*_: Any) -> None:
        raise Hangs

    held = signal.signal(signal.SIGPROF, late), signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.alarm(WALL)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        signal.signal(signal.SIGPROF, held[0])
        signal.signal(signal.SIGALRM, held[1])


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The working directory of all commands."""
    folder, before = tmp_path_factory.mktemp("mutations"), Path.cwd()
    os.chdir(folder)
    os.environ["NO_COLOR"] = "1"
    try:
        _older()
        _finished(Path("runs/small"))
        _stopped(Path("runs/stopped"))
        _imported()
        _evaluated(Path("evaluated"), [1, 2, 0, 1, 2, 2])
        _evaluated(Path("again"), [1, 1, 0, 1, 2, 0])
        _growing(Path("growing"))
        shutil.copytree(SHIPPED, "batch")
        _evaluated(Path("sealed"), [2, 1, 0, 1, 2, 2])
        seals.seal(EvalFolder(Path("sealed/evals/mini_easy")))
        MachinesRecord([MachineRecord(processor="one", threads=1)]).write(Path("sealed/machines.json"))
        made = [
            call("gate", name, "--baseline", f"{Path(name).name}.yaml", "--update", "--margin", "20")
            for name in BASELINES
        ]
        assert [code for code, *_ in made] == [0] * len(made), made
        code, _, said = call("gate", "growing", "--baseline", "evaluated.yaml", "--sequential")
        assert Path("growing/gate.json").exists(), (code, said)
        yield folder
    finally:
        os.chdir(before)


BASELINES = ("runs/small/rence", "evaluated")


def _older() -> None:
    """A run of the real thing with its tuning, which an experiment's file beside it still makes."""
    with tarfile.open(OLDER) as archive:
        wanted = ("runs/finished", "tiny-base")
        archive.extractall(".", [one for one in archive if one.name.startswith(wanted)], filter="data")


def _finished(root: Path) -> None:
    folder = RunFolder(SMALL.write(root))
    plan = SMALL.plan()
    tried = [{"arm": arm, "candidate": "a", "score": 0.5, "diverged": []} for arm in ("rence", "grpo")]
    chosen = {arm: {"candidate": "a", "settings": {"recipe.learning_rate": 0.1}} for arm in ("rence", "grpo")}
    cells = {"rence": {"loss": "on"}, "grpo": {"loss": "off"}}
    made = replace(
        plan,
        tuning={"run": "t", "seeds": [7], "benchmarks": {"mini_easy": 1}, "tried": tried, "chosen": chosen},
        sweeps=[Sweep("ablate", "rence", {"loss": ["on", "off"]}, cells)],
        comparison=replace(plan.comparison, margin=0.05, pair_seeds=True),
        backend_settings={"importance_cap": 2.0},
    )
    replace(made, lock=lock_in(made.to_json()) or "").write(folder.plan)
    _with_keys(root)
    DataRecord("mini_rl", 100, "hash", {"copies": 3}).write(folder.data)
    percent: dict[str, dict[str, float | None]] = {
        "rence": {"mini_easy": 41.5, "average": 41.5},
        START: {"average": None},
    }
    published = Published("A table", "nobody", "https://example.org", "m", "p", percent, {"mini_easy": 4}, "same", 3)
    add_published(folder.expected, [replace(published, decimals=1, golds="raw", decoding={"temperature": 1.0})])
    code, _, said = call("report", str(root), "--format", "json")
    assert code == 0, said


def _stopped(root: Path) -> None:
    """The last trial has no end, a half of an evaluation and a checkpoint."""
    run = RunFolder(SMALL.write(root))
    plan, folder = SMALL.plan(), run.trial("grpo", 1)
    replace(plan, lock=lock_in(plan.to_json()) or "").write(run.plan)
    _with_keys(root)
    folder.done.unlink()
    last = folder.eval(20, "mini_easy")
    append_jsonl(last.open_attempts, pq.read_table(last.attempts).to_pylist()[:8])
    last.attempts.unlink()
    progress = {"step": 20, "rollouts": 100, "tokens": 2000, "updates": 80, "cursor": 80, "grid": 100}
    write_json(folder.checkpoint(20) / "trainer.json", {**progress, "discarded_rollouts": 0})
    whole = TrialFolder(root / "grpo/seed0")
    write_json(whole.checkpoint(20) / "trainer.json", {**progress, "discarded_rollouts": 0})
    seals.seal_folder(whole.checkpoint(20), seals.file_hash(whole.steps))


def _imported() -> None:
    rows = [
        {"arm": arm, "seed": seed, "step": 10, "benchmark": "sums", "problem_id": f"p{i}", "sample": sample}
        | {"mark": "correct" if (i + seed + sample) % 3 else "wrong", "response": "x", "gold": "1", "tokens": 3}
        for arm in ("ours", "theirs")
        for seed in (0, 1)
        for i in range(4)
        for sample in range(2)
    ]
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    code, _, said = call("import", "attempts", "rows.jsonl", "--out", "runs/brought", "--target", "ours")
    assert code == 0, said
    scores = [
        {"arm": arm, "seed": seed, "benchmark": benchmark, "step": step, "score": (step + seed + place) / 40}
        for place, arm in enumerate(("ours", "theirs"))
        for seed in (0, 1)
        for benchmark in ("sums", "products")
        for step in range(7)
    ]
    Path("scores.jsonl").write_text("".join(json.dumps(row) + "\n" for row in scores), encoding="utf-8")
    code, _, said = call("import", "scores", "scores.jsonl", "--out", "runs/scored", "--target", "ours")
    assert code == 0, said


def _evaluated(root: Path, correct: list[int]) -> None:
    header = replace(SMALL.header(START, None, 0, "mini_easy"), arm=str(root), model_hash=f"m-{root}")
    marks = np.where(np.arange(2) < np.array(correct)[:, None], "correct", "wrong")
    write_eval(EvalFolder(root / "evals/mini_easy"), header, marks)
    _with_keys(root)


def _with_keys(root: Path) -> None:
    """Generation keys that differ, as those of real answers do."""
    for path in root.rglob("attempts.parquet"):
        table = pq.read_table(path)
        place = table.column_names.index("generation_key")
        keys = pa.array([f"{path}:{row}" for row in range(table.num_rows)])
        pq.write_table(table.set_column(place, "generation_key", keys), path)


def _growing(root: Path) -> None:
    """Two thirds of `evaluated`, in the order of a gate that looks while it grows."""
    whole, folder = EvalFolder(Path("evaluated/evals/mini_easy")), EvalFolder(root / "evals/mini_easy")
    rows = pq.read_table(whole.attempts).to_pylist()
    order = random_order("h-mini_easy", {row["problem_id"] for row in rows})
    OrderRecord("mini_easy", "h-mini_easy", order).write(folder.order)
    shutil.copy(whole.header, folder.header)
    append_jsonl(folder.open_attempts, [row for name in order[:4] for row in rows if row["problem_id"] == name])
