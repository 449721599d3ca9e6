"""The contracts of engines and backends: ours keep them, a plug-in is held to them, each check catches its mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from harness.backends import backend_contract
from harness.backends.base import Backend, BackendCosts, Mistake
from harness.backends.example_trial import BackendUnderTest, experiment_on
from harness.backends.example_trial import under_test as backend_under_test
from harness.backends.local.backend import LocalBackend
from harness.base.errors import UserError
from harness.engines import engine_contract
from harness.engines.engine_contract import EngineUnderTest
from harness.engines.local import LocalEngine
from harness.engines.registry import open_engine
from harness.models.resolving import SHIPPED, model_hash
from rence.cli import checking
from rence.cli.checking import CheckedKind, outcome, run_contract

BASE = SHIPPED["quickstart-base"]
PLAIN = Path(__file__).with_name("plain_backend.py").read_text(encoding="utf-8")


def failed(module: Any, subject: Any, *only: str) -> dict[str, str]:
    """Check -> what it found, of those that do not hold."""
    checks = [check for check in module.CHECKS if not only or check.__name__ in only]
    rows = [outcome("thing", check, subject) for check in checks]
    return {row.name: row.detail for row in rows if row.passed is False}


@pytest.fixture(scope="module")
def engine() -> LocalEngine:
    return LocalEngine.open(BASE)


def under_test(engine: Any) -> EngineUnderTest:
    return EngineUnderTest("mine", engine, AutoTokenizer.from_pretrained(BASE))


@pytest.mark.parametrize("name", ["local", "hf"])
def test_our_engines_keep_the_contract(name: str) -> None:
    rows = run_contract(CheckedKind.engine, name)
    assert len(rows) >= 5 and [row for row in rows if not row.passed] == []


class Wrapped:
    """An engine that hands on to another."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.name, self.version, self.positions = inner, "mine", "1", inner.positions

    def generate(self, requests: Any, sampling: Any) -> Any:
        return self.inner.generate(requests, sampling)


class OneSeed(Wrapped):
    def generate(self, requests: Any, sampling: Any) -> Any:
        return super().generate([replace(one, seeds=(0,) * len(one.seeds)) for one in requests], sampling)


class SeedsOfItsOwn(Wrapped):
    calls = 0

    def generate(self, requests: Any, sampling: Any) -> Any:
        self.calls += 1
        shifted = [replace(one, seeds=tuple(seed + self.calls for seed in one.seeds)) for one in requests]
        return super().generate(shifted, sampling)


class SeedsByPlace(Wrapped):
    def generate(self, requests: Any, sampling: Any) -> Any:
        moved = [replace(one, seeds=tuple(seed + i for seed in one.seeds)) for i, one in enumerate(requests)]
        return super().generate(moved, sampling)


class NeverCut(Wrapped):
    def generate(self, requests: Any, sampling: Any) -> Any:
        found = super().generate(requests, sampling)
        return [[replace(one, finish_reason="stop") for one in each] for each in found]


class CountsNothing(Wrapped):
    def generate(self, requests: Any, sampling: Any) -> Any:
        return [[replace(one, tokens=0) for one in each] for each in super().generate(requests, sampling)]


class AlwaysWarm(Wrapped):
    def generate(self, requests: Any, sampling: Any) -> Any:
        return super().generate(requests, replace(sampling, temperature=sampling.temperature or 1.0))


class Forgets(Wrapped):
    def generate(self, requests: Any, sampling: Any) -> Any:
        return [each[:1] for each in super().generate(requests, sampling)]


class Nameless(Wrapped):
    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.version = ""


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (OneSeed, "seeds identify samples"),
        (SeedsOfItsOwn, "seeds identify samples"),
        (SeedsByPlace, "order changes nothing"),
        (SeedsByPlace, "company changes nothing"),
        (NeverCut, "truncation is flagged"),
        (NeverCut, "a full context is flagged"),
        (CountsNothing, "token counts fit"),
        (AlwaysWarm, "greedy repeats"),
        (Forgets, "every seed has its completion"),
        (Nameless, "it says what it is"),
    ],
)
def test_an_engine_that_breaks_it_is_caught(engine: LocalEngine, broken: type[Wrapped], check: str) -> None:
    assert check in failed(engine_contract, under_test(broken(engine)))


def test_an_engine_that_is_not_here_is_not_run_and_not_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise UserError("engine `vllm` needs vLLM.\nmore")

    monkeypatch.setattr(engine_contract, "open_engine", refuse)
    (row,) = run_contract(CheckedKind.engine, "vllm")
    assert (row.name, row.passed, row.detail) == ("all 9 checks", None, "engine `vllm` needs vLLM.")


