"""What a machine has of what a trial of backend verl takes, and what is said of what it lacks: one message with all."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness import config
from harness.backends.verl import node, node_needs, survey
from harness.backends.verl.memory import Load, host_phases
from harness.backends.verl.node import NodeFound, Space, visible
from harness.backends.verl.node_needs import NodeNeeds, check, findings, host_memory, needs_of, of_one_kind
from harness.backends.verl.options import VerlSettings, settings_of
from harness.base.errors import UserError
from harness.base.findings import FindingState
from harness.base.machine_memory import memory
from harness.config.experiment import Experiment
from harness.models import shape as shapes
from harness.models.resolving import SHIPPED

GB, GIB = 10**9, 2**30
A100, H100 = "NVIDIA A100-SXM4-80GB", "NVIDIA H100 80GB HBM3"
GOOD = NodeFound(
    "one", 65536, 900 * GB, 1000 * GB, Space("/dev/shm", 500 * GB, 500 * GB), (Space("/tmp/ray", 50 * GB, 100 * GB),),
    (A100,) * 8,
)  # fmt: skip
FOUR_B = 16 * GB
"""of fp32 weights: Qwen3 4B, whose embeddings are tied"""


def on_gpus(file: Path, *overrides: str) -> Experiment:
    """A machine of eight, and two algorithms without a reference."""
    own = ("verl.device=gpu", "verl.gpus_per_node=8", "recipe.prompts_per_step=16")
    return config.load(file, (*own, "arms.rence.algorithm=dapo", "arms.grpo.algorithm=dr_grpo", *overrides))


def memory_of(loaded: Experiment, weights: int, tied: bool) -> tuple[int, str]:
    return host_memory(settings_of(loaded), loaded.arms, weights, tied)


def said(*rows: node_needs.Finding) -> str:
    with pytest.raises(UserError) as caught:
        check(rows, "grpo/seed0", pytest.fail)
    return str(caught.value)


def test_a_machine_that_has_everything_is_let_through() -> None:
    rows = list(findings(NodeNeeds(200 * GB, "", GIB, 4 * GIB, 512, alone=True), GOOD))
    assert {row.state for row in rows} == {FindingState.OK}
    check(rows, "grpo/seed0", pytest.fail)


def test_this_machine_is_looked_at() -> None:
    found, (free, total) = node.probe(), memory()
    assert 0 < found.memory_free <= found.memory_total == total and free <= total
    assert found.descriptors > 0 and all(space.total for space in found.scratch)


def test_all_that_is_short_is_in_one_message() -> None:
    poor = replace(
        GOOD, descriptors=256, memory_free=60 * GB, memory_total=64 * GB, scratch=(Space("/tmp/ray", 0, 100 * GB),),
        shared_memory=Space("/dev/shm", 2**26, 2**26),
    )  # fmt: skip
    needs = NodeNeeds(128 * GB, "8 ranks that each load the whole model in fp32", GIB, 4 * GIB, 512)
    lines = said(*findings(needs, poor)).splitlines()
    assert lines[0] == "grpo/seed0 cannot start:"
    assert [line.partition(":")[0] for line in lines[1:]] == [
        "host memory", "shared memory", "file descriptors", "scratch disk",
    ]  # fmt: skip
    memory, shared, files, scratch = lines[1:]
    assert "one: 60.0 GB free of 64.0 GB, and a trial takes 128.0 GB" in memory and "8 ranks that each load" in memory
    assert "--mem" in memory and "`verl.gpus_per_node`" in memory
    assert "67 MB free of 67 MB at /dev/shm, and a trial takes 1.1 GB" in shared and "--shm-size=4g" in shared
    assert "256 files" in files and "up to 512" in files and "`ulimit -n 65536`" in files
    assert "0 MB free at /tmp/ray, 100% full" in scratch and "RAY_TMPDIR" in scratch


def test_what_is_only_risky_is_a_warning() -> None:
    told: list[str] = []
    risky = replace(
        GOOD, descriptors=1024, memory_free=100 * GB, shared_memory=Space("/dev/shm", 2 * GIB, 2 * GIB),
        scratch=(Space("/tmp/ray", 3 * GB, 100 * GB),),
    )  # fmt: skip
    check(findings(NodeNeeds(128 * GB, "", GIB, 4 * GIB, 512), risky), "grpo/seed0", told.append)
    assert [line.partition(":")[0] for line in told] == [
        "host memory", "shared memory", "file descriptors", "scratch disk",
    ]  # fmt: skip
    assert "Others hold the rest now" in told[0] and "may take 4.3 GB" in told[1]
    assert "below 4096 Ray warns" in told[2] and "97% full: above 95% Ray writes no objects" in told[3]


def test_memory_that_is_held_is_short_where_nobody_else_will_free_it() -> None:
    held = replace(GOOD, memory_free=100 * GB)
    assert "100.0 GB free of 1000.0 GB" in said(*findings(NodeNeeds(128 * GB, "", alone=True), held))


def test_many_machines_do_not_make_many_lines() -> None:
    rows = [
        row
        for k in range(64)
        for row in findings(NodeNeeds(), replace(GOOD, host=f"n{k}", scratch=(Space("/x", 0, 1),)))
    ]
    text = said(*rows)
    assert "n3: 0 MB" in text and "n4" not in text and "and 60 more machines" in text and len(text.splitlines()) == 2


@pytest.mark.parametrize(
    ("overrides", "tied", "bytes_", "why"),
    [
        ([], True, 8 * FOUR_B, "8 ranks that each load the whole model in fp32, as its embeddings are tied"),
        ([], False, FOUR_B, "the first rank, which loads"),
        (["verl.gpus_per_node=2", "verl.nodes=4"], True, 2 * FOUR_B, "2 ranks that each"),
        (
            ["verl.offload=[params,optimizer]"],
            False,
            3 * FOUR_B + FOUR_B // 2,
            "as a checkpoint is written and the learner",
        ),
        (
            ["recipe.generator_sync_steps=2"],
            False,
            2 * FOUR_B,
            "as a checkpoint is written and the weights of a sampler that lags",
        ),
    ],
)
def test_what_weights_take_of_the_hosts_memory(
    on_verl: Path, overrides: list[str], tied: bool, bytes_: int, why: str
) -> None:
    found, words = memory_of(on_gpus(on_verl, *overrides), FOUR_B, tied)
    assert found == bytes_
    assert why in words


def test_the_learner_is_loaded_beside_the_reference(on_verl: Path) -> None:
    """verl keeps the reference in the host's memory, sharded; then every rank loads the whole model once more."""
    loaded = on_gpus(on_verl, "arms.grpo.algorithm=online_dpo", "verl.offload=[params,optimizer]")
    found, words = memory_of(loaded, FOUR_B, True)
    assert found == (8 + 1) * FOUR_B
    assert "tied, beside the reference" in words


