"""`rence verify`: every slip is found and named, whole folders pass, and what cannot be told is not called wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet as pq
import pytest

from benchmarks.marking import MARKER_VERSION
from harness.base.errors import FAILED, INCOMPLETE, OK, USAGE, UserError
from harness.evaluation import attempts
from harness.models.resolving import SHIPPED
from harness.records import DataError, EvalFolder, EvalRecord, RunFolder, read_json, write_json
from harness.records.seals import seal
from harness.verifying.found import Verification
from harness.verifying.verify import verify
from rence.cli import main
from rence.cli.verifying import _share

ROOT = Path(__file__).parents[2]
CONFIG = """\
schema: 1
name: small
model: quickstart-base
template: bare
train: mini_rl
seeds: [0, 1]
budget: {rollouts: 32}
recipe: {group_size: 4, prompts_per_step: 4, epochs: 1, minibatches: 2, checkpoint_steps: 1, refill_batches: 1}
evaluation:
  benchmarks: {mini_sums: 2, mini_unseen: 1}
  curve: {mini_sums: 1}
  points: 2
  limit: 20
  chunk_problems: 8
arms: {rence: {}, grpo: {}}
comparison: {target: rence, baselines: [grpo]}
"""
EVAL = ("eval", "--model", "quickstart-base", "--benchmarks", "mini_sums:2,mini_equations", "--template", "bare")
ASKED = ("--max-tokens", "24", "--limit", "20", "--chunk", "8", "--second-marker", "--out")


def rence(folder: Path, *words: str) -> None:
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
        "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    command = [sys.executable, "-m", "rence", *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of two arms and two seeds, and answers of `rence eval` by both engines."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "small.yaml").write_text(CONFIG)
    rence(folder, "run", "small.yaml", "--workers", "2", "--quiet")
    rence(folder, *EVAL, *ASKED, "answers")
    rence(folder, *EVAL, "--engine", "hf", *ASKED, "by_hf")
    return folder


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "runs" / "small", tmp_path / "small"))


@pytest.fixture
def answers(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "answers", tmp_path / "answers"))


def unseal(root: Path) -> None:
    """As a folder from before there were seals."""
    for path in root.rglob("seal.json"):
        path.unlink()
    for path in root.rglob("done.json"):
        data = read_json(path)
        write_json(
            path, {key: value for key, value in data.items() if key not in ("trial", "step_lines", "evaluations")}
        )
    for path in root.rglob("trial.json"):
        write_json(path, {key: value for key, value in read_json(path).items() if key not in ("plan", "data")})
    for path in root.rglob("eval.json"):
        write_json(path, {key: value for key, value in read_json(path).items() if key != "seals"})
    for path in root.rglob("timing.json"):
        write_json(path, {key: value for key, value in read_json(path).items() if key != "rests_on"})
    plan = read_json(root / "plan.json")
    write_json(root / "plan.json", {key: value for key, value in plan.items() if key not in ("seals", "unlocked")})


def change(folder: Path, edit: Callable[[dict[str, Any]], dict[str, Any]], row: int = 0, sealed: bool = True) -> None:
    """Edit a row of attempts as a slip in a script of one's own would, and seal the folder anew if `sealed`."""
    rows = pq.read_table(folder / "attempts.parquet").to_pylist()
    rows[row] = edit(rows[row])
    pq.write_table(pyarrow.Table.from_pylist(rows, schema=attempts.schema()), folder / "attempts.parquet")
    if sealed:
        seal(EvalFolder(folder))


def named(found: Verification) -> set[str]:
    return {one.file.relative_to(found.root).as_posix() for one in found.discrepancies}


def last(run: Path, arm: str = "grpo", seed: int = 0, benchmark: str = "mini_sums") -> Path:
    (trial,) = (run / arm / f"seed{seed}").glob("checkpoints/step_*")
    return run / arm / f"seed{seed}" / "evals" / trial.name / benchmark


