"""Six constructed runs: the sign depends on the decoding, a reading, one benchmark, one seed, the budget, or nothing,
and the verdict names exactly that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import reports
from harness.records import START, EvalRecord, RunFolder, eval_name, read_json, write_json
from reports.data import dependence
from reports.data.agreement import analysed
from reports.data.alternatives import BENCHMARKS, BUDGET, DECODING, READING, SEED

from .conftest import Synthetic, relock, write_eval  # isort: skip

SEEDS, PROBLEMS, K, HALF, LAST = (0, 1, 2, 3, 4), 200, 2, 10, 20
TRUTH = Synthetic(benchmarks=dict.fromkeys("ab", (PROBLEMS, K)), curve=("a", "b"), seeds=SEEDS)


def put(run: Path, arm: str, seed: int, benchmark: str, right: int, step: int = LAST, truncated: int = 0) -> None:
    """The first attempts are correct, the next cut off, the others wrong; anywhere in the text as by the rule."""
    path = RunFolder(run).trial(arm, seed).eval(step, benchmark).attempts
    table = pq.read_table(path)
    rest = table.num_rows - right - truncated
    marks = pa.array(["correct"] * right + ["truncated"] * truncated + ["wrong"] * rest)
    pq.write_table(table.set_column(table.schema.get_field_index("mark"), "mark", marks), path)


def level(run: Path) -> Path:
    """The target is 5 points above its baseline, everywhere."""
    for seed in SEEDS:
        for benchmark in "ab":
            for step in (HALF, LAST):
                put(run, "rence", seed, benchmark, 220 + seed, step)
                put(run, "grpo", seed, benchmark, 200 + seed, step)
    return run


def nothing(run: Path) -> None:
    level(run)


def reading(run: Path) -> None:
    """A third of the baseline's answers are cut off; of those that are not it is ahead."""
    level(run)
    for seed in SEEDS:
        for benchmark in "ab":
            put(run, "grpo", seed, benchmark, 200 + seed, truncated=150)


def benchmark(run: Path) -> None:
    """Ahead on one and behind on the other."""
    level(run)
    for seed in SEEDS:
        put(run, "rence", seed, "a", 300 + seed)
        put(run, "rence", seed, "b", 170 + seed)


def seed(run: Path) -> None:
    """One seed of five is right nearly everywhere, and the others are behind."""
    level(run)
    for one in SEEDS:
        for name in "ab":
            put(run, "rence", one, name, 390 if one == 4 else 180 + one)


def budget(run: Path) -> None:
    """Behind at half the budget."""
    level(run)
    for one in SEEDS:
        for name in "ab":
            put(run, "rence", one, name, 170 + one, HALF)


def decoding(run: Path) -> None:
    """Greedily it is behind."""
    level(run)
    folder, plan = RunFolder(run), read_json(RunFolder(run).plan)
    sampled = {"temperature": 1.0, "top_p": 1.0, "max_tokens": 48, "benchmarks": {"a": K, "b": K}}
    greedy = {**sampled, "temperature": 0.0, "benchmarks": {"a": 1, "b": 1}}
    plan["evaluation"]["decodings"] = {"sampled": sampled, "greedy": greedy}
    write_json(folder.plan, plan)
    for arm, one in [(START, None), *((arm, one) for arm in ("rence", "grpo") for one in SEEDS)]:
        for name in "ab":
            asked = eval_name(name, "greedy")
            place = folder.start_eval(asked) if one is None else folder.trial(arm, one).eval(LAST, asked)
            header: EvalRecord = TRUTH.header(arm, one, 0 if one is None else 2, name)
            header = replace(header, k=1, decoding="greedy", sampling=header.sampling | {"temperature": 0.0})
            write_eval(place, header, TRUTH.marks(arm, one, 0 if one is None else 2, name)[:, :1])
            if one is not None:
                put(run, arm, one, asked, (80 if arm == "rence" else 110) + one)
    relock(run)


CAUSES: dict[Callable[[Path], None], str] = {
    decoding: DECODING, reading: READING, benchmark: BENCHMARKS, seed: SEED, budget: BUDGET, nothing: "",
}  # fmt: skip


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.__name__)
def test_the_verdict_names_the_cause_and_no_other(make_run, cause: Callable[[Path], None]) -> None:
    run = make_run(benchmarks=TRUTH.benchmarks, curve=TRUTH.curve, seeds=SEEDS)
    cause(run)
    a = analysed(run, "made by a test")
    named = [one.partition(" depends on the ")[2].partition(":")[0] for one in dependence.found(a)]
    assert named == [CAUSES[cause]] * (cause is not nothing), dependence.found(a)
    said = [line for line in reports.summary(run, accept="made by a test").splitlines() if "depend" in line]
    ours = "ReNCE (reconstruction)"
    first = f"{ours} − GRPO depends on the {CAUSES[cause]}: +" if cause is not nothing else f"Whether {ours} is ahead"
    assert said[0].startswith(first) and all(" is ahead is not shown to depend on " in other for other in said[1:])
    for other in {BENCHMARKS, SEED, BUDGET} - {CAUSES[cause]}:
        assert f"the {other}" in said[-1], said
