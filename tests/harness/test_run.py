"""`rence run` for real: real training in real processes, killed in every way, and always the same files in the end."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from safetensors.numpy import load_file, save_file

from harness import config
from harness.base.errors import FAILED, INCOMPLETE, INTERRUPTED, OK, USAGE, UserError
from harness.base.locks import LOCK, locked
from harness.models.resolving import SHIPPED
from harness.planning import plan
from harness.records import DataRecord, RunFolder
from harness.run import matching
from harness.run.display import RunView
from harness.run.driver import Driver
from harness.run.folder import prepare
from harness.run.jobs import Job
from harness.run.outcome import Failure, RunOutcome
from tests.harness.watching import lines, wait_for

Rence = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[str]]


def holder(folder: Path) -> int:
    """The process that holds a folder."""
    return int((folder / LOCK).read_text().split()[0])


def held_when(folder: Path, reached: Callable[[], bool], seconds: float = 60) -> int:
    """The process that holds a folder, stopped (SIGSTOP) where it has reached this. It runs for some milliseconds
    between two looks, since a small trial can end within one of `wait_for`'s."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            process = holder(folder)
            os.kill(process, signal.SIGSTOP)
        except (OSError, ValueError, IndexError):  # there is none yet, or the one before has ended
            time.sleep(0.005)
            continue
        if reached():
            return process
        os.kill(process, signal.SIGCONT)
        time.sleep(0.005)
    raise AssertionError(f"{folder} did not come so far in {seconds} s")


def is_free(folder: Path) -> bool:
    try:
        with locked(folder):
            return True
    except UserError:
        return False


def tree(run: Path) -> dict[str, bytes]:
    """Every file that must be the same after kill and resume."""
    return {
        path.relative_to(run).as_posix(): path.read_bytes()
        for path in sorted(run.rglob("*"))
        if path.is_file() and path.name not in ("timing.json", LOCK) and "logs" not in path.parts
    }


def spent() -> float:
    """Processor seconds, user and system, of the processes that we have started and waited for, with all of theirs."""
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    return now.ru_utime + now.ru_stime


def without_costs(files: dict[str, bytes]) -> dict[str, bytes]:
    """The report renders seconds and attempts from timing.json in its block of costs."""
    return {name: content for name, content in files.items() if not name.startswith("report/")}


WILD = "arms.rence={recipe: {learning_rate: 1e30}}"
"""diverges at once: it is recorded, reported, and not tried again"""


