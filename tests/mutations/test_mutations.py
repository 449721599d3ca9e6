"""Whatever is wrong with a file of a run, every command that reads it ends in time with an exit code and a message.

Each file is changed in every key and as a whole, one change at a time, and what reads it is called in this process.
A part of all changes is drawn, always the same, and a command for each; `RENCE_MUTATIONS=1` draws others, and
`RENCE_MUTATIONS=all` tries all changes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import pytest

import reports
from harness import config
from harness.backends import checkpoints, recorded
from harness.config.experiment import Experiment
from harness.evaluation import attempts
from harness.models.resolving import file_hash
from harness.planning import plan, tuning
from harness.records import EvalFolder, Plan, RunFolder, TrialFolder
from harness.run.folder import prepare
from harness.run.jobs import Job
from harness.tracking import files as tracked
from tests.mutations import mutating
from tests.mutations.conftest import Hangs, call, in_time

DRAW = os.environ.get("RENCE_MUTATIONS", "0")
ALL = DRAW == "all"
MOST_LINES = 12
"""of a message that lists differences"""
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


def planned() -> None:
    """What a run that is there is held against when it is started again."""
    settled = tuning.chosen(experiment(), RunFolder(Path("runs/finished-tuning")))
    prepare(RunFolder(Path("runs/finished")), settled, plan_of(settled), "")


@cache
def experiment() -> Experiment:
    return config.load(Path("runs/finished/experiment.yaml"))


PLANS: list[tuple[Experiment, Plan]] = []


def plan_of(settled: Experiment) -> Plan:
    """Made once: it takes longer than all that is tested here."""
    known = next((made for other, made in PLANS if other == settled), None)
    if known is None:
        known = plan.make(settled, Path("tiny-base"))
        PLANS.append((settled, known))
    return known


def batch() -> None:
    """What `rence diff` is run on."""
    recorded.read(Path("batch"))


def other_tensors() -> None:
    """As if they had been written so."""
    header, held = Path("batch/batch.json"), Path("batch/batch.json").read_bytes()
    tensors = Path("batch/batch.safetensors")
    digest = file_hash(tensors) if tensors.is_file() else ""
    header.write_text(json.dumps({**json.loads(held), "tensors_sha256": digest}), encoding="utf-8")
    try:
        batch()
    finally:
        header.write_bytes(held)


def verdict(name: str) -> None:
    tracked.verdict_numbers(tracked.read_verdict(Path(name)))


def on(command: tuple[str, ...], run: str) -> tuple[str, ...]:
    return tuple(run if word == "RUN" else word for word in command)


FINISHED = [
    on(REPORT, "runs/small"),
    ("compare", "runs/small/rence", "runs/small/grpo", "--json"),
    ("gate", "runs/small/rence", "--baseline", "rence.yaml"),
    ("same", "runs/small/rence/seed0", "runs/small/grpo/seed0"),
    LIST,
    ("verify", "runs/small"),
    lambda: trial("runs/small/rence/seed0"),
]
PLAN = [*FINISHED[:6], ("gate", "runs/small", "--baseline", "rence.yaml")]
IMPORTED = [on(REPORT, "runs/brought"), ("compare", "runs/brought/ours", "runs/brought/theirs"), LIST]
SCORED = [
    on(REPORT, "runs/scored"),
    ("compare", "runs/scored/ours", "runs/scored/theirs"),
    ("verify", "runs/scored"),
    LIST,
]
EVALUATED = [
    ("compare", "evaluated", "again", "--common"),
    ("gate", "evaluated", "--baseline", "evaluated.yaml"),
    ("same", "evaluated", "again"),
    lambda: reports.evaluated_model(Path("evaluated")),
    lambda: rows("evaluated/evals/mini_easy"),
]
STOPPED = [on(REPORT, "runs/stopped"), LIST, lambda: trial(HALF)]
GROWING = [("gate", "growing", "--baseline", "evaluated.yaml", "--sequential"), lambda: rows("growing/evals/mini_easy")]
SEALED = [
    ("compare", "sealed", "again"),
    ("gate", "sealed", "--baseline", "evaluated.yaml"),
    lambda: rows("sealed/evals/mini_easy"),
    ("verify", "sealed"),
]
READ: Mapping[str, list[Command]] = {
    "runs/small/plan.json": PLAN,
    "runs/small/data.json": FINISHED[:1],
    "runs/small/expected.json": FINISHED[:1],
    "runs/small/report/verdict.json": [lambda: verdict("runs/small/report/verdict.json")],
    "runs/small/rence/seed0/trial.json": FINISHED,
    "runs/small/rence/seed0/done.json": FINISHED,
    "runs/small/rence/seed0/timing.json": FINISHED,
    "runs/small/rence/seed0/steps.jsonl": FINISHED,
    "runs/small/rence/seed0/evals/step_20/mini_easy/eval.json": FINISHED,
    "runs/small/rence/seed0/evals/step_20/mini_easy/attempts.parquet": FINISHED,
    "runs/small/rence/seed0/evals/step_10/mini_easy/eval.json": FINISHED[:1],
    "runs/small/start/evals/mini_easy/eval.json": FINISHED[:1],
    "runs/stopped/plan.json": STOPPED,
    f"{HALF}/trial.json": STOPPED,
    f"{HALF}/steps.jsonl": STOPPED,
    f"{HALF}/evals/step_20/mini_easy/eval.json": STOPPED,
    f"{HALF}/evals/step_20/mini_easy/attempts.jsonl": [*STOPPED, lambda: rows(f"{HALF}/evals/step_20/mini_easy")],
    f"{HALF}/checkpoints/step_20/trainer.json": STOPPED[-1:],
    "runs/brought/plan.json": IMPORTED,
    "runs/brought/import.json": IMPORTED,
    "runs/brought/ours/seed0/evals/step_10/sums/eval.json": IMPORTED,
    "runs/brought/ours/seed0/evals/step_10/sums/attempts.parquet": IMPORTED,
    "runs/scored/scores.json": SCORED,
    "runs/scored/scores.parquet": SCORED,
    "runs/scored/import.json": SCORED,
    "evaluated/evals/mini_easy/eval.json": EVALUATED,
    "evaluated/evals/mini_easy/attempts.parquet": EVALUATED,
    "growing/evals/mini_easy/eval.json": GROWING,
    "growing/evals/mini_easy/order.json": GROWING,
    "growing/evals/mini_easy/attempts.jsonl": GROWING,
    "growing/gate.json": GROWING[:1],
    "runs/finished/plan.json": [planned, ("run", "runs/finished/experiment.yaml", "--dry-run")],
    "runs/finished/resolved.json": [planned],
    "runs/finished-tuning/plan.json": [planned],
    "runs/finished-tuning/choice.json": [planned],
    "batch/batch.json": [batch],
    "batch/batch.safetensors": [batch, other_tensors],
    "sealed/evals/mini_easy/seal.json": SEALED,
    "sealed/evals/mini_easy/eval.json": SEALED,
    "sealed/evals/mini_easy/attempts.parquet": SEALED,
    "sealed/machines.json": SEALED[-1:],
    "runs/stopped/grpo/seed0/checkpoints/step_20/seal.json": [lambda: trial("runs/stopped/grpo/seed0")],
    "runs/small/report/seal.json": [("verify", "runs/small")],
    "rence.yaml": [FINISHED[2]],
    "evaluated.yaml": EVALUATED[1:2],
}
"""file -> what reads it: commands, or what stands behind one"""


@pytest.mark.parametrize("file", READ)
def test_a_broken_file_ends_in_a_message(place: Path, file: str, record_property) -> None:
    failures, tried = [], 0
    every = mutating.of(place, file)
    for mutation in every if ALL else mutating.part(every, DRAW):
        back = mutation.put(place)
        try:
            commands = [way for command in READ[file] for way in ways(command)]
            command = commands[mutating.number(f"{DRAW} {mutation.what}") % len(commands)]
            if said := failure(command):
                failures.append(f"{mutation}: {said}")
        finally:
            back()
        tried += 1
    record_property("mutations", tried)
    assert not failures, f"{len(failures)} of {tried}:\n" + "\n".join(failures)


def ways(command: Command) -> list[Command]:
    """A command as it is, and where seals are broken for a reason that lets it go on to what they guard."""
    if callable(command) or command[0] not in ("report", "compare", "gate", "same"):
        return [command]
    return [command, (*command, "--accept", "a test")]


def failure(command: Command) -> str:
    """What is wrong with how it ended; empty if nothing is."""
    from harness.base.errors import UserError
    from harness.records import DataError

    try:
        with in_time():
            if callable(command):
                command()
                return ""
            code, printed, said = call(*command)
    except (DataError, UserError) as error:
        code, said = 3 if isinstance(error, DataError) else 2, f"rence: {error}"
        command = ("",)
    except Hangs:
        return f"{command} hangs"
    except BaseException as error:  # every kind of it would be a traceback
        return f"{command} raises {type(error).__name__}: {str(error)[:200]}"
    if code not in (0, 1, 2, 3):
        return f"{command} ends with {code}: {said}"
    if not said and "verify" in command and code == 3 and " missing" in printed:
        return ""  # what it has found, which is no error
    most = 3 if code == 3 else MOST_LINES
    if code in (2, 3) and not (said.startswith("rence: ") and len(said.splitlines()) <= most and len(said) < 4000):
        return f"{command} ends with {code} and says: {said[:300]!r}"
    return ""
