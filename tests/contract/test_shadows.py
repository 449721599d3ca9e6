"""A foreign `algorithms/`, `benchmarks/`, `harness/` or `reports/`: refused by name where Python would import it in the
place of ours, and without effect where it would not, in this process and in those that it starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.errors import OK, USAGE
from harness.records import RunFolder
from harness.run.launchers import process
from rence.shadows import ROOMS

ROOT = Path(__file__).parents[2]
SCRIPT = "import sys\nfrom rence import main\nif __name__ == '__main__':\n    sys.exit(main())\n"
"""what pip installs as `rence`: the script's folder comes first on the path, and the working directory is not on it"""
EXPERIMENT = """\
name: shadowed
model: quickstart-base
template: bare
train: mini_rl
seeds: [0]
budget: {rollouts: 16}
recipe: {group_size: 4, prompts_per_step: 4}
evaluation: {benchmarks: {mini_sums: 1}, points: 1, limit: 4}
arms: {rence: {}, grpo: {}}
comparison: {target: rence, baselines: [grpo]}
"""
Python = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """The folder to work in."""
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


@pytest.fixture
def python(here: Path) -> Python:
    """Python with some arguments in that folder; `first` folders come before ours on PYTHONPATH."""

    def call(*arguments: str | Path, first: tuple[Path, ...] = ()) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join(map(str, (*first, ROOT)))
        environment = {**os.environ, "PYTHONPATH": path, "NO_COLOR": "1", "MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
        environment.pop("PYTHONSAFEPATH", None)
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, timeout=300)

    return call


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "rence").write_text(SCRIPT)
    return tmp_path / "bin" / "rence"


def foreign(folder: Path, *names: str) -> Path:
    """Packages of somebody else's."""
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("raise RuntimeError('this is not rence-bench')\n")
    return folder


@pytest.mark.parametrize("room", ROOMS)
def test_one_on_the_path_before_ours_is_refused(room: str, python: Python, script: Path, tmp_path: Path) -> None:
    folder = foreign(tmp_path / "other", room)
    done = python(script, "list", "backends", first=(folder,))
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert done.stderr == (
        f"rence: Python imports `{room}` from {folder / room}, in the place of rence-bench's own.\n"
        f"Rename what is there, or take {folder} off PYTHONPATH.\n"
    )


def test_all_of_them_are_named_at_once(python: Python, script: Path, tmp_path: Path) -> None:
    one, two = foreign(tmp_path / "one", "harness", "reports"), foreign(tmp_path / "two", "benchmarks", "reports")
    said = python(script, "--version", first=(one, two)).stderr
    assert said.count("in the place of") == 3 and f"from {two / 'benchmarks'}, " in said
    assert f"take {one} off" in said and f"take {two} off" in said and str(two / "reports") not in said


@pytest.mark.parametrize("room", ["benchmarks", "harness"])
def test_one_in_the_working_directory_counts_where_python_looks_there(
    room: str, python: Python, script: Path, here: Path
) -> None:
    foreign(here, room)
    refused = python("-m", "rence", "list", "backends")
    assert refused.returncode == USAGE and f"`{room}` from {here / room}, " in refused.stderr
    assert "the command `rence` does not import from where it runs" in refused.stderr
    for harmless in ((script,), ("-P", "-m", "rence")):
        done = python(*harmless, "list", "backends")
        assert done.returncode == OK and "local" in done.stdout, done.stderr


def test_a_module_counts_and_a_folder_that_is_no_package_does_not(python: Python, here: Path) -> None:
    (here / "reports").mkdir()
    (here / "reports" / "notes.txt").write_text("mine")
    (here / "harness").mkdir()
    (here / "harness" / "run.py").write_text("raise RuntimeError('this is not rence-bench')\n")
    assert python("-m", "rence", "list", "backends").returncode == OK
    (here / "benchmarks.py").write_text("")
    assert f"`benchmarks` from {here / 'benchmarks.py'}, " in python("-m", "rence", "list", "backends").stderr


