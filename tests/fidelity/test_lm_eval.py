"""Equal responses get equal scores from lm-eval's own command and from ours, to the last digit. Nothing is fetched."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import stdev
from typing import Any

import lm_eval
import pyarrow.parquet
import pytest
from lm_eval.api.instance import Instance
from lm_eval.api.model import LM
from lm_eval.tasks import TaskManager
from transformers import AutoTokenizer

from benchmarks import registry, scoring, tasks
from benchmarks.asking import INSTRUCTION, asked
from benchmarks.loading import source as loading
from benchmarks.marking import mark_all
from benchmarks.marks import Mark, Marked, Response, Rule
from benchmarks.maths import training
from benchmarks.problems import Benchmark
from harness.config.evaluation import Evaluation
from harness.engines.base import Completion, Engine, Request, Sampling
from harness.engines.local import LocalEngine
from harness.evaluation.evaluator import Evaluator
from harness.evaluation.headers import EvaluatedCheckpoint
from harness.models import resolving
from harness.records import EvalFolder
from tests.closeness import assert_close

ROOT = Path(__file__).parents[2]
TASKS = Path(tasks.__file__).parent
MODEL = str(resolving.resolve("quickstart-base"))
MINI = f"""
task: mini_k4
include: [{TASKS}/_common.yaml, {TASKS}/_k4.yaml]
test_split: test
doc_to_text: "{{{{question}}}}\\n"
metadata: {{version: 1, benchmark: mini_sums}}
"""
"""the same, over a benchmark that is always here, and asked as the shipped model was taught"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tasks")
    (folder / "mini_k4.yaml").write_text(MINI)
    return folder


def needs(name: str) -> None:
    source = next(one for one in training.HELD_OUT if one.name == name)
    if loading.local_file(source) is None:
        pytest.skip(f"the problems of {name} are not shipped; set RENCE_DATA_DIR to a folder that holds them")


