"""`rence eval`: what it prints, writes and refuses, and that no signal loses or repeats an answer."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from safetensors.numpy import load_file, save_file

from benchmarks import registry
from harness.base.errors import INCOMPLETE, INTERRUPTED, OK, USAGE
from harness.base.locks import locked
from harness.models.resolving import SHIPPED
from harness.records import EvalFolder, EvalRecord

Call = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parents[2]
SAMPLING = ["--template", "bare", "--max-tokens", "24"]
BASE = ["eval", "--model", "quickstart-base", *SAMPLING]
SUMS = [*BASE, "--benchmarks", "mini_sums:2", "--limit", "20", "--chunk", "8"]


@pytest.fixture(autouse=True)
def no_problems_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RENCE_DATA_DIR", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for one in registry.BENCHMARKS.values():  # what a test before this one read stays in memory
        monkeypatch.delitem(vars(one), "problems", raising=False)


def start(cwd: Path, *arguments: str, before: str = ":") -> subprocess.Popen[str]:
    """A process of its own; `before` is a shell command to run first."""
    command = ["bash", "-c", f'{before}; exec "$@"', "bash", sys.executable, "-m", "rence", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def content(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def rows(out: Path, benchmark: str = "mini_sums") -> list[dict]:
    return pyarrow.parquet.read_table(EvalFolder(out / "evals" / benchmark).attempts).to_pylist()


def test_an_evaluation_from_before_titles_goes_on(rence: Call, tmp_path: Path) -> None:
    """And one whose rule was another does not."""
    command = [*SUMS, "--limit", "4", "--out", "r"]
    assert rence(*command)[0] == OK
    header = tmp_path / "r/evals/mini_sums/eval.json"
    now = json.loads(header.read_text())
    assert (now["title"], now["rule"]) == ("Mini sums", "numbers")
    header.write_text(json.dumps({key: value for key, value in now.items() if key not in ("title", "rule", "seals")}))
    (header.parent / "seal.json").unlink()
    code, out, _ = rence(*command)
    assert code == OK and "nothing to do" in out and "\nmini_sums  " in out
    header.write_text(json.dumps({**now, "title": "Another", "rule": "mathematical expressions"}))
    code, _, err = rence(*command)
    assert code == USAGE and 'rule: "mathematical expressions" -> "numbers"' in err and "Another" not in err


def test_every_answer_is_a_row_and_the_scores_are_theirs(rence: Call, tmp_path: Path) -> None:
    code, out, _ = rence(*SUMS, "--out", "r", "--json")
    assert code == OK
    found, kept = json.loads(out), rows(tmp_path / "r")
    problems = registry.benchmark("mini_sums").problems[:20]
    assert [(row["problem_id"], row["sample"]) for row in kept] == [(p.id, i) for p in problems for i in range(2)]
    assert {(row["arm"], row["seed"], row["step"]) for row in kept} == {("quickstart-base", None, 0)}
    correct = [row["mark"] == "correct" for row in kept]
    sums = found["per_benchmark"]["mini_sums"]
    assert sums["mean"] == found["average"]["mean"] == sum(correct) / 40
    assert sums["pass_at_k"] == sum(any(correct[i : i + 2]) for i in range(0, 40, 2)) / 20
    assert sums["mean_tokens"] == sum(row["tokens"] for row in kept) / 40
    assert sums["marks"]["correct"] == sum(correct) and sums["attempts"] == sum(sums["marks"].values()) == 40
    assert found["limit"] == 20 and found["model"] == "quickstart-base"
    assert found["sampling"] == {"temperature": 1.0, "top_p": 1.0, "max_tokens": 24, "seed": 0}


def test_the_header_records_what_was_asked(rence: Call) -> None:
    rence("eval", "--model", "quickstart-base", "--benchmarks", "mini_sums", "--limit", "2", "--max-tokens", "4",
          "--out", "r")  # fmt: skip
    header = EvalRecord.read(Path("r/evals/mini_sums/eval.json"))
    assert header.sampling == {"temperature": 1.0, "top_p": 1.0, "max_tokens": 4, "seed": 0, "chunk_problems": 256}
    assert (header.k, header.template, header.engine, header.limit, header.problems) == (1, "chat", "local", 2, 2)
    assert len(header.model_hash) == 64 and not header.second_marker


def test_a_finished_one_is_left_as_it_is_and_shown_again(rence: Call, tmp_path: Path) -> None:
    code, first, said = rence(*SUMS, "--out", "r")
    assert code == OK and "20 of 20 problems" in said
    before = content(tmp_path / "r")
    code, second, said = rence(*SUMS, "--out", "r")
    assert (code, said) == (OK, "") and content(tmp_path / "r") == before
    assert second == f"r: all that was asked for is complete: nothing to do.\n\n{first}"
    line = next(line for line in first.splitlines() if line.startswith("Mini sums"))
    assert line.split()[:4] == ["Mini", "sums", "20", "2"] and "average" not in first
    assert "about this one checkpoint on new problems like these." in first
    assert "template bare, the first 20 problems of each benchmark only." in first


def test_quiet_prints_nothing(rence: Call) -> None:
    assert rence(*SUMS, "--limit", "2", "--out", "r", "--quiet") == (OK, "", "")


def test_another_benchmark_joins_the_folder(rence: Call) -> None:
    rence(*SUMS, "--out", "r")
    _, out, said = rence(*BASE, "--benchmarks", "mini_chains:2", "--limit", "20", "--out", "r", "--json")
    found = json.loads(out)
    assert list(found["per_benchmark"]) == ["mini_chains", "mini_sums"] and "mini_sums" not in said
    means = [one["mean"] for one in found["per_benchmark"].values()]
    assert found["average"]["mean"] == pytest.approx(sum(means) / 2)


def test_the_first_problems_are_answered_as_in_a_full_evaluation(rence: Call, tmp_path: Path) -> None:
    # Chunks of 8: at 16 problems a chunk ends.
    rence(*SUMS, "--limit", "24", "--out", "more")
    rence(*SUMS, "--limit", "16", "--out", "less")
    assert rows(tmp_path / "less") == rows(tmp_path / "more")[:32]


def test_two_evaluated_models_are_compared(rence: Call, tmp_path: Path) -> None:
    shutil.copytree(SHIPPED["quickstart-base"], tmp_path / "other")
    config = json.loads((tmp_path / "other/config.json").read_text())
    (tmp_path / "other/config.json").write_text(json.dumps({**config, "rms_norm_eps": 1e-3}))
    rence(*SUMS, "--out", "a")
    rence(*SUMS, "--model", "other", "--chunk", "4", "--out", "b")
    code, out, _ = rence("compare", "a", "b", "--json")
    found = json.loads(out)
    score = [json.loads(rence(*SUMS, *more, "--json")[1])["average"]["mean"] for more in (
        ("--out", "a"), ("--model", "other", "--chunk", "4", "--out", "b"))]  # fmt: skip
    assert code == OK and found["matched"] and found["pairs"][0]["target"] == "checkpoints"
    assert found["pairs"][0]["delta"] == pytest.approx(score[0] - score[1])
    rence(*SUMS, "--temperature", "0.5", "--out", "c")
    code, _, said = rence("compare", "a", "c")
    assert code == USAGE and "mini_sums: the sampling's `temperature` differs (1, 0.5)" in said
    rence(*SUMS, "--limit", "8", "--out", "d")
    code, _, said = rence("compare", "a", "d")
    assert code == USAGE and "mini_sums: the limit of problems differs" in said


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (["--benchmarks", "mini_sums:3"], "k: 2 -> 3"),
        (["--temperature", "0.5"], "sampling.temperature: 1.0 -> 0.5"),
        (["--chunk", "4"], "sampling.chunk_problems: 8 -> 4"),
        (["--limit", "10"], "limit: 20 -> 10"),
        (["--template", "plain"], 'template: "bare" -> "plain"'),
        (["--model", "other"], 'arm: "quickstart-base" -> "other"'),
        (["--benchmarks", "mini_chains", "--seed", "1"], "(mini_sums): sampling.seed: 0 -> 1."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_folder_holds_one_model_asked_in_one_way(
    rence: Call, tmp_path: Path, change: list[str], difference: str
) -> None:
    shutil.copytree(SHIPPED["quickstart-base"], tmp_path / "other")
    rence(*SUMS, "--out", "r")
    before = content(tmp_path / "r")
    code, out, said = rence(*SUMS, *change, "--out", "r")
    assert (code, out) == (USAGE, "") and "r holds another evaluation" in said and difference in said
    assert "give another folder with `--out`" in said and content(tmp_path / "r") == before


def model(root: Path, **files: str | None) -> None:
    """A copy of the shipped model with some files replaced, or removed."""
    shutil.copytree(SHIPPED["quickstart-base"], root)
    for name, text in files.items():
        path = root / name.replace("__", ".")
        path.unlink() if text is None else path.write_text(text)


def damaged(root: Path, change: Callable[[dict], dict]) -> None:
    """A copy of the shipped model with other weights."""
    model(root)
    save_file(change(load_file(root / "model.safetensors")), root / "model.safetensors", {"format": "pt"})


@pytest.mark.parametrize("engine", ["local", "hf"])
def test_logits_that_are_not_finite_are_an_error_and_no_score(rence: Call, tmp_path: Path, engine: str) -> None:
    """The weights are numbers, so that nothing is wrong with them until they are computed with."""
    large = np.full(64, 3e38, np.float32)
    damaged(tmp_path / "large", lambda held: {**held, "model.norm.weight": large})
    code, out, said = rence(*SUMS, "--model", "large", "--engine", engine, "--out", "r")
    assert (code, out) == (INCOMPLETE, "")
    assert f"engine `{engine}`: the model's logits are not finite (NaN or infinity) in 16 of 16 answers" in said
    assert not list((tmp_path / "r").rglob("attempts.*")), "no answer is kept"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["--benchmarks", "mini_sum"], USAGE, "unknown benchmark `mini_sum`. Did you mean `mini_sums`?"),
        (["--benchmarks", "mini_sums:0"], USAGE, "but has `mini_sums:0`."),
        (["--benchmarks", "mini_sums:x"], USAGE, "but has `mini_sums:x`."),
        (["--benchmarks", ":4"], USAGE, "but has `:4`."),
        (["--benchmarks", "mini_sums,"], USAGE, "but one is empty."),
        (["--benchmarks", ""], USAGE, "`--benchmarks` must be names or files with commas"),
        (["--benchmarks", "mini_sums,mini_sums:4"], USAGE, "names `mini_sums` twice"),
        (["--benchmarks", "aime24"], INCOMPLETE, "Either set RENCE_DATA_DIR to a folder that holds aime24.jsonl, or"),
        (["--model", "nowhere"], USAGE, "model `nowhere` is neither shipped, nor a folder here, nor a hub id"),
        (["--model", "owner/name"], USAGE, "model `owner/name` cannot be fetched from the hub"),
        (["--model", "unconfigured"], USAGE, "`unconfigured` is a folder without config.json"),
        (["--model", "weightless"], INCOMPLETE, "weightless has no *.safetensors"),
        (["--model", "speechless"], USAGE, "the tokenizer of speechless cannot be used: JSONDecodeError"),
        (
            ["--model", "torn"],
            INCOMPLETE,
            "torn/model.safetensors is no safetensors, or was cut short: it has 11",
        ),
        (
            ["--model", "lacking"],
            INCOMPLETE,
            "not its model's: 20 tensors missing (model.layers.0.mlp.up_proj.weight, ",
        ),
        (["--model", "lacking", "--engine", "hf"], INCOMPLETE, "lacking/model.safetensors are not its model's: 20 ten"),
        (["--model", "poisoned"], INCOMPLETE, "1 tensor not finite (NaN or infinity) (model.norm.weight)"),
        (["--model", "unheard"], USAGE, "the model of unheard cannot be used: "),
        (["--model", "mute", "--template", "chat"], USAGE, "template `chat` needs a model with a chat template"),
        (["--model", "raising"], USAGE, "the chat template of raising cannot be used: TemplateError: no maths"),
        (["--template", "cht"], USAGE, "unknown template `cht`. Did you mean `chat`?"),
        (["--engine", "lokal"], USAGE, "engine `lokal` is unknown. Did you mean `local`?"),
        (["--temperature", "-1"], USAGE, "--temperature: `temperature` must be at least 0, but is -1.0 instead."),
        (["--temperature", "inf"], USAGE, "--temperature: `temperature` must be a finite number"),
        (["--top-p", "1.5"], USAGE, "--top-p: `top_p` must be at most 1, but is 1.5 instead."),
        (["--top-p", "0"], USAGE, "--top-p: `top_p` must be more than 0, but is 0.0 instead."),
        (["--max-tokens", "0"], USAGE, "--max-tokens: `max_tokens` must be at least 1, but is 0 instead."),
        (["--limit", "0"], USAGE, "--limit: `limit` must be at least 1, but is 0 instead."),
        (["--seed", "-1"], USAGE, "--seed: `seed` must be at least 0, but is -1 instead."),
        (["--chunk", "0"], USAGE, "--chunk: `chunk_problems` must be at least 1, but is 0 instead."),
        (["--out", "torn"], USAGE, "torn holds something else: README.md."),
        (["--out", "trial"], USAGE, "trial holds something else: trial.json."),
        (["--out", "note.txt"], USAGE, "note.txt is a file."),
        (["--out", "note.txt/r"], USAGE, "note.txt"),
        (["--out", "x" * 300], USAGE, "cannot be read or written: File name too long"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_a_mistake_is_said_in_three_lines_at_most_and_nothing_is_written(
    rence: Call, tmp_path: Path, arguments: list[str], exit_code: int, message: str
) -> None:
    (tmp_path / "unconfigured").mkdir()
    (tmp_path / "note.txt").write_text("")
    model(tmp_path / "weightless", model__safetensors=None)
    model(tmp_path / "speechless", tokenizer__json='{"broken')
    model(tmp_path / "torn", model__safetensors="not weights")
    damaged(tmp_path / "lacking", lambda held: dict(list(held.items())[:4]))
    damaged(tmp_path / "poisoned", lambda held: {**held, "model.norm.weight": held["model.norm.weight"] * np.nan})
    model(tmp_path / "unheard", config__json='{"model_type": "unheard"}')
    model(tmp_path / "mute", chat_template__jinja=None)
    model(tmp_path / "raising", chat_template__jinja="{{ raise_exception('no maths') }}")
    (tmp_path / "trial" / "evals" / "step_1").mkdir(parents=True)
    (tmp_path / "trial" / "trial.json").write_text("{}")
    before = content(tmp_path)
    code, out, said = rence(*SUMS, "--out", "r", *arguments)
    assert (code, out) == (exit_code, "") and message in said, said
    message = said[said.index("rence: ") :]  # below what transformers may have logged
    assert len(message.splitlines()) <= 3 and "Traceback" not in message
    assert content(tmp_path) == before and not (tmp_path / "r").exists()


def test_a_folder_in_use_is_refused_at_once(rence: Call, tmp_path: Path) -> None:
    with locked(tmp_path / "r", "evaluation"):
        code, _, said = rence(*SUMS, "--out", "r")
    assert code == USAGE and f"r is in use by another evaluation, process {os.getpid()}" in said


def wait_for(path: Path, process: subprocess.Popen[str], lines: int = 0) -> None:
    while not path.exists() or path.read_bytes().count(b"\n") < lines:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


LONG = [*BASE, "--benchmarks", "mini_sums:16,mini_chains:4", "--chunk", "2"]


@pytest.mark.parametrize("pressed", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_one_says_how_to_go_on_and_goes_on(rence: Call, tmp_path: Path, pressed: signal.Signals) -> None:
    process = start(tmp_path, *LONG, "--out", "r")
    wait_for(tmp_path / "r/evals/mini_sums/attempts.jsonl", process, lines=32)  # a chunk
    process.send_signal(pressed)
    out, said = process.communicate()
    assert (process.returncode, out) == (INTERRUPTED, "")
    assert said.splitlines()[-2:] == [
        "rence: interrupted. What is done is saved. To go on:",
        f"  rence {' '.join(LONG)} --out r",
    ]
    assert "Traceback" not in said
    done = (tmp_path / "r/evals/mini_sums/attempts.jsonl").read_bytes()
    code, _, said = rence(*LONG, "--out", "r")
    count = done.count(b"\n") // 32 * 32
    assert code == OK and f"; {count:,} of 4,000 answers are there" in said
    kept = rows(tmp_path / "r")
    assert [row["response"] for row in kept[:count]] == [
        json.loads(line)["response"] for line in done.splitlines()[:count]
    ]


def test_a_full_disk_is_said_and_nothing_is_lost(rence: Call, tmp_path: Path) -> None:
    # No file may pass 200 kB, which the rows do in one of the first chunks.
    process = start(tmp_path, *SUMS[:-2], "--chunk", "20", "--benchmarks", "mini_sums:8", "--limit", "200",
                    "--out", "full", before="trap '' XFSZ; ulimit -f 200")  # fmt: skip
    out, said = process.communicate()
    assert (process.returncode, out) == (INCOMPLETE, ""), said
    assert "rence: no space left to write" in said and "run the same again" in said and "Traceback" not in said
    again = [*SUMS[:-2], "--chunk", "20", "--benchmarks", "mini_sums:8", "--limit", "200"]
    assert rence(*again, "--out", "full")[0] == rence(*again, "--out", "roomy")[0] == OK
    assert content(tmp_path / "full") == content(tmp_path / "roomy")


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_with_the_same_bytes() -> None:
    command = [sys.executable, "bench/kills.py", "--kills", "4", "--benchmarks", "mini_sums:8"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 of 4 killed runs ended with the bytes of the uninterrupted one" in done.stdout


def test_a_second_marker_stands_beside_the_first(rence: Call, tmp_path: Path) -> None:
    pytest.importorskip("benchmarks.marking.second_marker")
    code, out, _ = rence(*SUMS, "--second-marker", "--out", "r", "--json")
    found, kept = json.loads(out)["per_benchmark"]["mini_sums"], rows(tmp_path / "r")
    assert code == OK and {row["mark_second"] for row in kept} <= {"correct", "wrong", "grader_failed"}
    differ = [(row["mark"] == "correct") != (row["mark_second"] == "correct") for row in kept]
    assert found["markers_disagree"] == sum(differ)
    assert "markers disagree" in rence(*SUMS, "--second-marker", "--out", "r")[1]
    code, _, said = rence(*SUMS, "--out", "r")
    assert code == USAGE and "second_marker: true -> false" in said
