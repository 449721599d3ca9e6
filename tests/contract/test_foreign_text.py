"""Whatever others wrote, no command prints what acts, and no file that a program opens does what they say."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness.base.errors import OK
from harness.records import RunFolder
from harness.records.foreign import cell, json_escaped, visible, without_commands
from harness.run.display import RunView
from harness.run.jobs import Job
from harness.run.outcome import Failure, RunOutcome
from rence.cli import experiments
from rence.cli.console import err, guarded
from rence.cli.streams import CleanStream
from reports.document import Bullets, Text
from reports.render import latex, markdown

spec = importlib.util.spec_from_file_location("hostile", Path(__file__).with_name("hostile.py"))
assert spec and spec.loader
hostile = importlib.util.module_from_spec(spec)
spec.loader.exec_module(hostile)
HOSTILE, acting = hostile.HOSTILE, hostile.acting
Call = Callable[..., tuple[int, str, str]]
STORABLE = tuple(visible(text) if re.search("[\ud800-\udfff]", text) else text for text in HOSTILE)
"""as a file in UTF-8 can hold them"""
EACH = 8


def words() -> Iterator[str]:
    """All of them as arguments of a command line, which hold no NUL, several in one."""
    found = [text.replace("\x00", "").replace("/", "_") for text in HOSTILE]
    for start in range(0, len(found), EACH):
        yield " ".join(found[start : start + EACH])


def rows(path: Path, **columns: str) -> Path:
    """Attempts of two arms, hostile in every text; columns: fixed values."""
    lines = [
        {
            "arm": arm, "seed": 0, "benchmark": "b", "problem_id": f"{text} {i}", "sample": 0,
            "correct": int(arm == "b" and i % 3 > 0), "response": text, "answer": text, "gold": text, "tokens": 9,
            "template": "t", "engine": "e", **columns,
        }
        for arm in ("a", "b")
        for i, text in enumerate(STORABLE)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


ARGUMENTS = (
    ["show", "{}"], ["check", "{}"], ["list", "{}"], ["config", "explain", "{}"], ["report", "{}"], 
    ["report", ".", "--format", "{}"],
    ["compare", "{}", "{}"], ["gate", "{}", "--baseline", "{}"], ["dashboard", "{}"], ["plan", "{}"], ["run", "{}"],
    ["run", "quickstart", "{}"], ["run", "quickstart", "--only", "{}"], ["import", "attempts", "{}", "--out", "{}"],
    ["import", "attempts", "a={}", "--out", "o"], ["import", "attempts", "rows.jsonl", "--out", "o", "--target", "{}"],
    ["grade", "{}"], ["eval", "--model", "{}", "--benchmarks", "mini_sums", "--out", "{}"],
    ["eval", "--model", "quickstart-base", "--benchmarks", "{}", "--out", "o"], ["same", "{}", "{}"],
    ["diff", "{}", "grpo"], ["diff", "grpo", "dapo", "--batch", "{}"], ["exploit", "{}"], ["benchmarks", "pin", "{}"],
    ["reproduce", "{}", "--expected", "{}"], ["{}"], ["list", "runs", "--{}"],
)  # fmt: skip


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=" ".join)
def test_arguments(rence: Call, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    rows(Path("rows.jsonl"))
    for text in words():
        code, out, err = rence(*(argument.replace("{}", text) for argument in arguments))
        assert code != OK and acting(out + err) == [], out + err
        assert "Traceback" not in err and "This is a bug" not in err, err


def test_files_of_others(rence: Call) -> None:
    """What is wrong with a row is said with what it holds."""
    for name in ("arm", "benchmark", "problem_id", "seed", "sample", "correct", "mark", "template"):
        for start in range(0, len(STORABLE), EACH):
            text = " ".join(STORABLE[start : start + EACH])
            line = {
                "arm": "a",
                "seed": 0,
                "benchmark": "b",
                "problem_id": "p",
                "sample": 0,
                "correct": 1,
                name: text,
                text: 1,
            }
            Path("one.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
            _, out, err = rence("import", "attempts", "one.jsonl", "--out", "one", "--clean")
            assert acting(out + err) == [], out + err
            assert "This is a bug" not in err, err


@pytest.mark.slow
def test_an_import_its_report_and_its_comparisons(rence: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(Path("summary.md").resolve()))
    for i, text in enumerate([" ".join(STORABLE[start : start + EACH]) for start in range(0, len(STORABLE), EACH)]):
        file = rows(Path("rows.jsonl"), benchmark=text, template=text, engine=text)
        assert rence("import", "attempts", str(file), "--out", f"runs/r{i}")[0] in (OK, 2)
    runs = sorted(Path("runs").iterdir())
    assert len(runs) > len(STORABLE) // EACH // 2
    for run in runs:
        for said in (
            ["report", str(run)], ["report", str(run), "--json"], ["compare", f"{run}/a", f"{run}/b"],
            ["compare", f"{run}/a", f"{run}/b", "--json"], ["same", f"{run}/a", f"{run}/b"], ["list", "runs"],
            ["gate", f"{run}/b", "--baseline", "b.yaml", "--update"],
            ["gate", f"{run}/a", "--baseline", "b.yaml", "--junit", "junit.xml"],
            ["gate", f"{run}/a", "--baseline", "b.yaml", "--json"],
        ):  # fmt: skip
            _, out, err = rence(*said)
            assert acting(out + err) == [], (said, out + err)
            assert "This is a bug" not in err, (said, err)
        ElementTree.parse("junit.xml")
        assert not re.search(
            "<script|<img|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", Path("summary.md").read_text(encoding="utf-8")
        )
        _check_tables(run)
        Path("b.yaml").unlink(missing_ok=True)


def _check_tables(run: Path) -> None:
    for path in (run / "report").glob("*.csv"):
        for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8"))):
            for one in row:
                assert not re.match(r"[\s\"]*[=+@]|[\s\"]*-(?![\d.])", one), (path, one)
    page = (run / "report/report.md").read_text(encoding="utf-8")
    assert not re.search(
        "<script|<img|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", page
    ) and "](javascript" not in page.replace("\\](", "")


def test_answers_that_are_graded(rence: Call) -> None:
    lines = [{"gold": text, "pred": f"\\boxed{{{text}}}", "expected": i % 2} for i, text in enumerate(STORABLE)]
    Path("g.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    code, out, err = rence("grade", "g.jsonl", "--out", "marked.jsonl", "--workers", "1")
    assert code == OK and acting(out + err) == [] and "Agreement" in out
    kept = [json.loads(line)["gold"] for line in Path("marked.jsonl").read_text(encoding="utf-8").splitlines()]
    assert kept == list(STORABLE), "files keep the original"
    code, out, err = rence("grade", "g.jsonl", "--json", "--workers", "1")
    assert acting(out + err) == [] and {miss["gold"] for miss in json.loads(out)["misses"]} <= set(STORABLE)


def test_how_a_run_goes_and_what_is_left_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = RunFolder(tmp_path)

    def shown() -> None:
        for text in HOSTILE:
            job = Job(run, text.replace("\x00", ""), 0)
            failure = Failure(job, 1, tmp_path / text.replace("\x00", ""), (text, f"warning: {text}"))
            view = RunView(err())
            view._running, view._pulses = {job.name: job}, {job.name: None}  # type: ignore[dict-item]
            view.ended(job, failure, [text])
            view.warn(text)
            experiments._print_what_is_left(RunOutcome(run, [], True, False, [failure]))

    with pytest.raises(SystemExit):
        guarded(shown)
    said = capsys.readouterr()
    assert acting(said.out + said.err) == [] and "[red]x[/red]: [red]x[/red]" not in said.err
    assert "[red]x[/red]" in said.err and ":smile:" in said.err


def test_an_error_of_any_kind(capsys: pytest.CaptureFixture[str]) -> None:
    def broken(text: str) -> None:
        raise RuntimeError(text)

    for text in HOSTILE:
        with pytest.raises(SystemExit):
            guarded(lambda text=text: broken(text))
        with pytest.raises(SystemExit):
            guarded(lambda text=text: print(text, text, sep="\n", file=sys.stderr))
    said = capsys.readouterr()
    assert acting(said.out + said.err) == []


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_colours_are_ours_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "CI", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", CleanStream(screen))
    console = err()
    assert console.is_terminal
    for text in HOSTILE:
        console.print(text)
        console.print(text, style="bold")
    said = screen.getvalue()
    assert "\x1b[1m" in said
    assert acting(re.sub(r"\x1b\[[0-9;]*m", "<style>", said)) == []
    assert set(re.findall(r"\x1b\[[0-9;]*m", said)) == {"\x1b[1m", "\x1b[0m"}


def test_a_command_in_pieces() -> None:
    screen = io.StringIO()
    stream = CleanStream(screen)
    for piece in ("a\n", ":", ":error::x\n", "  ", "::", "error::y\n", "b::c\n", "d", "::e\n"):
        stream.write(piece)
    assert screen.getvalue() == "a\n: :error::x\n  : :error::y\nb::c\nd::e\n"


@pytest.mark.parametrize("text", HOSTILE)
def test_one_text_everywhere(text: str) -> None:
    assert acting(without_commands(visible(text).replace("\r", "\n"))) == []
    document = json.dumps({text: [text]}, indent=2, ensure_ascii=False)
    assert acting(json_escaped(document)) == [] and json.loads(json_escaped(document)) == {text: [text]}
    tex = latex.escape(text)
    assert (
        not re.search(r"(?<!\\)[%#&_{}$](?!\\)", re.sub(r"\\[a-z]+\{\}|\$\S+?\$|\\[{}%#&_$]", "", tex))
        and "\x1b" not in tex
    )
    for block in (Text(text), Bullets([text])):
        page = markdown.block(block)
        assert acting(page) == [] or "::" in text or "##" in text
        assert "<script" not in page and "<img" not in page and "](" not in page.replace("\\](", "")
        assert not re.match(r"(- )?(#{1,6} |[-+] [^-]|\d+[.)] )", page) or page.startswith("- ")


@pytest.mark.parametrize("number", ["-1", "-1.5", "+2", "1e-5", "-.5", "−", "0", "-3 %", "", "a=b", "x-1", "2-1"])
def test_a_number_stays_a_number(number: str) -> None:
    assert cell(number) == number


@pytest.mark.parametrize("text", hostile.FORMULAS)
def test_a_formula_does_not(text: str) -> None:
    assert cell(text) == (f"'{text}" if text[0] != "\r" else "␍=1")