def command(arguments: Sequence[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "hf"), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    inherited = {key: value for key, value in os.environ.items() if key != "RENCE_DATA_DIR" or key in environment}
    return subprocess.run(
        [sys.executable, "-m", "lm_eval", "run", *arguments],
        cwd=folder,
        env=inherited | offline | environment,
        capture_output=True,
        text=True,
        timeout=600,
    )


def run(include: Path, names: str, limit: int, out: Path) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """The shipped model asked by lm-eval: its results, and the samples of each task."""
    model = ["--model", "hf", "--model_args", f"pretrained={MODEL},dtype=float32", "--batch_size", "16"]
    asked = ["--include_path", str(include), "--tasks", names, "--limit", str(limit), "--gen_kwargs", "max_gen_toks=40"]
    data = {key: value for key, value in os.environ.items() if key == "RENCE_DATA_DIR"}
    done = command([*model, *asked, "--log_samples", "--output_path", str(out)], out, **data)
    assert done.returncode == 0, done.stderr
    (results,) = (json.loads(path.read_text()) for path in out.glob("*/results_*.json"))
    samples = {
        name: [json.loads(line) for path in out.glob(f"*/samples_{name}_2*.jsonl") for line in path.open()]
        for name in names.split(",")
    }
    return results["results"], samples


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def scores(marked: Sequence[Marked]) -> dict[str, float]:
    return {
        "avg@k": scoring.avg(marked),
        "pass@k": scoring.pass_at(len(marked), marked),
        "maj@k": scoring.maj(marked),
        "no_answer": scoring.share(marked, Mark.NO_ANSWER),
        "grader_failed": scoring.share(marked, Mark.GRADER_FAILED),
    }


def assert_scores_are_of_the_responses(result: dict[str, Any], samples: list[dict[str, Any]], k: int) -> None:
    found = []
    for sample in samples:
        (responses,), document = sample["resps"], sample["doc"]
        assert len(responses) == k and sample["filtered_resps"] == [responses]
        rule = Rule.from_json(document["rule"])
        found.append(scores(mark_all(Response(text, document["gold"], rule) for text in responses)))
        assert {name: sample[name] for name in found[-1]} == found[-1]
    for name in found[0]:
        assert result[f"{name},all"] == mean([one[name] for one in found])
    clustered = stdev(one["avg@k"] for one in found) / len(found) ** 0.5
    assert_close(result["avg@k_stderr,all"], clustered, within=1e-9)


def test_lm_evals_command_on_the_shipped_model(mini: Path, tmp_path: Path) -> None:
    results, samples = run(mini, "mini_k4", 48, tmp_path)
    assert len(samples["mini_k4"]) == 48
    assert_scores_are_of_the_responses(results["mini_k4"], samples["mini_k4"], 4)
    assert 0 < results["mini_k4"]["avg@k,all"] < results["mini_k4"]["pass@k,all"] < 1
    assert any(len(set(sample["resps"][0])) > 1 for sample in samples["mini_k4"])


def test_lm_evals_command_on_the_fields_benchmarks(tmp_path: Path) -> None:
    for name in ("aime24", "olympiadbench"):
        needs(name)
    results, samples = run(TASKS, "rence_aime24_k32,rence_olympiadbench_k4", 3, tmp_path)
    for task, k in (("rence_aime24_k32", 32), ("rence_olympiadbench_k4", 4)):
        assert len(samples[task]) == 3
        assert_scores_are_of_the_responses(results[task], samples[task], k)
    first = samples["rence_aime24_k32"][0]
    problem = registry.benchmark("aime24").problems[0]
    assert (first["doc"]["id"], first["target"]) == (problem.id, problem.gold)
    assert first["arguments"]["gen_args_0"]["arg_0"] == f"{problem.question}\n\n{INSTRUCTION}"


class Cheat:
    """Knows the golds, and says one thing or another by the seed."""

    name, version, positions = "cheat", "1", None

    def __init__(self, benchmark: Benchmark) -> None:
        self._golds = iter([problem.gold for problem in benchmark.problems])

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[list[Completion]]:
        return [self._answers(next(self._golds), request.seeds) for request in requests]

    def _answers(self, gold: str, seeds: Sequence[int]) -> list[Completion]:
        return [self._answer(gold, random.Random(seed)) for seed in seeds]

    def _answer(self, gold: str, draw: random.Random) -> Completion:
        other = Completion(f"\\boxed{{{draw.randrange(3)}}}", 5, "stop")
        right = Completion(f"<think>\\boxed{{1}}</think> So \\boxed{{ {gold} }}.", 9, "stop")
        silent = Completion("who knows", 2, "stop"), Completion("let me", 48, "length")
        return draw.choice((other, other, right, *silent))


class Replay(LM):
    """Says what was said before, by prompt and by how often it was asked."""

    def __init__(self, said: dict[str, list[str]]) -> None:
        super().__init__()
        self._said = {prompt: iter(responses) for prompt, responses in said.items()}

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = False) -> list[str]:
        return [next(self._said[request.args[0]]) for request in requests]

    def loglikelihood(self, requests: list[Instance], disable_tqdm: bool = False) -> list[tuple[float, bool]]:
        raise NotImplementedError

    def loglikelihood_rolling(self, requests: list[Instance], disable_tqdm: bool = False) -> list[float]:
        raise NotImplementedError


def attempts(engine: Engine, name: str, k: int, root: Path) -> list[dict[str, Any]]:
    """Rows as an evaluation writes them."""
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    evaluator = Evaluator(Evaluation({name: k}, {}, seed=7), "bare", tokenizer)
    evaluator.ask(engine, EvaluatedCheckpoint("any", 0, 0, 0, 0, "weights"), {name: k}, lambda _: EvalFolder(root))
    return pyarrow.parquet.read_table(EvalFolder(root).attempts).to_pylist()


def by_problem(rows: Sequence[dict[str, Any]]) -> Iterator[list[Marked]]:
    found: dict[str, list[Marked]] = defaultdict(list)
    for row in rows:
        found[row["problem_id"]].append(Marked(Mark(row["mark"]), row["answer"]))
    yield from found.values()