def test_what_was_imported_before_counts(python: Python, tmp_path: Path) -> None:
    folder = foreign(tmp_path / "other", "benchmarks")
    (folder / "benchmarks" / "__init__.py").write_text("")
    done = python("-c", f"import sys; sys.path.insert(0, {str(folder)!r}); import benchmarks, rence; rence.Problem")
    assert "ShadowedError: Python imports `benchmarks` from" in done.stderr and str(folder) in done.stderr
    assert f"take {folder} off Python's path" in done.stderr


def test_python_refuses_at_the_first_name_and_not_at_import(python: Python, here: Path) -> None:
    foreign(here, "algorithms")
    program = (
        "import rence, rence.ops\nfor _ in range(2):\n try: rence.ops.aggregate\n except ImportError as e: print(e)"
    )
    done = python("-c", program)
    assert done.stdout.count(f"`algorithms` from {here / 'algorithms'}, ") == 2, done.stderr
    assert python("-P", "-c", "import rence; rence.Algorithm").returncode == OK


def test_a_job_of_rays_refuses_what_its_node_has_on_the_path(python: Python, here: Path, tmp_path: Path) -> None:
    folder = foreign(tmp_path / "other", "harness")
    done = python("-m", "rence.job", here, "runs/one", "grpo/seed0", "1", first=(folder,))
    assert done.returncode == USAGE and f"take {folder} off PYTHONPATH" in done.stderr


def test_the_marker_asks_its_own_workers(python: Python, script: Path, here: Path) -> None:
    """`x+1` and `1+x` are compared in a worker process."""
    foreign(here, *ROOMS)
    (here / "rows.jsonl").write_text(json.dumps({"gold": "x+1", "pred": "1+x", "expected": 1}))
    done = python(script, "grade", "rows.jsonl", "--json")
    assert done.returncode == OK and json.loads(done.stdout)["marks"]["correct"] == 1, done.stderr
    program = (
        f"import sys; sys.path.remove({str(here)!r}); from benchmarks.marking.pool import shared\n"
        "print(shared().ask(('compare', 'x+y', 'y+x', 'maths', 0.0)).value)"
    )
    done = python("-P", "-c", program, first=(here,))
    assert done.stdout == "True\n", done.stderr


def test_the_tasks_of_lm_eval_are_made_from_our_own(python: Python, tmp_path: Path) -> None:
    folder = foreign(tmp_path / "other", *ROOMS)
    file = ROOT / "benchmarks" / "tasks" / "functions.py"
    program = f"import runpy; print(runpy.run_path({str(file)!r})['registry'].__file__)"
    done = python("-P", "-c", program, first=(folder,))
    assert done.stdout == f"{ROOT / 'benchmarks' / 'registry.py'}\n", done.stderr


def test_a_run_with_two_workers_is_not_touched(python: Python, script: Path, here: Path) -> None:
    """Trials are forks of a server that Python starts with the working directory first on its path."""
    foreign(here, *ROOMS)
    (here / "shadowed.yaml").write_text(EXPERIMENT)
    done = python(script, "run", "shadowed.yaml", "--workers", "2")
    assert done.returncode == OK, done.stderr
    run = RunFolder(here / "runs" / "shadowed")
    assert all(run.trial(arm, 0).done.exists() for arm in ("rence", "grpo"))


def test_a_job_imports_what_this_process_does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"mine{os.pathsep}{os.pathsep}/other")
    assert process.environment() == {**process.ENVIRONMENT, "PYTHONPATH": f"{ROOT}:{tmp_path}/mine:/other"}
    monkeypatch.setattr(process.site, "getsitepackages", lambda: [str(ROOT)])
    assert process.environment()["PYTHONPATH"] == f"{tmp_path}/mine:/other"
    monkeypatch.delenv("PYTHONPATH")
    assert process.environment()["PYTHONPATH"] == ""
