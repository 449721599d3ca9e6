"""`rence import scores`: every shape gives its truth; what contradicts itself is refused with its place; reports hold
scipy's numbers and say nothing of problems."""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

from .conftest import Done, verdict

Rence = Callable[..., Done]
SHARED = Path(os.environ.get("RENCE_DATA_DIR", "/nowhere")) / "imports"
shared = pytest.mark.skipif(not SHARED.is_dir(), reason="RENCE_DATA_DIR names no folder with imports/")
A = dict(enumerate([0.437, 0.372, 0.42, 0.354, 0.414]))
B = dict(enumerate([0.47, 0.40, 0.43, 0.41, 0.45]))
LONG = [["arm", "seed", "score"], *(["base", s, y] for s, y in A.items()), *(["ours", s, y] for s, y in B.items())]


def table(path: Path, rows: Iterable[Sequence[Any]], delimiter: str = ",") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def lines(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def document(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def means(rence: Rence, *words: str) -> dict[str, dict[str, float]]:
    done = rence("import", "scores", *words, "--dry-run", "--json")
    assert done.code == 0, done.err
    return done.json["means"]


@shared
@pytest.mark.parametrize(
    ("place", "benchmark", "base", "tuned"),
    [
        ("scores.csv", "sums", 0.3994, 0.7378),
        ("wandb_export.csv", "val/acc", 0.46, 0.60),
        ("curves/verl_file", "val-core/sums/acc/mean@4", 0.46, 0.60),
        ("curves/trainer_state", "reward", 0.46, 0.60),
        ("lm_eval_results_only", "sums", 0.75, 10 / 12),
    ],
)
def test_the_made_examples_give_their_truth(
    rence: Rence, place: str, benchmark: str, base: float, tuned: float
) -> None:
    found = means(rence, str(SHARED / place))
    assert found == {"base": {benchmark: pytest.approx(base)}, "tuned": {benchmark: pytest.approx(tuned)}}


def _renamed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"Method": row["arm"], "Random Seed": row["seed"], "Accuracy": row["score"]} for row in rows]


ROWS = [{"arm": arm, "seed": seed, "score": y} for arm, side in (("base", A), ("ours", B)) for seed, y in side.items()]


