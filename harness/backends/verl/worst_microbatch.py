"""The largest micro-batch that a trial may compute, computed on one machine by the learner that would train: does it
fit, and if not, which setting makes it smaller. `microbatch_rank.py` is the process of each rank."""

from __future__ import annotations

import json
import os
import pickle
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.backends.verl.installed import FLASH_ATTENTION, attention
from harness.backends.verl.keys import rectangles
from harness.backends.verl.options import settings_of
from harness.base.findings import Finding, FindingState
from harness.config.experiment import Experiment, Trial

PART = "worst micro-batch"
LITTLE_ROOM = 0.9
"""of a GPU's memory: what is left is for the sleeping sampler, whose graphs and libraries stay (2 to 5 GB by vLLM's
documentation of its sleep mode)"""
GB = 10**9


@dataclass(frozen=True)
class MicrobatchSpec:
    """What ranks are told."""

    trial: Trial
    """whose experiment is of one machine"""
    model: Path
    tokens: int
    """size of the vocabulary"""
    size: int
    """sequences in the micro-batch"""
    rows: int
    """sequences computed: of a group at least, and so that micro-batches are full"""
    nodes: int = 1
    """that a trial takes"""


def worst(experiment: Experiment) -> Trial:
    """Of the arm whose micro-batches are largest, by tokens and by what is computed of each."""

    def size(number: int) -> tuple[int, bool, bool, int]:
        arm = experiment.arms[number]
        of_algorithm = arm.algorithm.wants_entropy, arm.algorithm.reference is not None
        return arm.recipe.microbatch_tokens, *of_algorithm, -number

    return Trial(experiment, experiment.arms[max(range(len(experiment.arms)), key=size)], experiment.seeds[0])


def try_worst(trial: Trial, model: Path, seconds: float) -> list[Finding]:
    """As a Ray task that holds the GPUs of one machine's share of a trial.

    Args:
        model: folder of the initial weights, there.
        seconds: by which what has not ended is killed.
    """
    if not (model / "config.json").is_file():
        return [Finding(PART, FindingState.NOT_CHECKED, f"the model {model} is not there")]
    settings, deadline = settings_of(trial.experiment), time.monotonic() + seconds
    ranks = settings.gpus_on_node
    if ranks % settings.sequence_parallel:
        return [Finding(PART, FindingState.NOT_CHECKED, "`verl.sequence_parallel` takes more than one machine")]
    one_machine = replace(trial.experiment, backend_settings=replace(settings, nodes=1))
    spec = MicrobatchSpec(
        replace(trial, experiment=one_machine), model, _vocabulary(model), *sizes(trial), settings.nodes
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "spec").write_bytes(pickle.dumps(spec))
        processes = [_start(folder, rank, ranks) for rank in range(ranks)]
        try:
            _wait(processes, folder, deadline)
        finally:
            codes = [process.poll() for process in processes]
            for process in processes:
                process.kill()
                process.wait()
        return [_verdict(spec, folder, codes)]


