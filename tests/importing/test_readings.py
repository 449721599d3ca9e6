"""What of a difference is format: arms whose answers are known, imported and then reported, compared and gated."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from harness.records import EvalFolder, EvalRecord, seals

from .conftest import Done, Rows, verdict, write

Rence = Callable[..., Done]
BOXED, STATED, WRONG = r"It is \boxed{7}.", "The answer is 7.", r"It is \boxed{9}."
PROBLEMS, SEEDS = 20, (0, 1)


def rows(**arms: str) -> Rows:
    """Answers of arms to 20 problems, by two seeds.

    Args:
        arms: arm -> a letter for each problem: b(oxed and right), s(tated and right), w(rong).
    """
    texts = {"b": BOXED, "s": STATED, "w": WRONG}
    return [
        {"arm": arm, "seed": seed, "benchmark": "sums", "problem_id": f"p{i:02}", "sample": 0}
        | {"response": texts[letter], "gold": "7", "finish_reason": "stop"}
        for arm, letters in arms.items()
        for seed in SEEDS
        for i, letter in enumerate(letters)
    ]


def made(rence: Rence, name: str, **arms: str) -> Path:
    write(Path("a.jsonl"), rows(**arms))
    done = rence("import", "generations", "a.jsonl", "--out", name, "--rule", "numbers")
    assert done.code == 0, done.err
    return Path(name)


ARMS = {
    "only-format": ({"ours": "b" * 20, "theirs": "s" * 20}, 1.0, 0.0, "+20 −0", "0"),
    "the-reverse": ({"ours": "s" * 20, "theirs": "b" * 20}, -1.0, 0.0, "+0 −20", "0"),
    "only-maths": ({"ours": "b" * 15 + "w" * 5, "theirs": "b" * 5 + "w" * 15}, 0.5, 0.5, "0", "+10 −0"),
    # by the rule 100 − 20; anywhere 100 − 80
    "both": ({"ours": "b" * 20, "theirs": "b" * 4 + "s" * 12 + "w" * 4}, 0.8, 0.2, "+12 −0", "+4 −0"),
    # anywhere the other arm is above: by the rule 50 − 0, anywhere 50 − 100
    "turned": ({"ours": "b" * 10 + "w" * 10, "theirs": "s" * 20}, 0.5, -0.5, "+10 −0", "0"),
}


@pytest.mark.parametrize("name", ARMS)
def test_the_parts_of_a_difference(rence: Rence, name: str) -> None:
    arms, whole, anywhere, format_flips, maths_flips = ARMS[name]
    run = made(rence, name, **arms)
    assert rence("report", name).code == 0
    found = verdict(run)
    pair = found["pairs"][0]
    parts = pytest.approx({"anywhere": anywhere, "format": whole - anywhere})
    assert (pair["delta"], pair["readings"]) == (pytest.approx(whole), parts)
    assert (" are format: " in found["verdict"]) is (whole != anywhere)
    page = (run / "report/report.md").read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith("| ours − theirs | 20 |")]
    assert [cell.strip() for cell in row.split("|")[6:8]] == [format_flips, maths_flips]
    assert (name == "turned") is ("depends on the reading of answers: +50.0 points at the headline; anywhere" in page)


def test_the_words_and_numbers_of_compare(rence: Rence) -> None:
    run = made(rence, "both", **ARMS["both"][0])
    said = " ".join(rence("compare", f"{run}/ours", f"{run}/theirs").out.split())
    assert "Of A − B, +80.0 points, +60.0 are format: if answers may stand anywhere in the text, it is +20.0." in said
    (average, *_) = rence("compare", f"{run}/ours", f"{run}/theirs", "--json").json["pairs"]
    assert average["readings"] == pytest.approx({"anywhere": 0.2, "format": 0.6})


def test_a_gate_says_it_and_its_baseline_keeps_what_it_needs(rence: Rence) -> None:
    run = made(rence, "both", **ARMS["both"][0])
    assert rence("gate", f"{run}/ours", "--baseline", "b.yaml", "--update").code == 0
    assert "anywhere: {seed0: 20, seed1: 20}" in Path("b.yaml").read_text(encoding="utf-8")
    words = rence("gate", f"{run}/theirs", "--baseline", "b.yaml")
    assert words.code == 1 and "Of the change, −80.0 points, −60.0 are format" in " ".join(words.out.split())
    found = rence("gate", f"{run}/theirs", "--baseline", "b.yaml", "--json").json
    parts = pytest.approx({"anywhere": -0.2, "format": -0.6})
    assert found["average"]["readings"] == parts and found["per_benchmark"]["sums"]["readings"] == parts
    text = Path("b.yaml").read_text(encoding="utf-8")
    Path("b.yaml").write_text(text.replace("{seed0: 20,", "{seed0: 21,"), encoding="utf-8")
    refused = rence("gate", f"{run}/theirs", "--baseline", "b.yaml")
    assert refused.code == 3 and "`benchmarks.sums.anywhere.seed0` must be a whole number from 0 to 20" in refused.err


def as_before_readings(run: Path) -> None:
    """As an import was written that knew none."""
    for header in run.rglob("eval.json"):
        folder = EvalFolder(header.parent)
        table = pq.read_table(folder.attempts)
        pq.write_table(table.drop_columns(["mark_box", "mark_anywhere"]), folder.attempts)
        EvalRecord(**{**vars(EvalRecord.read(header)), "readings": ""}).write(header)
        folder.seal.unlink()
        seals.seal(folder)


def test_absence_is_a_gap_that_a_command_fills(rence: Rence) -> None:
    run = made(rence, "both", **ARMS["both"][0])
    as_before_readings(run)
    assert rence("report", "both").code == 0
    assert "readings" not in verdict(run)["pairs"][0] and "are format" not in verdict(run)["verdict"]
    page = (run / "report/report.md").read_text(encoding="utf-8")
    assert "of which format" not in page and "rence grade FOLDER" in page
    assert "format is not known" in rence("compare", f"{run}/ours", f"{run}/theirs").out
    done = rence("grade", "both", "--json")
    assert (done.json["evaluations"], done.json["answers"], done.json["left"]) == (4, 80, {})
    assert rence("report", "both").code == 0
    assert verdict(run)["pairs"][0]["readings"] == pytest.approx({"anywhere": 0.2, "format": 0.6})
    assert rence("verify", "both").code == 0, "the chain of seals is whole"
    assert len(json.loads((run / "ours/seed0/evals/step_0/sums/seal.json").read_text())["before"]) == 1
    assert "Nothing to do" in rence("grade", "both").out


def test_answers_without_texts_stay_without(rence: Rence) -> None:
    lines = [{**row, "correct": int(row["response"] == BOXED)} for row in rows(**ARMS["both"][0])]
    write(Path("a.jsonl"), [{k: v for k, v in row.items() if k not in ("response", "gold")} for row in lines])
    assert rence("import", "attempts", "a.jsonl", "--out", "bare").code == 0
    done = rence("grade", "bare")
    assert done.code == 0 and "20 of its 20 answers came without a text or a gold" in " ".join(done.out.split())
    assert rence("report", "bare").code == 0 and "readings" not in verdict(Path("bare"))["pairs"][0]
    write(Path("b.jsonl"), lines)
    assert rence("import", "attempts", "b.jsonl", "--out", "texts").code == 0
    assert "Nothing to do" in rence("grade", "texts").out  # the import has marked them


# ours 100 %, theirs 20 % boxed and 80 % right: by the box +80, anywhere +20; the source saw 100 % and 70 %
def test_the_marks_of_the_source_beside_ours(rence: Rence) -> None:
    lines = rows(**ARMS["both"][0])
    for row in lines:
        wrong = row["arm"] == "theirs" and int(row["problem_id"][1:]) >= 14
        row["correct"] = int(not wrong)
    write(Path("a.jsonl"), lines)
    done = rence("import", "attempts", "a.jsonl", "--out", "kept")
    # of 40 answers of theirs 32 are right anywhere, and the source took 28 of them
    assert "rence's marker read 80 of the answers too" in done.out and "agrees with the source on 95.0 %" in done.out
    assert rence("report", "kept").code == 0
    found = verdict(Path("kept"))
    assert found["pairs"][0]["delta"] == pytest.approx(0.3)
    assert found["pairs"][0]["readings"] == pytest.approx({"box": 0.8, "anywhere": 0.2})
    said = "By the source's marks, ours − theirs is +30.0 points; by rence's marker it is +80.0"
    assert said in found["verdict"] and "are format" not in found["verdict"]
    page = (Path("kept") / "report/report.md").read_text(encoding="utf-8")
    assert "by rence's marker" in page and "of which format" not in page
    assert said.replace("ours − theirs", "A − B") in " ".join(rence("compare", "kept/ours", "kept/theirs").out.split())


def test_marks_of_the_source_stay_where_ours_count(rence: Rence) -> None:
    dump = [
        {"input": f"{i} + 1?", "output": BOXED if i % 2 else STATED, "gts": "7", "score": 1.0, "acc": i > 3, "step": 1}
        for i in range(20)
    ]
    for arm in ("a", "b"):
        write(Path(f"{arm}-seed0/1.jsonl"), dump)
    asked = ("{arm}-seed{seed}", "--benchmark", "sums", "--out")
    assert rence("import", "verl", *asked, "marked", "--mark", "--rule", "numbers").code == 0
    folder = EvalFolder(Path("marked/a/seed0/evals/step_1/sums"))
    table = pq.read_table(folder.attempts)
    assert table["mark"].to_pylist().count("correct") == 10  # half is boxed
    assert table["mark_second"].to_pylist().count("correct") == 16
    assert EvalRecord.read(folder.header).second_marker
    assert rence("report", "marked").code == 0
    assert "the source's marks" in (Path("marked") / "report/report.md").read_text(encoding="utf-8")
    # by the source's marks alone nothing stands beside them but our readings
    assert rence("import", "verl", *asked, "kept").code == 0
    kept = pq.read_table(EvalFolder(Path("kept/a/seed0/evals/step_1/sums")).attempts)
    assert kept["mark"].to_pylist().count("correct") == 16 and kept["mark_second"].null_count == 20
    assert kept["mark_anywhere"].to_pylist().count("correct") == 20