def write_shape(folder: Path, shape: str) -> Path:
    """The same truth in one of many shapes."""
    arms = {"base": A, "ours": B}
    match shape:
        case "long":
            return table(folder / "a.csv", LONG)
        case "shuffled":
            rows = LONG[1:]
            random.Random(1).shuffle(rows)
            return table(folder / "a.csv", [LONG[0], *rows])
        case "renamed":
            return lines(folder / "a.jsonl", _renamed(ROWS))
        case "run names":
            return table(folder / "a.csv", [["run", "acc"], *([f"{r['arm']}_s{r['seed']}", r["score"]] for r in ROWS)])
        case "seeds as columns":
            head = ["algorithm", *(f"seed{s}" for s in A)]
            return table(folder / "a.csv", [head, *([arm, *side.values()] for arm, side in arms.items())])
        case "arms as columns":
            return table(folder / "a.csv", [["seed", *arms], *([s, A[s], B[s]] for s in A)])
        case "runs as columns":
            head = ["Step", *(f"{r['arm']}-seed{r['seed']}" for r in ROWS)]
            return table(folder / "a.csv", [head, [5, *(r["score"] for r in ROWS)]])
        case "wandb":
            names = [f"{r['arm']}-seed{r['seed']} - val/acc" for r in ROWS]
            head = ["Step", *(f"{name}{end}" for name in names for end in ("", "__MIN", "__MAX"))]
            return table(folder / "a.csv", [head, [5, *(r["score"] for r in ROWS for _ in range(3))]])
        case "percent signs":
            return table(folder / "a.csv", [LONG[0], *([a, s, f"{100 * y:.1f}%"] for a, s, y in LONG[1:])])
        case "semicolons":
            rows = [[a, s, f"{100 * y:.1f}".replace(".", ",")] for a, s, y in LONG[1:]]
            return table(folder / "a.csv", [LONG[0], *rows], ";")
        case "parquet":
            pq.write_table(pa.Table.from_pylist(ROWS), folder / "a.parquet")
            return folder / "a.parquet"
        case "json rows":
            return document(folder / "a.json", {"note": "x", "results": ROWS})
        case "json by arm":
            return document(
                folder / "a.json", {a: {f"seed{s}": y for s, y in side.items()} for a, side in arms.items()}
            )
        case "packed":
            path = table(folder / "b.csv", LONG)
            (folder / "a.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
            return folder / "a.csv.gz"
        case "trainer states":
            for row in ROWS:
                log = [{"step": 1, "loss": 2.0}, {"step": 5, "eval_accuracy": row["score"], "eval_loss": 0.1}]
                document(folder / f"out/{row['arm']}/seed_{row['seed']}/trainer_state.json", {"log_history": log})
            return folder / "out"
        case "verl files":
            for row in ROWS:
                data = {"val-core/sums/acc/mean@4": row["score"], "actor/kl": 0.1, "critic/score/mean": 3.0}
                lines(folder / f"out/{row['arm']}/seed{row['seed']}.jsonl", [{"step": 5, "data": data}])
            return folder / "out"
        case "csv logs":
            for row in ROWS:
                table(
                    folder / f"out/{row['arm']}-s{row['seed']}/progress.csv",
                    [["step", "loss", "eval/acc"], [5, 2.0, row["score"]]],
                )
            return folder / "out"
        case "nested":
            return lines(
                folder / "a.jsonl",
                [{"run": {"arm": r["arm"], "seed": r["seed"]}, "m": {"v": r["score"]}} for r in ROWS],
            )
    raise AssertionError(shape)


SHAPES = [
    "long", "shuffled", "renamed", "run names", "seeds as columns", "arms as columns", "runs as columns", "wandb",
    "percent signs", "semicolons", "parquet", "json rows", "json by arm", "packed", "trainer states", "verl files",
    "csv logs", "nested",
]  # fmt: skip
FLAGS = {"nested": ["--column", "arm=run.arm", "--column", "seed=run.seed", "--column", "score=m.v"]}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_scores(rence: Rence, tmp_path: Path, shape: str) -> None:
    place = write_shape(tmp_path, shape).relative_to(tmp_path)
    done = rence("import", "scores", str(place), *FLAGS.get(shape, ()), "--out", "runs/x", "--json")
    assert done.code == 0, done.err
    assert done.json["seeds"] == {"base": [0, 1, 2, 3, 4], "ours": [0, 1, 2, 3, 4]}
    rows = pq.read_table(tmp_path / "runs/x/scores.parquet").to_pylist()
    found = {(row["arm"], row["seed"]): row["score"] for row in rows}
    assert found == pytest.approx({(r["arm"], r["seed"]): r["score"] for r in ROWS})


def test_events_of_tensorboard(rence: Rence, tmp_path: Path) -> None:
    summary = pytest.importorskip("torch.utils.tensorboard", reason="tensorboard and torch are not installed")
    for row in ROWS:
        with summary.SummaryWriter(str(tmp_path / f"tb/{row['arm']}/seed{row['seed']}")) as writer:
            for step in range(3):
                writer.add_scalar("loss", 1.0, step)
                writer.add_scalar("eval/accuracy", row["score"] - 0.1 * (2 - step), step)
    found = means(rence, "tb")
    expected = {"base": float(np.mean(list(A.values()))), "ours": float(np.mean(list(B.values())))}
    assert {arm: one["eval/accuracy"] for arm, one in found.items()} == pytest.approx(expected, abs=1e-6)
    # a writer that was killed leaves half a record: what stands before it is read, and it is said
    path = next((tmp_path / "tb/base/seed0").glob("events*"))
    path.write_bytes(path.read_bytes()[:-5])
    done = rence("import", "scores", "tb", "--step", "1", "--dry-run")
    assert done.code == 0 and "ends in the middle of a record" in done.out, done.err


def test_runs_of_mlflow(rence: Rence, tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed")
    client = mlflow.tracking.MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/mlflow.db")
    experiment = client.create_experiment("sums", artifact_location=str(tmp_path / "artifacts"))
    for place, row in enumerate(ROWS[::4]):
        named = f"{row['arm']}-seed{row['seed']}" if place else "wistful-squirrel-761"
        run = client.create_run(experiment, run_name=named)
        if not place:
            client.log_param(run.info.run_id, "algorithm", row["arm"])
            client.log_param(run.info.run_id, "seed", row["seed"])
        for step in range(2):
            client.log_metric(run.info.run_id, "val/acc", row["score"] + step / 100, step=step)
            client.log_metric(run.info.run_id, "loss", 1.0, step=step)
    done = rence("import", "scores", "mlflow.db", "--out", "runs/x", "--json")
    assert done.code == 0, done.err
    assert done.json["step"] == 1 and done.json["seeds"] == {"base": [0, 4], "ours": [3]}
    assert done.json["means"]["ours"]["val/acc"] == pytest.approx(B[3] + 0.01)


TWO = [["arm", "seed", "score"], ["base", 0, 40.0], ["ours", 0, 50.0]]
REFUSED: list[tuple[list[list[Any]], list[str], int, str]] = [
    ([*TWO, ["ours", 1, "NaN"]], [], 3, "a.csv:4: the score is NaN, which is no number. If the run diverged"),
    ([*TWO, ["ours", 1, "inf"]], [], 3, "a.csv:4: the score is inf"),
    ([*TWO, ["ours", 1, "43.7 ± 1.2"]], [], 3, "a.csv:4: the score `43.7 ± 1.2` is no number. One row for each seed"),
    ([*TWO, ["ours", 1, "x"]], [], 3, "a.csv:4: the score `x` is no number"),
    ([*TWO, ["ours", 1, 0.5]], [], 3, "a.csv:4 is 0.5 and a.csv:3 is 50: percentages and fractions seem to be mixed"),
    ([*TWO, ["ours", 1, "51%"]], [], 3, "a.csv:4 has a percent sign and a.csv:2 has none"),
    ([*TWO, ["ours", 1, 123.0]], [], 3, "a.csv:4: 123 is neither a fraction nor a percentage"),
    ([*TWO, ["ours", 1, -2.0]], [], 3, "--unit raw keeps numbers as they are"),
    ([*TWO, ["ours", 1, 99.0]], ["--unit", "fraction"], 3, "a.csv:4: 99 is no fraction"),
    ([*TWO, ["ours", 0, 51.0]], [], 3, "a.csv:3 and a.csv:4 are both ours seed 0 on score, and differ: 0.5 and 0.51"),
    # of several, the first in the file, not the first by name
    ([TWO[0], *TWO[:0:-1], ["ours", 0, 51.0], ["base", 0, 41.0]], [], 3, "a.csv:2 and a.csv:4 are both ours seed 0"),
    ([*TWO, ["", 0, 51.0]], [], 3, "a.csv:4: the arm is empty"),
    ([*TWO, ["ours", -1, 51.0]], [], 3, "a.csv:4: the seed must be a whole number of at least 0, or a word"),
    ([*TWO, ["ours", 0.5, 51.0]], [], 3, "a.csv:4: the seed must be a whole number of at least 0"),
    ([["arm", "score"], ["base", 40], ["ours", 50]], [], 2, "Add --seed 0 if each arm is one run"),
    ([["arm", "score"], ["base", 40], ["base", 50]], [], 2, "Add --number-seeds if rows of one arm"),
    ([["seed", "reward", "accuracy"], [0, 1, 2]], [], 2, "of which 2 are scores by their names: reward, accuracy"),
    ([["arm", "seed", "note"], ["a", 0, "x"]], [], 3, "has no column of scores among arm, seed, note"),
    ([["arm", "seed", "arm"], ["a", 0, 1]], [], 3, "two columns are called `arm`"),
    ([["arm", "seed", "score"]], [], 3, "a.csv has no rows below its first line"),
    ([*TWO, ["ours", 1]], [], 3, "a.csv cannot be read"),
    (TWO, ["--column", "score=points"], 2, "--column score=points: a.csv has no such column"),
    (TWO, ["--metric", "x"], 2, "--metric x: a.csv has one column of scores"),
    (TWO, ["--target", "outs"], 2, "--target outs: there is no such arm in what is imported. Did you mean `ours`?"),
    (TWO, ["--step", "4"], 2, "--step 4: the source has no steps"),
    ([["arm", "seed", "step", "score"], ["a", 0, 1, 2], ["b", 0, 3, 4]], [], 3, "no step is there for all"),
    ([["arm", "seed", "step", "score"], ["a", 0, 1, 2], ["b", 0, "", 4]], [], 3, "a.csv:3: the step is empty"),
    ([["arm", "seed", "step", "score"], ["a", 0, 1, 2], ["b", 0, 1.5, 4]], [], 3, "a.csv:3: the step must be a whole"),
    ([["arm", "seed", "step", "acc", "reward"], ["a", 0, 1, 2, 3]], [], 2, "Add --metric 'acc' for one"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "options", "code", "said"), REFUSED)
def test_what_cannot_be_read_is_refused_and_nothing_is_written(
    rence: Rence, tmp_path: Path, rows: list[list[Any]], options: list[str], code: int, said: str
) -> None:
    table(tmp_path / "a.csv", rows)
    done = rence("import", "scores", "a.csv", *options, "--out", "runs/x")
    assert done.code == code and said in done.err and done.out == "", done.err
    assert not (tmp_path / "runs/x").exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", b'{"arm": "a", "seed": 0, "score": 1}\n{"arm": "b", "se', "a.jsonl:2 is not valid JSON"),
        ("a.json", b'[{"arm": "a", "seed": 0, "sco', "a.json is not valid JSON"),
        ("a.csv", b"arm,seed,score\nb\xff,0,1\n", "a.csv is not UTF-8"),
        ("a.csv", b'arm,seed,score\na,0,"0.5\n', "a.csv: a quotation mark is opened and not closed"),
        ("a.csv", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "a.csv is a Git LFS pointer"),
        ("a.csv.gz", gzip.compress(b"arm,seed,score\na,0,1\n", mtime=0)[:-9], "a.csv.gz cannot be read"),
        ("a.parquet", b"PAR1 no more", "a.parquet cannot be read"),
        ("events.out.tfevents.1", b"no events at all, but words", "is no event file of TensorBoard"),
        ("a.xlsx", b"x", "a.xlsx is of no kind that is read"),
    ],
)
def test_broken_files_are_named(rence: Rence, tmp_path: Path, name: str, content: bytes, said: str) -> None:
    if "tfevents" in name:
        pytest.importorskip("tensorboard")
    (tmp_path / name).write_bytes(content)
    done = rence("import", "scores", name, "--out", "runs/x")
    assert done.code == 3 and said in done.err, done.err
    assert not (tmp_path / "runs/x").exists()


