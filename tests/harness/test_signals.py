"""Programs that are told to end: in time, with what is done saved, and with nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.aside import made_aside, new
from harness.base.errors import INCOMPLETE, INTERRUPTED, OK
from harness.base.interrupts import held_back
from harness.base.locks import LOCK
from harness.records import write_text
from harness.run.pulse import Pulse

Start = Callable[..., subprocess.Popen[str]]
ROOT = Path(__file__).parents[2]
SOON = 10.0
"""seconds on a loaded machine; what does not end at once waits for `SAVING_SECONDS`, or for ever"""
IGNORED = "trap '' INT QUIT"
"""as `nohup` and scripts do with what they put into the background"""


def wait_for(condition: Callable[[], object], seconds: float = 600.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.01)


def alive(folder: Path) -> list[str]:
    """Processes that work in a folder, by their command lines."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").resolve().is_relative_to(folder) and (process / "stat").read_text().split()[2] != "Z":
                found.append((process / "cmdline").read_text())
        except OSError:
            continue
    return found


@pytest.mark.parametrize(
    "number, before", [(signal.SIGTERM, IGNORED), (signal.SIGTERM, ":"), (signal.SIGHUP, ":"), (signal.SIGINT, ":")]
)
def test_a_run_ends_within_seconds(tiny: Path, tmp_path: Path, start: Start, number: int, before: str) -> None:
    driver = start("run", str(tiny), "budget.rollouts=9600", "--workers", "2", before=before)
    trials = tmp_path / "runs/tiny"
    wait_for(lambda: list(trials.glob("*/seed*/steps.jsonl")))
    began = time.monotonic()
    driver.send_signal(number)
    _, err = driver.communicate(timeout=60)
    assert time.monotonic() - began < SOON
    assert driver.returncode == INTERRUPTED and "Traceback" not in err
    assert err.splitlines()[-2] == "rence: interrupted. What is done is saved. To go on:"
    assert err.splitlines()[-1] == f"  rence run {tiny} budget.rollouts=9600 --workers 2"
    assert (trials / LOCK).read_text() == ""
    wait_for(lambda: not alive(tmp_path), 10)


def test_a_second_signal_does_not_wait(tiny: Path, tmp_path: Path, start: Start) -> None:
    driver = start("run", str(tiny), "budget.rollouts=9600", "--workers", "1")
    trial = tmp_path / "runs/tiny"
    wait_for(lambda: list(trial.glob("*/seed*/steps.jsonl")))
    (steps,) = trial.glob("*/seed*/steps.jsonl")
    held = int((steps.parent / LOCK).read_text().split()[0])
    os.kill(held, signal.SIGSTOP)  # it cannot answer
    driver.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    began = time.monotonic()
    driver.send_signal(signal.SIGINT)
    driver.communicate(timeout=60)
    assert driver.returncode == INTERRUPTED and time.monotonic() - began < SOON
    wait_for(lambda: not alive(tmp_path), 10)


def test_nohup_keeps_a_run_when_its_terminal_is_gone(tmp_path: Path) -> None:
    program = "import signal, time; from harness.base.interrupts import as_ctrl_c\n"
    program += "with as_ctrl_c(): print('ready', flush=True); time.sleep(1); print('done', flush=True)"
    command = ["bash", "-c", "trap '' HUP; exec \"$@\"", "bash", sys.executable, "-c", program]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGHUP)
    assert process.communicate(timeout=60)[0] == "done\n"


def rows(path: Path, count: int) -> Path:
    """Of `rence import attempts`."""
    lines = (
        {"arm": arm, "seed": 0, "benchmark": "b", "problem_id": f"p{i}", "sample": 0, "correct": i % 2}
        for arm in ("a", "b")
        for i in range(count)
    )
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_an_import_that_is_ended_leaves_nothing(tmp_path: Path, start: Start, number: int) -> None:
    file = rows(tmp_path / "rows.jsonl", 150_000)
    process = start("import", "attempts", str(file), "--out", "deep/inside/run")
    wait_for(lambda: list(tmp_path.glob("deep/inside/.run.*/rows/*")))
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED
    assert err.startswith("rence: interrupted. To start again:\n  rence import attempts ")
    assert [path.name for path in tmp_path.iterdir()] == ["rows.jsonl"]


def test_what_a_killed_import_left_is_cleared_by_the_next(tmp_path: Path, start: Start) -> None:
    file = rows(tmp_path / "rows.jsonl", 150_000)
    process = start("import", "attempts", str(file), "--out", "run")
    wait_for(lambda: list(tmp_path.glob(".run.*/rows/*")))
    process.kill()
    process.communicate()
    assert len(list(tmp_path.glob(".run.*"))) == 1
    small = rows(tmp_path / "rows.jsonl", 20)
    process = start("import", "attempts", str(small), "--out", "other")
    process.communicate(timeout=60)
    assert process.returncode == OK
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "rows.jsonl"]


DIE = """
import os, signal, sys
from pathlib import Path
from harness.base import aside
out = Path(sys.argv[1])
rename = Path.rename
def dying(self, to):
    rename(self, to)
    os.kill(os.getpid(), signal.SIGKILL)
Path.rename = dying
with aside.made_aside(out) as place:
    aside.new(place).mkdir()
"""