@pytest.mark.parametrize("algorithm", ["dr_grpo", "online_dpo", "semi_online_dpo"])
@pytest.mark.parametrize("offload", ["", "params", "optimizer", "params,optimizer"])
@pytest.mark.parametrize("machines", [["verl.nodes=2"], ["verl.gpus_per_trial=2"], []])
@pytest.mark.parametrize("precision", ["bf16", "fp32"])
@pytest.mark.parametrize("tied", [True, False])
def test_no_trial_is_refused_for_more_than_its_plan_foresees(
    on_verl: Path, tied: bool, precision: str, machines: list[str], offload: str, algorithm: str
) -> None:
    """What ends a trial is sure to be needed; the plan adds programs and what may be held, for all slots together."""
    own = [f"arms.grpo.algorithm={algorithm}", f"verl.offload=[{offload}]", f"verl.precision={precision}"]
    loaded = on_gpus(on_verl, *own, "recipe.prompts_per_step=64", *machines)
    shape = replace(shapes.STATED["Qwen/Qwen3-4B"], tied=tied)
    lags = any(arm.recipe.generator_sync_steps > 1 for arm in loaded.arms)
    reference = any(arm.algorithm.reference for arm in loaded.arms)
    load = Load(shape, shape.parameters, settings_of(loaded), 1024, flash=True, reference=reference, lags=lags)
    needed, _ = memory_of(loaded, 4 * shape.parameters, tied)
    foreseen = max(phase.bytes for phase in host_phases(load))
    slots = 4 if "verl.gpus_per_trial=2" in machines else 1
    assert 0 < slots * needed <= foreseen


