"""`--accept REASON` in every command that reads a run: a broken seal is refused without it, and printed with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.errors import USAGE
from rence.cli import main

Call = Callable[..., tuple[int, str, str]]
REASON = "a better title"
BROKEN = "grpo/seed1/evals/step_1/mini_sums/eval.json is not what seal.json beside it was made with"


@pytest.fixture
def rence(finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command beside a finished run one of whose headers was edited: exit code, stdout, stderr."""
    monkeypatch.chdir(finished.parent)
    monkeypatch.setattr("sys.excepthook", None)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    header = Path("runs/finished/grpo/seed1/evals/step_1/mini_sums/eval.json")
    header.write_text(
        json.dumps(json.loads(header.read_text(encoding="utf-8")) | {"title": "Sums", "schema": 1}), encoding="utf-8"
    )

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int) and "Traceback" not in said.err
        return ended.value.code, said.out, said.err

    return call


COMMANDS = (
    ("run", "finished.yaml"),
    ("run", "finished.yaml", "--json"),
    ("report", "runs/finished"),
    ("compare", "runs/finished/rence", "runs/finished/grpo"),
    ("compare", "runs/finished/grpo/seed1", "runs/finished/start", "--json"),
    ("diff", "grpo", "dapo", "--batch", "runs/finished/grpo/seed1/dump.jsonl", "--model", "quickstart-base", "--json"),
    ("same", "runs/finished/rence/seed1", "runs/finished/grpo/seed1"),
)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_broken_seal(rence: Call, finished: Path, words: tuple[str, ...]) -> None:
    dump = Path("runs/finished/grpo/seed1/dump.jsonl")
    lines = [
        {"input": "3 + 3 = ?", "output": f"\\boxed{{{n}}}", "gts": "6", "score": n == 6, "step": 1} for n in (6, 7)
    ]
    dump.write_text("".join(json.dumps(line | {"score": float(line["score"])}) + "\n" for line in lines))
    words = tuple(finished.name if word == "finished.yaml" else word for word in words)
    code, out, err = rence(*words)
    assert code == USAGE and not out and BROKEN in err and "--accept REASON" in err
    assert not Path("runs/finished/report").exists()
    assert rence(*words, "--accept", "  ")[0] == USAGE
    code, out, err = rence(*words, "--accept", REASON)
    assert code != USAGE, err
    if words[0] in ("run", "report"):
        found = json.loads(Path("runs/finished/report/verdict.json").read_text(encoding="utf-8"))
        assert found["accepted"] == {"reason": REASON, "what": [BROKEN]} and found["sealed"] == "accepted"
        page = Path("runs/finished/report/report.md").read_text(encoding="utf-8")
        assert f"**Accepted: {REASON}. Let through: " in page and "matched" not in page and "as planned" not in page
    if words[0] != "report":
        assert REASON in out and "; matched" not in out