def test_a_whole_run(run: Path) -> None:
    found = verify(run)
    assert (found.exit_code, found.kind, found.state, found.discrepancies) == (OK, "run", "sealed", [])
    plan = read_json(run / "plan.json")
    assert len(found.evaluations) == 2 + 4 * 3
    assert sum(one.attempts for one in found.evaluations) == 60 + 4 * (20 + 60), "problems x k"
    assert all(sum(one.marks.values()) == one.attempts == one.problems * one.k for one in found.evaluations)
    assert plan["seals"] == 1
    kept = [one for one in found.evaluations if one.weights == "as evaluated"]
    assert len(kept) == 2 + 4 * 2, "of earlier points of the grid the weights are gone"
    assert {one.weights for one in found.evaluations} == {"as evaluated", "not here"}


@pytest.mark.parametrize(
    ("place", "kind", "evaluations"),
    [("grpo", "arm", 6), ("grpo/seed1", "trial", 3), ("start", "arm", 2), ("rence/seed0/", "trial", 3)],
)
def test_a_part_of_a_run(run: Path, place: str, kind: str, evaluations: int) -> None:
    found = verify(run / place)
    assert (found.exit_code, found.kind, len(found.evaluations)) == (OK, kind, evaluations)
    assert verify(run / place, regenerate=0.01).exit_code == OK


def test_answers_of_eval(answers: Path) -> None:
    found = verify(answers, remark=True, regenerate=1)
    assert (found.exit_code, found.kind, found.state) == (OK, "evaluation", "sealed")
    assert [one.regenerated.equal for one in found.evaluations if one.regenerated] == [20, 40]
    assert [one.remarked.attempts for one in found.evaluations if one.remarked] == [20, 40]


def swap(a: Path, b: Path) -> None:
    aside = a.with_name("aside")
    a.rename(aside)
    b.rename(a)
    aside.rename(b)


def append(path: Path, text: bytes) -> None:
    path.write_bytes(path.read_bytes() + text)


SLIPS: dict[str, Callable[[Path], object]] = {
    "answers of two arms": lambda r: swap(last(r, "grpo") / "attempts.parquet", last(r, "rence") / "attempts.parquet"),
    "answers of two seeds": lambda r: swap(last(r, seed=0) / "attempts.parquet", last(r, seed=1) / "attempts.parquet"),
    "evaluations of two arms": lambda r: swap(last(r, "grpo"), last(r, "rence")),
    "evaluations of two seeds": lambda r: swap(last(r, seed=0), last(r, seed=1)),
    "evaluations of two benchmarks": lambda r: swap(last(r), last(r, benchmark="mini_unseen")),
    "arms": lambda r: swap(r / "grpo", r / "rence"),
    "seeds": lambda r: swap(r / "grpo" / "seed0", r / "grpo" / "seed1"),
    "weights of two arms": lambda r: swap(_weights(r, "grpo"), _weights(r, "rence")),
    "a byte of weights": lambda r: append(_weights(r, "grpo") / "model.safetensors", b"\0"),
    "a header": lambda r: _edit(last(r) / "eval.json", template="chat"),
    "a plan": lambda r: _edit(r / "plan.json", budget_rollouts=64),
    "a trial's header": lambda r: _edit(r / "grpo" / "seed0" / "trial.json", seed=1),
    "a counter": lambda r: _edit(r / "grpo" / "seed0" / "done.json", rollouts=33),
    "steps": lambda r: append(r / "grpo" / "seed0" / "steps.jsonl", b"{}\n"),
    "a row left out": lambda r: _rows(last(r), lambda rows: rows[:-1]),
    "a row twice": lambda r: _rows(last(r), lambda rows: [*rows[:-1], rows[0]]),
    "a row of another seed": lambda r: _rows(last(r), lambda rows: [rows[0] | {"seed": 7}, *rows[1:]]),
    "a row of another benchmark": lambda r: _rows(last(r), lambda rows: [rows[0] | {"benchmark": "x"}, *rows[1:]]),
    "a mark nobody knows": lambda r: _rows(last(r), lambda rows: [rows[0] | {"mark": "right"}, *rows[1:]]),
    "attempts cut off": lambda r: (last(r) / "attempts.parquet").write_bytes(b"PAR1"),
    "a header that is none": lambda r: (last(r) / "eval.json").write_text("[]"),
    "a plan that is none": lambda r: (r / "plan.json").write_text("{"),
}  # fmt: skip
LOSSES: dict[str, Callable[[Path], object]] = {
    "plan": lambda r: (r / "plan.json").unlink(),
    "trial": lambda r: shutil.rmtree(r / "grpo" / "seed1"),
    "arm": lambda r: shutil.rmtree(r / "grpo"),
    "done": lambda r: (r / "grpo" / "seed1" / "done.json").unlink(),
    "the untrained model": lambda r: shutil.rmtree(r / "start"),
    "evaluation": lambda r: shutil.rmtree(last(r)),
    "benchmark at the start": lambda r: shutil.rmtree(r / "start" / "evals" / "mini_sums"),
    "attempts": lambda r: (last(r) / "attempts.parquet").unlink(),
    "header": lambda r: (last(r) / "eval.json").unlink(),
    "seal": lambda r: (last(r) / "seal.json").unlink(),
    "steps": lambda r: (r / "grpo" / "seed0" / "steps.jsonl").unlink(),
    "a file of the weights": lambda r: (_weights(r, "grpo") / "model.safetensors").unlink(),
}
NEEDS_SEALS = {"a plan", "steps", "a header", "seal", "steps lost"}
"""what files from before there were seals cannot tell"""