def assert_lm_eval_agrees(rows: Sequence[dict[str, Any]], said: dict[str, list[str]], include: Path, task: str) -> None:
    manager = TaskManager(include_path=str(include), include_defaults=False)
    results = lm_eval.simple_evaluate(Replay(said), tasks=[task], task_manager=manager, log_samples=False)
    assert results
    ours = [scores(marked) for marked in by_problem(rows)]
    theirs = results["results"][task]
    assert theirs["sample_len"] == len(ours)
    for name in ("avg@k", "pass@k", "maj@k", "grader_failed"):
        assert theirs[f"{name},all"] == mean([one[name] for one in ours]), name
    assert 0 < theirs["avg@k,all"] < theirs["pass@k,all"] <= 1
    silent = [row["mark"] in ("no_answer", "truncated") for row in rows]
    assert theirs["no_answer,all"] == pytest.approx(mean(silent))  # which of the two, lm-eval cannot say


def test_attempts_replayed_by_lm_eval(mini: Path, tmp_path: Path) -> None:
    rows = attempts(LocalEngine.open(Path(MODEL)), "mini_sums", 4, tmp_path)
    questions = {problem.id: f"{problem.question}\n" for problem in registry.benchmark("mini_sums").problems}
    said: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        said[questions[row["problem_id"]]].append(row["response"])
    assert_lm_eval_agrees(rows, said, mini, "mini_k4")


@pytest.mark.parametrize("name, k", [("aime24", 32), ("math500", 4)])
def test_attempts_at_the_fields_benchmarks_replayed_by_lm_eval(name: str, k: int, tmp_path: Path) -> None:
    needs(name)
    benchmark = registry.benchmark(name)
    rows = attempts(Cheat(benchmark), name, k, tmp_path)
    prompts = {problem.id: asked(problem.question, problem.note, INSTRUCTION) for problem in benchmark.problems}
    said: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        said[prompts[row["problem_id"]]].append(row["response"])
    assert_lm_eval_agrees(rows, said, TASKS, f"rence_{name}_k{k}")


TWO = '{"problem": "What is 1+1?", "answer": "2"}\n{"problem": "What is 1+2?", "answer": "3"}\n'


@pytest.mark.parametrize(
    "file, named, first, last",
    [
        (None, None, "the problems of `aime24` are not here: RENCE_DATA_DIR is not set, and the hub's", "Either set"),
        (
            None,
            ".",
            "aime24.jsonl is not in . (RENCE_DATA_DIR), and the hub's `math-ai/aime24` cannot be",
            "Either set",
        ),
        (TWO, ".", "must hold the 30 problems of `aime24` with the hash 0a116718f532d92f, but holds 2 with", "Put the"),
    ],
)
def test_bad_data_is_said_in_our_words(
    file: str | None, named: str | None, first: str, last: str, tmp_path: Path
) -> None:
    if file:
        (tmp_path / "aime24.jsonl").write_text(file)
    environment = {"RENCE_DATA_DIR": named} if named else {}
    arguments = ["--model", "dummy", "--include_path", str(TASKS), "--tasks", "rence_aime24_k32"]
    done = command(arguments, tmp_path, **environment)
    said = done.stderr.splitlines()
    assert done.returncode == 1
    assert (
        said[-2].startswith(("benchmarks.problems.ProblemsError: ", "benchmarks.problems.ProblemsMissing: "))
        and first in said[-2]
    )
    assert said[-1].startswith(last) and "aime24" in said[-1]


CHECKOUT = """
import sys
from pathlib import Path

sys.path = [path for path in sys.path if not Path(path, "benchmarks").is_dir()]
from lm_eval.tasks import TaskManager

(task,) = TaskManager(include_path=sys.argv[1], include_defaults=False).load("mini_k4")["tasks"].values()
import benchmarks

print(len(task.eval_docs), benchmarks.__file__)
"""


def test_a_checkout_that_is_not_installed(mini: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", CHECKOUT, str(mini)], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.stdout.split() == ["200", str(ROOT / "benchmarks" / "__init__.py")], done.stderr
