"""Validation dumps that verl's own trainer writes, as its validation hands them over."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.importing.sources import ImportSource
from harness.importing.verl import answers

from .conftest import Done, verdict, write

Rence = Callable[..., Done]
PROBLEMS = [(f"user\nWhat is {i} + {i}?\nassistant\n", str(2 * i)) for i in range(12)]
N = 4


@pytest.fixture(scope="module")
def trainer() -> Any:
    """As much of verl's trainer as writes: its method, its thread, and the step."""
    ray_trainer = pytest.importorskip("verl.trainer.ppo.ray_trainer")
    made = object.__new__(ray_trainer.RayPPOTrainer)
    made._init_dump_executor()
    yield made
    made._shutdown_dump_executor()


def dump(trainer: Any, folder: Path, step: int, share: float, seed: int, extras: Callable[[list[bool]], dict]) -> None:
    """What `_validate` collects: n answers to each prompt in a row, scores, and lists of whatever a reward returned."""
    draw = np.random.default_rng([seed, step])
    right = (draw.random(len(PROBLEMS) * N) < share).tolist()
    problems = [problem for problem in PROBLEMS for _ in range(N)]
    outputs = [f"\\boxed{{{gold if ok else 'x'}}}" for (_, gold), ok in zip(problems, right, strict=True)]
    trainer.global_steps = step
    trainer._dump_generations(
        inputs=[prompt for prompt, _ in problems],
        outputs=outputs,
        gts=[gold for _, gold in problems],
        scores=[1.0 if ok else -1.0 for ok in right],
        reward_extra_infos_dict={"reward": [1.0 if ok else -1.0 for ok in right], **extras(right)},
        dump_path=str(folder),
    )
    for future in trainer._dump_futures:
        future.result()


def accuracies(right: list[bool]) -> dict[str, list]:
    """As DAPO's reward returns them; numpy's booleans reach the file as texts."""
    return {"acc": [np.bool_(ok) for ok in right], "pred": ["4"] * len(right), "data_source": ["sums"] * len(right)}


def nothing(right: list[bool]) -> dict[str, list]:
    return {}


def correct(folder: Path) -> float:
    lines = [json.loads(line) for line in folder.read_text().splitlines()]
    return sum(line["score"] > 0 for line in lines) / len(lines)


def test_steps_seeds_and_arms(rence: Rence, trainer: Any, tmp_path: Path) -> None:
    for arm, gain in (("grpo", 0.3), ("dapo", 0.0)):
        for seed in range(3):
            for step in (0, 10, 100):
                share = 0.3 + gain * step / 100
                dump(trainer, tmp_path / f"{arm}{seed}", step, share, seed, accuracies)
    names = [f"{arm}/seed{seed}={arm}{seed}" for arm in ("grpo", "dapo") for seed in range(3)]
    done = rence("import", "verl", *names, "--out", "x", "--json")
    assert done.code == 0, done.err
    said = rence("import", "verl", "{arm}{seed}", "--target", "grpo", "--out", "y", "--json")  # the same, in a word
    assert said.json | {"run": "x"} == done.json | {"arms": ["dapo", "grpo"]}
    assert (done.json["steps"], done.json["benchmarks"]) == ([0, 10, 100], {"sums": N})
    assert done.json["attempts"] == 2 * 3 * 3 * 12 * N
    assert rence("report", "x").code == 0
    arms = verdict(tmp_path / "x")["arms"]
    expected = [
        np.mean([correct(tmp_path / f"{arm}{seed}/100.jsonl") for seed in range(3)]) for arm in ("grpo", "dapo")
    ]
    assert [arm["average"]["mean"] for arm in arms] == pytest.approx(expected)
    assert (tmp_path / "x/report/figures/curve-step.svg").exists()
    header = json.loads((tmp_path / "x/grpo/seed1/evals/step_10/sums/eval.json").read_text())
    assert (header["grader_version"], header["problems"], header["k"]) == ("verl acc", 12, N)


