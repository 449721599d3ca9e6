"""Files that an older version left behind are read by this one: README.md here says what they are.

What they say must stay the same: every number of the old reports, and what a resumed trial ends with. Wording may
change, and later versions may say more.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from benchmarks.marking import MARKER_VERSION

ENTRY = (sys.executable, "-m", "rence")
ROOT, FILES = Path(__file__).parents[2], Path(__file__).with_name("files_6b4d70b.tar.xz")
OK, FAILED, USAGE = 0, 1, 2
DIGITS = 1e-9
"""relative: reports are arithmetic on small tables, whatever the processor"""
RESUMED = 2e-4
"""of a metric's norm over a trial, in the first step after the checkpoint. On ATen's and MKL's other paths it was off
by at most 1.8e-5 (means of differences of log-probs, which cancel). Later steps are not compared there: AdamW makes as
much of a small gradient as of a large one, and so of its rounding."""
CHECKPOINT = 3
"""the step that both interrupted trials go on after"""
NO_MLFLOW = "http://127.0.0.1:9"
"""a store that does not answer"""
EVAL = (
    *("--model", "tiny-base", "--benchmarks", "mini_sums:2,mini_equations", "--template", "bare"),
    *("--max-tokens", "8", "--limit", "20", "--seed", "7", "--second-marker", "--chunk", "2"),
)
"""what made `answers`, and `stopped`, which was killed"""
Done = subprocess.CompletedProcess[str]
Rence = Callable[..., Done]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    with tarfile.open(FILES) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture
def place(unpacked: Path, tmp_path: Path) -> Path:
    """A working directory with a copy of all files, as if the version that is tested had made them."""
    folder = shutil.copytree(unpacked, tmp_path / "work")
    for header in folder.rglob("eval.json"):
        # An evaluation that was begun is refused to another version of its engine, here torch: not what is tested.
        header.write_text(of_this_engine(header.read_text(encoding="utf-8")), encoding="utf-8")
    return folder


@pytest.fixture
def rence(place: Path) -> Rence:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "MLFLOW_TRACKING_URI": NO_MLFLOW}

    def call(*words: str, code: int = OK) -> Done:
        command = [*ENTRY, *words]
        done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == code, f"{words}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    return call


def of_this_engine(text: str) -> str:
    """With the versions that are installed in place of those that a header records."""
    now = f"torch {version('torch')}, transformers {version('transformers')}"
    return re.sub(r"torch [^,]+, transformers [^)]+", now, text)


def by_this_marker(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As if the installed version had marked them: what goes on is marked again, and no mark changes by it."""
    return [{**row, "grader_version": MARKER_VERSION} if "grader_version" in row else row for row in rows]


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()


def tree(folder: Path) -> dict[str, bytes]:
    """Every file but locks and reports."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock" and "report" not in path.parts
    }


def lost(old: Any, new: Any, at: str = "", digits: float = DIGITS) -> Iterator[str]:
    """What a document says otherwise than it did: numbers, names, what is there. Keys may be added, and sentences
    (strings with spaces) worded anew."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old:
            yield from lost(old[key], new[key], f"{at}.{key}", digits) if key in new else [f"{at}.{key} is gone"]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (was, now) in enumerate(zip(old, new, strict=True)):
            yield from lost(was, now, f"{at}[{place}]", digits)
    elif isinstance(old, float) and isinstance(new, float):
        if new != (pytest.approx(old, rel=digits, abs=1e-12) if digits else old):
            yield f"{at}: {old} -> {new}"
    elif isinstance(old, str) and isinstance(new, str) and " " in old:
        if not new:
            yield f"{at}: empty"
    elif type(old) is not type(new) or old != new:
        yield f"{at}: {old!r} -> {new!r}"


def numbers(row: str) -> list[str]:
    """Of a table row in Markdown, its first cell left out, which names it."""
    return re.findall(r"[-−+]?[0-9]*[.,]?[0-9]+", row.split("|", 2)[2])


def within(few: list[str], many: list[str]) -> bool:
    """Whether they are there, in their order."""
    rest = iter(many)
    return all(one in rest for one in few)


def tables(path: Path) -> tuple[list[list[str]], list[list[str]]]:
    """Of a report in Markdown: the columns of every table but for names of benchmarks, which may be printed in another
    way, and the numbers of every row that has some."""
    rows = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    heads = [above.strip("|").split("|") for above, below in pairwise(rows) if below.startswith("| :---")]
    columns = [[cell.strip() for cell in head if "\\_" not in cell] for head in heads]
    return columns, [found for row in rows if (found := numbers(row))]