def test_a_gap_is_no_zero_and_copies_count_once(rence: Rence, tmp_path: Path) -> None:
    table(
        tmp_path / "a.csv",
        [["arm", "seed", "sums", "mul"], ["a", 0, 0.5, 0.25], ["a", 1, 0.7, ""], ["b", 0, 0.5, 1], ["b", 0, 0.5, 1]],
    )
    done = rence("import", "scores", "a.csv", "--out", "runs/x", "--json")
    assert done.code == 0, done.err
    assert done.json["means"] == {"a": {"sums": 0.6, "mul": 0.25}, "b": {"sums": 0.5, "mul": 1.0}}
    assert any("a seed 1 on mul" in note for note in done.json["notes"])
    assert any("2 rows are copies" in note for note in done.json["notes"])
    assert rence("report", "runs/x").code == 0
    arms = {arm["arm"]: arm for arm in verdict(tmp_path / "runs/x")["arms"]}
    # of a only seed 0 has both benchmarks: (0.5 + 0.25) / 2
    assert arms["a"]["average"]["mean"] == pytest.approx(0.375) and arms["a"]["average"]["seeds"] == 1


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        # a row of means is no seed: it would narrow the interval
        ([["arm", "seed", "score"], ["a", 0, 50], ["a", 1, 52], ["a", "mean", 51]], "a.csv:4: `mean` is no seed"),
        ([["arm", "seed", "score"], ["a", 0, 50], ["a", "Avg.", 50]], "a.csv:3: `Avg.` is no seed"),
        ([["arm", "seed", "score"], ["a", 0, 50], ["a", "std", 2]], "a.csv:3: `std` is no seed"),
        # 15 of 30 are not 15 %
        ([["arm", "seed", "correct", "total"], ["a", 0, 15, 30], ["b", 0, 18, 30]], "`correct` of `total` are counts"),
        ([["arm", "seed", "num_correct", "n"], ["a", 0, 15, 30], ["b", 0, 18, 30]], "`num_correct` of `n` are counts"),
    ],
)
def test_summaries_and_counts_are_no_scores(rence: Rence, tmp_path: Path, rows: list[list[Any]], said: str) -> None:
    table(tmp_path / "a.csv", rows)
    done = rence("import", "scores", "a.csv", "--out", "runs/x")
    assert done.code == 3 and said in done.err, done.err