def test_the_shipped_model_and_its_needs_on_a_cpu(on_verl: Path) -> None:
    small = config.load(on_verl)
    needs = needs_of(small, small.arms, SHIPPED["quickstart-base"], alone=True)
    assert needs.shared_memory == 2 * 16 * 2**20 and needs.descriptors == 256 + 2 * 32
    assert 2 * GIB < needs.memory < 2.2 * GIB  # two samplers' keys and values, and a small model


def test_gpus_of_different_kinds_are_named() -> None:
    other, two = replace(GOOD, host="two", gpus=(H100,) * 8), VerlSettings(nodes=2)
    (row,) = of_one_kind(two, [GOOD, other])
    assert "one has 8 x NVIDIA A100-SXM4-80GB; two has 8 x NVIDIA H100 80GB HBM3" in said(row)
    (row,) = of_one_kind(VerlSettings(), [GOOD, other])
    assert row.state is FindingState.NOTE and "trials get different GPUs" in row.found
    (row,) = of_one_kind(VerlSettings(), [replace(GOOD, gpus=(A100,) * 4 + (H100,) * 4)])
    assert "4 x NVIDIA A100-SXM4-80GB, 4 x NVIDIA H100 80GB HBM3" in said(row) and "CUDA_VISIBLE_DEVICES" in said(row)
    assert not [*of_one_kind(two, [GOOD, GOOD]), *of_one_kind(VerlSettings(device="cpu"), [GOOD, other])]
    small = replace(GOOD, host="small", gpus=(H100,))
    assert not [*of_one_kind(two, [GOOD, replace(GOOD, host="three"), small])], "no trial goes to the small one"


def test_gpus_are_read_from_the_driver(tmp_path: Path) -> None:
    for k, model in enumerate((A100, A100, H100)):
        folder = tmp_path / f"driver/nvidia/gpus/0000:0{k}:00.0"
        folder.mkdir(parents=True)
        (folder / "information").write_text(f"Model: \t\t {model}\nIRQ:   \t 1\nGPU UUID: \t GPU-{k}a-b\n")
    models = node.gpu_models(tmp_path)
    assert models == (("GPU-0a-b", A100), ("GPU-1a-b", A100), ("GPU-2a-b", H100))
    assert visible(models, None) == (A100, A100, H100) and visible(models, "") == ()
    assert visible(models, "0,2") == (A100, H100) and visible(models, "GPU-2a, GPU-0") == (H100, A100)


POOR = """
import os, resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
os.environ["RAY_TMPDIR"] = "/proc"
from harness import config
from harness.backends.verl import survey
from harness.backends.verl.node_needs import needs_of
from harness.backends.verl.options import settings_of
from harness.base.errors import UserError
experiment = config.load(Path(sys.argv[1]))
try:
    survey.check_here(settings_of(experiment), needs_of(experiment, experiment.arms, None, True), "grpo/seed0", print)
except UserError as error:
    print(error)
"""


def test_a_real_limit_and_a_file_system_without_room_are_seen(on_verl: Path) -> None:
    """Two hundred descriptors, and /proc, which holds nothing."""
    run = [sys.executable, "-c", POOR, str(on_verl)]
    out = subprocess.run(run, capture_output=True, text=True, env={**os.environ, "TMPDIR": "/proc"}, check=True).stdout
    assert "200 files and connections open, and a trial takes up to 320" in out
    assert "0 MB free at /proc/ray, 100% full; at least 100 MB are needed" in out
    assert survey.ANSWER_SECONDS < 120
