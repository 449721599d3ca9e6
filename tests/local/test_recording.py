"""Rollout batches that training keeps: what is in them, and that keeping them changes nothing."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING

import pytest
import torch

from harness.backends import recorded
from harness.backends.local.logprobs import response_logp
from harness.config.experiment import Trial
from harness.models.language_model import load
from harness.records import DataError, read_jsonl
from tests.closeness import assert_close

if TYPE_CHECKING:
    from conftest import Run, Tiny


class Killed(BaseException):
    """What no code of ours catches."""


def keeping(trial: Trial, *steps: int) -> Trial:
    return replace(trial, experiment=replace(trial.experiment, record_steps=steps))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def run(tiny: Tiny) -> Run:
    """Four steps of DAPO, which drops groups and asks for others, with weights that move fast."""
    return tiny.train(keeping(tiny.trial("dapo", budget=100, learning_rate=5e-3), 2))


def test_all_generated_groups_are_there_before_any_filter(run: Run) -> None:
    found = recorded.read(run.folder.rollouts(2))
    logged = list(read_jsonl(run.folder.steps))[1]["metrics"]
    assert logged["groups/dropped"] > 0
    assert found.batch.groups == logged["groups/generated"] and len(found.batch) == logged["rollouts/generated"]
    assert int(found.batch.correct_B.sum()) == logged["marks/correct"] == sum(m == "correct" for m in found.marks)
    assert int(found.batch.truncated_B.sum()) == round(logged["response_length/clip_ratio"] * len(found.batch))
    assert (found.batch.reward_B == found.batch.label_B.float()).all()


def test_log_probs_are_those_of_the_start_and_of_the_sampler_and_the_weights_are_neither(tiny: Tiny, run: Run) -> None:
    folder = run.folder.rollouts(2)
    found = recorded.read(folder)
    mask_BT = found.batch.mask_BT
    with torch.no_grad():
        start_BT, theta_BT = (
            response_logp(load(place), found.batch, 1.0) for place in (tiny.model, folder / recorded.MODEL)
        )
    assert_close(found.init_logp_BT[mask_BT], start_BT[mask_BT], within=2e-6)
    moved_N = (theta_BT - found.batch.old_logp_BT)[mask_BT].abs()
    assert moved_N.mean() > 1e-3  # three updates of the step's four, each of 0.005
    assert (found.batch.old_logp_BT - found.init_logp_BT)[mask_BT].abs().mean() > 1e-3
    assert found.synced_logp_BT is None


def test_the_header_says_where_it_comes_from(tiny: Tiny, run: Run) -> None:
    origin = recorded.read(run.folder.rollouts(2)).origin
    logged = list(read_jsonl(run.folder.steps))[1]
    assert (origin.experiment, origin.arm, origin.seed, origin.step) == ("tiny", "arm", 0, 2)
    assert (origin.temperature, origin.max_tokens) == (1.0, 6)
    assert origin.progress == min(1.0, logged["rollouts"] / 100)


def test_a_reference_that_is_synced_is_kept_too(tiny: Tiny) -> None:
    trial = keeping(tiny.trial("online_dpo", budget=64, learning_rate=5e-3, reference_sync_steps=3), 2, 4)
    run = tiny.train(trial)
    stale, fresh = (recorded.read(run.folder.rollouts(step)) for step in (2, 4))
    assert stale.synced_logp_BT is not None and fresh.synced_logp_BT is not None
    # synced at steps 1 and 4: the start at step 2, the sampler itself at step 4
    assert_close(stale.synced_logp_BT, stale.init_logp_BT, within=2e-6)
    assert_close(fresh.synced_logp_BT, fresh.batch.old_logp_BT, within=2e-6)


def test_training_is_the_same_with_and_without(tiny: Tiny, run: Run) -> None:
    plain = tiny.train(tiny.trial("dapo", budget=100, learning_rate=5e-3))
    assert plain.folder.steps.read_bytes() == run.folder.steps.read_bytes()
    assert plain.result.final_weights == run.result.final_weights
    assert not plain.folder.rollouts(2).exists()


PLACES = {  # name of a function, and at which call of it the kill comes
    "before it is written": ("harness.backends.recorded.model_hash", 1),
    "while it is written": ("harness.backends.recorded.to_disk", 4),
    "after it was written": ("harness.backends.local.loop.append_jsonl", 2),
    "long after": ("harness.backends.local.loop.append_jsonl", 3),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_killed_trial_leaves_the_same_bytes(
    tiny: Tiny, run: Run, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = keeping(tiny.trial("dapo", budget=100, learning_rate=5e-3), 2)
    name, at = PLACES[place]
    original, calls, folder = resolve_name(name), count(1), tiny.place()

    def dying(*args, **kwargs):  # type: ignore[no-untyped-def]
        if next(calls) == at:
            raise Killed
        return original(*args, **kwargs)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(name, dying)
        tiny.train(trial, folder=folder)
    again = tiny.train(trial, folder=folder)
    assert contents(again.folder.root / "rollouts") == contents(run.folder.root / "rollouts")
    assert again.watcher.warnings == run.watcher.warnings


def test_steps_that_cannot_be_kept_are_told(tiny: Tiny) -> None:
    folder = tiny.place()

    class Dying(tiny.Watcher):  # type: ignore[misc,name-defined]
        def on_step(self, record) -> None:  # type: ignore[no-untyped-def]
            if record.step == 3:
                raise Killed

    with pytest.raises(Killed):
        tiny.train(tiny.trial(budget=64), folder=folder, watcher=Dying())
    again = tiny.train(keeping(tiny.trial(budget=64), 1, 4, 9), folder=folder)
    late, never = again.watcher.warnings
    assert "step 1 is not recorded" in late and "step 9, but training ended after step 4" in never
    assert again.folder.rollouts(4).exists()


@pytest.mark.parametrize(
    ("name", "spoil", "message"),
    [
        ("batch.json", None, "batch.json does not exist"),
        ("batch.json", b"{}", "`environment`, `problems`, `marks`"),
        ("batch.json", b'{"schema": 99}', "reads up to 1. Upgrade"),
        ("batch.safetensors", None, "batch.safetensors does not exist"),
        ("batch.safetensors", b"cut off", "batch.safetensors is not what batch.json says"),
        ("model/model.safetensors", b"cut off", "model is not what batch.json says"),
        ("model/model.safetensors", None, "has no *.safetensors"),
    ],
)
def test_what_is_broken_is_refused(run: Run, tmp_path: Path, name: str, spoil: bytes | None, message: str) -> None:
    folder = tmp_path / "step_2"
    folder.mkdir()
    for path, content in contents(run.folder.rollouts(2)).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(content)
    (folder / name).unlink()
    if spoil is not None:
        (folder / name).write_bytes(spoil)
    with pytest.raises(DataError, match=message.replace("*", r"\*")):
        recorded.read(folder)