@pytest.mark.parametrize("head", ["Avg.", "Average", "mean"])
def test_a_column_that_is_the_mean_of_the_others_is_left_out(rence: Rence, tmp_path: Path, head: str) -> None:
    rows = [["a", 0, 50, 20, 35], ["a", 1, 52, 22, 37], ["b", 0, 60, 30, 45], ["b", 1, 62, 31, 46.5]]
    table(tmp_path / "a.csv", [["arm", "seed", "MATH", "AIME", head], *rows])
    done = rence("import", "scores", "a.csv", "--dry-run", "--json")
    assert done.json["means"]["a"] == {"MATH": pytest.approx(0.51), "AIME": pytest.approx(0.21)}
    assert f"Columns of numbers that were not taken for scores: `{head}`." in done.json["notes"]
    # of another meaning it may be the score, or a weighted mean: that is asked
    table(tmp_path / "a.csv", [["arm", "seed", "MATH", "AIME", head], *([*row[:4], 30] for row in rows)])
    done = rence("import", "scores", "a.csv", "--dry-run", "--json")
    assert done.code == 2 and f"`{head}` is called an average, and is not the mean of MATH, AIME" in done.err


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        # a run that diverged and was left empty is in no mean, and the mean of the others is too good
        ([["arm", "seed", "score"], ["a", 0, 0.5], ["a", 1, ""], ["b", 0, 0.4], ["b", 1, 0.3]], "a seed 1."),
        ([["seed", "a", "b"], [0, 0.5, 0.4], [1, "", 0.3], [2, "", "-"]], "a seed 1, a seed 2, b seed 2."),
        ([["step", "a-s0", "a-s1", "b-s0"], [1, 0.5, "", 0.3], [2, 0.5, "", ""]], "a seed 1."),
        ([["Step", "a-s0 - acc", "a-s1 - acc", "b-s0 - acc"], [1, 0.5, "", 0.3], [2, 0.5, "", 0.2]], "a seed 1."),
    ],
)
def test_a_seed_without_any_score_is_named(rence: Rence, tmp_path: Path, rows: list[list[Any]], named: str) -> None:
    table(tmp_path / "a.csv", rows)
    done = rence("import", "scores", "a.csv", "--step", "last", "--dry-run", "--json")
    assert done.code == 0, done.err
    assert [note for note in done.json["notes"] if note.startswith(f"Nothing but empty cells, so in no mean: {named}")]


