"""How far a run is, as read from its files, and the time left."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from harness import config
from harness.base.pace import Pace
from harness.models.resolving import SHIPPED
from harness.planning import plan
from harness.records import DoneRecord, EvalFolder, EvalRecord, RunFolder, StepRecord, append_jsonl, last_line
from harness.run import jobs
from harness.run.display import LiveRunView, QuietView, RunView, view_for
from harness.run.folder import prepare
from harness.run.outcome import Failure
from harness.run.progress import RunProgress, Survey

HEADER = EvalRecord(
    "grpo", 0, 2, 64, 48, "mini_sums", "hash", 200, 1, "weights", "bare", "local", "1", "1", {"temperature": 1.0}
)


@pytest.fixture
def run(tiny: Path, tmp_path: Path) -> RunFolder:
    experiment, folder = config.load(tiny), RunFolder(tmp_path / "runs" / "tiny")
    folder.root.mkdir(parents=True)
    prepare(folder, experiment, plan.make(experiment, SHIPPED["quickstart-base"]), "")
    return folder


@pytest.fixture
def survey(run: RunFolder) -> Survey:
    return Survey(run, {"mini_sums": 200})


def step(number: int) -> dict:
    return StepRecord(number, 32 * number, 500 * number, 4 * number, 8 * number).to_json()


def begin_eval(folder: EvalFolder, rows: int) -> None:
    HEADER.write(folder.header)
    append_jsonl(folder.open_attempts, [{"row": i} for i in range(rows)])


def test_nothing_yet(survey: Survey) -> None:
    # a trial is 96 rollouts, 200 attempts at its earlier point and 200 at its last; the untrained model has 200
    assert survey.trial("grpo", 0) == RunProgress(0, 0, 96, 400)
    assert survey.start() == RunProgress(0, 0, 0, 200)


def test_a_trial_in_training_and_in_evaluation(run: RunFolder, survey: Survey) -> None:
    folder = run.trial("grpo", 0)
    append_jsonl(folder.steps, [step(1), step(2)])
    begin_eval(folder.eval(2, "mini_sums"), 64)
    assert survey.trial("grpo", 0) == RunProgress(64, 64, 96, 400, evaluating="mini_sums")
    folder.eval(2, "mini_sums").open_attempts.rename(folder.eval(2, "mini_sums").attempts)
    assert survey.trial("grpo", 0) == RunProgress(64, 200, 96, 400)
    assert survey.trial("grpo", 0).work == 200 + 4 * 64


def test_a_trial_that_ended_has_no_work_left(run: RunFolder, survey: Survey) -> None:
    folder = run.trial("grpo", 0)
    DoneRecord("diverged", 1, 32, 500, 4, 0, "", "loss is not finite at step 1").write(folder.done)
    progress = survey.trial("grpo", 0)
    assert progress.ended == "diverged" and progress.work == progress.work_total


def test_the_last_line_is_read_from_the_end_and_a_torn_one_left_out(tmp_path: Path) -> None:
    path = tmp_path / "steps.jsonl"
    assert last_line(path, StepRecord) is None
    append_jsonl(path, [step(i) for i in range(1, 400)])
    path.write_text(path.read_text() + '{"step": 400')
    found = last_line(path, StepRecord)
    assert found and found.step == 399


def test_a_line_that_is_longer_than_what_is_read_at_first(tmp_path: Path) -> None:
    path = tmp_path / "steps.jsonl"
    append_jsonl(path, [step(1), {**step(2), "metrics": {f"metric/{i}": 0.5 for i in range(5000)}}])
    assert path.stat().st_size > 64_000
    found = last_line(path, StepRecord)
    assert found and found.step == 2 and len(found.metrics) == 5000


def test_the_pace_counts_from_the_first_work_seen() -> None:
    pace = Pace(done=100)
    assert pace.left(100, 1000, now=50) is None, "imports"
    assert pace.left(200, 1000, now=60) is None, "the first work is what is measured from"
    assert pace.left(300, 1000, now=70) == 70  # 100 in 10 s, 700 to go


def view_of(
    kind: type[RunView], survey: Survey, tiny: Path, **console: bool
) -> tuple[RunView, io.StringIO, list[jobs.Job]]:
    text = io.StringIO()
    view = kind(Console(file=text, width=400, highlight=False, **console))
    todo = jobs.of(survey.run, config.load(tiny))
    view.begin(survey, todo)
    return view, text, todo


@pytest.mark.parametrize("kind", [RunView, LiveRunView])
def test_what_people_are_told(kind: type[RunView], run: RunFolder, survey: Survey, tiny: Path) -> None:
    view, text, todo = view_of(kind, survey, tiny, force_terminal=kind is LiveRunView)
    grpo = next(job for job in todo if job.name == "grpo/seed0")
    view.started(grpo)
    append_jsonl(run.trial("grpo", 0).steps, [step(1)])
    view.refresh()
    view.ended(
        grpo, Failure(grpo, -9, Path("runs/tiny/grpo/seed0/logs/attempt_1/output.log"), ()), ["warning: [bold] low"]
    )
    view.end()
    said = text.getvalue()
    assert "grpo/seed0" in said and "32 of 96 rollouts" in said
    assert "failed" in said and "exit code -9" in said and "logs/attempt_1/output.log" in said
    assert "warning: [bold] low" in said


def test_a_step_tells_of_its_machine_what_was_measured(run: RunFolder, survey: Survey, tiny: Path) -> None:
    measured = {
        "actor/perf/max_memory_allocated_gb": 61.24, "perf/throughput": 5210.4, "perf/mfu/actor": 0.382,
        "sampler/preemptions": 0.0, "perf/time_per_step": 40.0,
    }  # fmt: skip
    view, text, todo = view_of(RunView, survey, tiny)
    grpo, rence = (next(job for job in todo if job.name == f"{name}/seed0") for name in ("grpo", "rence"))
    view.started(grpo), view.started(rence)
    append_jsonl(run.trial("grpo", 0).steps, [{**step(1), "metrics": measured}])
    few = {"perf/throughput": 12.0, "perf/mfu/actor": None}
    append_jsonl(run.trial("rence", 0).steps, [{**step(1), "metrics": few}])
    view.show()
    assert (
        "grpo/seed0 32 of 96 rollouts, 61.2 GiB of GPU memory, 5,210 tokens/s a GPU, MFU about 38%, 0 preemptions, "
        "rence/seed0 32 of 96 rollouts, 12 tokens/s a GPU\n"
    ) in text.getvalue()


def test_quiet_says_nothing(survey: Survey, tiny: Path) -> None:
    view, text, todo = view_of(QuietView, survey, tiny)
    view.started(todo[0])
    view.refresh()
    view.ended(todo[0], None, ["warning: low"])
    view.end()
    assert text.getvalue() == ""


def test_the_view_fits_the_console() -> None:
    assert type(view_for(Console(file=io.StringIO()))) is RunView
    assert type(view_for(Console(file=io.StringIO(), force_terminal=True))) is LiveRunView
    assert type(view_for(Console(quiet=True))) is QuietView
