"""`rence eval --gate FILE --sequential` and `rence gate --sequential`: stopping early, and what it leaves behind."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from harness.base.errors import FAILED, INCOMPLETE, OK, USAGE
from harness.records import EvalFolder, EvalRecord, append_jsonl
from rence.cli import main
from reports.gate import reading
from reports.gate.baseline import write
from tests.sealing import sealed_anew

Call = Callable[..., tuple[int, str, str]]
NAMES = ("mini_chains", "mini_sums")
ASK = ["eval", "--model", "quickstart-base", "--benchmarks", "mini_sums:2,mini_chains:2", "--template", "bare"]
ASK += ["--max-tokens", "24", "--limit", "50"]


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    captured = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, captured.out, captured.err


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's answers in `base`, their baseline `same.yaml`, and `high.yaml`, in which all answers were right."""
    place = tmp_path_factory.mktemp("sequential")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        for command in ([*ASK, "--out", "base"], ["gate", "base", "--baseline", "same.yaml", "--update"]):
            with pytest.raises(SystemExit) as ended:
                main(command)
            assert ended.value.code == OK
    same = reading.read(place / "same.yaml", 0.02)
    perfect = {
        name: replace(one, correct=((2,) * one.n,), answers=(), readings={})
        for name, one in same.results.benchmarks.items()
    }
    write(place / "high.yaml", replace(same, results=replace(same.results, benchmarks=perfect)))
    return place