def imported(rence: Rence, tmp_path: Path, rows: Iterable[Sequence[Any]], *options: str) -> dict[str, Any]:
    table(tmp_path / "a.csv", rows)
    done = rence("import", "scores", "a.csv", *options, "--out", "runs/x", "--clean")
    assert done.code == 0, done.err
    done = rence("report", "runs/x")
    assert done.code == 0, done.err
    return verdict(tmp_path / "runs/x")


def test_a_difference_is_welchs(rence: Rence, tmp_path: Path) -> None:
    found = imported(rence, tmp_path, LONG, "--target", "ours")
    (pair,) = found["pairs"]
    test = stats.ttest_ind(list(B.values()), list(A.values()), equal_var=False)
    low, high = test.confidence_interval(0.95)
    assert pair["delta"] == pytest.approx(np.mean(list(B.values())) - np.mean(list(A.values())))
    assert (pair["ci_low"], pair["ci_high"]) == pytest.approx((low, high))
    assert (pair["p_value"], pair["df"]) == pytest.approx((test.pvalue, test.df))
    assert pair["covers"] == "benchmark" and pair["matched"] is None
    mean = next(arm for arm in found["arms"] if arm["arm"] == "base")["average"]
    interval = stats.t.interval(0.95, 4, np.mean(list(A.values())), stats.sem(list(A.values())))
    assert (mean["ci_low"], mean["ci_high"]) == pytest.approx(interval)


