"""Several ways to sample the headline: what a file may say, what is planned and locked, what is asked and resumed."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from harness import config
from harness.base.errors import UserError
from harness.config.evaluation import Decoding, Evaluation
from harness.config.explain import explain, json_schema
from harness.engines.base import Completion, Request, Sampling
from harness.evaluation.evaluator import Evaluator
from harness.evaluation.headers import EvaluatedCheckpoint
from harness.models import resolving
from harness.planning import costs, plan, tuning
from harness.records import EvalFolder, EvalRecord, Plan, RunFolder
from harness.run import jobs
from harness.run.progress import Survey

THREE = (
    "evaluation.decodings={sampled: {temperature: 1, k: 3}, greedy: {temperature: 0, k: 1}, cool: {temperature: .6}}"
)
SUBJECT = EvaluatedCheckpoint("grpo", 1, 12, 3072, 3072, "weights")
Rence = Callable[..., subprocess.CompletedProcess[str]]


def test_a_decoding_takes_the_place_of_the_evaluations_settings() -> None:
    decodings = {
        "sampled": Decoding(top_p=0.9, k=3),
        "greedy": Decoding(temperature=0.0, max_tokens=9, k=1),
        "own": Decoding(),
    }
    asked = Evaluation({"a": 2, "b": 4}, temperature=0.7, decodings=decodings)
    ways = {name: (w.temperature, w.top_p, w.max_tokens, w.benchmarks) for name, w in asked.ways.items()}
    assert ways == {
        "sampled": (0.7, 0.9, 48, {"a": 3, "b": 3}),
        "greedy": (0.0, 1.0, 9, {"a": 1, "b": 1}),
        "own": (0.7, 1.0, 48, {"a": 2, "b": 4}),
    }
    assert asked.first == asked.ways["sampled"] and list(asked.others) == ["greedy", "own"]
    alone = Evaluation({"a": 2})
    assert alone.ways == {"": alone} and alone.first == alone and alone.others == {}


@pytest.mark.parametrize(
    ("decodings", "said"),
    [
        ("{}", "names none"),
        ("[a, b]", "must be a mapping"),
        ("{a: null}", "`evaluation.decodings.a` must be a mapping, but is null"),
        ("{'': {temperature: .5}}", "it is empty"),
        ("{a: {}, a: {temperature: .5}}", "is given twice"),
        ("{cool: {temperature: .5}, Cool: {temperature: .6}}", "differ in case alone"),
        ("{a: {k: 2}, b: {k: 3}}", "`a` and `b` sample alike"),
        ("{a: {}, b: {temperature: 1.0, max_tokens: 48}}", "`a` and `b` sample alike"),
        ("{a: {temperature: 0, k: 1}, b: {temperature: 0, top_p: .5, k: 1}}", "`a` and `b` sample alike"),
        ("{a: {k: 2}, greedy: {temperature: 0, k: 4}}", "asks k = 4 on `mini_sums`. Give it `k: 1`."),
        ("{greedy: {temperature: 0, k: 4}, a: {}}", "asks k = 4 on `mini_sums`. Give it `k: 1`."),
        ("{'x@y': {}, b: {temperature: .5}}", "`x@y` cannot be a decoding's name"),
        ("{'../x': {}, b: {temperature: .5}}", "`../x` cannot be a decoding's name"),
        ("{average: {}, b: {temperature: .5}}", "`average` cannot be a decoding's name"),
        ("{Start: {}, b: {temperature: .5}}", "`Start` cannot be a decoding's name"),
        ("{%s: {}, b: {temperature: .5}}" % ("x" * 250), "at most 255 are allowed"),
        ("{t1: {}, t2: {k: 2}, t3: {k: 3}, t4: {k: 4}, t5: {k: 5}, t6: {k: 6}}", "names 6; at most 5"),
        ("{a: {}, b: {tempature: .5}}", "Did you mean `temperature`?"),
        ("{a: {}, b: {temperature: -1}}", "must be at least 0"),
        ("{a: {}, b: {top_p: 2}}", "must be at most 1"),
        ("{a: {}, b: {temperature: .nan}}", "must be a finite number"),
        ("{a: {}, b: {temperature: hot}}", "must be a number"),
        ("{a: {}, b: {k: 0}}", "must be at least 1"),
        ("{a: {}, b: {k: -1}}", "must be at least 1"),
        ("{a: {}, b: {k: 1.5}}", "must be an integer"),
        ("{a: {}, b: {k: 1000000}}", "must be at most 100,000"),
        ("{a: {}, b: {temperature: 1e-12, k: 4}}", "`b` has temperature 1e-12, which is greedy but for rounding"),
        ("{g: {temperature: 0, k: 1}, b: {temperature: 1e-320}}", "or 0.01 or more"),
        ("{a: {temperature: -0.0, k: 4}, b: {}}", "the decoding `a` is greedy"),
        ("{a/b: {}, b: {temperature: .5}}", "`a/b` cannot be a decoding's name"),
        ("{..: {}, b: {temperature: .5}}", "`..` cannot be a decoding's name"),
        ("{'@': {}, b: {temperature: .5}}", "`@` cannot be a decoding's name"),
        ("{a b: {}, b: {temperature: .5}}", "`a b` cannot be a decoding's name"),
        ("{größer: {}, b: {temperature: .5}}", "`größer` cannot be a decoding's name"),
    ],
)
def test_what_cannot_be_a_decoding_is_said_before_anything_starts(tiny: Path, decodings: str, said: str) -> None:
    with pytest.raises(UserError, match=r"evaluation\.decodings") as refused:
        config.load(tiny, [f"evaluation.decodings={decodings}"])
    assert said in str(refused.value) and refused.value.exit_code == 2
    assert len(str(refused.value).splitlines()) <= 3


def test_a_step_that_may_ask_without_end_and_attempts_beyond_count_are_refused(tiny: Path) -> None:
    """Where no group passes the filter, a step asks all that it may: a million batches would be a loop without end."""
    with pytest.raises(UserError, match=r"`recipe\.refill_batches` must be at most 1,000, but is 1000000"):
        config.load(tiny, ["recipe.refill_batches=1000000"])
    for key in ("evaluation.benchmarks.mini_sums", "evaluation.curve.mini_sums"):
        with pytest.raises(UserError, match="must be at most 100,000, but is 1000000"):
            config.load(tiny, [f"{key}=1000000"])


def test_greedy_inherited_or_with_the_benchmarks_or_the_curves_k(tiny: Path) -> None:
    two = "evaluation.benchmarks.mini_sums=2"
    with pytest.raises(UserError, match="asks k = 2 on `mini_sums`"):
        config.load(tiny, [two, "evaluation.decodings={a: {}, greedy: {temperature: 0}}"])
    with pytest.raises(UserError, match="asks k = 2 on `mini_sums`"):
        config.load(tiny, [two, "evaluation.temperature=0", "evaluation.decodings={a: {temperature: 1}, own: {}}"])
    first = "evaluation.decodings={greedy: {temperature: 0, k: 1}, a: {temperature: 1}}"
    with pytest.raises(UserError, match="There k must be 1 too"):
        config.load(tiny, ["evaluation.curve.mini_sums=2", first])
    assert config.load(tiny, [first]).evaluation.first.temperature == 0
    # the curve is the first one's: what it asks does not matter to another that is greedy
    config.load(tiny, ["evaluation.curve.mini_sums=2", "evaluation.decodings={a: {}, g: {temperature: 0, k: 1}}"])


def test_problems_of_ones_own_with_an_at_sign_are_refused(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text('{"problem": "1+1", "answer": "2"}\n')
    with pytest.raises(UserError, match="`my@greedy` cannot be the name of the problems"):
        config.load(tiny, ["evaluation.benchmarks={my@greedy: {file: mine.jsonl}}", THREE])


def test_it_is_written_out_and_read_again(tiny: Path, tmp_path: Path) -> None:
    assert config.resolved(config.load(tiny))["evaluation"]["decodings"] is None
    experiment = config.load(tiny, [THREE])
    (tmp_path / "resolved.json").write_text(json.dumps(config.resolved(experiment)))
    again = config.load(tmp_path / "resolved.json")
    assert again == experiment and list(again.evaluation.ways) == ["sampled", "greedy", "cool"]


def test_the_plan_says_and_locks_each_decoding(tiny: Path, tmp_path: Path) -> None:
    def made(*overrides: str) -> Plan:
        experiment = config.load(tiny, overrides)
        return plan.make(experiment, resolving.resolve(experiment.model))

    before, planned = made(), made(THREE)
    assert "decodings" not in before.evaluation and before.decodings == {}
    assert made("evaluation.decodings={only: {}}").lock == made("evaluation.decodings=null").lock == before.lock
    assert made("evaluation.decodings={only: {k: 3}}").lock == made("evaluation.benchmarks.mini_sums=3").lock
    assert planned.lock != before.lock and planned.benchmarks == {"mini_sums": 3}
    assert (planned.evaluation["temperature"], planned.curve_benchmarks) == (1.0, {"mini_sums": 1})
    cool = planned.evaluation["decodings"]["cool"]
    assert cool == {"temperature": 0.6, "top_p": 1.0, "max_tokens": 48, "benchmarks": {"mini_sums": 1}}
    assert made(THREE.replace(".6", ".7")).lock != planned.lock
    assert (
        made(THREE.replace("sampled: {temperature: 1, k: 3}", "sampled: {temperature: 1, k: 2}")).lock != planned.lock
    )
    names = ["mini_sums", "mini_sums@greedy", "mini_sums@cool"]
    assert planned.headline == [(name, "mini_sums", k) for name, k in zip(names, (3, 1, 1), strict=True)]
    planned.write(tmp_path / "plan.json")
    assert Plan.read(tmp_path / "plan.json").decodings == planned.decodings
    assert list(planned.other_decodings) == ["greedy", "cool"]


def test_costs_jobs_and_tuning_count_them(tiny: Path) -> None:
    experiment = config.load(tiny, [THREE, "evaluation.decodings.cool.max_tokens=96"])
    cost = costs.estimate(experiment, None, {"mini_sums": 200})
    # the start and 4 trials answer 3 + 1 + 1 times a problem, and each trial once at the earlier point
    assert cost.attempts == 5 * 200 * 5 + 4 * 200
    assert cost.evaluation_tokens == 5 * 200 * (4 * 48 + 96) + 4 * 200 * 48
    start = jobs.of(RunFolder(Path("runs/tiny")), experiment)[0]
    assert start.evaluations == ("mini_sums", "mini_sums@greedy", "mini_sums@cool")
    tuned = config.load(
        tiny,
        [THREE, "tuning={grid: {recipe.learning_rate: [1e-4, 1e-3]}, seeds: [9], benchmarks: {mini_validation: 2}}"],
    )
    stage = tuning.stage(tuned)
    assert stage is not None and stage.evaluation.decodings is None
    assert stage.evaluation.benchmarks == {"mini_validation": 2}


def test_it_is_explained() -> None:
    assert "evaluation.decodings: ways to sample" in explain("evaluation.decodings")
    assert "NAME.temperature: 0 is greedy" in explain("evaluation.decodings")
    assert "attempts a problem" in explain("evaluation.decodings.greedy.k")
    held = json_schema()["properties"]["evaluation"]["properties"]["decodings"]["additionalProperties"]
    assert set(held["properties"]) == {"temperature", "top_p", "max_tokens", "k"}


class Killed(BaseException):
    """As a signal would do it."""


class Echo:
    """Answers with how it was asked; may be killed at a call."""

    name, version, positions = "echo", "1", None

    def __init__(self, calls_to_live: int = 1000) -> None:
        self.asked: list[Sampling] = []
        self._left = calls_to_live

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[list[Completion]]:
        if len(self.asked) == self._left:
            raise Killed
        self.asked.append(sampling)
        text = f"\\boxed{{{10 * sampling.temperature:g}}}"
        return [[Completion(f"{text} {seed}", 4, "stop") for seed in request.seeds] for request in requests]


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(resolving.resolve("quickstart-base"))


@pytest.fixture
def evaluator(tokenizer: PreTrainedTokenizerBase) -> Evaluator:
    decodings = {"sampled": Decoding(k=2), "greedy": Decoding(temperature=0.0, k=1)}
    asked = Evaluation({"mini_sums": 4, "mini_chains": 4}, limit=20, chunk_problems=10, decodings=decodings)
    return Evaluator(asked, "bare", tokenizer)


def content(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_one_engine_answers_every_decoding(evaluator: Evaluator, tmp_path: Path) -> None:
    engine = Echo()
    evaluator.ask_headline(engine, SUBJECT, lambda name: EvalFolder(tmp_path / name))
    assert [one.temperature for one in engine.asked] == [1.0] * 4 + [0.0] * 4
    headers = {path.parent.name: EvalRecord.read(path) for path in sorted(tmp_path.glob("*/eval.json"))}
    assert {
        name: (h.decoding, h.benchmark, h.k, h.sampling["temperature"], h.folder) for name, h in headers.items()
    } == {
        "mini_chains": ("", "mini_chains", 2, 1.0, "mini_chains"),
        "mini_sums": ("", "mini_sums", 2, 1.0, "mini_sums"),
        "mini_chains@greedy": ("greedy", "mini_chains", 1, 0.0, "mini_chains@greedy"),
        "mini_sums@greedy": ("greedy", "mini_sums", 1, 0.0, "mini_sums@greedy"),
    }
    assert "decoding" not in (tmp_path / "mini_sums/eval.json").read_text()


@pytest.mark.parametrize("calls", range(8))
def test_killed_in_any_decoding_and_resumed_gives_the_same_bytes(
    evaluator: Evaluator, tmp_path: Path, calls: int
) -> None:
    evaluator.ask_headline(Echo(), SUBJECT, lambda name: EvalFolder(tmp_path / "whole" / name))
    with pytest.raises(Killed):
        evaluator.ask_headline(Echo(calls), SUBJECT, lambda name: EvalFolder(tmp_path / "cut" / name))
    resumed = Echo()
    evaluator.ask_headline(resumed, SUBJECT, lambda name: EvalFolder(tmp_path / "cut" / name))
    assert content(tmp_path / "cut") == content(tmp_path / "whole")
    assert len(resumed.asked) == 8 - calls


def test_a_run_asks_them_at_both_ends_and_goes_on_after_a_kill(tiny: Path, tmp_path: Path, rence: Rence) -> None:
    settings = ["evaluation.limit=6", "budget.rollouts=64", "seeds=[0]", "--workers", "1", THREE]
    ended = rence("run", str(tiny), *settings)
    assert ended.returncode == 0, ended.stderr
    run, names = tmp_path / "runs/tiny", ["mini_sums", "mini_sums@cool", "mini_sums@greedy"]
    assert sorted(p.name for p in (run / "start/evals").iterdir()) == names
    steps = sorted((run / "grpo/seed0/evals").iterdir())
    assert [sorted(p.name for p in step.iterdir()) for step in steps] == [["mini_sums"], names]
    done = json.loads((run / "grpo/seed0/done.json").read_text())["evaluations"]
    assert sorted(done) == ["step_1/mini_sums", *(f"step_2/{name}" for name in names)]
    assert Survey(RunFolder(run), {"mini_sums": 6}).start().attempts == 6 * 5
    assert rence("verify", str(run)).returncode == 0

    before = {name: held for name, held in content(run).items() if _stays(name)}
    cut = run / "grpo/seed0"
    for path in (cut / "done.json", *(cut / "evals/step_2/mini_sums@cool").iterdir(), run / "report/seal.json"):
        path.unlink()
    shutil.rmtree(run / "start/evals/mini_sums@greedy")
    again = rence("run", str(tiny), *settings)
    assert again.returncode == 0, again.stderr
    assert {name: held for name, held in content(run).items() if _stays(name)} == before


def _stays(name: str) -> bool:
    return not name.startswith("report/") and "logs/" not in name and not name.endswith(("timing.json", ".lock"))
