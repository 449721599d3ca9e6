"""A backend of another package, 80 lines long: from plan to report by the command line, with an engine of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import config
from harness.backends.local.settings import LocalSettings
from harness.base.errors import OK, USAGE, UserError
from harness.base.registry import BACKENDS
from harness.config.explain import explain, json_schema, template
from harness.records import Plan, RunFolder, Timing, read_json, read_jsonl
from harness.run import jobs
from rence.cli.preview import preview
from reports.data.load import load

Rence = Callable[..., subprocess.CompletedProcess[str]]
SOURCE = Path(__file__).with_name("plain_backend.py").read_text(encoding="utf-8")


@pytest.fixture
def site(package: Callable[..., Path], tiny: Path) -> Path:
    """Where the package is installed; `tiny.yaml` is an experiment on it, its section in line 22."""
    text = tiny.read_text().replace("backend: local", "backend: plain").replace("arms:", "  limit: 4\narms:")
    tiny.write_text(f"{text}plain: {{step_size: 0.04}}\n")
    return package("plain_backend", SOURCE, "0.3", backends={"plain": "plain_backend:PlainBackend"})


def test_it_is_short() -> None:
    assert len([line for line in SOURCE.splitlines() if line.strip()]) <= 80


def test_it_is_listed_and_planned(site: Path, tiny: Path) -> None:
    assert list(BACKENDS.descriptions().items())[-1] == ("plain", "REINFORCE by a plain loop.")
    planned = preview(config.load(tiny, ["plain.cores=2"]))
    costs = planned.costs
    assert (costs.devices, costs.unit, costs.throughput) == (2, "core", "a guess") and costs.hours
    assert costs.hours == pytest.approx(costs.flops / 1e9 / 3600)
    # fp32 weights of 4 trials at 2 points, and one copy of each to go on from
    answers = 150 * costs.attempts + 4 * costs.evaluation_tokens
    assert costs.disk_bytes == 4 * costs.parameters * (8 + 4) + answers
    data = planned.plan.to_json()
    assert data["plain"] == {"step_size": 0.04, "cores": 2} and "verl" not in data
    assert jobs.side_by_side(planned.experiment, room=5) == 2


def test_from_plan_to_report(rence: Rence, site: Path, tiny: Path, tmp_path: Path) -> None:
    def plain(*arguments: str) -> subprocess.CompletedProcess[str]:
        return rence(*arguments, before=f"export PYTHONPATH=$PYTHONPATH:{site}")

    done = plain("run", str(tiny), "seeds=[0]")
    assert done.returncode == OK, done.stderr
    run = RunFolder(tmp_path / "runs" / "tiny")
    headers = [read_json(path) for path in run.root.rglob("eval.json")]
    assert [header["engine"] for header in headers] == ["plain"] * 5, "the untrained model, two points of two trials"
    weights = [header["model_hash"] for header in headers]
    assert len(set(weights)) > 1, "it trains"
    assert [row["rollouts"] for row in read_jsonl(run.trial("grpo", 0).steps)] == [32, 64, 96]
    assert Plan.read(run.plan).backend_settings["step_size"] == 0.04
    loaded = load(run.root)
    assert all(trial.done and trial.done.status == "finished" for trial in loaded.trials.values())
    assert "plain" in (run.report / "report.md").read_text(encoding="utf-8")

    # the number of cores is a runtime setting: no other plan, and recorded with the start that had it
    (run.trial("grpo", 0).done).unlink()
    again = plain("run", str(tiny), "seeds=[0]", "plain.cores=3", "recipe.microbatch_tokens=999")
    assert again.returncode == OK, again.stderr
    starts = Timing.read(run.trial("grpo", 0).timing).starts
    assert [start["settings"]["plain.cores"] for start in starts] == [1, 3]
    assert read_json(run.resolved)["plain"]["cores"] == 3 and Plan.read(run.plan).backend_settings["cores"] == 1
    refused = plain("run", str(tiny), "seeds=[0]", "plain.step_size=1")
    assert refused.returncode == USAGE and "plain.step_size: 0.04 -> 1.0" in refused.stderr


def test_one_that_starts_no_engine_fails_in_a_line_before_a_trial_trains(
    rence: Rence, site: Path, tiny: Path, tmp_path: Path
) -> None:
    (site / "plain_backend.py").write_text(SOURCE.replace("return PlainEngine(", "PlainEngine("))
    done = rence("run", str(tiny), "--workers", "1", before=f"export PYTHONPATH=$PYTHONPATH:{site}")
    (log,) = (tmp_path / "runs").rglob("output.log")
    assert log.parts[-4] == "start" and done.returncode == USAGE
    assert log.read_text() == (
        "the backend `plain` of plain_backend 0.3 (plain_backend:PlainBackend) cannot be used: `start_engine` must "
        "return an Engine (name, version, positions, generate), but returned NoneType instead. Mend or uninstall that "
        "package.\n"
    )
    assert "`start_engine` must return an Engine" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("{step_siz: 1}", "tiny.yaml:22: `plain.step_siz` is not a key. Did you mean `step_size`?"),
        ("{step_size: 0}", "tiny.yaml:22: `plain.step_size` must be more than 0, but is 0 instead."),
        ("{}\nverl: {}", "tiny.yaml:23: `verl` holds settings of backend `verl`, but `backend` is `plain`."),
        ("{}\nrecord_steps: [1]", "tiny.yaml:23: `record_steps` is of backend `local`"),
    ],
)
def test_its_section_is_checked(site: Path, tiny: Path, section: str, message: str) -> None:
    tiny.write_text(tiny.read_text().replace("{step_size: 0.04}", section))
    with pytest.raises(UserError) as refused:
        config.load(tiny)
    assert message in str(refused.value)


def test_its_own_limits_and_engines_are_kept(site: Path, tiny: Path) -> None:
    for override, message in {
        "evaluation.temperature=0": "`evaluation.temperature=0`: `temperature` must be above 0 with backend `plain`",
        "evaluation.engine=hf": "`evaluation.engine` must be null with backend `plain`",
        "backend=local": "`plain` holds settings of backend `plain`, but `backend` is `local`",
    }.items():
        with pytest.raises(UserError) as refused:
            config.load(tiny, [override])
        assert message in str(refused.value)
    assert config.load(tiny, ["backend=local", "plain=null"]).backend_settings == LocalSettings()


def test_its_settings_are_explained(site: Path) -> None:
    assert explain("plain.step_size") == "plain.step_size: of SGD\nnumber, more than 0, default 0.05"
    about = "of backend `plain` alone: the step of the loop, and where it runs"
    assert json_schema()["properties"]["plain"]["description"] == about
    assert "# plain:\n#   # of SGD\n#   step_size: 0.05\n" in template()


def test_a_name_that_files_use_cannot_have_settings(package: Callable[..., Path], tiny: Path) -> None:
    package("plain_backend", SOURCE, backends={"recipe": "plain_backend:PlainBackend"})
    with pytest.raises(UserError, match="its name is a key of experiments or plans"):
        config.load(tiny, ["backend=recipe"])
    assert config.load(tiny).recipe.group_size == 4
    assert "group_size" in json_schema()["properties"]["recipe"]["properties"]