def test_paired_seeds_give_the_paired_test(rence: Rence, tmp_path: Path) -> None:
    (pair,) = imported(rence, tmp_path, LONG, "--target", "ours", "--pair-seeds")["pairs"]
    test = stats.ttest_rel(list(B.values()), list(A.values()))
    low, high = test.confidence_interval(0.95)
    assert (pair["ci_low"], pair["ci_high"], pair["p_value"]) == pytest.approx((low, high, test.pvalue))
    assert pair["df"] == 4 and "paired" in pair["test"]


def test_unequal_numbers_of_seeds_are_never_trusted_more_than_welch_does(rence: Rence, tmp_path: Path) -> None:
    few = [LONG[0], *(row for row in LONG[1:] if row[0] == "base" or row[1] < 2)]
    (pair,) = imported(rence, tmp_path, few, "--target", "ours")["pairs"]
    test = stats.ttest_ind([B[0], B[1]], list(A.values()), equal_var=False)
    # if seeds of 2 and of 5 vary alike: (1/2 + 1/5)^2 / (1/4 + 1/25/4)
    cap = 0.7**2 / (0.25 + 0.04 / 4)
    assert pair["df"] == pytest.approx(min(test.df, cap)) and pair["p_value"] >= test.pvalue - 1e-12


def test_families_are_adjusted_by_bonferroni(rence: Rence, tmp_path: Path) -> None:
    more = [["third", seed, score + 0.05 * (-1) ** seed] for seed, score in B.items()]
    pairs = imported(rence, tmp_path, [*LONG, *more], "--target", "ours")["pairs"]
    assert [pair["b"] for pair in pairs] == ["base", "third"]
    for pair in pairs:
        assert pair["p_adjusted"] == pytest.approx(min(1, 2 * pair["p_value"]))
        assert (pair["simultaneous"]["low"] > 0) == (pair["p_adjusted"] < 0.05 and pair["delta"] > 0)
    test = stats.ttest_ind(list(B.values()), list(A.values()), equal_var=False)
    low, high = test.confidence_interval(0.975)
    assert (pairs[0]["simultaneous"]["low"], pairs[0]["simultaneous"]["high"]) == pytest.approx((low, high))


def test_one_seed_has_no_interval_and_the_report_says_why(rence: Rence, tmp_path: Path) -> None:
    found = imported(rence, tmp_path, [LONG[0], LONG[1], LONG[6]], "--target", "ours")
    (pair,) = found["pairs"]
    assert pair["delta"] == pytest.approx(0.47 - 0.437)
    empty = ("se", "df", "covers", "ci_low", "ci_high", "p_value", "p_adjusted", "significant", "mde")
    assert {key: pair[key] for key in empty} == dict.fromkeys(empty)
    assert "base and ours have one seed: how much seeds differ is not known" in found["verdict"]


