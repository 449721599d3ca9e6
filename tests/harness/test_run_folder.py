"""The run folder: one driver at a time, one plan, and nothing deleted that is not ours."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from harness import config
from harness.base.errors import UserError
from harness.base.locks import LOCK, locked
from harness.models.resolving import SHIPPED
from harness.planning import plan
from harness.records import Plan, RunFolder
from harness.run import folder as run_folder
from harness.run.folder import clean

HOLD = "import sys, time; from pathlib import Path; from harness.base.locks import locked\n"
HOLD += "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    (tmp_path / "runs" / "tiny").mkdir(parents=True)
    return RunFolder(tmp_path / "runs" / "tiny")


def prepare(folder: RunFolder, tiny: Path, *overrides: str) -> Plan:
    experiment = config.load(tiny, overrides)
    made = plan.make(experiment, SHIPPED["quickstart-base"])
    run_folder.prepare(folder, experiment, made, "the source\n")
    return made


def test_a_lock_names_its_holder_and_ends_with_it(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout and holder.stdout.readline() == "held\n"
    with pytest.raises(UserError, match=f"in use by another run, process {holder.pid}"), locked(tmp_path):
        pass
    holder.kill()
    with locked(tmp_path, wait=10):
        assert (tmp_path / LOCK).read_text() == f"{os.getpid()} {platform.node()}"
    assert (tmp_path / LOCK).read_text() == ""
    holder.wait()


def test_a_holder_on_another_machine_is_named_with_its_machine(tmp_path: Path) -> None:
    with locked(tmp_path):
        (tmp_path / LOCK).write_text("4711 node3")
        with pytest.raises(UserError) as refused, locked(tmp_path, "trial"):
            pass
    assert str(refused.value) == (
        f"{tmp_path} is in use by another trial, process 4711 on node3. Wait for it, or stop it there with `kill 4711`."
    )


def test_what_a_trial_still_works_in_is_not_cleaned(
    folder: RunFolder, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(folder, tiny)
    monkeypatch.setattr(run_folder, "_WAIT_FOR_ORPHANS", 0.0)
    trial = folder.trial("grpo", 0).root
    with (
        locked(trial, "trial"),
        pytest.raises(UserError, match=f"grpo/seed0 is in use by another trial, process {os.getpid()}"),
    ):
        clean(folder, "tiny")
    assert folder.plan.exists()
    clean(folder, "tiny")
    assert not trial.exists()


def test_a_new_folder_gets_plan_source_and_resolved_experiment(folder: RunFolder, tiny: Path) -> None:
    made = prepare(folder, tiny)
    assert Plan.read(folder.plan) == made
    assert folder.config.read_text() == "the source\n"
    assert config.load(folder.resolved) == config.load(tiny)


def test_a_start_that_was_cut_off_is_completed(folder: RunFolder, tiny: Path) -> None:
    prepare(folder, tiny)
    whole = {path.name: path.read_bytes() for path in folder.root.iterdir()}
    for missing in (folder.plan, folder.resolved, folder.config):
        missing.unlink()
        (folder.root / f".{missing.name}.new").write_text("{")
        prepare(folder, tiny)
        (folder.root / f".{missing.name}.new").unlink(missing_ok=True)
        assert {path.name: path.read_bytes() for path in folder.root.iterdir()} == whole


def test_another_plan_is_refused_and_nothing_changes(folder: RunFolder, tiny: Path) -> None:
    prepare(folder, tiny)
    before = {path: path.read_bytes() for path in folder.root.iterdir()}
    with pytest.raises(UserError, match="was planned otherwise"):
        prepare(folder, tiny, "recipe.epochs=3")
    assert {path: path.read_bytes() for path in folder.root.iterdir()} == before


def test_steps_to_record_may_change_and_are_what_trials_are_told(folder: RunFolder, tiny: Path) -> None:
    first = prepare(folder, tiny)
    before = folder.resolved.read_bytes()
    second = prepare(folder, tiny, "record_steps=[3,8]")
    assert second == first == Plan.read(folder.plan)  # no part of the plan: nothing that is reported hangs on it
    assert config.load(folder.resolved).record_steps == (3, 8)
    prepare(folder, tiny)
    assert folder.resolved.read_bytes() == before


def test_a_folder_of_somebody_else_is_neither_used_nor_cleaned(folder: RunFolder, tiny: Path) -> None:
    (folder.root / "thesis.tex").write_text("dear")
    with pytest.raises(UserError, match=r"holds thesis\.tex"):
        prepare(folder, tiny)
    with pytest.raises(UserError, match="was not made by this experiment"):
        clean(folder, "tiny")
    assert [path.name for path in folder.root.iterdir()] == ["thesis.tex"]


def test_clean_goes_on_in_a_folder_whose_plan_a_kill_prevented(folder: RunFolder, tiny: Path) -> None:
    prepare(folder, tiny)
    folder.plan.unlink()
    with locked(folder.root):
        clean(folder, "tiny")
        assert [path.name for path in folder.root.iterdir()] == [LOCK]


def test_clean_empties_a_folder_of_this_experiment_only(folder: RunFolder, tiny: Path) -> None:
    prepare(folder, tiny)
    (folder.root / "grpo" / "seed0").mkdir(parents=True)
    with pytest.raises(UserError, match="was not made by this experiment"):
        clean(folder, "other")
    with locked(folder.root):
        clean(folder, "tiny")
        assert [path.name for path in folder.root.iterdir()] == [LOCK]
