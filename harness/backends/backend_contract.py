"""What every backend has to keep to, a plug-in too: each of `CHECKS` raises AssertionError with what it found, or
SkipTest with what is missing here. `rence check NAME` runs them all.

`example_trial.py` has the trial.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, replace
from typing import Any

from harness.backends.example_trial import BATCH, QUESTION, BackendUnderTest, answers
from harness.config.experiment import Experiment
from harness.config.explain import json_schema
from harness.config.shape import docs, may_be_a_section, model
from harness.models import resolving
from harness.records.fields import stated

_HEAVY = ("torch", "ray", "verl", "vllm", "jax")


def importing_it_is_light(of: BackendUnderTest) -> None:
    """Plans and lists need the object, and neither torch nor a GPU's packages."""
    code = f"import sys; from harness.base.registry import BACKENDS; BACKENDS.get({of.name!r});"
    code += f"print(*({{*{_HEAVY}}} & sys.modules.keys()))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    _require(done.returncode == 0, f"it cannot be imported alone: {done.stderr.strip().rpartition(chr(10))[2]}")
    _require(not done.stdout.strip(), f"importing it imports {done.stdout.strip()}; do that inside its methods")


def settings_are_frozen_described_and_written_out(of: BackendUnderTest) -> None:
    """They are a section of the experiment's file, and come back from resolved.json as they were."""
    cls = of.backend.settings
    if cls is None:
        return
    _require(may_be_a_section(of.name), "its name is a key of experiments or plans, so it cannot have a section")
    _require(cls.__dataclass_params__.frozen, f"{cls.__name__} must be a frozen dataclass")  # type: ignore[attr-defined]
    bare = [f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING]
    _require(not bare, f"{', '.join(bare)} of {cls.__name__} must have a default")
    dumb = [f.name for f in fields(cls) if not docs(cls).get(f.name)]
    _require(not dumb, f"{', '.join(dumb)} of {cls.__name__} must have a string below that says what it means")
    text = json.dumps(stated(of.experiment.backend_settings))
    again = cls(**dict(model(cls).model_validate_json(text)))
    _require(again == of.experiment.backend_settings, "settings differ after they were written to JSON and read")


def mistakes_name_keys_that_exist(of: BackendUnderTest) -> None:
    """In one line each; and an experiment of which it makes none has none."""
    schema = json_schema()
    for odd in _odd_experiments(of.experiment):
        for mistake in of.backend.mistakes(odd):
            _require(bool(mistake.message) and "\n" not in mistake.message, f"not one line: {mistake.message!r}")
            _require(bool(mistake.keys), f"no key is named for: {mistake.message}")
            for key in mistake.keys:
                _require(_is_key(schema, key), f"there is no key {'.'.join(map(str, key))}, for: {mistake.message}")


def slots_are_between_one_and_the_room(of: BackendUnderTest) -> None:
    """A whole number from 1 to the room, asked where 1, 2 and 8 trials fit."""
    for room in (1, 2, 8):
        found = of.backend.slots(of.experiment, room)
        _require(
            isinstance(found, int) and 1 <= found <= room, f"`slots` gives {found!r} where there is room for {room}"
        )


def costs_are_positive(of: BackendUnderTest) -> None:
    """Throughput, devices and resume states are such that FLOPs, hours and disk come out above zero."""
    costs = of.backend.costs(of.experiment)
    speed = costs.throughput
    if speed:
        _require(min(speed.generate_flops, speed.train_flops) > 0, "the stated throughput must be above 0")
        _require(bool(speed.unit) and bool(speed.stated), "a throughput needs its unit, and where it comes from")
    _require(costs.devices >= 1 and costs.state_copies >= 1, "a trial keeps a device busy, and one copy of its weights")
    _require(costs.extra_passes >= 0, "`extra_passes` must be at least 0")
    _require(costs.states is None or costs.states >= 1, "`states` must be None or at least 1")


def it_trains(of: BackendUnderTest) -> None:
    """The weights change, the budget is spent, and `steps.jsonl` says how."""
    trial, budget = of.whole, of.experiment.budget_rollouts
    start = resolving.model_hash(resolving.resolve(of.experiment.model))
    _require(not trial.result.diverged, f"the trial diverged: {trial.result.diverged}")
    _require(trial.result.final_weights != start, "the final weights are the initial ones")
    _require(trial.result.rollouts >= budget, f"it ended after {trial.result.rollouts} of {budget} rollouts")
    rows, wanted = trial.steps, list(range(1, trial.result.steps + 1))
    _require([row["step"] for row in rows] == wanted, "`steps.jsonl` must have each step, once")
    for name in ("rollouts", "tokens", "updates"):
        counted = [row[name] for row in rows]
        last = getattr(trial.result, name)
        _require(sorted(counted) == counted and counted[-1] == last, f"`{name}` counts {counted}, and ends with {last}")