def test_numbers_of_any_scale(rence: Rence, tmp_path: Path) -> None:
    rows = [[a, s, 1000 * (y - 0.5) if s != "seed" else y] for a, s, y in LONG]
    found = imported(rence, tmp_path, rows, "--target", "ours", "--unit", "raw")
    (pair,) = found["pairs"]
    a, b = ([1000 * (y - 0.5) for y in side.values()] for side in (A, B))
    test = stats.ttest_ind(b, a, equal_var=False)
    low, high = test.confidence_interval(0.95)
    assert found["unit"] == "raw" and pair["delta"] == pytest.approx(np.mean(b) - np.mean(a))
    assert (pair["ci_low"], pair["ci_high"], pair["p_value"]) == pytest.approx((low, high, test.pvalue))


def test_nothing_is_said_of_problems(rence: Rence, tmp_path: Path) -> None:
    found = imported(rence, tmp_path, LONG, "--target", "ours")
    assert found["scores_only"] is True and found["depends_on"] == [] and found["sealed"] == "sealed"
    for arm in found["arms"]:
        (cell,) = arm["per_benchmark"].values()
        for key in ("n_problems", "k", "truncated", "no_answer", "grader_failed", "attempts"):
            assert cell[key] is None
    page = (tmp_path / "runs/x/report/report.md").read_text(encoding="utf-8")
    assert "no interval covers new problems" in page and "which is not zero" in page
    assert "problems.csv" not in {path.name for path in (tmp_path / "runs/x/report").iterdir()}


NEED_ANSWERS = [
    ("gate", "runs/x/ours", "--baseline", "b.yaml", "--update"),
    ("same", "runs/x/ours", "runs/x/base"),
    ("verify", "runs/x", "--regenerate", "1%"),
    ("dashboard", "runs/x"),
    ("report", "runs/x", "--expected", "none.yaml"),
]


@pytest.mark.parametrize("words", NEED_ANSWERS)
def test_what_needs_answers_says_what_can_be_done(rence: Rence, tmp_path: Path, words: tuple[str, ...]) -> None:
    table(tmp_path / "a.csv", LONG)
    assert rence("import", "scores", "a.csv", "--out", "runs/x").code == 0
    done = rence(*words)
    assert done.code in (2, 3) and "holds scores without problems" in done.err and "rence compare" in done.err, done.err


def test_two_arms_of_one_run_or_of_two_are_compared(rence: Rence, tmp_path: Path) -> None:
    table(tmp_path / "a.csv", LONG)
    table(tmp_path / "b.csv", [LONG[0], *LONG[6:]])
    assert rence("import", "scores", "a.csv", "--out", "runs/x").code == 0
    assert rence("import", "scores", "b.csv", "--out", "runs/y").code == 0
    one = rence("compare", "runs/x/ours", "runs/x/base", "--json").json
    two = rence("compare", "runs/y", "runs/x/base", "--json", "--margin", "30").json
    test = stats.ttest_ind(list(B.values()), list(A.values()), equal_var=False)
    assert one["pairs"][0]["p_value"] == pytest.approx(test.pvalue)
    assert two["pairs"][0]["p_value"] == pytest.approx(test.pvalue) and two["pairs"][0]["equivalent"] is True
    assert "A is above" in rence("compare", "runs/x/ours", "runs/x/base").out or test.pvalue >= 0.05
    done = rence("compare", "runs/x/nobody", "runs/x/base")
    assert done.code == 3 and "has no arm `nobody`, but base and ours" in done.err
    shown = rence("list", "runs", "--json").json
    assert [row["state"] for row in shown] == ["imported scores"] * 2


def test_the_untrained_model_needs_no_seed(rence: Rence, tmp_path: Path) -> None:
    table(tmp_path / "a.csv", [LONG[0], ["start", "", 0.3], *LONG[1:]])
    done = rence("import", "scores", "a.csv", "--dry-run", "--json")
    assert done.code == 0, done.err
    assert (done.json["target"], done.json["baselines"]) == ("base", ["start", "ours"])