def results(path: Path) -> list[dict[Any, Any]]:
    return pd.read_csv(path, keep_default_na=False).to_dict("records")


@pytest.mark.parametrize("name", ["finished", "imported", "from-lm-eval"])
def test_reports_say_what_they_said(rence: Rence, place: Path, name: str) -> None:
    rence("report", f"runs/{name}", "--format", "md,csv,json")
    old, new = place / "expected" / name, place / "runs" / name / "report"
    verdict, now = read(old / "verdict.json"), read(new / "verdict.json")
    now["notes"] = now["notes"][: len(verdict["notes"])]  # there may be more to say
    assert list(lost(verdict, now)) == []
    assert list(lost(results(old / "results.csv"), results(new / "results.csv"))) == []
    for was, is_now in zip(tables(old / "report.md"), tables(new / "report.md"), strict=True):
        assert was and [row for row in was if not any(within(row, other) for other in is_now)] == []


@pytest.mark.parametrize(
    "name, a, b",
    [
        ("finished", "runs/finished/rence", "runs/finished/dapo"),
        ("imported", "runs/imported/ours", "runs/imported/theirs"),
        ("from-lm-eval", "runs/from-lm-eval/cool", "runs/from-lm-eval/warm"),
        ("answers", "cooler", "answers"),
    ],
)
def test_comparisons_have_the_same_numbers(rence: Rence, place: Path, name: str, a: str, b: str) -> None:
    unmatched = ["--allow-unmatched"] if name in ("from-lm-eval", "answers") else []
    done = rence("compare", a, b, *unmatched, "--json")
    assert list(lost(read(place / f"expected/compare-{name}.json"), json.loads(done.stdout))) == []


@pytest.mark.parametrize(
    "run, baseline, name, code",
    [
        ("answers", "answers", "answers", OK),
        ("runs/finished/rence", "finished", "finished", FAILED),
        ("runs/finished/dapo", "finished", "dapo", FAILED),
    ],
)
def test_a_baseline_decides_as_it_did(rence: Rence, place: Path, run: str, baseline: str, name: str, code: int) -> None:
    """The same scores and differences. That nothing differs is no longer proof, and the file has no hash of its
    answers; bounds and what follows from them are those of today's routine."""
    done = rence("gate", run, "--baseline", f"{baseline}-baseline.yaml", "--json", code=code)
    old, now = read(place / f"expected/gate-{name}.json"), json.loads(done.stdout)
    assert list(lost(_without(old, BOUNDS), _without(now, BOUNDS))) == [] and old.keys() <= now.keys()


BOUNDS = ("lower", "upper", "se", "df", "p_lost_more_than_margin", "failed", "outcome", "passed", "target")
BOUNDS += ("passing_margin", "provable_margin", "times_problems_needed", "times_samples_needed")


def _without(data: Any, keys: tuple[str, ...]) -> Any:
    if not isinstance(data, dict):
        return data
    return {key: _without(value, keys) for key, value in data.items() if key not in keys}


def test_of_a_finished_run_nothing_is_left_to_do(rence: Rence, place: Path) -> None:
    before = tree(place / "runs")
    rence("run", "runs/finished/experiment.yaml")  # makes the report, which is not among the files
    assert (place / "runs/finished/report/index.html").exists()
    again = rence("run", "runs/finished/experiment.yaml")
    assert "nothing to do" in again.stdout
    assert tree(place / "runs") == before, "neither the run nor its tuning has been touched"


@pytest.mark.parametrize(
    "change, what",
    [
        ("recipe.weight_decay=0.1", "weight_decay"),
        ("evaluation.max_tokens=9", "max_tokens"),
        ("arms.dapo={clip_high: 0.3}", "clip_high"),
    ],
)
def test_a_changed_plan_is_still_refused(rence: Rence, place: Path, change: str, what: str) -> None:
    before = tree(place / "runs")
    done = rence("run", "runs/finished/experiment.yaml", change, code=USAGE)
    assert "planned otherwise" in done.stderr and what in done.stderr
    assert tree(place / "runs") == before