def sizes(trial: Trial) -> tuple[int, int]:
    """The longest sequences that a micro-batch may hold, and how many to compute for it: whole micro-batches, and of
    one group at least, for losses compare rollouts."""
    recipe, settings = trial.arm.recipe, settings_of(trial.experiment)
    if settings.remove_padding:
        size = max(1, recipe.microbatch_tokens * settings.sequence_parallel // longest(trial))
        if size >= recipe.group_size and not trial.arm.algorithm.separable:
            size -= size % recipe.group_size  # whole groups are taken where they fit (`keys.cut`)
    else:
        size = rectangles(recipe, settings)
    return size, size * -(-recipe.group_size // size)


def longest(trial: Trial) -> int:
    """Tokens of prompt and response in training."""
    return settings_of(trial.experiment).max_prompt_tokens + trial.arm.recipe.max_tokens


def _vocabulary(model: Path) -> int:
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    return int({**config, **config.get("text_config", {})}["vocab_size"])


def _start(folder: Path, rank: int, ranks: int) -> subprocess.Popen[bytes]:
    port = folder / "port"
    if not port.exists():
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port.write_text(str(one.getsockname()[1]), encoding="ascii")
    environment = {
        **os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port.read_text(encoding="ascii"), "RANK": str(rank),
        "WORLD_SIZE": str(ranks), "LOCAL_WORLD_SIZE": str(ranks), "LOCAL_RANK": "0",
    }  # fmt: skip
    gpus = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    if len(gpus) == ranks and gpus[0]:
        environment["CUDA_VISIBLE_DEVICES"] = gpus[rank]
    with (folder / f"rank_{rank}.log").open("wb") as log:
        command = (sys.executable, "-m", f"{__package__}.microbatch_rank", str(folder))
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log)


def _wait(processes: Sequence[subprocess.Popen[bytes]], folder: Path, deadline: float) -> None:
    """Until all have ended, or one has failed: the others would wait for it."""
    while time.monotonic() < deadline:
        codes = [process.poll() for process in processes]
        results = [json.loads(file.read_text(encoding="utf-8")) for file in _results(folder, codes)]
        if None not in codes or any(codes) or any("short" in result for result in results):
            return
        time.sleep(0.2)


def _results(folder: Path, codes: Sequence[int | None]) -> list[Path]:
    """Of the ranks that have ended well."""
    return [folder / f"rank_{rank}.json" for rank, code in enumerate(codes) if code == 0]


def _verdict(spec: MicrobatchSpec, folder: Path, codes: Sequence[int | None]) -> Finding:
    """
    Args:
        codes: that ranks ended with; None: they were late, or waited for one that failed.
    """
    settings = settings_of(spec.trial.experiment)
    of = " of one machine; over more each holds less" if spec.nodes > 1 else ""
    what = f"{_count(spec.size, 'sequence')} of {longest(spec.trial)} tokens ({spec.trial.arm.name}, "
    what += f"{_count(len(codes), 'rank')}{of})"
    found = [json.loads(file.read_text(encoding="utf-8")) for file in _results(folder, codes)]
    # One rank that is short of memory explains why others were late or failed.
    for result in found:
        if "short" in result:
            said = f"{what}: no room, out of memory in {result['short']}, at {_of(result)}"
            return Finding(PART, FindingState.LACKS, said, smaller(spec.trial))
    if -9 in codes:
        said = f"{what}: no room, a rank was killed, as the system does when its memory is full"
        return Finding(PART, FindingState.LACKS, said, smaller(spec.trial))
    if any(codes):
        rank = next(rank for rank, code in enumerate(codes) if code)
        lines = (folder / f"rank_{rank}.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return Finding(PART, FindingState.LACKS, f"{what}: rank {rank} failed: {lines[-1] if lines else 'no message'}")
    if None in codes:
        return Finding(PART, FindingState.NOT_CHECKED, f"{what}: it had not been computed in time")
    most = max(found, key=lambda result: result["peak"] / result["total"])
    said = f"{what}: room enough, at most {_of(most)}, {most['seconds']:.0f} s for log-probs and two updates"
    if settings.device == "gpu" and most["peak"] > LITTLE_ROOM * most["total"]:
        return Finding(PART, FindingState.NOTE, f"{said}; little is left for the sampler asleep", smaller(spec.trial))
    return Finding(PART, FindingState.OK, said)


def smaller(trial: Trial) -> str:
    """Settings that make a micro-batch take less memory, the one that costs least first."""
    recipe, settings = trial.arm.recipe, settings_of(trial.experiment)
    least = -(-longest(trial) // settings.sequence_parallel)
    ways = []
    if recipe.microbatch_tokens > least:
        ways.append(f"recipe.microbatch_tokens={least}")
    if not settings.gradient_checkpointing:
        ways.append("verl.gradient_checkpointing=true")
    if "optimizer" not in settings.offload and settings.device == "gpu":
        ways.append("verl.offload=[params,optimizer]")
    if settings.device == "gpu" and attention(settings) == FLASH_ATTENTION:
        ways.append(f"verl.sequence_parallel={2 * settings.sequence_parallel}")
    ways.append(f"more than {settings.gpus_on_node} devices for a trial, or a smaller recipe.max_tokens")
    return ", or ".join(ways)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _of(result: dict[str, float]) -> str:
    return f"{result['peak'] / GB:.1f} of {result['total'] / GB:.1f} GB"
