"""Four arms on verl's real trainer: Ray, two data-parallel ranks over gloo, vLLM's CPU build, the quickstart's model.

One run for all tests: it is killed with SIGKILL while its first arm trains, on one rank, and then run to its end on
two.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from harness.models.resolving import model_hash, resolve
from harness.records import DoneRecord, Mark, RunFolder, StepRecord, TrialFolder, read_json, read_jsonl

GROUP_SIZE, PROMPTS = 4, 8
ARMS: dict[str, Any] = {
    "online_dpo": {"recipe": {"generator_sync_steps": 3, "reference_sync_steps": 3, "learning_rate": 1e-3}},
    "rence": {},
    "grpo": {},
    "dapo": {},
}
KILLED = "online_dpo"
"""the arm with the most to restore: its sampler lags, and its reference follows the sampler. It is quick to learn, so
that weights of another step are seen in log-probs"""
EXPERIMENT: dict[str, Any] = {
    "schema": 1,
    "name": "both",
    "model": "quickstart-base",
    "template": "bare",
    "train": "mini_rl",
    "seeds": [0],
    "budget": {"rollouts": 128},
    "recipe": {
        "group_size": GROUP_SIZE,
        "prompts_per_step": PROMPTS,
        "epochs": 2,
        "minibatches": 2,
        "microbatch_tokens": 256,  # holds the longest sequence, of 208 tokens, and few groups whole
        "checkpoint_steps": 1,
    },
    "evaluation": {"benchmarks": {"mini_sums": 1}, "points": 2},
    "arms": ARMS,
    "comparison": {"target": "rence", "baselines": ["grpo", "dapo", "online_dpo"]},
}
VERL = {
    "device": "cpu",
    "gpus_per_node": 2,
    "max_prompt_tokens": 160,
    "importance_cap": 2.0,
    "stall_seconds": 600,
}
PATIENCE = 900.0
"""seconds: for one start of everything on a busy machine"""

pytestmark = pytest.mark.timeout(2 * PATIENCE)  # the first test waits for the whole run


@dataclass(frozen=True)
class Both:
    """The same experiment on both backends."""

    verl: RunFolder
    local: RunFolder
    work: Path
    before_the_kill: bytes
    """of the killed arm's steps.jsonl"""
    killed_at: int
    """step of its newest checkpoint when it was killed"""
    kept_of_sampler: list[str]
    """files of that checkpoint"""

    def steps(self, arm: str) -> list[StepRecord]:
        names = [field.name for field in fields(StepRecord)]
        return [
            StepRecord(**{name: row[name] for name in names if name in row})
            for row in read_jsonl(self.verl.trial(arm, 0).steps)
        ]


