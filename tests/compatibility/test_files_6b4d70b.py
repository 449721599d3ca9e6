"""Files that an older version left behind are read by this one: README.md here says what they are.

What they say must stay the same: every number of the old reports, and what a resumed trial ends with. Wording may
change, and later versions may say more. What one routine of the statistics changed since by intention is named in
`CHANGED`, `CHANGED_COLUMN` and `CHANGED_GATE` with the reason, and nothing else is left out.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Callable, Container, Iterator
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
CHANGED = {
    "ci_low": "stays in range, is there where nothing varied, and is exact where few problems differ",
    "ci_high": "as `ci_low`",
    "df": "two seeds tell little of how much seeds differ",
    "p_value": "belongs to the interval: 0 lies outside it exactly where p is below the level",
    "p_adjusted": "Bonferroni's, to which simultaneous intervals belong, and not Holm's; of another p",
    "p_equivalence": "as `p_adjusted`",
    "mde": "follows `df`",
    "mde_high": "as `mde`",
    "target": "of an arm it is `covers` now, read off the parts of the variance; of a pair it is what was asked for",
    "best": "the highest of its column; arms not separated from it have a mark of their own",
}
"""field of verdict.json, results.csv and of what `compare` and `eval` print -> why it is another number today. Means,
differences, standard errors, seeds, counts, families, findings and what was matched are not among them."""
CHANGED_COLUMN = re.compile(r"95 % interval$|t, 95 %$|p$|adjusted p$|MDE")
"""tables in words: as above. Half-widths (± 15.7) have become intervals (17.8–49.8)."""
JUDGED = ("acts from", "Finding")
"""of the table that has the first: thresholds on quantities with a scale, and the sentence "did nothing", are gone"""
ROUNDED = {"40.75": "40.8", "−1.3": "−1.2", "−0.0": "+0.0"}
"""-1.25 points, to one digit: the last bit of a mean decides; a published score is shown as it was written"""
CHANGED_GATE = {
    **CHANGED,
    "lower": "a bound of today's routine, as `ci_low`",
    "upper": "as `lower`",
    "outcome": "follows the bound; that nothing differs is no proof without a hash of the answers",
    "passed": "as `outcome`",
    "passing_margin": "follows the bound",
    "provable_margin": "as `passing_margin`",
    "times_problems_needed": "as `passing_margin`",
    "matched": "an old baseline states neither engine nor evaluation seed, so whether they match is not known",
}
"""field of what `gate` prints -> why it is another today: scores, differences and changed problems are not among
them"""
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


def without(data: Any, keys: Container[str]) -> Any:
    """A document less what is today's by intention, at any depth."""
    if isinstance(data, dict):
        return {key: without(value, keys) for key, value in data.items() if key not in keys}
    return [without(value, keys) for value in data] if isinstance(data, list) else data


def numbers(cells: list[str]) -> list[str]:
    """Of a row but for its first cell, which names it, and for half-widths."""
    found = re.findall(r"[-−+]?[0-9]*[.,]?[0-9]+", " ".join(re.sub("± [0-9.]+", "", cell) for cell in cells[1:]))
    return [ROUNDED.get(number, number) for number in found]


def within(few: list[str], many: list[str]) -> bool:
    """Whether they are there, each as often, in whatever order: the average has become the first column."""
    return not Counter(few) - Counter(many)


def tables(path: Path) -> tuple[list[list[str]], list[list[str]]]:
    """Of a report in Markdown, without what is today's by intention: the columns of every table but for names of
    benchmarks, which may be printed in another way, and the numbers of every row that has some."""
    texts = path.read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else [] for line in texts]
    heads, found = [], []
    for above, row in pairwise(rows):
        if row and row[0].startswith(":---"):
            gone = JUDGED if JUDGED[0] in above else ()
            kept = [n for n, title in enumerate(above) if not CHANGED_COLUMN.match(title) and title not in gone]
            heads.append([above[place] for place in kept if "\\_" not in above[place]])
        elif row and above and (seen := numbers([row[place] for place in kept])):
            found.append(seen)
    return heads, found


def results(path: Path) -> list[dict[Any, Any]]:
    return pd.read_csv(path, keep_default_na=False).to_dict("records")


@pytest.mark.parametrize("name", ["finished", "imported", "from-lm-eval"])
def test_reports_say_what_they_said(rence: Rence, place: Path, name: str) -> None:
    rence("report", f"runs/{name}", "--format", "md,csv,json")
    old, new = place / "expected" / name, place / "runs" / name / "report"
    verdict, now = read(old / "verdict.json"), read(new / "verdict.json")
    now["notes"] = now["notes"][: len(verdict["notes"])]  # there may be more to say
    assert list(lost(without(verdict, CHANGED), now)) == []
    assert list(lost(without(results(old / "results.csv"), CHANGED), results(new / "results.csv"))) == []
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
    unmatched = ["--accept", "known"] if name in ("from-lm-eval", "answers") else []
    done = rence("compare", a, b, *unmatched, "--json")
    assert list(lost(without(read(place / f"expected/compare-{name}.json"), CHANGED), json.loads(done.stdout))) == []


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
    assert list(lost(without(old, CHANGED_GATE), now)) == [] and old.keys() <= now.keys()


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
    assert list(lost(without(read(place / "expected/answers.json"), CHANGED), found)) == []
    assert tree(place / "answers") == before