@pytest.fixture
def rence(made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    monkeypatch.chdir(made)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    return lambda *arguments: call(capsys, *arguments)


def content(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_it_stops_when_it_is_decided(rence: Call, made: Path, tmp_path: Path) -> None:
    ask = [*ASK, "--out", "lower", "--gate", "high.yaml", "--sequential"]
    code, out, _ = rence(*ask)
    assert code == FAILED and "\nRegression: " in out and "To look at: " in out
    assert "of 5: decided;" in out and "attempts of 200 saved (" in out and "Stopped by a gate after" in out
    asked = {name: EvalRecord.read(EvalFolder(made / "lower/evals" / name).header) for name in NAMES}
    assert {(one.stopped_by, one.order) for one in asked.values()} == {("gate", "random")}
    assert {one.problems for one in asked.values()} < {10, 20, 30, 40}
    before = content(made / "lower")
    code, out, _ = rence(*ask, "--json")
    found = json.loads(out)["gate"]
    assert code == FAILED and content(made / "lower") == before, "nothing is asked again, and nothing is rewritten"
    assert found["outcome"] == "regression" and found["sequential"]["attempts_saved"] > 0
    # the same decision from the files alone, with what CI reads
    junit = tmp_path / "j.xml"
    code, out, _ = rence("gate", "lower", "--baseline", "high.yaml", "--sequential", "--json", "--junit", str(junit))
    assert code == FAILED and json.loads(out) == found and "attempts of 200 saved" in junit.read_text("utf-8")


def test_another_gate_on_the_same_looks_is_refused(rence: Call, made: Path) -> None:
    rence(*ASK, "--out", "lower", "--gate", "high.yaml", "--sequential")
    code, _, err = rence("gate", "lower", "--baseline", "high.yaml", "--sequential", "--margin", "50")
    assert code == USAGE and "the margin is 50 points, but was 2 points" in err and len(err.splitlines()) == 2
    code, _, err = rence("gate", "lower", "--baseline", "same.yaml", "--sequential")
    assert code == USAGE and "same.yaml is not what high.yaml was" in err
    code, _, err = rence("gate", "lower", "--baseline", "high.yaml")
    assert code == USAGE and "was looked at while it grew" in err and "--sequential`" in err
    code, _, err = rence("gate", "lower", "--baseline", "new.yaml", "--update")
    assert code == INCOMPLETE and "stopped by a gate after" in err and "a baseline needs all problems" in err
    code, _, err = rence(*ASK, "--out", "lower")
    assert code == USAGE and 'order: "random" -> ""' in err


def cut(source: Path, to: Path, problems: int) -> None:
    """The evaluation as it was when so many problems of each benchmark were answered."""
    shutil.copytree(source, to)
    (to / "gate.json").unlink()
    for name in NAMES:
        folder = EvalFolder(to / "evals" / name)
        append_jsonl(folder.open_attempts, pq.read_table(folder.attempts).slice(0, 2 * problems).to_pylist())
        folder.attempts.unlink()


def test_a_growing_folder_is_looked_at_only_when_planned(rence: Call, made: Path) -> None:
    ask = [*ASK, "--out", "again", "--gate", "same.yaml", "--sequential"]
    code, out, _ = rence(*ask)
    assert code == OK and "Pass: every answer is the baseline's, text by text." in out
    assert "all 200 attempts were needed" in out
    whole = content(made / "again")
    cut(made / "again", made / "grows", 25)
    code, out, err = rence("gate", "grows", "--baseline", "same.yaml", "--sequential")
    assert (code, out) == (INCOMPLETE, "") and len(err.splitlines()) == 2
    assert "not decided yet after 2 looks of 5: the next one needs 60 of 100 problems, and 50 are answered." in err
    assert "To go on: rence eval ... --out grows --gate same.yaml --sequential" in err
    remembered = json.loads((made / "grows/gate.json").read_text("utf-8"))
    assert [look["problems"]["mini_sums"] for look in remembered["looks"]] == [10, 20] and not remembered["outcome"]
    first = (made / "grows/gate.json").read_bytes()
    assert rence("gate", "grows", "--baseline", "same.yaml", "--sequential")[0] == INCOMPLETE
    assert (made / "grows/gate.json").read_bytes() == first, "looking more often changes nothing"
    code, _, _ = rence(*[word if word != "again" else "grows" for word in ask])
    now = content(made / "grows")
    assert code == OK and {k: v for k, v in now.items() if k != "gate.json"} == {
        k: v for k, v in whole.items() if k != "gate.json"
    }, "what goes on comes out as what was never cut"


def test_what_was_asked_at_once_can_be_looked_at_too(rence: Call) -> None:
    code, out, _ = rence("gate", "base", "--baseline", "same.yaml", "--sequential", "--json")
    assert code == OK and json.loads(out)["sequential"]["looks"] == 5 and json.loads(out)["equal_answers"]
    # other readings are not looked at on the way: a baseline without them gates alike
    text = Path("same.yaml").read_text(encoding="utf-8")
    assert text.count("    readings:\n") == 2
    older = re.sub(r"    readings:\n(      .*\n)+", "", text)
    Path("older.yaml").write_text(sealed_anew(older), encoding="utf-8")
    looked = Path("base/gate.json").read_bytes()
    Path("base/gate.json").unlink()
    other = rence("gate", "base", "--baseline", "older.yaml", "--sequential", "--json")[1]
    assert json.loads(out) | {"baseline": "older.yaml"} == json.loads(other)
    Path("base/gate.json").write_bytes(looked)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--sequential"], USAGE, "`--sequential` needs `--gate FILE`"),
        (["--gate", "same.yaml"], USAGE, "`--gate` needs `--sequential`"),
        (["--gate", "none.yaml", "--sequential"], INCOMPLETE, "none.yaml does not exist"),
        (["--gate", "same.yaml", "--sequential", "--temperature", "0.5"], USAGE, "the sampling's `temperature` is 0.5"),
        (["--gate", "same.yaml", "--sequential", "--limit", "40"], INCOMPLETE, "was asked the first 40 problems"),
        (
            ["--gate", "same.yaml", "--sequential", "--benchmarks", "mini_sums:2,mini_stories"],
            USAGE,
            "same.yaml has mini_chains, which is not asked and mini_stories is not in same.yaml",
        ),
    ],
)
def test_what_could_not_be_gated_is_refused_before_anything_is_asked(
    rence: Call, made: Path, arguments: list[str], code: int, words: str
) -> None:
    found, out, err = rence(*ASK, "--out", "never", *arguments)
    assert (found, out) == (code, "") and words in err and len(err.splitlines()) <= 3
    assert not (made / "never").exists()


def test_usage(rence: Call) -> None:
    for more, words in (
        (["--update"], "`--sequential` has no meaning with `--update`"),
        (["--problems", "these"], "`--sequential` is about new problems"),
    ):
        code, _, err = rence("gate", "base", "--baseline", "same.yaml", "--sequential", *more)
        assert code == USAGE and words in err