def test_what_was_to_be_replaced_comes_back_after_a_kill(tmp_path: Path) -> None:
    out = tmp_path / "run"
    out.mkdir()
    (out / "old.txt").write_text("old")
    subprocess.run([sys.executable, "-c", DIE, str(out)], cwd=ROOT)
    assert not out.exists()
    with made_aside(tmp_path / "other") as place:
        new(place).mkdir()
    assert (out / "old.txt").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "run"]


def test_a_place_that_is_worked_in_is_left_alone(tmp_path: Path) -> None:
    with made_aside(tmp_path / "one") as first:
        new(first).mkdir()
        with made_aside(tmp_path / "two") as second:
            new(second).mkdir()
        assert first.is_dir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_what_is_held_back_acts_afterwards() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt):
        with held_back():
            os.kill(os.getpid(), signal.SIGINT)
            done.append(1)
        time.sleep(1)
        done.append(2)
    assert done == [1]


def test_pretraining_that_is_ended_leaves_nothing(tmp_path: Path, start: Start) -> None:
    process = start("pretrain", "--out", "model")
    wait_for(lambda: list(tmp_path.glob(".model.*")))
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED and list(tmp_path.iterdir()) == []


def test_an_evaluation_that_is_ended_says_how_to_go_on(tmp_path: Path, start: Start) -> None:
    words = ("eval", "--model", "quickstart-base", "--benchmarks", "mini_sums:8", "--template", "bare", "--out", "e")
    process = start(*words, before=IGNORED)
    wait_for((tmp_path / "e/evals/mini_sums/attempts.jsonl").exists)
    began = time.monotonic()
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED and time.monotonic() - began < SOON
    assert err.endswith(f"rence: interrupted. What is done is saved. To go on:\n  rence {' '.join(words)}\n")


def test_a_job_without_a_pulse_is_warned_of_once(tmp_path: Path) -> None:
    pulse = Pulse(tmp_path, 0.0)
    assert pulse.warning(59.0) == ""
    (tmp_path / LOCK).write_text("4711 node3")
    assert pulse.warning(61.0) == (
        "has shown no sign of life for 61 s: it waits for its place, was stopped, or stands still. Process 4711 on "
        "node3: `kill -CONT 4711` lets one that was stopped go on."
    )
    assert pulse.warning(200.0) == ""
    (tmp_path / "timing.json").write_text("{}")
    assert pulse.warning(210.0) == "" and pulse.warning(269.0) == "" and "for 61 s" in pulse.warning(271.0)


@pytest.mark.slow
def test_a_stopped_worker_is_warned_of_after_a_minute(tiny: Path, tmp_path: Path, start: Start) -> None:
    driver = start("run", str(tiny), "budget.rollouts=9600", "--workers", "1")
    trials = tmp_path / "runs/tiny"
    wait_for(lambda: list(trials.glob("*/seed*/steps.jsonl")))
    (steps,) = trials.glob("*/seed*/steps.jsonl")
    held = int((steps.parent / LOCK).read_text().split()[0])
    os.kill(held, signal.SIGSTOP)
    began = time.monotonic()
    assert driver.stderr
    for line in driver.stderr:
        if "no sign of life" in line:
            break
    # it is stopped up to ten seconds after its last sign of life
    assert 45 < time.monotonic() - began < 90
    assert f"`kill -CONT {held}`" in line and "Process" in line
    os.kill(held, signal.SIGCONT)
    driver.terminate()
    driver.communicate(timeout=60)
    assert driver.returncode == INTERRUPTED


ASCII = {"LC_ALL": "POSIX", "LANG": "C", "PYTHONIOENCODING": "ascii", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


@pytest.mark.parametrize("where", ["ascii", "closed", "full", "head"])
def test_a_stream_that_takes_nothing_loses_no_work(
    tiny: Path, tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    for name, value in ASCII.items() if where == "ascii" else ():
        monkeypatch.setenv(name, value)
    few = (
        "seeds=[0]",
        "budget.rollouts=32",
        "evaluation.limit=4",
        "evaluation.points=1",
    )
    tiny.write_text(tiny.read_text().replace("grpo: {}", "grpo: {title: 'GRPO … ✓'}"), encoding="utf-8")
    redirected = {"closed": "exec >&- 2>&-", "full": "exec >/dev/full", "head": "exec > >(head -c 1)"}
    process = start("run", str(tiny), *few, before=redirected.get(where, ":"))
    out, err = process.communicate(timeout=300)
    assert (tmp_path / "runs/tiny/report/verdict.json").exists(), err
    assert "Traceback" not in err and "UnicodeEncodeError" not in err
    assert process.returncode == (INCOMPLETE if where == "full" else OK)
    assert ("could not be written to stdout: No space left on device." in err) == (where == "full")
    if where == "ascii":
        assert (out + err).isascii() and "Report: runs/tiny/report/index.html" in out


def test_a_baseline_that_is_not_written_to_its_end_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "baseline.yaml"
    write_text(path, "old")

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_text(path, "new")
    assert path.read_text() == "old" and [file.name for file in tmp_path.iterdir()] == ["baseline.yaml"]
