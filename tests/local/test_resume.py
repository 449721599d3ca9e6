"""A trial that is killed and started again leaves the same bytes as one that never was."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from algorithms.objectives.rence import ReNCE
from harness.backends import checkpoints
from harness.backends.local.checkpoint import STATE
from harness.config.experiment import Trial
from harness.models.language_model import LanguageModel
from harness.models.resolving import model_hash
from harness.records import TrialFolder

if TYPE_CHECKING:
    from conftest import Run, Tiny


class Killed(BaseException):
    """What no code of ours catches."""


def stateful(tiny: Tiny) -> Trial:
    """Everything a checkpoint has to hold: moments, a lagging sampler and reference, a coefficient that adapts."""
    algorithm = ReNCE(kl_mode="controller", kl_reference="synced", kl_window=1e-4, refill_dropped=False, t_easy=1.0)
    settings = {"generator_sync_steps": 2, "reference_sync_steps": 3, "checkpoint_steps": 3, "warmup_updates": 12}
    return tiny.trial(algorithm, budget=8 * 16, learning_rate=5e-3, **settings)


PLACES = {  # name of a function, and at which call of it the kill comes
    "while generating": ("harness.backends.local.generate.sample", 5),
    "while learning": ("harness.backends.local.update.forward_logprobs", 11),
    "before the line of a step": ("harness.backends.local.loop.append_jsonl", 3),
    "before a checkpoint": ("harness.backends.local.checkpoint.save", 2),
    "while writing a checkpoint": ("torch.save", 2),
    "before old checkpoints are removed": ("shutil.rmtree", 4),
    "before an evaluation": ("harness.backends.local.loop.model_hash", 1),
    "before the last evaluation": ("harness.backends.local.loop.model_hash", 2),
    "before the trainer's state is dropped": ("harness.backends.local.checkpoint.drop_state", 1),
}


def snapshot(run: Run) -> tuple[bytes, list[str], list[str], object]:
    files = sorted(path.relative_to(run.folder.root).as_posix() for path in run.folder.root.rglob("*"))
    result = run.result
    return run.folder.steps.read_bytes(), files, [result.final_weights], (result.tokens, result.discarded_rollouts)


@pytest.fixture(scope="module")
def whole(tiny: Tiny) -> Run:
    return tiny.train(stateful(tiny))


@pytest.mark.parametrize("place", PLACES)
def test_a_killed_trial_ends_with_the_same_bytes(
    tiny: Tiny, whole: Run, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, at = PLACES[place]
    original, calls, folder = resolve_name(name), count(1), tiny.place()

    def dying(*args, **kwargs):  # type: ignore[no-untyped-def]
        if next(calls) == at:
            raise Killed
        return original(*args, **kwargs)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(name, dying)
        tiny.train(stateful(tiny), folder=folder)
    again = tiny.train(stateful(tiny), folder=folder)
    assert snapshot(again) == snapshot(whole)
    assert again.watcher.checkpoints[-1] == whole.watcher.checkpoints[-1]


def test_a_trial_killed_after_every_third_step_ends_with_the_same_bytes(tiny: Tiny, whole: Run) -> None:
    class Dying(tiny.Watcher):  # type: ignore[misc,name-defined]
        def on_step(self, record) -> None:  # type: ignore[no-untyped-def]
            super().on_step(record)
            if len(self.records) == 4:
                raise Killed

    reached, folder = [], tiny.place()
    while True:
        watcher = Dying()
        try:
            again = tiny.train(stateful(tiny), folder=folder, watcher=watcher)
            break
        except Killed:
            reached.append(watcher.records[-1].step)
    assert reached == [4, 7]  # checkpoints at 3, 4 (grid) and 6
    assert snapshot(again) == snapshot(whole)


def test_a_line_cut_off_by_the_kill_is_removed(tiny: Tiny, whole: Run) -> None:
    class Dying(tiny.Watcher):  # type: ignore[misc,name-defined]
        def on_step(self, record) -> None:  # type: ignore[no-untyped-def]
            if record.step == 5:
                raise Killed

    folder = tiny.place()
    with pytest.raises(Killed):
        tiny.train(stateful(tiny), folder=folder, watcher=Dying())
    steps = TrialFolder(folder).steps
    steps.write_bytes(steps.read_bytes()[:-20])
    assert snapshot(tiny.train(stateful(tiny), folder=folder)) == snapshot(whole)


def test_a_finished_trial_is_not_trained_again_but_evaluated_again(tiny: Tiny, whole: Run) -> None:
    before = snapshot(whole)
    again = tiny.train(stateful(tiny), folder=whole.folder.root)
    assert again.watcher.records == []
    assert again.watcher.checkpoints == whole.watcher.checkpoints[-1:]
    assert snapshot(again) == before


def test_equal_trials_leave_equal_bytes_and_another_seed_does_not(tiny: Tiny) -> None:
    first, second, other = (tiny.train(tiny.trial(budget=48, seed=seed)) for seed in (0, 0, 1))
    assert snapshot(first) == snapshot(second)
    assert first.folder.steps.read_bytes() != other.folder.steps.read_bytes()


def test_only_the_final_model_stays(tiny: Tiny, whole: Run) -> None:
    assert [path.name for path in whole.folder.checkpoints.iterdir()] == ["step_8"]
    assert checkpoints.newest(whole.folder) == whole.folder.checkpoint(8)
    assert not (whole.folder.checkpoint(8) / STATE).exists()


def test_checkpoints_are_what_transformers_loads(tiny: Tiny) -> None:
    seen: list[tuple[Path, torch.Tensor]] = []
    ids = torch.tensor([[2, 5, 3]])

    class Looking(tiny.Watcher):  # type: ignore[misc,name-defined]
        def evaluate(self, engine, point) -> None:  # type: ignore[no-untyped-def]
            model: LanguageModel = engine.model
            with torch.no_grad():
                seen.append((point, model.net(input_ids=ids, use_cache=False).logits))

    run = tiny.train(tiny.trial(budget=32), watcher=Looking())
    folder = run.folder.checkpoint(run.result.steps)
    loaded = AutoModelForCausalLM.from_pretrained(folder)
    assert loaded.config._attn_implementation == "sdpa"  # our attention stays ours
    with torch.no_grad():
        assert torch.equal(loaded(input_ids=ids).logits, seen[-1][1])
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.chat_template and tokenizer.encode("say 0 now") == [2, 5, 3]
    assert run.result.final_weights == model_hash(folder)


def test_a_checkpoint_that_was_cut_off_is_not_one(tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path)
    assert checkpoints.newest(folder) is None
    (folder.checkpoints / ".step_9.new").mkdir(parents=True)
    assert checkpoints.newest(folder) is None
    (folder.checkpoints / "step_9").mkdir()
    (folder.checkpoints / "step_10").mkdir()
    assert checkpoints.newest(folder) == folder.checkpoint(10)
