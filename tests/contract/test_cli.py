"""The command line as scripts use it: exit codes, one JSON document on stdout, errors of one to three lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from algorithms.registry import ALL
from harness.base.errors import INCOMPLETE, OK, USAGE

Call = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parents[2]
QUICKSTART = str(ROOT / "configs" / "quickstart.yaml")
SWEEP = str(ROOT / "configs" / "ablations" / "quickstart.yaml")


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "algorithms"],
        ["list", "benchmarks"],
        ["list", "backends"],
        ["list", "engines"],
        ["list", "sections"],
        ["list", "runs"],
        ["show", "dapo"],
        ["plan", QUICKSTART],
        ["run", QUICKSTART, "--dry-run"],
        ["run", SWEEP, "--dry-run"],
        ["doctor"],
        ["compare", "runs/finished/rence", "runs/finished/grpo"],
    ],
    ids=" ".join,
)
def test_json_is_one_document_and_nothing_else(rence: Call, finished: Path, arguments: list[str]) -> None:
    code, out, _ = rence(*arguments, "--json")
    assert code == OK
    json.loads(out)


def test_quiet_prints_nothing(rence: Call, finished: Path) -> None:
    assert rence("report", "runs/finished", "--quiet") == (OK, "", "")
    assert rence("run", str(finished), "--quiet") == (OK, "", "")
    assert rence("plan", QUICKSTART, "-q") == (OK, "", "")


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["show", "grop"], USAGE, "there is no algorithm `grop`. Did you mean `grpo`?"),
        (["check", "grop"], USAGE, "there is no thing to check `grop`. Did you mean `grpo`?"),
        (["check", "hff", "--kind", "engine"], USAGE, "there is no engine `hff`. Did you mean `hf`?"),
        (["plan", "nowhere.yaml"], USAGE, "nowhere.yaml does not exist. `rence config new`"),
        (["run", "nowhere.yaml"], USAGE, "nowhere.yaml does not exist."),
        (["run", SWEEP, "cap.trials=39"], USAGE, "8 arms x 3 seeds are 24 trials, and their tuning 16 more."),
        (["run", SWEEP, "--only", "dapo.minus-clip"], USAGE, "Did you mean `dapo.minus-clip-higher`?"),
        (["plan", SWEEP, "ablate.base=rence"], USAGE, "the arm `rence` has no setting `clip_high`."),
        (["report", "runs/nowhere"], INCOMPLETE, "runs/nowhere"),
        (["report", "runs"], INCOMPLETE, "runs is no run folder: it has no plan.json. `rence list runs` shows"),
        (["report", "runs"], INCOMPLETE, "`rence run CONFIG` makes one, and so does `rence import ... --out RUN`"),
        (["compare", "runs/finished/rence", "runs/nowhere"], INCOMPLETE, "runs/nowhere"),
        (["report", "runs/finished", "--format", "pfd"], USAGE, "there is no report format `pfd`. Allowed: csv, html"),
        (["config", "explain", "recipe.epoch"], USAGE, "Did you mean `epochs`?"),
        (["list", "algorithm"], USAGE, "algorithms"),
        (["plan"], USAGE, "CONFIG"),
        (["run", QUICKSTART, "--workers", "0"], USAGE, "--workers"),
        (["run", QUICKSTART, "--launcher", "slurm"], USAGE, "'--launcher'"),
        (["dashboard", "runs/nowhere"], USAGE, "runs/nowhere is no run folder"),
        (["pretrain", "--out", "runs"], USAGE, "runs is there already."),
    ],
    ids=lambda value: " ".join(value).replace(QUICKSTART, "CONFIG") if isinstance(value, list) else "",
)
def test_errors(rence: Call, finished: Path, arguments: list[str], exit_code: int, message: str) -> None:
    code, out, err = rence(*arguments)
    assert code == exit_code
    assert message.lower() in err.lower()
    assert out == ""


def test_a_finished_run_is_said_to_be_so_and_its_report_is_made_if_missing(rence: Call, finished: Path) -> None:
    code, out, _ = rence("run", str(finished))
    assert code == OK and "ReNCE (reconstruction)" in out and "Report: runs/finished/report/index.html" in out
    code, out, _ = rence("run", str(finished))
    assert code == OK and "nothing to do" in out
    code, out, _ = rence("run", str(finished), "--json")
    said = json.loads(out)
    assert (said["run"], said["worked"], said["report"]) == ("runs/finished", False, "runs/finished/report/index.html")
    assert said["jobs"] == {
        "start": "finished",
        **{f"{arm}/seed{seed}": "finished" for seed in (0, 1) for arm in ("rence", "grpo")},
    }


def test_runs_are_listed_with_their_progress(rence: Call, finished: Path) -> None:
    Path("runs/finished/grpo/seed1/done.json").unlink()
    Path("runs/broken").mkdir()
    Path("runs/broken/plan.json").write_text("{")
    rows = {row["run"]: row for row in json.loads(rence("list", "runs", "--json")[1])}
    assert rows["finished"] == {
        "run": "finished",
        "state": "incomplete",
        "trials": "3/4",
        "rollouts": "256/256",
        "report": "no",
    }
    assert "not valid JSON" in rows["broken"]["state"]
    done = Path("runs/finished/grpo/seed0/done.json")
    done.write_text(json.dumps({**json.loads(done.read_text()), "health": ["entropy: is low", "zero: learns nothing"]}))
    rows = {row["run"]: row for row in json.loads(rence("list", "runs", "--json")[1])}
    assert rows["finished"]["state"] == "incomplete, 1 unhealthy"


def test_the_spec_sheet_has_every_hyperparameter_with_its_meaning(rence: Call) -> None:
    sheet = json.loads(rence("show", "rence", "--json")[1])
    assert sheet["title"] == "ReNCE (reconstruction)"
    assert {row["name"] for row in sheet["hyperparameters"]} >= {"score_beta", "t_easy", "margin_alpha"}
    assert [row["name"] for row in sheet["hyperparameters"] if not row["meaning"]] == []
    assert sheet["recipe"]["updates per rollout batch"] == "4 (2 × 2 mini-batches)"


@pytest.mark.parametrize("name", ALL)
def test_the_spec_sheet_has_equation_and_source(name: str, rence: Call) -> None:
    status, shown, _ = rence("show", name)
    sheet = json.loads(rence("show", name, "--json")[1])
    assert status == OK and sheet["source"] in " ".join(shown.split())
    assert sheet["page"] in shown and any(line.startswith("    ") and "=" in line for line in shown.splitlines())


def test_a_plan_says_what_it_costs_and_could_detect(rence: Call) -> None:
    plan = json.loads(rence("plan", QUICKSTART, "--json")[1])
    assert plan["costs"]["trials"] == 12 and plan["costs"]["rollouts"] == 12 * plan["plan"]["budget_rollouts"]
    effects = plan["minimum_detectable_effect"]["by_seeds"]
    assert set(effects) == {"3", "5", "10"}
    assert effects["10"]["average"] < effects["5"]["average"] < effects["3"]["average"] < 0.5


def test_the_plan_of_a_sweep_counts_its_tuning_and_says_that_it_is_not_locked(rence: Call) -> None:
    plan = json.loads(rence("plan", SWEEP, "--json")[1])
    assert (plan["costs"]["trials"], plan["tuning"]["trials"]) == (24, 16)
    assert [sweep["kind"] for sweep in plan["plan"]["sweeps"]] == ["full", "ablate"]
    out = rence("plan", SWEEP)[1]
    assert "plan not locked: its tuning has not chosen yet" in out
    assert "Full grid around rence: margin_mode (reward_gap, none) x t_easy (0.8, 1): 4 arms" in out
    assert "Cap: 40 of 40 trials, 196,608 of 200,000 rollouts" in out.replace("\n", " ")


def test_an_unexpected_error_is_two_lines_without_debug(rence: Call, capsys: pytest.CaptureFixture[str]) -> None:
    from rence.cli.console import guarded

    def broken() -> None:
        raise ZeroDivisionError("division by zero")

    with pytest.raises(SystemExit) as ended:
        guarded(broken)
    assert ended.value.code == 1
    assert capsys.readouterr().err.splitlines() == [
        "rence: ZeroDivisionError: division by zero",
        "This is a bug in rence-bench. `--debug` shows where.",
    ]


def test_no_traceback_reaches_a_user(tmp_path: Path) -> None:
    broken = "import reports; reports.compare = lambda *_, **__: 1 / 0"
    program = broken + "; from rence.cli import main; main(['compare', 'a', 'b'{}])"
    said = [
        subprocess.run(
            [sys.executable, "-c", program.format(more)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )
        for more in ("", ", '--debug'")
    ]
    assert [done.returncode for done in said] == [1, 1] and "Traceback" in said[1].stderr
    assert said[0].stderr.splitlines() == [
        "rence: ZeroDivisionError: division by zero",
        "This is a bug in rence-bench. `--debug` shows where.",
    ]