def test_our_backends_keep_the_contract() -> None:
    rows = run_contract(CheckedKind.backend, "local")
    assert len(rows) >= 5 and [row for row in rows if not row.passed] == []


def test_a_plugin_backend_is_held_to_the_contract(package: Callable[..., Path]) -> None:
    package("plain_backend", PLAIN, backends={"plain": "plain_backend:PlainBackend"})
    assert [row for row in run_contract(CheckedKind.backend, "plain") if not row.passed] == []


def test_what_a_backend_lacks_is_said_and_no_pass() -> None:
    class Elsewhere(LocalBackend):
        def lacks(self, experiment: Any) -> str:
            return "a machine of its own is missing"

    rows = [outcome("backend", one, local(Elsewhere())) for one in backend_contract.CHECKS]
    left = [row for row in rows if row.passed is None]
    assert len(left) == 6 and {row.detail for row in left} == {"a machine of its own is missing"}
    assert all(row.passed for row in rows if row not in left)


def local(backend: Backend) -> BackendUnderTest:
    return BackendUnderTest("local", backend, experiment_on("local"))


class NoSlots(LocalBackend):
    def slots(self, experiment: Any, room: int) -> int:
        return room - 1


class Free(LocalBackend):
    def costs(self, experiment: Any) -> BackendCosts:
        return BackendCosts(devices=0)


class KnowsNoKeys(LocalBackend):
    def mistakes(self, experiment: Any) -> Iterator[Mistake]:
        yield Mistake((("recipe", "batch"),), "`batch` is too large.")


@dataclass
class Loose:
    size: int
    colour: str = "red"
    """of it"""


class LooseSettings(LocalBackend):
    settings = Loose


class NeverEvaluates(LocalBackend):
    def train(self, trial: Any, model: Any, prompts: Any, folder: Any, evaluate: Any, observer: Any) -> Any:
        return super().train(trial, model, prompts, folder, lambda *_: None, observer)


class EvaluatesTheStart(LocalBackend):
    def train(self, trial: Any, model: Any, prompts: Any, folder: Any, evaluate: Any, observer: Any) -> Any:
        start = open_engine("local", model)
        return super().train(trial, model, prompts, folder, lambda _, point: evaluate(start, point), observer)


class StartsOver(LocalBackend):
    """Takes no notice of what it has done, and writes its steps below the old ones."""

    def train(self, trial: Any, model: Any, prompts: Any, folder: Any, evaluate: Any, observer: Any) -> Any:
        before = folder.steps.read_bytes() if folder.steps.exists() else b""
        for checkpoint in folder.checkpoints.glob("step_*"):
            checkpoint.rename(checkpoint.with_name(f"old_{checkpoint.name}"))
        result = super().train(trial, model, prompts, folder, evaluate, observer)
        folder.steps.write_bytes(before + folder.steps.read_bytes())
        return result


class LearnsNothing(LocalBackend):
    def train(self, trial: Any, model: Any, prompts: Any, folder: Any, evaluate: Any, observer: Any) -> Any:
        result = super().train(trial, model, prompts, folder, evaluate, observer)
        return replace(result, final_weights=model_hash(model))


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (NoSlots, "slots_are_between_one_and_the_room"),
        (Free, "costs_are_positive"),
        (KnowsNoKeys, "mistakes_name_keys_that_exist"),
        (LooseSettings, "settings_are_frozen_described_and_written_out"),
        (NeverEvaluates, "every_grid_point_is_evaluated"),
        (EvaluatesTheStart, "the_engine_holds_the_checkpoints_weights"),
        (StartsOver, "it_resumes_to_the_same_counters"),
        (LearnsNothing, "it_trains"),
    ],
)
def test_a_backend_that_breaks_it_is_caught(broken: type[Backend], check: str) -> None:
    assert list(failed(backend_contract, local(broken()), check)) == [check.replace("_", " ")]


def test_a_module_that_imports_torch_is_caught(package: Callable[..., Path]) -> None:
    package("heavy", f"import torch\n{PLAIN}", backends={"plain": "heavy:PlainBackend"})
    found = failed(backend_contract, backend_under_test("plain"), "importing_it_is_light")
    assert "importing it imports torch" in found["importing it is light"]


def test_every_contract_is_in_the_table_of_kinds() -> None:
    assert set(checking.CONTRACTS) == set(CheckedKind)