def test_killed_in_every_way_and_run_again_gives_the_same_bytes(
    tiny: Path, tmp_path: Path, rence: Rence, start: Start
) -> None:
    undisturbed, disturbed = tmp_path / "a", tmp_path / "b"
    undisturbed.mkdir(), disturbed.mkdir()
    before = spent()
    whole = rence("run", str(tiny), WILD, "--workers", "2", cwd=undisturbed)
    assert whole.returncode == OK, whole.stderr
    told = [json.loads(path.read_text())["cpu_seconds"] for path in undisturbed.rglob("timing.json")]
    assert spent() - before > sum(told) > 0, "what jobs spent is lost to whoever counts, as `make demo` does"
    assert "ReNCE (reconstruction)" in whole.stdout
    assert "rence/seed0 diverged" in whole.stderr
    run = disturbed / "runs" / "tiny"
    grpo0, grpo1 = run / "grpo/seed0", run / "grpo/seed1"

    # the disk is full while the untrained model is asked
    full = rence("run", str(tiny), WILD, "--workers", "1", cwd=disturbed, before="ulimit -f 20")
    assert full.returncode == INCOMPLETE
    assert "start failed with exit code 3" in full.stderr and "no space left to write" in full.stderr
    assert "Traceback" not in full.stderr
    assert not (grpo0 / "steps.jsonl").exists(), "the others would have met the same"

    # the driver is killed in the middle of training: what it had started stops by itself
    driver = start("run", str(tiny), WILD, "--workers", "2", cwd=disturbed)
    held = held_when(grpo0, lambda: lines(grpo0 / "steps.jsonl") >= 1)
    driver.kill()
    driver.wait()
    os.kill(held, signal.SIGCONT)
    wait_for(lambda: is_free(grpo0) and is_free(run / "start"), 30)
    assert not (grpo0 / "done.json").exists()

    # the driver is told to stop before anything has begun
    driver = start("run", str(tiny), WILD, cwd=disturbed)
    wait_for(lambda: (run / LOCK).read_text().startswith(f"{driver.pid} "))
    driver.terminate()
    assert driver.wait(timeout=60) == INTERRUPTED

    # a trial is killed while its last checkpoint is asked: the others go on, and it is to be started again
    driver = start("run", str(tiny), WILD, "--workers", "1", cwd=disturbed)
    os.kill(held_when(grpo0, (grpo0 / "evals/step_3/mini_sums/eval.json").exists), signal.SIGKILL)
    # meanwhile (the trial is held, so that it cannot end before) a second driver is refused; then Ctrl-C saves and
    # says how to go on
    held = held_when(grpo1, lambda: lines(grpo1 / "steps.jsonl") >= 1)
    second = rence("run", str(tiny), WILD, cwd=disturbed)
    assert second.returncode == USAGE
    assert f"runs/tiny is in use by another run, process {driver.pid}." in second.stderr
    driver.send_signal(signal.SIGINT)
    time.sleep(0.5)
    os.kill(held, signal.SIGCONT)
    _, err = driver.communicate(timeout=60)
    assert driver.returncode == INTERRUPTED
    assert "grpo/seed0 was lost: it was killed (SIGKILL)" in err and "It is started again in 5 s" in err
    assert err.splitlines()[-1] == f"  rence run {tiny} '{WILD}' --workers 1"
    assert is_free(grpo1) and is_free(run)
    assert not (grpo1 / "done.json").exists()

    last = rence("run", str(tiny), WILD, "--workers", "2", cwd=disturbed)
    assert last.returncode == OK, last.stderr
    expected, found = tree(undisturbed / "runs/tiny"), tree(run)
    assert expected.keys() == found.keys() and "data.json" in found
    assert [name for name in without_costs(expected) if expected[name] != found[name]] == []
    assert json.loads((grpo0 / "timing.json").read_text())["attempts"] >= 3
    done = json.loads((run / "rence/seed0/done.json").read_text())
    assert done["status"] == "diverged" and done["reason"]

    # a finished experiment is left as it is
    again = rence("run", str(tiny), WILD, cwd=disturbed)
    assert again.returncode == OK and "nothing to do" in again.stdout
    assert tree(run) == found

    # a report that was deleted is made again from the files
    for path in (run / "report").glob("*.*"):
        path.unlink()
    assert rence("run", str(tiny), WILD, cwd=disturbed).returncode == OK
    assert tree(run) == found


