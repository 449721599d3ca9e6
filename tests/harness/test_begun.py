"""A run that was begun when a default was another goes on as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness import config
from harness.backends.local.settings import LocalSettings
from harness.base.errors import UserError
from harness.config import as_begun, read
from harness.models.resolving import SHIPPED
from harness.planning import plan
from harness.records import Plan, RunFolder, read_json, write_json
from harness.records.seals import lock_in, lock_of
from harness.run.folder import prepare

MODEL = SHIPPED["quickstart-base"]


@pytest.fixture
def rectangles(on_verl: Path, tmp_path: Path) -> RunFolder:
    """A run of a version that packed with flash-attn alone, and locked which attention it was."""
    experiment = config.load(on_verl, ["verl.remove_padding=false", "verl.flash_attention=false"])
    run = RunFolder(tmp_path / "runs" / experiment.name)
    run.root.mkdir(parents=True)
    prepare(run, experiment, plan.make(experiment, MODEL), "the source\n")
    data = read_json(run.plan)
    data["unlocked"]["verl"].remove("flash_attention")
    assert (data["verl"]["flash_attention"], data["verl"]["remove_padding"]) == (False, False)
    write_json(run.plan, {**data, "lock": lock_of(data, data["unlocked"])})
    assert lock_in(read_json(run.plan)) == Plan.read(run.plan).lock
    return run


def test_a_run_begun_with_rectangles_goes_on_with_them(on_verl: Path, rectangles: RunFolder) -> None:
    locked = rectangles.plan.read_bytes()
    manifest = read(on_verl)
    said = as_begun(manifest, rectangles.root.parent)
    assert said == f"{rectangles.root} was planned with `verl.remove_padding=false`, and goes on so."
    experiment = config.build(manifest)
    assert experiment.backend_settings.remove_padding is False
    prepare(rectangles, experiment, plan.make(experiment, MODEL), "the source\n")
    assert rectangles.plan.read_bytes() == locked, "with the same lock"
    assert config.load_run(rectangles.resolved) == experiment


def test_a_new_run_of_the_same_file_packs(on_verl: Path, tmp_path: Path) -> None:
    manifest = read(on_verl)
    assert as_begun(manifest, tmp_path / "runs") == ""
    assert config.build(manifest).backend_settings.remove_padding is True


def test_a_file_that_wants_packing_is_refused_in_the_old_folder(on_verl: Path, rectangles: RunFolder) -> None:
    manifest = read(on_verl, ["verl.remove_padding=true"])
    assert as_begun(manifest, rectangles.root.parent) == ""
    with pytest.raises(UserError, match=r"verl\.remove_padding: false -> true"):
        plan.check_unchanged(Plan.read(rectangles.plan), plan.make(config.build(manifest), MODEL), rectangles.root)


def test_null_leaves_it_open_and_another_backend_has_no_part_in_it(on_verl: Path, rectangles: RunFolder) -> None:
    manifest = read(on_verl, ["verl.remove_padding=null"])
    assert "goes on so" in as_begun(manifest, rectangles.root.parent)
    assert manifest.data["verl"]["remove_padding"] is False
    elsewhere = read(on_verl, ["backend=local", "verl=null"])
    assert as_begun(elsewhere, rectangles.root.parent) == ""
    assert config.build(elsewhere).backend_settings == LocalSettings()


def test_a_packed_run_and_its_lock_do_not_hang_on_flash_attn(on_verl: Path, tmp_path: Path) -> None:
    """As begun on GPUs, where the plan said true for both: it goes on whatever is installed."""
    on_gpu = ["verl.device=gpu"]
    then = plan.make(config.load(on_verl, [*on_gpu, "verl.flash_attention=true"]), MODEL)
    old = {
        **then.to_json(),
        "unlocked": {**then.unlocked, "verl": [k for k in then.unlocked["verl"] if k[:5] != "flash"]},
    }
    (tmp_path / "plan.json").write_text(json.dumps({**old, "lock": lock_of(old, old["unlocked"])}))
    for now in ([], ["verl.flash_attention=false"], ["verl.flash_attention=true"]):
        plan.check_unchanged(
            Plan.read(tmp_path / "plan.json"), plan.make(config.load(on_verl, [*on_gpu, *now]), MODEL), tmp_path
        )