def every_grid_point_is_evaluated(of: BackendUnderTest) -> None:
    """Once each, in order, at the first step at or past it, by the kind of engine that evaluates the start model."""
    asked = of.whole.watcher.seen
    engine = of.backend.start_engine(of.experiment, resolving.resolve(of.experiment.model))
    points = [checkpoint.grid for _, checkpoint, _ in asked]
    _require(points == list(of.experiment.grid_rollouts), f"it was evaluated at {points} rollouts")
    names = {name for name, _, _ in asked}
    _require(names == {engine.name}, f"`{engine.name}` evaluates the untrained model, {names} the checkpoints")
    late = [one for _, one, _ in asked if not one.grid <= one.rollouts < one.grid + BATCH]
    _require(not late, f"a point was evaluated at another step than the first past it: {late[:1]}")


def the_engine_holds_the_checkpoints_weights(of: BackendUnderTest) -> None:
    """What it answered at the last point is what the saved checkpoint answers, and its hash is the result's."""
    trial = of.whole
    _, last, said = trial.watcher.seen[-1]
    folder = trial.folder.checkpoint(last.step)
    saved = resolving.model_hash(folder)
    _require(last.weights == saved == trial.result.final_weights, "the checkpoint's hash is not what was evaluated")
    again = answers(of.backend.start_engine(of.experiment, folder))
    _require(again == said, "the saved checkpoint answers otherwise than the engine that was evaluated")


def checkpoints_load(of: BackendUnderTest) -> None:
    """In Hugging Face layout, with their tokenizer, whatever the backend."""
    from transformers import AutoTokenizer

    from harness.models import weights

    folder = of.whole.folder.checkpoint(of.whole.result.steps)
    weights.check(folder)
    weights.load_net(folder)
    _require(bool(AutoTokenizer.from_pretrained(folder).encode(QUESTION)), "the tokenizer encodes nothing")


def it_resumes_to_the_same_counters(of: BackendUnderTest) -> None:
    """A stop in the second step, and a second start in the same folder: as many steps, rollouts and updates, and no
    line of `steps.jsonl` twice."""
    for name in ("steps", "rollouts", "updates"):
        found, expected = getattr(of.resumed.result, name), getattr(of.whole.result, name)
        _require(found == expected, f"{found} {name} after a resume, {expected} without")
    places, wanted = [row["step"] for row in of.resumed.steps], list(range(1, of.whole.result.steps + 1))
    _require(places == wanted, f"`steps.jsonl` has the steps {places} after a resume")
    points = {checkpoint.grid for _, checkpoint, _ in of.resumed.watcher.seen}
    _require(max(of.experiment.grid_rollouts) in points, "the last grid point is not evaluated after a resume")


def a_finished_trial_is_left_as_it_is(of: BackendUnderTest) -> None:
    """One that was stopped after its last step is finished by a second start: nothing is learnt again."""
    before, steps = of.whole.result, of.whole.folder.steps.read_bytes()
    again = of.train("whole")
    _require(again.result.final_weights == before.final_weights, "a second start changes the final weights")
    _require(of.whole.folder.steps.read_bytes() == steps, "a second start changes `steps.jsonl`")


CHECKS: tuple[Callable[[BackendUnderTest], None], ...] = (
    importing_it_is_light,
    settings_are_frozen_described_and_written_out,
    mistakes_name_keys_that_exist,
    slots_are_between_one_and_the_room,
    costs_are_positive,
    it_trains,
    every_grid_point_is_evaluated,
    the_engine_holds_the_checkpoints_weights,
    checkpoints_load,
    it_resumes_to_the_same_counters,
    a_finished_trial_is_left_as_it_is,
)


def _odd_experiments(plain: Experiment) -> Iterator[Experiment]:
    """Settings that a backend may well refuse, one at a time."""
    yield replace(plain, record_steps=(1,))
    for change in ({"generator_sync_steps": 3}, {"microbatch_tokens": 1}, {"group_size": 1}, {"reward": "majority"}):
        recipe = replace(plain.recipe, **change)
        yield replace(plain, recipe=recipe, arms=tuple(replace(arm, recipe=recipe) for arm in plain.arms))
    for change in ({"temperature": 0.0}, {"top_p": 0.5}, {"max_tokens": 10**6}):
        yield replace(plain, evaluation=replace(plain.evaluation, **change))


def _is_key(schema: Any, key: tuple[str | int, ...]) -> bool:
    """Whether the path exists, as far as the schema knows: names of the user's own are not in it."""
    for part in key:
        inside = schema.get("properties")
        if inside is None:
            return True
        if part not in inside:
            return isinstance(schema.get("additionalProperties"), dict)
        schema = inside[part]
    return True


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise AssertionError(otherwise)