def test_scores_alone_the_untrained_model_and_marking_again(rence: Rence, trainer: Any, tmp_path: Path) -> None:
    dump(trainer, tmp_path / "run", 0, 0.2, 0, nothing)
    dump(trainer, tmp_path / "run", 50, 0.7, 0, nothing)
    words = ["start=run/0.jsonl", "grpo/seed0=run/50.jsonl"]
    done = rence("import", "verl", *words, "--out", "x")
    assert done.code == 3 and "lacks the column `data_source`" in done.err and "--benchmark NAME" in done.err
    for out, how in (("x", []), ("y", ["--mark"])):
        assert rence("import", "verl", *words, "--benchmark", "sums", *how, "--out", out).code == 0
        assert rence("report", out).code == 0
        found = {arm["arm"]: arm["average"]["mean"] for arm in verdict(tmp_path / out)["arms"]}
        assert found == pytest.approx(
            {"start": correct(tmp_path / "run/0.jsonl"), "grpo": correct(tmp_path / "run/50.jsonl")}
        )
    assert json.loads((tmp_path / "x/start/evals/sums/eval.json").read_text())["grader_version"] == "verl score > 0"


def line(**cells: Any) -> dict[str, Any]:
    return {"input": "q", "output": "a", "gts": "4", "score": 1.0, "step": 5, "data_source": "sums"} | cells


@pytest.mark.parametrize(
    ("lines", "words", "code", "said"),
    [
        (
            [line(), line(input="p", score=0.1), line(input="r", score=0.0)],
            [],
            3,
            "`score` has the values 0, 0.1, 1, so",
        ),
        ([line(), line(input="p", score=0.1)], [], 3, "`score` has the values 0.1, 1, so"),
        ([line(), line(input="p", acc=True)], [], 3, "`acc` is empty"),
        ([line(), line(step=6)], [], 3, "5.jsonl:2: `step` must be the same in all lines"),
        ([line(score=None)], [], 3, "5.jsonl:1: `score` is empty"),
        ([line(), line(), line(input="p")], [], 3, "has 1 attempts, but"),
        ([{"prompt": "q", "response": "a"}], [], 3, "lacks the column `input`. Is this a validation dump of verl?"),
        ([line(gts=None)], ["--mark"], 3, "5.jsonl:1: `gts` must be a text, but is empty"),
        ([line()], ["--reading", "anywhere"], 2, "add --mark"),
    ],
)
def test_what_is_refused(rence: Rence, tmp_path: Path, lines: list, words: list[str], code: int, said: str) -> None:
    write(tmp_path / "run/5.jsonl", lines)
    done = rence("import", "verl", "grpo=run", *words, "--out", "x")
    assert (done.code, said in done.err) == (code, True), done.err
    assert not (tmp_path / "x").exists()


def test_a_bound_between_scores_and_a_path_without_a_name(rence: Rence, tmp_path: Path) -> None:
    write(tmp_path / "run/5.jsonl", [line(), line(input="p", score=0.1), line(input="r", score=0.0)])
    assert rence("import", "verl", "grpo=run", "--correct-above", "0.5", "--out", "x", "--json").code == 0
    rence("report", "x")
    assert verdict(tmp_path / "x")["arms"][0]["average"]["mean"] == pytest.approx(1 / 3)
    done = rence("import", "verl", "run", "--out", "y")
    assert done.code == 2 and "grpo/seed0=run/5.jsonl" in done.err
    done = rence("import", "verl", "grpo=.", "--out", "y")
    assert done.code == 2 and ". holds no <step>.jsonl" in done.err


def test_of_an_answer_in_several_turns_the_last_counts(rence: Rence, tmp_path: Path) -> None:
    turns = [
        line(uid=f"{uid}_{session}_{turn}", output=f"{turn}") for uid in "ab" for session in (0, 1) for turn in (0, 1)
    ]
    lines = [one | {"input": one["uid"][0]} for one in turns]
    write(tmp_path / "run/5.jsonl", lines)
    done = rence("import", "verl", "grpo=run", "--out", "x", "--json")
    assert (done.json["attempts"], done.json["benchmarks"]) == (4, {"sums": 2})


def test_a_step_of_training_is_read_as_columns(trainer: Any, tmp_path: Path) -> None:
    """What `rence diff` learns from, written by verl itself: the same method dumps rollouts and validations."""
    dump(trainer, tmp_path, 7, 0.5, 0, accuracies)
    found = answers(ImportSource(tmp_path / "7.jsonl"), None)
    assert (found.step, found.how, len(found.prompts)) == (7, "verl acc", len(PROBLEMS) * N)
    assert (found.prompts[0], found.golds[N]) == (PROBLEMS[0][0], "2")
    assert sum(found.correct) / len(found.correct) == correct(tmp_path / "7.jsonl")
    assert [
        f"\\boxed{{{gold}}}" == output for gold, output in zip(found.golds, found.outputs, strict=True)
    ] == found.correct