def test_interrupted_trials_go_on_and_end_as_they_would_have(rence: Rence, place: Path) -> None:
    run, expected = place / "runs/interrupted", place / "expected/interrupted"
    arms = ("rence", "online_dpo")
    begun = {arm: lines(run / arm / "seed3/steps.jsonl") for arm in arms}
    done = rence("run", "runs/interrupted/experiment.yaml")
    assert "ReNCE" in done.stdout and (run / "report/index.html").exists()
    same = is_the_same_machine(expected.parent / "machine.json")
    for arm in arms:
        trial, whole = run / arm / "seed3", expected / arm / "seed3"
        log = "".join(path.read_text(encoding="utf-8") for path in trial.rglob("logs/*/*.log"))
        assert f"step {CHECKPOINT + 1}" in log and f"step {CHECKPOINT}:" not in log, "it went on after its checkpoint"
        was, now = lines(whole / "steps.jsonl"), lines(trial / "steps.jsonl")
        assert now[:CHECKPOINT] == begun[arm][:CHECKPOINT], "what lay before it stays to the byte"
        check_steps([json.loads(line) for line in was], [json.loads(line) for line in now], same)
        was, now = read(whole / "done.json"), read(trial / "done.json")
        if not same:
            del was["final_weights"]
        assert list(lost(was, now)) == []
        check_evaluations(whole / "evals", trial / "evals", same)


def is_the_same_machine(recorded: Path) -> bool:
    """Whether results must be equal to the last bit: they are on the same kind of processor with the same packages."""
    import torch

    now = {name: version(name) for name in ("torch", "transformers", "tokenizers", "safetensors", "numpy")}
    cpu: dict[str, str] = {}
    if Path("/proc/cpuinfo").exists():
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            cpu.setdefault(*(part.strip() for part in (*line.split(":", 1), "")[:2]))
    now |= {f"cpu {name}": cpu.get(name, "") for name in ("model name", "cpu family", "model")}
    now["cpu capability"] = torch.backends.cpu.get_cpu_capability()
    return read(recorded) == now


def check_steps(old: list[dict[str, Any]], new: list[dict[str, Any]], same: bool) -> None:
    """Counters always; metrics to the last digit on the same machine, elsewhere as near as `RESUMED` says."""
    counters = ("step", "rollouts", "tokens", "updates", "cursor")
    assert [[row[name] for name in counters] for row in new] == [[row[name] for name in counters] for row in old]
    if same:
        assert list(lost(old, new, digits=0.0)) == []
        return
    for name, was in old[CHECKPOINT]["metrics"].items():
        now = new[CHECKPOINT]["metrics"][name]
        assert (now is None) == (was is None), name
        norm = sum((row["metrics"].get(name) or 0.0) ** 2 for row in old) ** 0.5
        assert (now or 0.0) == pytest.approx(was or 0.0, rel=0, abs=RESUMED * norm), name


def check_evaluations(old: Path, new: Path, same: bool) -> None:
    """The same questions in the same order; the same answers on the same machine."""
    found = sorted(path.relative_to(old) for path in old.rglob("attempts.parquet"))
    assert len(found) == 3
    assert found == sorted(path.relative_to(new) for path in new.rglob("attempts.parquet"))
    assert not list(new.rglob("attempts.jsonl"))
    for path in found:
        asked = ("arm", "seed", "step", "benchmark", "problem_id", "sample", "gold", "template", "engine")
        was, now = pq.read_table(old / path), pq.read_table(new / path)
        columns = was.column_names if same else asked
        assert now.select(columns).to_pylist() == by_this_marker(was.select(columns).to_pylist()), path
        header = {**read(old / path.parent / "eval.json"), "grader_version": MARKER_VERSION}
        if not same:
            del header["model_hash"]
        assert list(lost(header, read(new / path.parent / "eval.json"))) == []


def test_a_stopped_evaluation_goes_on(rence: Rence, place: Path) -> None:
    open_rows = place / "stopped/evals/mini_equations/attempts.jsonl"
    begun = [json.loads(line) for line in lines(open_rows)[:-1]]
    assert len(begun) == 5, "two chunks of two problems, and one that was cut off"
    rence("eval", *EVAL, "--out", "stopped")
    assert not open_rows.exists()
    same = is_the_same_machine(place / "expected/machine.json")
    for benchmark in ("mini_sums", "mini_equations"):
        was, now = (
            pq.read_table(place / folder / "evals" / benchmark / "attempts.parquet")
            for folder in ("answers", "stopped")
        )
        columns = was.column_names if same else ("problem_id", "sample", "gold", "seed", "step")
        assert now.select(columns).to_pylist() == by_this_marker(was.select(columns).to_pylist())
    assert now.select(list(begun[0])).to_pylist()[:4] == by_this_marker(begun[:4])


def test_a_finished_evaluation_is_left_as_it_is(rence: Rence, place: Path) -> None:
    before = tree(place / "answers")
    assert "nothing to do" in rence("eval", *EVAL, "--out", "answers").stdout
    found = json.loads(rence("eval", *EVAL, "--out", "answers", "--json").stdout)
    assert list(lost(read(place / "expected/answers.json"), found)) == []
    assert tree(place / "answers") == before