def test_problems_that_are_not_here_start_nothing(
    tiny: Path, tmp_path: Path, rence: Rence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RENCE_DATA_DIR", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    missing = rence("run", str(tiny), "evaluation.benchmarks={mini_sums: 1, amc12: 1}")
    assert missing.returncode == INCOMPLETE and "Traceback" not in missing.stderr
    assert missing.stderr.startswith("rence: the problems of `amc12` are not here: RENCE_DATA_DIR is not set")
    assert "a folder that holds amc12_2022_2023.jsonl" in missing.stderr and len(missing.stderr.splitlines()) <= 3
    assert not (tmp_path / "runs").exists()


def test_what_the_training_set_is_made_of(tiny: Path, tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    matching.claim_data(run, config.load(tiny))
    data = DataRecord.read(run.data)
    assert (data.train, data.problems, data.removed) == ("mini_rl", 3000, {})
    assert len(data.hash) == 16


def test_only_some_arms_and_seeds(tiny: Path, tmp_path: Path, rence: Rence) -> None:
    assert rence("run", str(tiny), "--only", "gropo").stderr == (
        "rence: the experiment has no arm `gropo`. Did you mean `grpo`?\n"
    )
    assert rence("run", str(tiny), "--seed", "5").returncode == USAGE
    assert not (tmp_path / "runs").exists()


def test_the_named_engine_asks_the_untrained_model_and_the_checkpoints(
    tiny: Path, tmp_path: Path, rence: Rence
) -> None:
    few = ("evaluation.engine=hf", "evaluation.limit=4", "evaluation.points=1", "budget.rollouts=32", "seeds=[0]")
    assert rence("run", str(tiny), *few).returncode == OK
    headers = sorted((tmp_path / "runs/tiny").rglob("eval.json"))
    assert [json.loads(header.read_text())["engine"] for header in headers] == ["hf"] * 3


def test_a_trial_of_another_kind_under_the_same_name_is_refused(tiny: Path, tmp_path: Path, rence: Rence) -> None:
    assert rence("plan", str(tiny)).returncode == OK
    folder = tmp_path / "runs/tiny"
    trial = _planned(tiny, folder)
    header = json.loads(trial.read_text())
    trial.write_text(json.dumps({**header, "data_order": "elsewhere", "fingerprint": "elsewhere"}))
    refused = rence("run", str(tiny))
    assert refused.returncode == USAGE
    assert "rence/seed0 holds another trial under the same name: data_order" in refused.stderr
    assert not (folder / "start/evals").exists()


def _planned(tiny: Path, folder: Path) -> Path:
    experiment = config.load(tiny)
    made = plan.make(experiment, SHIPPED["quickstart-base"])
    run = RunFolder(folder)
    folder.mkdir(parents=True)
    prepare(run, experiment, made, "")
    matching.claim_data(run, experiment)
    matching.claim(run, matching.header(experiment, run, "rence", 0))
    return run.trial("rence", 0).trial


@pytest.mark.parametrize("arguments", [["run"], ["run", "--dry-run"], ["plan"]])
def test_a_bad_config_starts_nothing(tiny: Path, tmp_path: Path, rence: Rence, arguments: list[str]) -> None:
    bad = rence(*arguments, str(tiny), "recipe.group_size=1")
    assert bad.returncode == USAGE and "Traceback" not in bad.stderr
    assert not (tmp_path / "runs").exists()


def test_a_dry_run_prints_the_plan_and_starts_nothing(tiny: Path, tmp_path: Path, rence: Rence) -> None:
    dry = rence("run", "--dry-run", str(tiny))
    assert dry.returncode == OK and dry.stdout == rence("plan", str(tiny)).stdout
    assert not (tmp_path / "runs").exists()


def test_a_folder_that_cannot_be_written(tiny: Path, tmp_path: Path, rence: Rence) -> None:
    (tmp_path / "runs").write_text("a file where a folder should be")
    refused = rence("run", str(tiny))
    assert refused.returncode == USAGE
    assert len(refused.stderr.splitlines()) <= 3 and "runs" in refused.stderr and "Traceback" not in refused.stderr


def test_clean_starts_over_and_another_plan_without_it_is_refused(tiny: Path, tmp_path: Path, rence: Rence) -> None:
    folder = tmp_path / "runs/tiny"
    _planned(tiny, folder)
    refused = rence("run", str(tiny), "seeds=[4]")
    assert refused.returncode == USAGE and "seeds: [0, 1] -> [4]" in refused.stderr
    stranger = rence("run", str(tiny), "name=other", "--clean", "seeds=[4]", "model=./nowhere")
    assert stranger.returncode == USAGE and folder.exists()


def test_exit_codes(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    job = Job(run, "grpo", 0)
    crash, full = (Failure(job, code, tmp_path / "output.log", ("last",)) for code in (-9, INCOMPLETE))
    assert RunOutcome(run, [job]).exit_code == OK
    assert RunOutcome(run, [job], failures=[crash]).exit_code == FAILED
    assert RunOutcome(run, [job], failures=[crash, full]).exit_code == INCOMPLETE
    assert RunOutcome(run, [job], failures=[full], interrupted=True).exit_code == INTERRUPTED
    assert [crash.hits_all, full.hits_all] == [False, True]


def test_what_is_missing_is_named_before_anything_is_trained(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.run.launchers.local._NEEDED", ("torch", "a_package_that_is_not_there"))
    view = RunView(Console(quiet=True))
    with pytest.raises(UserError, match=r"needs a_package_that_is_not_there: pip install 'rence-bench\[local\]'"):
        Driver(config.load(tiny), "", view, lambda run: None, root=tmp_path / "runs").run()
    assert not (tmp_path / "runs").exists()


def test_attempts_are_numbered_on(tmp_path: Path) -> None:
    job = Job(RunFolder(tmp_path), "grpo", 0)
    assert job.next_attempt() == 1
    for name in ("attempt_2", "attempt_10"):
        (job.folder / "logs" / name).mkdir(parents=True)
    assert job.next_attempt() == 11


def test_a_model_that_is_not_whole_ends_the_run_before_a_score(rence: Rence, tiny: Path, tmp_path: Path) -> None:
    """And so does a checkpoint that was damaged between two starts."""
    model = Path(shutil.copytree(SHIPPED["quickstart-base"], tmp_path / "model"))
    held = load_file(model / "model.safetensors")
    save_file(dict(list(held.items())[:4]), model / "model.safetensors", {"format": "pt"})
    done = rence("run", str(tiny), f"model={model}", "name=lacking")
    assert done.returncode == INCOMPLETE and "Traceback" not in done.stderr
    assert f"the weights of {model}/model.safetensors are not its model's: 20 tensors missing" in done.stderr
    run = tmp_path / "runs" / "lacking"
    assert not list(run.rglob("attempts.*")) and not list(run.rglob("done.json"))


def test_the_jobs_of_a_run_may_be_worked_on_by_many_programs(
    tiny: Path, tmp_path: Path, rence: Rence, start: Start
) -> None:
    """As the tasks of a SLURM array do; the last one writes the report, and the files are those of one run."""
    few = ("budget.rollouts=32", "evaluation.points=1", "evaluation.limit=4", "seeds=[0]")
    (tmp_path / "whole").mkdir()
    assert rence("run", str(tiny), *few, cwd=tmp_path / "whole").returncode == OK
    listed = json.loads(rence("plan", str(tiny), *few, "--json").stdout)["jobs"]
    assert listed == ["start", "rence/seed0", "grpo/seed0"]
    assert rence("run", str(tiny), *few, "--job", "3").stderr.startswith(
        "rence: `--job 3`: the experiment has the jobs 0 to 2, of which 0 evaluates the untrained model."
    )
    assert rence("run", str(tiny), *few, "--job", "1", "--only", "grpo").returncode == USAGE
    assert not (tmp_path / "runs").exists()
    tasks = [start("run", str(tiny), *few, "--job", str(number)) for number in range(len(listed))]
    ends = [task.communicate(timeout=300) for task in tasks]
    assert [task.returncode for task in tasks] == [OK] * 3, ends
    shown = ["ReNCE" in out for out, _ in ends]  # two that end in one moment both find it
    assert any(shown) and [("is complete. Who" in out) for out, _ in ends] == [not one for one in shown]
    expected, found = tree(tmp_path / "whole/runs/tiny"), tree(tmp_path / "runs/tiny")
    assert expected.keys() == found.keys()
    assert [name for name in without_costs(expected) if expected[name] != found[name]] == []
    again = rence("run", str(tiny), *few, "--job", "2")
    assert again.returncode == OK and "nothing to do" in again.stdout
    # a report of when fewer were complete is not kept
    run = RunFolder(tmp_path / "runs/tiny")
    shutil.rmtree(run.trial("grpo", 0).root)
    (run.report / "report.md").write_text("of one arm")
    last = rence("run", str(tiny), *few, "--job", "2")
    assert last.returncode == OK, last.stderr
    assert "ReNCE" in (run.report / "report.md").read_text()