def _weights(run: Path, arm: str) -> Path:
    (found,) = (run / arm / "seed0" / "checkpoints").glob("step_*")
    return found


def _edit(path: Path, **values: Any) -> None:
    write_json(path, read_json(path) | values)


def _rows(folder: Path, edit: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    rows = edit(pq.read_table(folder / "attempts.parquet").to_pylist())
    pq.write_table(pyarrow.Table.from_pylist(rows, schema=attempts.schema()), folder / "attempts.parquet")


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_found(run: Path, slip: str) -> None:
    SLIPS[slip](run)
    found = verify(run)
    assert found.exit_code == FAILED and found.differs, slip
    assert all(one.file and one.what and one.mend for one in found.discrepancies)


@pytest.mark.parametrize("slip", [slip for slip in SLIPS if slip not in NEEDS_SEALS])
def test_a_slip_is_found_without_seals(run: Path, slip: str) -> None:
    unseal(run)
    assert (verify(run).state, verify(run).exit_code) == ("unsealed", OK)
    SLIPS[slip](run)
    assert verify(run).exit_code == FAILED


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_is_found(run: Path, loss: str) -> None:
    LOSSES[loss](run)
    found = verify(run)
    assert found.exit_code == INCOMPLETE, [one.sentence for one in found.discrepancies]
    assert found.missing


def test_what_differs_weighs_more_than_what_is_missing(run: Path) -> None:
    LOSSES["trial"](run)
    SLIPS["a row left out"](run)
    found = verify(run)
    assert found.exit_code == FAILED and found.missing


def test_nothing_of_ours(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a folder"):
        verify(tmp_path / "none")
    with pytest.raises(DataError, match="neither a run, an import"):
        verify(tmp_path)


def test_the_report_is_of_these_files(run: Path) -> None:
    assert (verify(run).report, verify(run).exit_code) == ("of these files", OK)
    append(run / "report" / "report.md", b"x")
    found = verify(run)
    assert named(found) == {"report/report.md"} and found.exit_code == FAILED
    (run / "report" / "report.md").unlink()
    assert verify(run).exit_code == INCOMPLETE
    (run / "report" / "seal.json").unlink()
    assert (verify(run).report, verify(run).exit_code) == ("unsealed", INCOMPLETE)
    (run / "report" / "seal.json").write_text("[]")
    assert named(verify(run)) == {"report/seal.json"}
    (run / "report" / "seal.json").unlink()
    rence(run.parent, "report", str(run), "--format", "md")
    SLIPS["a row left out"](run)
    found = verify(run)
    assert (found.report, named(found)) == (
        "of other files",
        {(last(run) / "attempts.parquet").relative_to(run).as_posix()},
    )


def test_a_report_of_other_files(run: Path) -> None:
    """It stayed, and an arm's answers came from another run that is whole itself."""
    _edit(run / "report" / "seal.json", rests_on="something else")
    found = verify(run)
    assert named(found) == {"report/seal.json"} and (found.report, found.exit_code) == ("of other files", FAILED)


def test_marks_are_derived_again(run: Path) -> None:
    found = verify(run, remark=True)
    again = [one.remarked for one in found.evaluations if one.remarked]
    assert found.exit_code == OK and sum(one.attempts for one in again) == 380
    assert all(one.same_marker and one.marker == MARKER_VERSION and not one.changed for one in again)


def test_a_mark_that_the_text_does_not_give(run: Path) -> None:
    row = pq.read_table(last(run) / "attempts.parquet").to_pylist()[3]
    other = "wrong" if row["mark"] == "correct" else "correct"
    change(last(run), lambda row: row | {"mark": other}, 3)
    (one,) = [one for one in verify(run, remark=True).evaluations if one.remarked and one.remarked.changed]
    assert one.remarked is not None
    (changed,) = one.remarked.changed
    assert (changed.problem_id, changed.sample) == (row["problem_id"], row["sample"])
    assert (changed.old, changed.new) == (other, row["mark"])
    assert one.remarked.counts[other]["old"] == one.remarked.counts[other]["new"] + 1


@pytest.mark.parametrize("column", ["response", "answer", "gold"])
def test_a_text_that_was_edited_after_it_was_marked(answers: Path, column: str) -> None:
    """A gold that was changed with its mark is found too: the benchmark's own is what marks again."""
    folder = answers / "evals" / "mini_sums"
    rows = pq.read_table(folder / "attempts.parquet").to_pylist()
    row = next(i for i, row in enumerate(rows) if row["mark"] == "wrong")
    new = {"response": rf"\boxed{{{rows[row]['gold']}}}", "answer": "77", "gold": rows[row]["answer"]}[column]
    mark = {"mark": "correct"} if column == "gold" else {}
    change(folder, lambda one: one | {column: new} | mark, row)
    found = verify(answers, remark=True)
    assert found.exit_code == FAILED and found.differs == 1 + 3 * (column == "response"), (
        "the second marker, the last box and anywhere in the text are read from texts too"
    )


def test_another_versions_marks_are_no_fault(answers: Path) -> None:
    folder = answers / "evals" / "mini_sums"
    change(folder, lambda row: row | {"mark": "grader_failed"}, sealed=False)
    _edit(folder / "eval.json", grader_version="2")
    seal(EvalFolder(folder))
    found = verify(answers, remark=True)
    (one,) = [one.remarked for one in found.evaluations if one.benchmark == "mini_sums" and one.remarked]
    assert (len(one.changed), one.same_marker, one.differs) == (1, False, 0)
    assert found.exit_code == OK


def test_a_comparison_that_broke_is_undecided(answers: Path) -> None:
    folder = answers / "evals" / "mini_sums"
    change(folder, lambda row: row | {"mark": "grader_failed", "mark_second": row["mark_second"]})
    found = verify(answers, remark=True)
    (one,) = [one.remarked for one in found.evaluations if one.benchmark == "mini_sums" and one.remarked]
    assert (len(one.changed), one.undecided, found.exit_code) == (1, 1, OK)


@pytest.mark.parametrize("form", ["by_hf", "answers"])
def test_answers_are_generated_again(made: Path, form: str) -> None:
    found = verify(made / form, regenerate=1)
    again = [one.regenerated for one in found.evaluations if one.regenerated]
    assert [(one.attempts, one.equal, one.reason) for one in again] == [(20, 20, ""), (40, 40, "")]
    assert found.exit_code == OK


def test_checkpoints_and_start_of_a_run_are_generated_again(run: Path) -> None:
    found = verify(run, regenerate=1)
    again = {one.name: one.regenerated for one in found.evaluations if one.regenerated}
    gone = {name for name, one in again.items() if "the weights are gone" in one.reason}
    assert len(gone) == 4 and all("mini_sums" in name for name in gone)
    assert sum(one.attempts for one in again.values()) == sum(one.equal for one in again.values()) == 5 * 60
    assert found.exit_code == OK


def test_a_small_share_is_whole_chunks_that_everybody_draws(run: Path) -> None:
    def drawn() -> list[tuple[str, int]]:
        found = verify(run, regenerate=0.01).evaluations
        return [(one.name, one.regenerated.attempts) for one in found if one.regenerated and one.regenerated.attempts]

    first = drawn()
    assert first == drawn() and sum(attempts for _, attempts in first) in (4, 8, 16), (
        "3 of 300, in chunks of 8 problems"
    )


@pytest.mark.parametrize("folder", ["small", "answers", "by_hf"])
def test_a_text_that_these_weights_do_not_give(made: Path, tmp_path: Path, folder: str) -> None:
    root = Path(shutil.copytree(made / "runs" / "small" if folder == "small" else made / folder, tmp_path / folder))
    place = last(root) if folder == "small" else root / "evals" / "mini_sums"
    change(place, lambda row: row | {"response": f"{row['response']} "}, 5)
    found = verify(root, regenerate=1)
    (one,) = [one for one in found.evaluations if one.regenerated and one.regenerated.changed]
    assert one.regenerated is not None and one.folder == place
    (changed,) = one.regenerated.changed
    assert changed.what == "text" and one.regenerated.differs == 1 and found.exit_code == FAILED


@pytest.mark.parametrize(
    ("column", "value"), [("generation_key", "0" * 16), ("tokens", 99), ("finish_reason", "context")]
)
def test_a_key_or_a_length_that_is_not_of_its_text(answers: Path, column: str, value: object) -> None:
    change(answers / "evals" / "mini_sums", lambda row: row | {column: value})
    found = verify(answers, regenerate=1)
    (one,) = [one.regenerated for one in found.evaluations if one.regenerated and one.regenerated.changed]
    assert [one.what for one in one.changed] == ["key" if column == "generation_key" else "length"]
    assert found.exit_code == FAILED


def reasons(found: Verification) -> set[str]:
    return {one.regenerated.reason for one in found.evaluations if one.regenerated and one.regenerated.reason}


def test_what_cannot_be_compared_says_why_and_is_no_difference(answers: Path) -> None:
    for folder in (answers / "evals").iterdir():
        change(folder, lambda row: row | {"response": "another text"}, sealed=False)

    def said(**values: Any) -> tuple[set[str], int]:
        before = {path: path.read_bytes() for path in answers.rglob("eval.json")}
        for path in before:
            _edit(path, **values)
            seal(EvalFolder(path.parent))
        found = verify(answers, regenerate=1)
        for path, content in before.items():
            path.write_bytes(content)
        return reasons(found), found.exit_code

    ((reason,), code) = said(engine_version="0 (torch 1.0)")
    assert reason.startswith("another engine answered (local 0 (torch 1.0)), here is local 1") and code == INCOMPLETE
    assert said(engine="vllm")[0] == {"engine `vllm` does not promise equal answers to equal calls"}
    assert said(arm="SomeModel-7B")[0] == {"where `SomeModel-7B` is, the folder does not say: `--model DIR_OR_ID` does"}
    assert all("are others" in reason for reason in said(benchmark_hash="0" * 16)[0])
    assert all("the weights in" in reason for reason in said(model_hash="0" * 64)[0])
    write_json(answers / "machines.json", {"schema": 1, "machines": [{"processor": "Abacus", "threads": 1}]})
    assert all(reason.startswith("it was made on another processor (Abacus)") for reason in said()[0])
    (answers / "machines.json").unlink()
    unknown, code = said()
    assert unknown == {
        "1 of 20 answers differ, but which processor made them is not recorded: another one rounds otherwise",
        "1 of 40 answers differ, but which processor made them is not recorded: another one rounds otherwise",
    }
    assert code == INCOMPLETE


def test_a_model_elsewhere(answers: Path, tmp_path: Path) -> None:
    for path in answers.rglob("eval.json"):
        _edit(path, arm="mine")
    for path in answers.rglob("attempts.parquet"):
        rows = [row | {"arm": "mine"} for row in pq.read_table(path).to_pylist()]
        pq.write_table(pyarrow.Table.from_pylist(rows, schema=attempts.schema()), path)
        seal(EvalFolder(path.parent))
    assert verify(answers, regenerate=1).exit_code == INCOMPLETE
    found = verify(answers, regenerate=1, model=str(SHIPPED["quickstart-base"]))
    assert found.exit_code == OK and sum(one.regenerated.equal for one in found.evaluations if one.regenerated) == 60


def test_problems_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [{"problem": f"What is {i}+{i}?", "answer": str(2 * i)} for i in range(1, 7)]
    (tmp_path / "my.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    rence(tmp_path, "eval", "--model", "quickstart-base", "--benchmarks", "my.jsonl:2:numbers", "--template", "bare",
          "--max-tokens", "8", "--out", "mine")  # fmt: skip
    found = verify(tmp_path / "mine", remark=True, regenerate=1)
    (one,) = found.evaluations
    assert one.remarked and one.remarked.attempts == 12 and not one.remarked.changed, "by the rule that the header says"
    assert one.regenerated and one.regenerated.reason.startswith("the problems of my are not here")
    assert found.exit_code == INCOMPLETE
    found = verify(tmp_path / "mine", remark=True, regenerate=1, problems=[tmp_path / "my.jsonl"])
    (one,) = found.evaluations
    assert one.regenerated and one.regenerated.equal == 12 and found.exit_code == OK


def test_a_published_folder_whose_model_and_problems_lay_elsewhere(tmp_path: Path) -> None:
    """Its checkpoints are in it. The model that training started from, and the files of problems, are not."""
    lines = [{"problem": f"What is {i}+{i}?", "answer": str(2 * i)} for i in range(1, 9)]
    home = tmp_path / "home"
    shutil.copytree(SHIPPED["quickstart-base"], home / "base")
    for name in ("my", "train"):
        (home / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    config = CONFIG.replace("model: quickstart-base", f"model: {home / 'base'}").replace("[0, 1]", "[0]")
    config = config.replace("train: mini_rl", "train: {file: train.jsonl, overlap: keep}")
    config = config.replace("  curve: {mini_sums: 1}\n", "")
    config = config.replace("{mini_sums: 2, mini_unseen: 1}", "{my: {file: my.jsonl, k: 2}}").replace(
        "points: 2", "points: 1"
    )
    config = config.replace("prompts_per_step: 4", "prompts_per_step: 8")
    (home / "small.yaml").write_text(config)
    rence(home, "run", "small.yaml", "--workers", "2", "--quiet", "--only", "grpo")
    run = tmp_path / "small"
    shutil.move(home / "runs" / "small", run)
    shutil.rmtree(home / "base")
    (home / "my.jsonl").rename(tmp_path / "my.jsonl")
    (home / "train.jsonl").unlink()
    found = verify(run / "grpo", regenerate=1)
    assert reasons(found) and all("the problems of my are not here" in reason for reason in reasons(found))
    found = verify(run / "grpo", regenerate=1, problems=[tmp_path / "my.jsonl"])
    assert [(one.regenerated.equal, one.regenerated.reason) for one in found.evaluations if one.regenerated] == [
        (16, "")
    ]
    assert found.exit_code == OK
    found = verify(run / "start", regenerate=1, problems=[tmp_path / "my.jsonl"])
    assert all(reason.endswith("is not on this machine: `--model DIR` says where it is") for reason in reasons(found))
    found = verify(run / "start", regenerate=1, problems=[tmp_path / "my.jsonl"], model="quickstart-base")
    assert found.exit_code == OK and not reasons(found)


def test_an_import(tmp_path: Path) -> None:
    rows = [
        {"arm": arm, "seed": 0, "benchmark": "x", "problem_id": str(i), "sample": 0, "gold": "B" if i == 3 else str(i),
         "response": "Option B is correct" if i == 3 else rf"\boxed{{{i}}}", **({"rule": "choice"} if i == 3 else {})}
        for arm in ("a", "b") for i in range(4)
    ]  # fmt: skip
    (tmp_path / "g.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    rence(tmp_path, "import", "generations", "g.jsonl", "--out", "run")
    found = verify(tmp_path / "run", remark=True, regenerate=1)
    assert (found.kind, found.differs, found.missing) == ("import", 0, 0)
    assert [one.remarked.attempts for one in found.evaluations if one.remarked] == [4, 4]
    assert reasons(found) == {"the answers were made elsewhere and imported"} and found.exit_code == INCOMPLETE
    place = tmp_path / "run" / "a" / "seed0" / "evals" / "step_0" / "x"
    rows = pq.read_table(place / "attempts.parquet").to_pylist()
    table = pyarrow.Table.from_pylist([rows[0] | {"mark": "wrong"}, *rows[1:]],
                                      schema=pq.read_schema(place / "attempts.parquet"))  # fmt: skip
    pq.write_table(table, place / "attempts.parquet")
    again = [one.remarked.differs for one in verify(tmp_path / "run", remark=True).evaluations if one.remarked]
    assert again == [1, 0]


def test_marks_that_came_with_an_import_are_marked_again_but_not_blamed(tmp_path: Path) -> None:
    rows = [
        {"arm": arm, "seed": 0, "benchmark": "x", "problem_id": str(i), "sample": 0, "gold": str(i), "correct": i % 2,
         "response": rf"\boxed{{{i}}}"}
        for arm in ("a", "b") for i in range(4)
    ]  # fmt: skip
    (tmp_path / "g.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    rence(tmp_path, "import", "attempts", "g.jsonl", "--out", "run")
    found = verify(tmp_path / "run", remark=True)
    again = [one.remarked for one in found.evaluations if one.remarked]
    assert [len(one.changed) for one in again] == [2, 2] and found.exit_code == OK
    for row in rows:
        del row["response"]
    (tmp_path / "g.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    rence(tmp_path, "import", "attempts", "g.jsonl", "--out", "bare")
    found = verify(tmp_path / "bare", remark=True)
    assert {one.remarked.reason for one in found.evaluations if one.remarked} == {"it has no texts with golds"}
    assert found.exit_code == INCOMPLETE


@pytest.mark.parametrize(("word", "share"), [("1%", 0.01), ("0.01", 0.01), ("100%", 1.0), ("1", 1.0), ("12.5%", 0.125)])
def test_a_share(word: str, share: float) -> None:
    assert _share(word) == pytest.approx(share)


@pytest.mark.parametrize("word", ["0", "5", "101%", "-1%", "nan", "some", "%", "inf"])
def test_no_share(word: str) -> None:
    with pytest.raises(UserError, match="must be a share of the answers above 0"):
        _share(word)


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    said = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, said.out, said.err


def test_the_command(run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    code, said, _ = call(capsys, "verify", str(run), "--remark", "--regenerate", "1%")
    assert code == OK and said.splitlines()[-1] == "Whole: 14 evaluations of 380 answers."
    assert "Not comparable: grpo/seed0 step 1 mini_sums and 3 more: the weights are gone" in said
    assert max(len(line.rstrip()) for line in said.splitlines()[:6]) <= 80, "the table"
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before, "nothing is written"
    code, said, _ = call(capsys, "verify", str(run), "--json", "--remark")
    data = json.loads(said)
    assert (code, data["whole"], data["sealed"], data["exit_code"]) == (OK, True, "sealed", 0)
    change(last(run), lambda row: row | {"mark": "truncated"}, sealed=False)
    code, said, _ = call(capsys, "verify", str(run), "--remark")
    assert code == FAILED and said.splitlines()[-1].startswith("Not whole: 2 differences, in 14 evaluations")
    assert "attempts.parquet is not what seal.json beside it was made with" in said and "truncated -> " in said
    code, said, _ = call(capsys, "verify", str(run), "--json")
    data = json.loads(said)
    assert (code, data["whole"], [one["kind"] for one in data["discrepancies"]]) == (FAILED, False, ["differs"])


def test_mistakes_of_the_command(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, said = call(capsys, "verify", str(run), "--regenerate", "5")
    assert code == USAGE and "such as 1%, 0.01 or 100%, but is 5 instead" in said
    code, _, said = call(capsys, "verify", str(run / "none"))
    assert code == INCOMPLETE and "is not a folder" in said


def test_headers_have_what_regenerating_needs(made: Path) -> None:
    """The machine of each answer is written where it was made."""
    for timing in RunFolder(made / "runs" / "small").root.rglob("timing.json"):
        assert all(start["processor"] for start in read_json(timing)["starts"])
    (machine,) = read_json(made / "by_hf" / "machines.json")["machines"]
    assert machine["processor"] and machine["threads"] >= 1
    for folder in RunFolder(made / "runs" / "small").all_evals():
        assert EvalRecord.read(folder.header).sampling["chunk_problems"] == 8


def test_what_a_report_let_through_is_said(run: Path) -> None:
    """Also where nothing is broken any more."""
    header = last(run) / "eval.json"
    sound = header.read_bytes()
    _edit(header, title="Sums")
    rence(run.parent, "report", "small", "--accept", "a better title")
    assert verify(run).differs and verify(run).notes
    header.write_bytes(sound)
    found = verify(run)
    assert named(found) == {"report/seal.json"}, "the report is of other files"
    assert "The report was made with `--accept`: a better title. Let through: " in found.notes[0]
