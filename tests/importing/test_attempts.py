"""Attempts in three formats become one run folder, and its report says what is in them and what is not known."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from .conftest import Done, Rows, attempts, verdict, write

Rence = Callable[..., Done]
SHARES = {
    ("grpo", 0, "sums"): 0.5,
    ("grpo", 1, "sums"): 0.55,
    ("grpo", 2, "sums"): 0.6,
    ("dapo", 0, "sums"): 0.2,
    ("dapo", 1, "sums"): 0.25,
    ("dapo", 2, "sums"): 0.3,
}


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def as_csv(path: Path, rows: Rows) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_three_formats_one_run(rence: Rence, tmp_path: Path) -> None:
    rows = [
        row | {"response": 'So "4",\nor é', "gold": "4"} for row in attempts({**SHARES, ("start", None, "sums"): 0.1})
    ]
    write(tmp_path / "a.jsonl", rows)
    as_csv(tmp_path / "a.csv", rows)
    pd.DataFrame(rows).to_parquet(tmp_path / "a.parquet")
    for suffix in ("jsonl", "csv", "parquet"):
        assert rence("import", "attempts", f"a.{suffix}", "--out", f"runs/{suffix}").code == 0
    runs = [files(tmp_path / "runs" / suffix) for suffix in ("jsonl", "csv", "parquet")]
    evals = [{name: data for name, data in run.items() if "/evals/" in name and "seal" not in name} for run in runs]
    assert len(evals[0]) == 14 and evals[0] == evals[1] == evals[2]
    table = pq.read_table(tmp_path / "runs/csv/dapo/seed1/evals/step_0/sums/attempts.parquet").to_pylist()
    assert sum(row["mark"] == "correct" for row in table) == 20  # 0.25 of 20 x 4
    assert table[5] == table[5] | {"problem_id": "p01", "sample": 1, "response": 'So "4",\nor é', "tokens": None}


def test_what_the_report_says(rence: Rence, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", attempts({**SHARES, ("start", None, "sums"): 0.1}))
    assert rence("import", "attempts", "a.jsonl", "--out", "runs/x").code == 0
    assert rence("report", "runs/x").code == 0
    found = verdict(tmp_path / "runs/x")
    assert [(arm["arm"], arm["average"]["mean"]) for arm in found["arms"]] == [
        ("start", pytest.approx(0.1)),
        ("grpo", pytest.approx(0.55)),
        ("dapo", pytest.approx(0.25)),
    ]
    primary = next(pair for pair in found["pairs"] if pair["family"] == "primary")
    assert (primary["a"], primary["b"], primary["matched"]) == ("grpo", "dapo", None)
    assert primary["delta"] == pytest.approx(0.3) and primary["significant"]
    assert found["as_planned"] is None and found["imported"] == "attempts, 1 file"
    assert "the comparison is exploratory" in found["verdict"] and "matching of training unknown" in found["verdict"]
    page = (tmp_path / "runs/x/report/report.md").read_text(encoding="utf-8")
    assert (
        "rollouts a trial" not in page
        and "as planned;" not in page
        and "; as planned" not in page
        and "## Budget" not in page
    )
    cell = found["arms"][1]["per_benchmark"]["sums"]
    assert (cell["wrong"], cell["no_answer"], cell["truncated"]) == (108, None, None)  # not told, so not zero
    assert "a.jsonl" in page and "## Provenance" in page


def test_attempts_of_a_run_folder_are_a_source_too(rence: Rence, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", attempts({**SHARES, ("start", None, "sums"): 0.1}))
    rence("import", "attempts", "a.jsonl", "--out", "x")
    paths = ["x/start/evals/*/attempts.parquet", "x/*/seed*/evals/step_*/*/attempts.parquet"]
    assert rence("import", "attempts", *paths, "--target", "grpo", "--out", "y").code == 0
    one, other = files(tmp_path / "x"), files(tmp_path / "y")
    tables = [name for name in one if name.endswith("attempts.parquet")]
    assert len(tables) == 7 and all(one[name] == other[name] for name in tables)


def test_a_list_of_runs_calls_it_imported(rence: Rence, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", attempts(SHARES))
    rence("import", "attempts", "a.jsonl", "--out", "runs/x")
    assert ["x", "imported", "-", "-", "no"] in [line.split() for line in rence("list", "runs").out.splitlines()]


def test_without_the_untrained_model_there_is_no_row_of_it(rence: Rence, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", attempts(SHARES))
    rence("import", "attempts", "a.jsonl", "--out", "x", "--target", "dapo")
    assert "start" not in rence("report", "x").out
    found = verdict(tmp_path / "x")
    assert [arm["arm"] for arm in found["arms"]] == ["grpo", "dapo"]
    assert [(pair["a"], pair["b"], pair["family"]) for pair in found["pairs"]] == [
        ("dapo", "grpo", "primary"),
        ("dapo", "grpo", "per_benchmark"),
    ]
    said = [line for line in (tmp_path / "x/report/report.md").read_text("utf-8").splitlines() if "untrained" in line]
    assert len(said) == 1 and said[0].startswith("- Collapses are not counted"), "why, and no row of any table"


def test_same_input_same_bytes_in_any_order_of_rows(rence: Rence, tmp_path: Path) -> None:
    rows = attempts(SHARES)
    write(tmp_path / "a.jsonl", rows)
    assert rence("import", "attempts", "a.jsonl", "--out", "one/x").code == 0
    assert rence("import", "attempts", "a.jsonl", "--out", "two/x").code == 0
    assert files(tmp_path / "one/x") == files(tmp_path / "two/x")
    assert rence("report", "one/x").code == rence("report", "two/x").code == 0
    assert files(tmp_path / "one/x") == files(tmp_path / "two/x")
    shuffled = [*rows[:1], *random.Random(0).sample(rows[1:], len(rows) - 1)]
    write(tmp_path / "a.jsonl", shuffled)
    assert rence("import", "attempts", "a.jsonl", "--out", "three/x").code == 0
    one, three = files(tmp_path / "one/x"), files(tmp_path / "three/x")
    assert all(three[name] == one[name] for name in three if "/evals/" in name and "seal" not in name)


def test_names_before_paths_and_columns_of_other_names(rence: Rence, tmp_path: Path) -> None:
    for (arm, seed, _), share in SHARES.items():
        rows = attempts({("-", 0, "-"): share})
        theirs = [{"id": row["problem_id"], "try": row["sample"], "ok": bool(row["correct"])} for row in rows]
        write(tmp_path / f"lr=0.1/{arm}-{seed}.jsonl", theirs)
    names = [f"{arm}/seed{seed}=lr=0.1/{arm}-{seed}.jsonl" for arm, seed, _ in SHARES]
    columns = [word for pair in ("problem_id=id", "sample=try", "correct=ok") for word in ("--column", pair)]
    done = rence("import", "attempts", *names, *columns, "--benchmark", "sums", "--out", "x", "--json")
    assert done.code == 0, done.err
    assert (done.json["arms"], done.json["seeds"], done.json["attempts"]) == (["grpo", "dapo"], [0, 1, 2], 480)
    record = json.loads((tmp_path / "x/import.json").read_text())
    assert record["files"][4] == record["files"][4] | {"path": "lr=0.1/dapo-1.jsonl", "arm": "dapo", "seed": 1}


def test_steps_are_a_curve_that_ends_where_all_are(rence: Rence, tmp_path: Path) -> None:
    rows = [row for step in (0, 50, 100) for row in attempts(SHARES, step=step)]
    rows += attempts({("dapo", 2, "sums"): 0.9}, step=150)
    write(tmp_path / "a.jsonl", rows)
    done = rence("import", "attempts", "a.jsonl", "--out", "x", "--json")
    assert done.json["steps"] == [0, 50, 100]
    assert "Compared at step 100; later evaluations were left out: step 150." in done.json["notes"]
    assert rence("report", "x").code == 0
    figures = sorted(path.name for path in (tmp_path / "x/report/figures").glob("curve*"))
    assert figures == ["curve-step.svg"]
    assert verdict(tmp_path / "x")["arms"][1]["average"]["mean"] == pytest.approx(0.25)
    last = rence("import", "attempts", "a.jsonl", "--out", "last", "--step", "last", "--json")
    assert last.json["steps"] == [0, 50, 100, 150]
    assert "The last step of each arm and seed is compared: 100 to 150." in last.json["notes"]
    rence("report", "last")
    found = verdict(tmp_path / "last")
    assert found["arms"][1]["average"]["mean"] == pytest.approx((0.2 + 0.25 + 0.9) / 3)
    assert "; step 100 to 150;" in found["verdict"]


def test_a_step_that_only_some_have(rence: Rence, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", attempts({("grpo", 0, "sums"): 0.5}, step=40))
    write(tmp_path / "b.jsonl", attempts({("dapo", 0, "sums"): 0.5}, step=30))
    done = rence("import", "attempts", "a.jsonl", "b.jsonl", "--out", "x")
    assert done.code == 3 and "grpo seed 0 at 40" in done.err and "--step last" in done.err
    assert rence("import", "attempts", "a.jsonl", "b.jsonl", "--out", "x", "--step", "40").code == 0
    assert rence("report", "x").code == 0
    notes = verdict(tmp_path / "x")["notes"]
    assert "dapo seed 0 is missing: it has no result at the step that is compared." in notes
    done = rence("import", "attempts", "a.jsonl", "b.jsonl", "--out", "y", "--step", "7")
    assert done.code == 2 and "Allowed: 30, 40 or last." in done.err


def test_compare_of_two_imported_arms_and_of_two_seeds(rence: Rence, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", attempts(SHARES))
    rence("import", "attempts", "a.jsonl", "--out", "x")
    found = rence("compare", "x/grpo", "x/dapo", "--json").json
    assert found["matched"] is None and found["pairs"][0]["delta"] == pytest.approx(0.3)
    assert "matching of training unknown" in found["verdict"]
    seeds = rence("compare", "x/grpo/seed2", "x/grpo/seed0", "--json").json
    assert seeds["pairs"][0]["delta"] == pytest.approx(0.1)


def test_gaps_are_noted_and_different_k_is_allowed(rence: Rence, tmp_path: Path) -> None:
    rows = attempts({who: share for who, share in SHARES.items() if who != ("dapo", 1, "sums")})
    rows += attempts({("grpo", seed, "chains"): 0.5 for seed in range(3)}, k=2)
    rows += attempts({("dapo", 0, "chains"): 0.25}, k=4)
    write(tmp_path / "a.jsonl", rows)
    assert rence("import", "attempts", "a.jsonl", "--out", "x").code == 0
    assert rence("report", "x").code == 0
    notes = verdict(tmp_path / "x")["notes"]
    assert "dapo seed 1 is missing: it has no result at the step that is compared." in notes
    assert "dapo seed 2 has no result on chains." in notes
    assert "dapo on chains has k = 4 attempts a problem; another has 2." in notes
    assert any("the average is over 1 of 3 seeds" in note for note in notes)
    assert not any("Not as planned" in note for note in notes)


def test_a_template_that_differs_is_known_and_one_that_is_unknown_does_not(rence: Rence, tmp_path: Path) -> None:
    rows = attempts(SHARES)
    write(tmp_path / "a.jsonl", [row | {"template": "chat" if row["arm"] == "grpo" else "plain"} for row in rows])
    write(tmp_path / "b.jsonl", [row | ({"template": "chat"} if row["arm"] == "grpo" else {}) for row in rows])
    for name in "ab":
        rence("import", "attempts", f"{name}.jsonl", "--out", name)
        rence("report", name)
    matched = [verdict(tmp_path / name)["pairs"][0]["matched"] for name in "ab"]
    assert matched == [False, None]
    assert "sums: the prompt template differs" in verdict(tmp_path / "a")["verdict"]


def test_our_own_attempts_come_back_as_they_were(rence: Rence, tmp_path: Path) -> None:
    marks = ["correct", "wrong", "no_answer", "truncated", "grader_failed"]
    rows = [
        row | {"mark": marks[i % 5], "tokens": 7, "benchmark_hash": "h1", "answer": None}
        for i, row in enumerate(attempts({("grpo", 0, "sums"): 0.0}))
    ]
    for row in rows:
        del row["correct"]
    write(tmp_path / "a.jsonl", rows)
    assert rence("import", "attempts", "a.jsonl", "--out", "x").code == 0
    header = json.loads((tmp_path / "x/grpo/seed0/evals/step_0/sums/eval.json").read_text())
    assert (header["benchmark_hash"], header["problems"], header["k"]) == ("h1", 20, 4)
    rence("report", "x")
    cell = verdict(tmp_path / "x")["arms"][0]["per_benchmark"]["sums"]
    assert [cell[mark] for mark in marks[1:]] == [16] * 4
    assert "| 7.0 |" in (tmp_path / "x/report/report.md").read_text(encoding="utf-8")
