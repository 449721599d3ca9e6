"""The chain of seals: what every slip does to it, and that nothing sound breaks it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import reports
from benchmarks.marking import MARKER_VERSION
from harness import config
from harness.backends import checkpoints
from harness.backends.checkpoints import TrainingProgress, cut_back, read_progress, writing
from harness.base.errors import OK, USAGE
from harness.evaluation import attempts, remarking
from harness.models.resolving import SHIPPED
from harness.records import (
    DataError,
    EvalFolder,
    EvalRecord,
    Plan,
    RunFolder,
    TrialFolder,
    append_jsonl,
    read_json,
    seals,
    write_json,
)
from harness.records.chain import BrokenSeal, check, require
from harness.records.seals import EvalSeal, file_hash
from harness.verifying.verify import verify
from reports.data.load import load

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(finished: Path) -> Path:
    return finished.parent / "runs/finished"


def edit(path: Path, **changes: Any) -> None:
    write_json(path, {**read_json(path), **changes})


def drop(path: Path, *keys: str) -> None:
    write_json(path, {key: value for key, value in read_json(path).items() if key not in keys})


def swap(one: Path, other: Path) -> None:
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def edit_attempts(path: Path) -> None:
    """One answer, as an editor would."""
    table = pq.read_table(path)
    marks = table["mark"].to_pylist()
    marks[-1] = "correct"
    pq.write_table(table.set_column(table.schema.get_field_index("mark"), table.schema.field("mark"), [marks]), path)


def test_a_sound_run_is_sealed_wherever_it_is_looked_at(run: Path) -> None:
    for place in (run, run / "rence", run / "rence/seed0", run / "start"):
        found = check(place)
        assert (found.state, found.breaks) == ("sealed", ())
    assert check(run).evidence == check(run).evidence != check(run / "rence").evidence


def test_a_run_can_be_moved_and_renamed(run: Path, tmp_path: Path) -> None:
    whole = check(run)
    run.rename(tmp_path / "elsewhere")
    assert check(tmp_path / "elsewhere") == whole


A, B = "rence/seed0", "grpo/seed0"
SLIPS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "another primary comparison": (
        lambda r: edit(
            r / "plan.json", comparison={**read_json(r / "plan.json")["comparison"], "target": "grpo", "baselines": []}
        ),
        "plan.json is not the plan that was locked",
    ),
    "a plan without its seals": (lambda r: edit(r / "plan.json", seals=0), "plan.json is not the plan that rence seed"),
    "attempts of another arm": (
        lambda r: swap(
            r / A / "evals/step_1/mini_sums/attempts.parquet", r / B / "evals/step_1/mini_sums/attempts.parquet"
        ),
        f"{A}/evals/step_1/mini_sums/attempts.parquet is not what seal.json",
    ),
    "attempts and seal of another arm": (
        lambda r: [
            swap(r / A / f"evals/step_1/mini_sums/{name}", r / B / f"evals/step_1/mini_sums/{name}")
            for name in ("attempts.parquet", "seal.json")
        ],
        "eval.json is not what seal.json beside it was made with",
    ),
    "an evaluation of another arm": (
        lambda r: swap(r / A / "evals/step_1/mini_sums", r / B / "evals/step_1/mini_sums"),
        "says `arm: grpo`, where rence belongs",
    ),
    "an evaluation of another seed": (
        lambda r: swap(r / "rence/seed0/evals", r / "rence/seed1/evals"),
        "says `seed: 1`, where 0 belongs",
    ),
    "a trial of another arm": (lambda r: swap(r / A, r / B), "is of grpo seed 0, not rence seed 0"),
    "an evaluation at another step": (
        lambda r: (r / A / "evals/step_1").rename(r / A / "evals/step_2"),
        "says `step: 1`, where 2 belongs",
    ),
    "an evaluation renamed": (
        lambda r: (r / A / "evals/step_1/mini_sums").rename(r / A / "evals/step_1/mini_chains"),
        "says `benchmark: mini_sums`, where mini_chains belongs",
    ),
    "an evaluation lost": (lambda r: shutil.rmtree(r / A / "evals"), "is missing, and done.json counts on it"),
    "an evaluation added": (
        lambda r: shutil.copytree(r / A / "evals/step_1", r / A / "evals/step_7"),
        "step_7/mini_sums was put there after the trial was done",
    ),
    "a mark edited": (
        lambda r: edit_attempts(r / A / "evals/step_1/mini_sums/attempts.parquet"),
        "attempts.parquet is not what seal.json",
    ),
    "a header edited": (
        lambda r: edit(r / A / "evals/step_1/mini_sums/eval.json", engine="hf"),
        "eval.json is not what",
    ),
    "attempts cut off": (
        lambda r: (r / A / "evals/step_1/mini_sums/attempts.parquet").write_bytes(b"PAR1"),
        "attempts.parquet is not what seal.json",
    ),
    "a seal lost": (lambda r: (r / A / "evals/step_1/mini_sums/seal.json").unlink(), "seal.json is missing"),
    "a start's seal lost": (lambda r: (r / "start/evals/mini_sums/seal.json").unlink(), "seal.json is missing"),
    "another start model": (
        lambda r: edit(r / "start/evals/mini_sums/eval.json", model_hash="0" * 64),
        "says `model_hash: 0000",
    ),
    "a trial's header edited": (
        lambda r: edit(r / A / "trial.json", environment={}),
        "trial.json is not what",
    ),
    "a header without its seal": (
        lambda r: drop(r / A / "trial.json", "plan", "data"),
        "trial.json is not what",
    ),
    "a trial's header lost": (lambda r: (r / A / "trial.json").unlink(), "trial.json is missing"),
    "steps edited": (
        lambda r: (r / A / "steps.jsonl").write_text((r / A / "steps.jsonl").read_text().replace("900", "800")),
        "steps.jsonl is not what done.json was made with",
    ),
    "steps lost": (lambda r: (r / A / "steps.jsonl").unlink(), "steps.jsonl is missing"),
    "steps of another seed": (
        lambda r: (r / A / "steps.jsonl").write_text((r / B / "steps.jsonl").read_text() * 2),
        "steps.jsonl is not what",
    ),
    "done.json of another trial": (
        lambda r: shutil.copy(r / B / "done.json", r / A / "done.json"),
        "is not what done.json was made with",
    ),
    "fewer rollouts": (lambda r: edit(r / A / "done.json", rollouts=32), "steps.jsonl differ in rollouts"),
    "another final model": (lambda r: edit(r / A / "done.json", final_weights="x"), "says `model_hash: rence 0`"),
    "a trial that diverged after all": (
        lambda r: edit(r / A / "done.json", status="diverged", reason="z"),
        "says diverged, which its final weights and its reason do not",
    ),
    "times of another trial": (
        lambda r: edit(r / A / "timing.json", rests_on=file_hash(r / B / "trial.json")),
        "timing.json is of another trial.json",
    ),
    "open rows put back": (
        lambda r: (r / A / "evals/step_1/mini_sums/attempts.jsonl").write_text("{}\n"),
        "is there again beside complete attempts",
    ),
    "other data": (lambda r: edit(r / "data.json", problems=1), "data.json is not of the problems"),
    "data lost": (lambda r: (r / "data.json").unlink(), "data.json is missing"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_named_and_refused(run: Path, slip: str) -> None:
    make, said = SLIPS[slip]
    make(run)
    found = check(run)
    assert any(said in str(one) for one in found.breaks), [str(one) for one in found.breaks]
    with pytest.raises(BrokenSeal, match="is not as it was made"):
        require(run)
    assert require(run, "a copy was lost").breaks == found.breaks


def test_a_trial_of_another_run_with_the_same_names(run: Path, tmp_path: Path, finished: Path) -> None:
    """Which differs in its plan alone."""
    other = tmp_path / "runs/other"
    shutil.copytree(run, other)
    made = Plan.read(other / "plan.json")
    replace(made, tuning={"tried": "more"}).write(other / "plan.json")
    shutil.rmtree(run / A)
    shutil.copytree(other / A, run / A)
    edit(run / A / "trial.json", plan=file_hash(other / "plan.json"))
    words = [str(one) for one in check(run).breaks]
    assert any("is not the plan that rence seed 0 was trained by" in one for one in words)


def test_rows_of_another_arm_are_refused_even_without_seals(run: Path) -> None:
    for path in run.rglob("seal.json"):
        path.unlink()
    swap(*(run / arm / "evals/step_1/mini_sums/attempts.parquet" for arm in (A, B)))
    with pytest.raises(DataError, match="has rows whose `arm` is grpo, but eval"):
        load(run)


def open_evaluation(tmp_path: Path, run: Path) -> tuple[EvalFolder, EvalRecord, list[dict[str, Any]]]:
    """Two chunks of two rows."""
    whole = RunFolder(run).start_eval("mini_sums")
    rows = attempts.rows(whole)[:4]
    folder = EvalFolder(tmp_path / "evals/mini_sums")
    header = replace(EvalRecord.read(whole.header), problems=4)
    attempts.claim(folder, header)
    for first in (0, 2):
        attempts.append(folder, [attempts.Attempt(**row) for row in rows[first : first + 2]])
    return folder, header, rows


def test_open_rows_that_changed_are_not_gone_on_from(run: Path, tmp_path: Path) -> None:
    folder, _, _ = open_evaluation(tmp_path, run)
    assert attempts.whole_chunks(folder, [2, 2, 2]) == 2
    folder.open_attempts.write_text(folder.open_attempts.read_text().replace('"tokens": 9', '"tokens": 8', 3))
    with pytest.raises(BrokenSeal, match="does not hold from line 1 on"):
        attempts.whole_chunks(folder, [2, 2, 2])


def test_a_chunk_without_its_hash_is_asked_again(run: Path, tmp_path: Path) -> None:
    folder, _, _ = open_evaluation(tmp_path, run)
    first = folder.open_chunks.read_text().splitlines(keepends=True)[0]
    folder.open_chunks.write_text(first)
    assert attempts.whole_chunks(folder, [2, 2, 2]) == 1
    assert folder.open_attempts.read_text().count("\n") == 2


@pytest.mark.parametrize("killed_after", ["nothing", "seal", "attempts", "header"])
def test_marks_made_again_keep_the_chain(
    run: Path, finished: Path, monkeypatch: pytest.MonkeyPatch, killed_after: str
) -> None:
    """However it is interrupted, and whether a trial was done before."""
    place = RunFolder(run).trial("rence", 0).eval(1, "mini_sums")
    old = replace(EvalRecord.read(place.header), grader_version="older")
    old.write(place.header)
    rows = [{**row, "grader_version": "older"} for row in attempts.rows(place)]
    place.seal.unlink()
    attempts.rewrite(place, rows, old)
    seals.seal(place)
    edit(run / A / "done.json", evaluations={"step_1/mini_sums": file_hash(place.attempts)})
    assert check(run).breaks == ()
    evaluation = config.load(finished).evaluation
    if killed_after != "nothing":

        class Killed(BaseException):
            pass

        def killed(*_: object) -> None:
            raise Killed

        if killed_after == "seal":
            monkeypatch.setattr(Path, "replace", killed_at(Path.replace, "attempts.parquet", Killed))
        elif killed_after == "attempts":
            monkeypatch.setattr(EvalRecord, "write", killed)
        if killed_after != "header":
            with pytest.raises(Killed):
                remarking.mark_again([place], evaluation)
            monkeypatch.undo()
            assert ["was being marked again" in str(one) for one in check(run).breaks] == [True]
    assert remarking.mark_again([place], evaluation) == len(rows)
    assert EvalRecord.read(place.header).grader_version == MARKER_VERSION
    assert check(run).breaks == () and len(EvalSeal.read(place.seal).before) == 1


def test_a_run_finishes_marks_that_were_being_made_again(run: Path, rence: Call) -> None:
    """Also one that has nothing else to do."""
    place = RunFolder(run).trial("rence", 0).eval(1, "mini_sums")
    half_marked_again(place)
    assert ["was being marked again" in str(one) for one in check(run).breaks] == [True]
    code, out, err = rence("run", "finished.yaml")
    assert code == OK and "nothing to do" not in out, err
    assert check(run).breaks == () and EvalRecord.read(place.header).grader_version == MARKER_VERSION
    assert "nothing to do" in rence("run", "finished.yaml")[1]


def half_marked_again(place: EvalFolder) -> None:
    """As a kill between the seal and the rows leaves an evaluation that an older marker marked."""
    new = EvalRecord.read(place.header)
    replace(new, grader_version="older").write(place.header)
    old = [{**row, "grader_version": "older"} for row in attempts.rows(place)]
    seal = EvalSeal.read(place.seal)
    now = seal.header, seal.attempts
    place.seal.unlink()
    attempts.rewrite(place, old, replace(new, grader_version="older"))
    seals.seal(place)
    EvalSeal.read(place.seal).again(*now).write(place.seal)
    done = place.root.parents[2] / "done.json"
    if done.exists():
        edit(done, evaluations={"step_1/mini_sums": file_hash(place.attempts)})


def killed_at(real: Callable[..., Any], name: str, error: type[BaseException]) -> Callable[..., Any]:
    def replace_(self: Path, target: Path) -> Any:
        if Path(target).name == name:
            raise error
        return real(self, target)

    return replace_


def test_what_was_edited_is_not_marked_again(run: Path, finished: Path) -> None:
    """It would be sealed anew."""
    place = RunFolder(run).trial("rence", 0).eval(1, "mini_sums")
    replace(EvalRecord.read(place.header), grader_version="older").write(place.header)
    with pytest.raises(BrokenSeal):
        remarking.mark_again([place], config.load(finished).evaluation)


@pytest.fixture
def trial(tmp_path: Path) -> TrialFolder:
    """With a checkpoint after two steps."""
    folder = TrialFolder(tmp_path / "rence/seed0")
    append_jsonl(folder.steps, [{"step": 1}, {"step": 2}])
    with writing(folder, TrainingProgress(step=2), passing=("state.pt",)) as new:
        (new / "model.safetensors").write_bytes(b"weights")
        (new / "state.pt").write_bytes(b"state")
    return folder


def test_a_checkpoint_that_changed_is_not_gone_on_from(trial: TrialFolder) -> None:
    newest = checkpoints.newest(trial)
    assert newest and read_progress(newest).step == 2
    (newest / "state.pt").unlink()
    assert read_progress(newest).step == 2
    (newest / "model.safetensors").write_bytes(b"Weights")
    with pytest.raises(BrokenSeal, match=r"model\.safetensors is not what seal\.json"):
        read_progress(newest)


def test_steps_that_changed_are_not_gone_on_from(trial: TrialFolder) -> None:
    append_jsonl(trial.steps, [{"step": 3}])
    cut_back(trial.steps, 2, trial.checkpoint(2))
    assert [json.loads(line)["step"] for line in trial.steps.read_text().splitlines()] == [1, 2]
    trial.steps.write_text('{"step": 1}\n{"step": 9}\n')
    with pytest.raises(BrokenSeal, match="does not hold the 2 lines"):
        cut_back(trial.steps, 2, trial.checkpoint(2))


def test_older_checkpoints_that_a_kill_has_left_are_dropped(trial: TrialFolder) -> None:
    """It came between the new one's name and the removal of the one before; copies of a user's stay."""
    for name in ("step_1", "step_1 (copy)"):
        shutil.copytree(trial.checkpoint(2), trial.checkpoints / name)
    cut_back(trial.steps, 2, checkpoints.newest(trial))
    assert sorted(path.name for path in trial.checkpoints.iterdir()) == ["step_1 (copy)", "step_2"]


def test_copies_under_other_names_are_not_taken_for_ours(run: Path, trial: TrialFolder) -> None:
    shutil.copytree(run / A / "evals/step_1", run / A / "evals/step_1 (copy)")
    assert check(run).breaks == ()
    shutil.copytree(trial.checkpoint(2), trial.checkpoints / "step_2.bak")
    assert checkpoints.newest(trial) == trial.checkpoint(2)


@pytest.mark.parametrize("way", ["..", "link", "moved and linked back"])
def test_an_arm_is_held_to_its_plan_however_it_is_called(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    edit(run / "plan.json", seals=0)
    place = run / "rence"
    if way == "..":
        monkeypatch.chdir(run / A / "evals")
        place = Path("../..")
    elif way == "link":
        place = tmp_path / "arm"
        place.symlink_to(run / "rence")
    else:
        (run / "rence").rename(tmp_path / "elsewhere")
        (run / "rence").symlink_to(tmp_path / "elsewhere")
    assert any("is not the plan that rence seed 0 was trained by" in str(one) for one in check(place).breaks)


def test_an_evaluated_folder_is_of_one_model(run: Path, tmp_path: Path) -> None:
    header = EvalRecord.read(RunFolder(run).start_eval("mini_sums").header)
    for name, weights in (("mini_sums", "one"), ("mini_chains", "other")):
        replace(header, benchmark=name, model_hash=weights).write(tmp_path / f"out/evals/{name}/eval.json")
    assert any("says `model_hash: one`, where other belongs" in str(one) for one in check(tmp_path / "out").breaks)


def test_a_checkpoint_of_a_sealed_trial_has_a_seal(run: Path) -> None:
    (run / A / "checkpoints/step_1").mkdir(parents=True)
    assert check(run).breaks == () and [one.missing for one in check(run, weights=True).breaks] == [True]


def test_an_evaluation_that_changed_is_not_shown(rence: Call, tmp_path: Path) -> None:
    """Neither by the command that made it, nor in Python, nor before more is asked."""
    asked = (
        "eval",
        "--model",
        "quickstart-base",
        "--template",
        "bare",
        "--max-tokens",
        "24",
        "--limit",
        "4",
        "--out",
        "r",
    )
    assert rence(*asked, "--benchmarks", "mini_sums:2")[0] == OK
    edit_attempts(tmp_path / "r/evals/mini_sums/attempts.parquet")
    for benchmarks in ("mini_sums:2", "mini_sums:2,mini_unseen"):
        code, out, err = rence(*asked, "--benchmarks", benchmarks)
        assert (code, out) == (USAGE, "") and "attempts.parquet is not what seal.json beside it was made with" in err
    assert not (tmp_path / "r/evals/mini_unseen").exists()
    with pytest.raises(BrokenSeal):
        reports.evaluated_model(tmp_path / "r")
    let = (*asked, "--benchmarks", "mini_sums:2", "--accept", "edited by hand")
    code, out, _ = rence(*let)
    assert code == OK and "Accepted: edited by hand. Let through: evals/mini_sums/attempts.parquet is not what" in out
    said = json.loads(rence(*let, "--json")[1])
    assert said["sealed"] == "accepted" and said["accepted"]["reason"] == "edited by hand"


def test_an_evaluation_finishes_marks_that_were_being_made_again(rence: Call, tmp_path: Path) -> None:
    asked = ("eval", "--model", "quickstart-base", "--benchmarks", "mini_sums:2", "--template", "bare", "--limit", "4")
    assert rence(*asked, "--max-tokens", "24", "--out", "r")[0] == OK
    half_marked_again(EvalFolder(tmp_path / "r/evals/mini_sums"))
    code, _, err = rence(*asked, "--max-tokens", "24", "--out", "r")
    assert code == OK, err
    assert check(tmp_path / "r").breaks == ()


def test_one_lost_seal_of_an_evaluation_is_missed(rence: Call, tmp_path: Path) -> None:
    asked = ("eval", "--model", "quickstart-base", "--template", "bare", "--max-tokens", "24", "--limit", "4")
    asked = (*asked, "--benchmarks", "mini_sums:2,mini_unseen", "--out", "r")
    assert rence(*asked)[0] == OK
    (tmp_path / "r/evals/mini_sums/seal.json").unlink()
    edit_attempts(tmp_path / "r/evals/mini_sums/attempts.parquet")
    code, _, err = rence(*asked)
    assert code == USAGE and "r/evals/mini_sums/seal.json is missing" in err
    for name in ("mini_sums", "mini_unseen"):  # as of before there were seals
        (tmp_path / f"r/evals/{name}/seal.json").unlink(missing_ok=True)
        drop(tmp_path / f"r/evals/{name}/eval.json", "seals")
    code, out, _ = rence(*asked, "--json")
    assert code == OK and json.loads(out)["sealed"] == "unsealed"


def test_a_checkpoint_that_changed_does_not_answer(rence: Call, tmp_path: Path) -> None:
    """A model with a seal beside it is what it was sealed as."""
    model = tmp_path / "model"
    shutil.copytree(SHIPPED["quickstart-base"], model)
    seals.seal_folder(model, "")
    asked = (
        "eval",
        "--model",
        str(model),
        "--benchmarks",
        "mini_sums:1",
        "--limit",
        "2",
        "--max-tokens",
        "24",
        "--out",
    )
    assert rence(*asked, "one")[0] == OK
    with (model / "tokenizer.json").open("a") as file:
        file.write("\n")
    code, _, err = rence(*asked, "two")
    assert code == USAGE and "tokenizer.json is not what seal.json beside it was made with" in err
    assert not (tmp_path / "two").exists()


def test_a_trial_where_the_plan_has_none(rence: Call, run: Path) -> None:
    """A copy of another arm, beside those of the plan."""
    shutil.copytree(run / "grpo", run / "grpo_old")
    shutil.copytree(run / "grpo/seed1", run / "grpo/seed2")
    code, _, err = rence("compare", "runs/finished/grpo_old", "runs/finished/rence")
    assert code == USAGE and "is of grpo seed 0, and" in err and "plan.json has no trial here" in err
    found = verify(run)
    strangers = {run / "grpo_old" / f"seed{seed}" for seed in (0, 1)} | {run / "grpo/seed2"}
    assert strangers == {one.file for one in found.discrepancies if "no trial of the plan" in one.what}
    assert len(found.evaluations) == 1 + 2 * 2 and found.exit_code == 1


def test_a_folder_asked_in_two_ways_is_not_whole(rence: Call, tmp_path: Path) -> None:
    asked = ("eval", "--model", "quickstart-base", "--template", "bare", "--max-tokens", "24", "--limit", "4")
    assert rence(*asked, "--benchmarks", "mini_sums:2,mini_unseen", "--out", "r")[0] == OK
    assert rence(*asked, "--benchmarks", "mini_sums:2", "--temperature", "0.6", "--out", "cold")[0] == OK
    shutil.rmtree(tmp_path / "r/evals/mini_sums")
    shutil.copytree(tmp_path / "cold/evals/mini_sums", tmp_path / "r/evals/mini_sums")
    found = verify(tmp_path / "r")
    assert found.exit_code == 1 and any("temperature" in one.what for one in found.discrepancies)


def test_a_plan_says_that_its_pilot_changed(rence: Call, run: Path) -> None:
    edit_attempts(run / A / "evals/step_1/mini_sums/attempts.parquet")
    code, out, err = rence("plan", "finished.yaml", "--pilot", "runs/finished")
    assert code == OK, err
    assert "The pilot is not as it was made: rence/seed0/evals/step_1/mini_sums/attempts.parquet is not what" in flat(
        out
    )


def test_pages_of_an_earlier_report_are_true_or_gone(rence: Call, run: Path) -> None:
    report = run / "report"
    assert rence("report", "runs/finished")[0] == OK
    (report / "notes.txt").write_text("mine")
    page = (report / "report.md").read_bytes()
    assert rence("report", "runs/finished", "--format", "json")[0] == OK
    assert (report / "report.md").read_bytes() == page and verify(run).report == "of these files"
    (report / "report.md").write_bytes(page + b"better")
    assert "report/report.md" in {one.file.relative_to(run).as_posix() for one in verify(run).discrepancies}
    edit(run / "start/evals/mini_sums/eval.json", title="Sums")
    assert rence("report", "runs/finished", "--format", "json", "--accept", "a better title")[0] == OK
    assert sorted(path.name for path in report.rglob("*") if path.is_file()) == [
        "notes.txt",
        "seal.json",
        "verdict.json",
    ]


def flat(text: str) -> str:
    return " ".join(text.split())
