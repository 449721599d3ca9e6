"""Whatever is wrong with a file of a run, every command that reads it ends in time with an exit code and a message.

Each file is changed in every key and as a whole, one change at a time, and what reads it is called in this process.
`RENCE_MUTATIONS=all` (`make nightly`) tries every change with every command; otherwise a part that does not vary.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from harness.backends import checkpoints
from harness.evaluation import attempts
from harness.records import EvalFolder, RunFolder, TrialFolder
from harness.run.jobs import Job
from harness.tracking import files as tracked
from tests.mutations import mutating
from tests.mutations.conftest import Hangs, call, in_time

ALL = os.environ.get("RENCE_MUTATIONS") == "all"
SHARE = 12
"""one of so many changes is tried, unless all are"""
Command = tuple[str, ...] | Callable[[], object]
REPORT = ("report", "RUN", "--format", "json", "--out", "out")
LIST = ("list", "runs")
HALF = "runs/stopped/grpo/seed1"


def trial(name: str) -> None:
    """What the driver and the mirror read of a trial."""
    folder = TrialFolder(Path(name))
    tail = tracked.Tail(folder.steps)
    _ = [tracked.step_row(line, 0.0) for line in tail.read()], tracked.began(folder)
    _ = [found and found.rows() for found in map(tracked.evaluated, folder.evals())]
    _ = Job(RunFolder(folder.root.parents[1]), folder.root.parent.name, int(folder.root.name[-1])).state
    for checkpoint in folder.checkpoints.glob("*"):
        checkpoints.read_progress(checkpoint)


def rows(name: str) -> None:
    """What resuming and marking again read of an evaluation."""
    folder = EvalFolder(Path(name))
    attempts.marks(folder, 2)
    attempts.rows(folder)


def verdict(name: str) -> None:
    tracked.verdict_numbers(tracked.read_verdict(Path(name)))


def on(command: tuple[str, ...], run: str) -> tuple[str, ...]:
    return tuple(run if word == "RUN" else word for word in command)


FINISHED = [
    on(REPORT, "runs/finished"),
    ("compare", "runs/finished/rence", "runs/finished/grpo", "--json"),
    ("gate", "runs/finished/rence", "--baseline", "rence.yaml"),
    ("same", "runs/finished/rence/seed0", "runs/finished/grpo/seed0", "--allow-unmatched"),
    LIST,
    lambda: trial("runs/finished/rence/seed0"),
]
PLAN = [*FINISHED[:5], ("gate", "runs/finished", "--baseline", "rence.yaml")]
IMPORTED = [on(REPORT, "runs/imported"), ("compare", "runs/imported/ours", "runs/imported/theirs"), LIST]
EVALUATED = [
    ("compare", "evaluated", "again", "--common"),
    ("gate", "evaluated", "--baseline", "evaluated.yaml"),
    ("same", "evaluated", "again"),
    lambda: __import__("reports").evaluated("evaluated"),
    lambda: rows("evaluated/evals/mini_easy"),
]
STOPPED = [on(REPORT, "runs/stopped"), LIST, lambda: trial(HALF)]
GROWING = [("gate", "growing", "--baseline", "evaluated.yaml", "--sequential"), lambda: rows("growing/evals/mini_easy")]
READ: Mapping[str, list[Command]] = {
    "runs/finished/plan.json": PLAN,
    "runs/finished/data.json": FINISHED[:1],
    "runs/finished/expected.json": FINISHED[:1],
    "runs/finished/report/verdict.json": [lambda: verdict("runs/finished/report/verdict.json"), LIST],
    "runs/finished/rence/seed0/trial.json": FINISHED,
    "runs/finished/rence/seed0/done.json": FINISHED,
    "runs/finished/rence/seed0/timing.json": FINISHED,
    "runs/finished/rence/seed0/steps.jsonl": FINISHED,
    "runs/finished/rence/seed0/evals/step_20/mini_easy/eval.json": FINISHED,
    "runs/finished/rence/seed0/evals/step_20/mini_easy/attempts.parquet": FINISHED,
    "runs/finished/rence/seed0/evals/step_10/mini_easy/eval.json": FINISHED[:1],
    "runs/finished/start/evals/mini_easy/eval.json": FINISHED[:1],
    "runs/stopped/plan.json": STOPPED,
    f"{HALF}/trial.json": STOPPED,
    f"{HALF}/steps.jsonl": STOPPED,
    f"{HALF}/evals/step_20/mini_easy/eval.json": STOPPED,
    f"{HALF}/evals/step_20/mini_easy/attempts.jsonl": [*STOPPED, lambda: rows(f"{HALF}/evals/step_20/mini_easy")],
    f"{HALF}/checkpoints/step_20/trainer.json": STOPPED[-1:],
    "runs/imported/plan.json": IMPORTED,
    "runs/imported/import.json": IMPORTED,
    "runs/imported/ours/seed0/evals/step_10/sums/eval.json": IMPORTED,
    "runs/imported/ours/seed0/evals/step_10/sums/attempts.parquet": IMPORTED,
    "evaluated/evals/mini_easy/eval.json": EVALUATED,
    "evaluated/evals/mini_easy/attempts.parquet": EVALUATED,
    "growing/evals/mini_easy/eval.json": GROWING,
    "growing/evals/mini_easy/order.json": GROWING,
    "growing/evals/mini_easy/attempts.jsonl": GROWING,
    "rence.yaml": [FINISHED[2]],
    "evaluated.yaml": EVALUATED[1:2],
}
"""file -> what reads it: commands, or what stands behind one"""


@pytest.mark.parametrize("file", READ)
def test_a_broken_file_ends_in_a_message(place: Path, file: str, record_property) -> None:
    failures, tried, calls = [], 0, 0
    for mutation in mutating.of(place, file):
        if not (ALL or chosen(str(mutation), SHARE)):
            continue
        back = mutation.put(place)
        try:
            commands = READ[file]
            for command in commands if ALL else [pick(str(mutation), commands)]:
                calls += 1
                if said := failure(command):
                    failures.append(f"{mutation}: {said}")
        finally:
            back()
        tried += 1
    record_property("mutations", tried)
    record_property("calls", calls)
    assert not failures, f"{len(failures)} of {tried}:\n" + "\n".join(failures)


def failure(command: Command) -> str:
    """What is wrong with how it ended; empty if nothing is."""
    from harness.base.errors import UserError
    from harness.records import DataError

    try:
        with in_time():
            if callable(command):
                command()
                return ""
            code, _, said = call(*command)
    except (DataError, UserError) as error:
        code, said = 3, f"rence: {error}"
        command = ("",)
    except Hangs:
        return f"{command} hangs"
    except BaseException as error:  # every kind of it would be a traceback
        return f"{command} raises {type(error).__name__}: {str(error)[:200]}"
    if code not in (0, 1, 2, 3):
        return f"{command} ends with {code}: {said}"
    if code in (2, 3) and not (said.startswith("rence: ") and len(said.splitlines()) <= 3 and len(said) < 2000):
        return f"{command} ends with {code} and says: {said[:300]!r}"
    return ""


def chosen(name: str, share: int) -> bool:
    return number(name) % share == 0


def pick(name: str, commands: list[Command]) -> Command:
    return commands[number(f"command of {name}") % len(commands)]


def number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")
