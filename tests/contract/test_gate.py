"""`rence gate` as CI calls it: exit codes, files, and what GitHub is told."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import typer
import yaml

from harness.base.errors import FAILED, INCOMPLETE, OK, USAGE
from harness.records import EvalFolder
from harness.records.seals import seal
from rence.cli import app, main

Call = Callable[..., tuple[int, str, str]]
HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "gate.md"
GRPO, RENCE = "runs/finished/grpo", "runs/finished/rence"
"""90 and 91 of 200 problems solved, and 120 and 121, the same ones: 15 points between them"""


@pytest.fixture
def rence(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command beside a finished run: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        captured = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, captured.out, captured.err

    return call


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def gate(rence: Call, run: str, *more: str) -> tuple[int, str, str]:
    return rence("gate", run, "--baseline", "b.yaml", *more)


def test_exit_codes_of_the_outcomes(rence: Call) -> None:
    code, out, err = gate(rence, GRPO, "--update")
    assert (code, err) == (OK, "") and "b.yaml: written; from runs/finished/grpo, margin 2 points." in out
    code, out, _ = gate(rence, GRPO)
    assert code == OK and "Pass: every answer is the baseline's, text by text." in out
    code, out, _ = gate(rence, RENCE)
    assert code == OK and "Pass, and an improvement: the average is above the baseline: +15.0 points, " in out
    code, out, _ = gate(rence, RENCE, "--update")
    assert code == OK and re.search(r"mini_sums +45.2 +60.2 +\+15.0", out) and "b.yaml: replaced" in out
    code, out, _ = gate(rence, GRPO)
    assert code == FAILED and "Regression: mini_sums (−15.0 points, " in out
    assert gate(rence, GRPO, "--on-inconclusive", "warn")[0] == FAILED, "a regression is never let through"
    code, out, _ = gate(rence, GRPO, "--margin", "15")
    assert code == FAILED and "Regression: the average is below the baseline: −15.0 points" in out
    assert gate(rence, GRPO, "--margin", "25")[0] == OK


def test_exit_codes_of_an_inconclusive_gate(rence: Call) -> None:
    # one checkpoint against another that solves one problem more of 200: one loss may be 4.74 (Garwood), 2.4 points
    gate(rence, f"{GRPO}/seed1", "--update")
    code, out, _ = gate(rence, f"{GRPO}/seed0", "--margin", "1")
    assert code == FAILED and "Inconclusive: the average may have lost 1 point or more, or nothing: −0.5 points" in out
    code, out, _ = gate(rence, f"{GRPO}/seed0", "--margin", "1", "--on-inconclusive", "warn")
    assert code == OK and "Let through, for `--on-inconclusive warn`." in out
    assert gate(rence, f"{GRPO}/seed0", "--margin", "2.6")[0] == OK


@pytest.mark.parametrize(
    ("change", "more", "code", "words"),
    [
        ({"template": "chat"}, [], USAGE, "not matched: the prompt template is chat, but bare in the baseline"),
        ({"template": "chat"}, ["--allow-unmatched"], OK, ""),
        ({"template": "chat"}, ["--accept", "on purpose"], OK, ""),
        ({"template": "chat"}, ["--accept", " "], USAGE, "`--accept` needs a reason, in words"),
        ({"grader_version": "9"}, [], USAGE, "the marker's version is 9"),
        ({"sampling": {"temperature": 0}}, [], USAGE, "the sampling's `temperature` is 0, but 1.0"),
        ({"engine": "hf"}, [], USAGE, "the engine is hf, but local in the baseline"),
        ({"benchmark_hash": "other"}, [], USAGE, "the version of the problems of mini_sums is other, but "),
        ({"benchmark_hash": "other"}, ["--accept", "a typo"], OK, ""),
        (
            {"limit": 200},
            [],
            USAGE,
            "the limit of problems is the first 200 problems, but all problems in the baseline",
        ),
        ({"limit": 200}, ["--accept", "that is all of them"], OK, ""),
    ],
)
def test_exit_codes_of_what_differs(rence: Call, change: dict, more: list[str], code: int, words: str) -> None:
    gate(rence, GRPO, "--update")
    for seed in (0, 1):
        place = EvalFolder(Path(f"{GRPO}/seed{seed}/evals/step_1/mini_sums"))
        edit(place.header, **change)
        seal(place)  # as if it had been evaluated so
    found, out, err = gate(rence, GRPO, *more)
    assert found == code and words in err and bool(out) == (code == OK) and len(err.splitlines()) <= 3


def test_exit_codes_of_what_is_missing_or_broken(rence: Call) -> None:
    code, _, err = gate(rence, GRPO)
    assert code == INCOMPLETE and "b.yaml does not exist" in err
    gate(rence, GRPO, "--update")
    assert gate(rence, "runs/nowhere")[0] == INCOMPLETE
    text = Path("b.yaml").read_text(encoding="utf-8")
    Path("b.yaml").write_text(text.replace("n: 200", "n: 201"), encoding="utf-8")
    code, out, err = gate(rence, GRPO)
    assert (code, out) == (INCOMPLETE, "") and "must be a list of n = 201 counts, but has 200" in err
    assert re.match(r"rence: b.yaml:\d+: ", err) and len(err.splitlines()) == 2
    assert gate(rence, GRPO, "--update")[0] == INCOMPLETE, "a broken baseline is not replaced unseen"
    Path("b.yaml").write_text(text.replace("  mini_sums:", "  mini_chains:"), encoding="utf-8")
    code, _, err = gate(rence, GRPO)
    assert code == INCOMPLETE and "has no result on mini_chains, which the baseline has" in err
    Path("b.yaml").write_text(text, encoding="utf-8")
    place = Path(f"{GRPO}/seed1/evals/step_1/mini_sums/attempts.parquet")
    place.write_bytes(place.read_bytes()[:100])
    code, _, err = gate(rence, GRPO)
    assert code == USAGE and "attempts.parquet is not what seal.json beside it was made with" in err
    assert gate(rence, GRPO, "--accept", "half is enough")[0] == INCOMPLETE
    place.unlink()
    code, _, err = gate(rence, GRPO, "--accept", "it is missing")
    assert code == INCOMPLETE and "mini_sums was begun and is not complete" in err
    shutil.rmtree(f"{GRPO}/seed1")
    assert gate(rence, GRPO)[0] == INCOMPLETE


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([GRPO, "--margin", "0"], "`--margin` must be above 0 and below 100 points, but is 0 instead"),
        ([GRPO, "--margin", "nan"], "`--margin` must be above 0"),
        ([GRPO, "--on-inconclusive", "pass"], "'--on-inconclusive'"),
        ([GRPO, "--update", "--junit", "j.xml"], "`--junit` has no meaning with `--update`"),
    ],
)
def test_usage(rence: Call, arguments: list[str], words: str) -> None:
    gate(rence, GRPO, "--update")
    code, out, err = gate(rence, *arguments)
    assert (code, out) == (USAGE, "") and words in err


def test_json_is_one_document_and_quiet_prints_nothing(rence: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    assert json.loads(gate(rence, RENCE, "--update", "--json")[1])["means"]["mini_sums"] == {"was": None, "is": 0.6025}
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    code, out, err = gate(rence, GRPO, "--json")
    found = json.loads(out)
    assert (code, found["outcome"], found["passed"]) == (FAILED, "regression", False)
    assert found["per_benchmark"]["mini_sums"]["delta"] == pytest.approx(-0.15) and found["margin"] == 0.02
    assert [line.partition(" ")[0] for line in err.splitlines()] == ["::error", "::error"]
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert gate(rence, GRPO, "--quiet") == (FAILED, "", "")


def test_what_github_is_told(rence: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    gate(rence, RENCE, "--update")
    assert not summary.exists(), "nothing was decided"
    code, out, _ = gate(rence, GRPO)
    assert code == FAILED and out.splitlines()[-2].startswith("::error title=rence gate%3A regression::Regression: ")
    assert summary.read_text(encoding="utf-8").startswith("## rence gate: regression\n")
    code, out, _ = gate(rence, "runs/nowhere")
    assert code == INCOMPLETE and out.startswith(
        "::error title=rence gate%3A not decided::runs/nowhere is not a folder."
    )
    assert "## rence gate: not decided" in summary.read_text(encoding="utf-8")
    summary.write_bytes(b"x" * (2**20 - 10))
    code, _, err = gate(rence, RENCE)
    assert code == OK and "GitHub takes 1 MiB a step" in err and summary.stat().st_size == 2**20 - 10


def test_junit_is_written_whatever_comes_out(rence: Call) -> None:
    gate(rence, RENCE, "--update")
    tags = []
    for run in (RENCE, GRPO, "runs/nowhere"):
        gate(rence, run, "--junit", "out/j.xml")
        tags.append([e.tag for e in ET.parse("out/j.xml").iter() if e.tag in ("failure", "error", "skipped")])
    assert tags == [[], ["failure", "failure"], ["error"]]


def test_the_untrained_model_and_one_trial_can_be_gated(rence: Call) -> None:
    gate(rence, "runs/finished/start", "--update")
    for run in (f"{GRPO}/seed0", GRPO):
        code, out, _ = gate(rence, run, "--json")
        assert code == OK and json.loads(out)["target"] == "checkpoints"


def commands(text: str) -> Iterator[list[str]]:
    """The words of every `rence` command in shell text, continued lines joined."""
    for line in text.replace("\\\n", " ").splitlines():
        found = re.match(r"\s*(?:- run: |- )?(rence [^#|>]*)", line)
        if found:
            yield found[1].split()


def options() -> dict[str, set[str]]:
    """command -> its options"""
    group = typer.main.get_command(app)
    return {
        name: {word for parameter in command.params for word in parameter.opts}
        for name, command in group.commands.items()  # type: ignore[attr-defined]
    }


def test_the_how_to_names_commands_and_options_that_exist() -> None:
    known, seen = options(), set()
    for block in re.findall(r"```(?:sh|yaml) parse\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL):
        for words in commands(block):
            seen.add(words[1])
            used = {word for word in words if word.startswith("--")}
            assert used <= known[words[1]], words
    assert {"eval", "gate"} <= seen


def test_the_workflow_of_the_how_to_is_one() -> None:
    (block,) = (
        block
        for block in re.findall(r"```yaml parse\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
        if "runs-on" in block
    )
    workflow = yaml.safe_load(block)
    (job,) = workflow["jobs"].values()
    assert True in workflow or "on" in workflow, "YAML 1.1 reads the word as true"
    steps = job["steps"]
    assert [set(step) & {"uses", "run"} for step in steps] == [
        {"uses"} if "uses" in step else {"run"} for step in steps
    ]
    runs = [step["run"] for step in steps if "run" in step]
    (evaluated,) = (words for text in runs for words in commands(text) if words[1] == "eval")
    (gated,) = (words for text in runs for words in commands(text) if words[1] == "gate")
    assert evaluated[evaluated.index("--out") + 1] == gated[2], "what is gated is what was evaluated"
    uploads = [step for step in steps if "upload-artifact" in step.get("uses", "")]
    assert any(gated[gated.index("--junit") + 1] in step["with"]["path"] for step in uploads)
    assert all(step["if"] == "always()" for step in uploads), "a failed gate is what one wants to see"


def test_a_broken_seal_is_refused_and_accepted_in_all_that_ci_reads(rence: Call, tmp_path: Path) -> None:
    gate(rence, GRPO, "--update")
    edit(Path(f"{GRPO}/seed1/evals/step_1/mini_sums/eval.json"), title="Sums")
    code, out, err = gate(rence, GRPO, "--junit", "j.xml")
    assert (code, out) == (USAGE, "") and "mini_sums/eval.json is not what seal.json beside it was made with" in err
    assert "is not what seal.json beside it" in Path("j.xml").read_text(encoding="utf-8") and "--accept REASON" in err
    code, out, _ = gate(rence, GRPO, "--accept", "a better title", "--json", "--junit", "j.xml")
    found = json.loads(out)
    assert code == OK and found["sealed"] == "accepted" and found["matched"] is False
    assert found["accepted"] == {
        "reason": "a better title",
        "what": ["seed1/evals/step_1/mini_sums/eval.json is not what seal.json beside it was made with"],
    }
    assert "a better title" in Path("j.xml").read_text(encoding="utf-8")
    assert gate(rence, GRPO, "--update")[0] == USAGE
    assert gate(rence, GRPO, "--update", "--accept", "a better title")[0] == OK
    edit(Path(f"{GRPO}/seed1/evals/step_1/mini_sums/eval.json"), title="")
    assert "was made with something let through: Accepted: a better title." in gate(rence, RENCE)[1]