def test_whoever_forgets_the_source_is_told(rence: Rence, tmp_path: Path) -> None:
    table(tmp_path / "a.csv", LONG)
    done = rence("import", "a.csv", "--out", "runs/x")
    assert done.code != 0 and "rence import scores a.csv" in done.err, done.err


def test_a_run_is_shown_in_the_terminal(rence: Rence, tmp_path: Path) -> None:
    table(tmp_path / "a.csv", LONG)
    assert rence("import", "scores", "a.csv", "--out", "runs/x", "--target", "ours").code == 0
    done = rence("show", "runs/x")
    assert done.code == 0 and "ours minus base: +3.3 points" in done.out, done.err
    assert rence("show", "runs/y").code == 3
    assert "GRPO" in rence("show", "grpo").out, "a folder runs/ beside it changes nothing"


def test_a_chart_of_groups_says_that_its_scores_are_means(rence: Rence, tmp_path: Path) -> None:
    head = ["Step", *(f"Group: {arm} - acc{end}" for arm in ("a", "b") for end in ("", "__MIN", "__MAX"))]
    table(tmp_path / "a.csv", [head, [1, 0.3, 0.2, 0.4, 0.5, 0.5, 0.5]])
    done = rence("import", "scores", "a.csv", "--seed", "0", "--dry-run", "--json")
    assert done.json["means"] == {"a": {"acc": 0.3}, "b": {"acc": 0.5}}
    assert any("In 1 cells of the chart MIN and MAX differ" in note for note in done.json["notes"])


def test_seals_find_what_was_changed(rence: Rence, tmp_path: Path) -> None:
    table(tmp_path / "a.csv", LONG)
    assert rence("import", "scores", "a.csv", "--out", "runs/x").code == 0
    assert rence("report", "runs/x").code == 0
    first = {path: path.read_bytes() for path in sorted((tmp_path / "runs/x").rglob("*")) if path.is_file()}
    assert rence("verify", "runs/x").code == 0
    assert rence("import", "scores", "a.csv", "--out", "runs/x", "--clean").code == 0
    assert rence("report", "runs/x").code == 0
    assert {path: path.read_bytes() for path in first} == first, "same files, same bytes"
    path = tmp_path / "runs/x/scores.parquet"
    rows = pq.read_table(path).to_pylist()
    rows[0]["score"] += 0.1
    pq.write_table(pa.Table.from_pylist(rows, pq.read_schema(path)), path)
    assert rence("verify", "runs/x").code == 1
    done = rence("report", "runs/x")
    assert done.code == 2 and "scores.parquet is not what scores.json was made with" in done.err
    assert rence("report", "runs/x", "--accept", "a test").code == 0
    assert verdict(tmp_path / "runs/x")["sealed"] == "accepted"
    plan = tmp_path / "runs/x/scores.json"
    plan.write_text(plan.read_text(encoding="utf-8").replace('"target": "base"', '"target": "ours"'), encoding="utf-8")
    assert "scores.json is not what was locked" in rence("verify", "runs/x").out


def test_curves_are_compared_at_the_last_common_step(rence: Rence, tmp_path: Path) -> None:
    rows = [["arm", "seed", "step", "score"]]
    rows += [
        [arm, s, t, side[s] + t / 1000] for arm, side in (("a", A), ("b", B)) for s in side for t in range(0, 80, 10)
    ]
    rows += [["a", 0, 80, 0.9]]
    found = imported(rence, tmp_path, rows, "--target", "b")
    assert found["step"] == 70
    assert found["pairs"][0]["delta"] == pytest.approx(np.mean(list(B.values())) - np.mean(list(A.values())))
    assert any("later scores are kept" in note for note in found["notes"])
    # straight lines without noise: the last is the best
    assert [row["gain"] for row in found["best_checkpoint"]] == [0.0, 0.0]
    assert imported(rence, tmp_path, rows, "--step", "last")["step"] is None