def rence(work: Path, *arguments: str) -> subprocess.Popen[bytes]:
    with (work / "output.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "rence", *arguments], cwd=work, stdout=log, stderr=log)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    work = tmp_path_factory.mktemp("both")
    for backend in ("verl", "local"):
        experiment = {**EXPERIMENT, "backend": backend, "name": backend}
        if backend == "verl":
            experiment["verl"] = VERL
        (work / f"{backend}.yaml").write_text(yaml.safe_dump(experiment, sort_keys=False))
    verl, local = RunFolder(work / "runs" / "verl"), RunFolder(work / "runs" / "local")

    first = rence(work, "run", "verl.yaml", "--only", KILLED, "verl.gpus_per_node=1")
    killed = verl.trial(KILLED, 0)
    _wait_for(lambda: len(list(read_jsonl(killed.steps))) >= 3, first, work)
    first.send_signal(signal.SIGKILL)
    first.wait()
    before = killed.steps.read_bytes()
    at = max(int(path.name.removeprefix("step_")) for path in killed.checkpoints.glob("step_*"))

    kept = sorted(path.name for path in (killed.checkpoint(at) / "sampler").iterdir())
    for name in ("verl", "local"):
        again = rence(work, "run", f"{name}.yaml")
        assert again.wait(timeout=len(ARMS) * PATIENCE) == 0, (work / "output.log").read_text()[-3000:]
    yield Both(verl, local, work, before, at, kept)


def _wait_for(there: Any, process: subprocess.Popen[bytes], work: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not there():
        assert process.poll() is None, (work / "output.log").read_text()[-3000:]
        assert time.monotonic() < deadline, (work / "output.log").read_text()[-3000:]
        time.sleep(0.2)


@pytest.mark.parametrize("arm", ARMS)
def test_an_arm_trains_to_its_budget(both: Both, arm: str) -> None:
    done = DoneRecord.read(both.verl.trial(arm, 0).done)
    steps = both.steps(arm)
    assert done.status == "finished"
    assert [step.step for step in steps] == list(range(1, done.steps + 1))
    last = steps[-1]
    assert (last.rollouts, last.tokens, last.updates) == (done.rollouts, done.tokens, done.updates)
    assert last.rollouts >= 128 > steps[-2].rollouts
    assert last.rollouts == GROUP_SIZE * last.cursor
    learnt = [step.metrics["actor/loss"] for step in steps if step.metrics["groups/kept"]]
    assert learnt and all(loss is not None for loss in learnt)


@pytest.mark.parametrize("arm", ARMS)
def test_steps_hold_the_words_of_both_worlds(both: Both, arm: str) -> None:
    logged = {name for row in read_jsonl(both.local.trial(arm, 0).steps) for name in row["metrics"]}
    # What the parts do to the gradient is measured by the local backend alone: the report says so.
    ours = {name for name in logged if not name.startswith("activity/")}
    for step in both.steps(arm):
        assert ours - set(step.metrics) <= set(), arm
        assert {"rollout_corr/kl", "timing_s/gen", "timing_s/update_actor", "global_seqlen/mean"} <= set(step.metrics)
        counted = sum(step.metrics[f"marks/{mark}"] or 0 for mark in Mark)
        assert counted == step.metrics["rollouts/generated"] == GROUP_SIZE * (step.metrics["groups/generated"] or 0)


def test_the_killed_arm_goes_on_from_its_newest_checkpoint(both: Both) -> None:
    """On two ranks, which one has written."""
    folder = both.verl.trial(KILLED, 0)
    kept = folder.steps.read_bytes().splitlines()[: both.killed_at]
    assert kept == both.before_the_kill.splitlines()[: both.killed_at]
    assert read_json(folder.timing)["attempts"] == 2
    cursors = [step.cursor for step in both.steps(KILLED)]
    assert cursors == [PROMPTS * step for step in range(1, len(cursors) + 1)]  # no refill, no prompt twice or never


def test_a_sampler_that_lags_samples_from_the_weights_that_it_should_have(both: Both) -> None:
    """Steps 1 to 3 from the first weights, step 4 from newer ones; in between the newest are sent for an evaluation,
    and the trial is killed, on one rank, to go on on two. Log-probs under the weights that it should have agree with
    the sampler's as they do for an arm that never lags. Which weights those are is in tests/harness/test_verl_sync.py
    and test_engine.py."""
    assert both.kept_of_sampler == [".metadata", "__0_0.distcp"]
    steps, others = both.steps(KILLED), both.steps("grpo")
    most = 10 * max(abs(step.metrics["rollout_corr/kl"] or 0.0) for step in others)
    assert all(abs(step.metrics["rollout_corr/kl"] or 0.0) <= most for step in steps), most


def test_prompts_are_those_of_the_local_backend_in_their_order(both: Both) -> None:
    for arm in ARMS:
        here, there = (read_json(run.trial(arm, 0).trial) for run in (both.verl, both.local))
        assert here["data_order"] == there["data_order"]
        assert here["initial_weights"] == there["initial_weights"] == model_hash(resolve("quickstart-base"))


def test_first_rewards_agree_with_the_local_backends_within_sampling_noise(both: Both) -> None:
    """Equal weights and prompts; samples of their own. Four arms' first steps are one sample on each backend, since
    they have the same seeds."""
    score = {}
    for run in (both.verl, both.local):
        firsts = [next(read_jsonl(run.trial(arm, 0).steps))["metrics"] for arm in ("grpo", "online_dpo")]
        assert firsts[0]["generated/score/mean"] == firsts[1]["generated/score/mean"]
        score[run.root.name] = firsts[0]["generated/score/mean"]
    p = sum(score.values()) / 2
    assert abs(score["verl"] - score["local"]) < 4 * math.sqrt(2 * p * (1 - p) / (GROUP_SIZE * PROMPTS)), score


def test_refill_drops_groups_and_takes_others(both: Both) -> None:
    for arm in ("dapo", "rence"):
        steps = both.steps(arm)
        assert sum(step.metrics["groups/dropped"] or 0 for step in steps) > 0
        assert any((step.metrics["groups/generated"] or 0) > PROMPTS for step in steps)
        for step in steps:
            m = {name.removeprefix("groups/"): value for name, value in step.metrics.items() if "groups/" in name}
            assert m["generated"] == m["kept"] + m["dropped"] + m["surplus"]  # type: ignore[operator]
            assert m["kept"] == PROMPTS or m["generated"] == 4 * PROMPTS  # type: ignore[operator]
            assert m["surplus"] == 0 and m["missing"] == PROMPTS - m["kept"]  # type: ignore[operator]
        assert any((step.metrics["groups/generated"] or 0) % PROMPTS for step in steps), "as many as were missing"


def test_the_reference_model_is_run_where_there_is_one(both: Both) -> None:
    with_reference = {arm for arm in ARMS if "timing_s/ref" in both.steps(arm)[0].metrics}
    assert with_reference == {"online_dpo", "rence", "grpo"}  # its pairs, its window, its KL term; DAPO has none


def test_samplers_and_learner_agree_on_log_probs(both: Both) -> None:
    for arm in ARMS:
        for step in both.steps(arm):
            assert abs(step.metrics["rollout_corr/kl"] or 0) < 1e-4, (arm, step.step)


@pytest.mark.parametrize("arm", ARMS)
def test_what_is_left_is_a_model(both: Both, arm: str) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = both.verl.trial(arm, 0)
    (final,) = folder.checkpoints.iterdir()
    done = DoneRecord.read(folder.done)
    assert final == folder.checkpoint(done.steps)
    assert model_hash(final) == done.final_weights != model_hash(resolve("quickstart-base"))
    assert not any(path.is_dir() for path in final.iterdir())
    net, tokenizer = AutoModelForCausalLM.from_pretrained(final), AutoTokenizer.from_pretrained(final)
    assert net.config.vocab_size == net.get_input_embeddings().num_embeddings == len(tokenizer)
    assert str(net.dtype) == "torch.float32"
    assert tokenizer.chat_template == AutoTokenizer.from_pretrained(resolve("quickstart-base")).chat_template


def test_evaluations_are_vllms_and_complete(both: Both) -> None:
    folders = [both.verl.start_eval("mini_sums")]
    folders += [both.verl.trial(arm, 0).evals()[0] for arm in ARMS]
    for folder in folders:
        header, rows = read_json(folder.header), pd.read_parquet(folder.attempts)
        assert header["engine"] == "vllm"
        assert len(rows) == header["problems"] == 200
        assert rows["mark"].isin([str(mark) for mark in Mark]).all()


def test_the_report_says_which_backend_trained_and_how_far_sampler_and_learner_disagree(both: Both) -> None:
    page = (both.verl.report / "report.md").read_text()
    assert "ReNCE (reconstruction)" in page
    assert "backend verl" in page
    assert "corrected by truncated importance sampling at 2" in page
    assert "backend local" in (both.local.report / "report.md").read_text()


def test_the_same_run_again_does_nothing(both: Both) -> None:
    before = both.verl.trial("grpo", 0).steps.stat().st_mtime_ns
    again = subprocess.run(
        [sys.executable, "-m", "rence", "run", "verl.yaml", "--json"], cwd=both.work, capture_output=True
    )
    assert again.returncode == 0
    assert not json.loads(again.stdout)["worked"]
    assert both.verl.trial("grpo", 0).steps.stat().st_mtime_ns == before


def test_a_trial_whose_rollout_server_died_is_started_again(both: Both) -> None:
    """The process that holds the sampler's model is killed: while it answers, or while the learner is at work, and then
    it is missed when it should take the weights."""
    one = yaml.safe_load((both.work / "verl.yaml").read_text())
    one |= {"name": "dead", "arms": {"grpo": {}}, "comparison": {"target": "grpo", "baselines": []}}
    one |= {"budget": {"rollouts": 10**6}, "verl": {**VERL, "gpus_per_node": 1, "stall_seconds": 150}}
    (both.work / "dead.yaml").write_text(yaml.safe_dump(one))
    trial = TrialFolder(both.work / "runs" / "dead" / "grpo" / "seed0")
    process = rence(both.work, "run", "dead.yaml")
    _wait_for(lambda: trial.steps.exists(), process, both.work)
    for pid in _descendants(process.pid):
        if b"EngineCore" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    _wait_for(lambda: (trial.log(2) / "output.log").exists(), process, both.work)
    process.terminate()
    assert process.wait(timeout=PATIENCE) == 130
    words = (trial.log(1) / "output.log").read_text()
    assert any(said in words for said in ("got no answer", "no rollout came for", "died", "did not take the weights"))
    assert words.splitlines()[-1].startswith("rence: grpo/seed0: a ") and "It is started again in 5 s" in words
    assert not trial.done.exists()


def _descendants(pid: int) -> list[int]:
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    found, todo = [], [pid]
    while todo:
        parent = todo.pop()
        children = [child for child, of in parents.items() if of == parent]
        found.extend(children)
        todo.extend(children)
    return found
