"""`rence diff` as scripts and people use it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import INCOMPLETE, OK, USAGE
from harness.models.resolving import SHIPPED

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are printed for a screen of so many columns."""
    monkeypatch.setenv("COLUMNS", "160")


def dump(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path.name


def rows(**changes: Any) -> list[dict[str, Any]]:
    """Two prompts with three and two of four right, of unequal lengths, as verl 0.9.1 dumps them."""
    return [
        {"input": f"{a} + {a} = ?", "output": out, "gts": str(2 * a), "score": float(right), "step": 7, **changes}
        for a, marks in ((3, (1, 1, 1, 0)), (4, (1, 0, 0, 1)))
        for out, right in zip(
            (f"\\boxed{{{2 * a}}}", f"{a} + {a} = {2 * a} \\boxed{{{2 * a}}}", "\\boxed{1}", f"{2 * a}"),
            marks,
            strict=True,
        )
    ]


def test_few_stand_side_by_side(rence: Call) -> None:
    code, out, _ = rence("diff", "grpo", "dapo", "rence")
    assert code == OK
    assert "quickstart/grpo/seed0, step 24, shipped" in out and "32 groups, 256 rollouts (157 correct)" in out
    assert "seq_mean_token_mean" in out  # the spec sheets differ in the aggregation
    assert "grpo, dapo" in out and "block 1" in out and "dropped" in out
    for line in ("length exp., correct", "tokens clipped, %", "8 of 8 (3)"):
        assert line in out


def test_many_have_neighbours_in_the_place_of_a_matrix(rence: Call) -> None:
    code, out, _ = rence("diff", "grpo", "grpo:kl_coef=0", "dapo", "rence", "rejection")
    assert code == OK and "nearest 3" in out and "block 1" not in out
    assert "in --json" in out


def test_lines_fit_eighty_columns(rence: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rence.cli.console._PIPE_WIDTH", 80)
    monkeypatch.setenv("COLUMNS", "80")
    for words in (["grpo", "dapo", "rence", "online_dpo"], ["grpo", "dapo", "rence", "online_dpo", "rejection"]):
        _, out, _ = rence("diff", *words)
        tables = [line for line in out.splitlines() if line.startswith(" ")]
        assert len(tables) > 10 and max(map(len, tables)) <= 80


def test_json_is_one_document_with_what_the_page_says(rence: Call) -> None:
    code, out, _ = rence("diff", "grpo", "grpo:clip_high=0.4,kl_coef=0", "--json")
    document = json.loads(out)
    assert code == OK and set(document) == {"schema", "batch", "layers", "algorithms", "differences", "cosine"}
    assert [a["label"] for a in document["algorithms"]] == ["grpo", "grpo:clip_high=0.4,kl_coef=0"]
    assert [a["hyperparameters"]["clip_high"] for a in document["algorithms"]] == [0.2, 0.4]
    assert set(document["differences"]) == {"trust region", "KL", "reference"}
    assert len(document["batch"]["length"]) == len(document["algorithms"][0]["sequence_weight"]) == 256
    assert 0.9 < document["cosine"]["overall"][0][1] < 1
    page = (Path(__file__).parents[2] / "docs/how-to/diff.md").read_text(encoding="utf-8")
    for place in (document, document["batch"], document["algorithms"][0], document["algorithms"][0]["composition"][0]):
        assert [key for key in place if f"`{key}`" not in page] == []


def test_files_are_written_and_equal_calls_write_equal_bytes(rence: Call) -> None:
    names = ["diff.json", "diff.png", "diff.svg", "weights.csv"]
    for folder in ("a", "b"):
        code, out, _ = rence("diff", "grpo", "rence", "rejection", "--out", folder)
        assert code == OK and f"{folder}/diff.png" in out
        assert sorted(path.name for path in Path(folder).iterdir()) == names
    for name in names:
        assert Path("a", name).read_bytes() == Path("b", name).read_bytes()
    document = json.loads(Path("a/diff.json").read_text())
    with Path("a/weights.csv").open() as file:
        weights = list(csv.DictReader(file))
    assert len(weights) == 3 * 256
    last = weights[256 + 5]
    assert (last["algorithm"], last["rollout"]) == ("rence", "5")
    assert float(last["sequence_weight"]) == pytest.approx(document["algorithms"][1]["sequence_weight"][5], rel=1e-5)
    assert Path("a/diff.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    svg = Path("a/diff.svg").read_text()
    assert "rejection" in svg and "style=" not in svg


def test_a_dump_of_verls_is_read_with_a_model(rence: Call) -> None:
    name = dump(Path("7.jsonl"), rows())
    code, out, _ = rence("diff", "grpo", "dr_grpo", "rence", "--batch", name, "--model", "quickstart-base", "--json")
    document = json.loads(out)
    assert code == OK
    batch = document["batch"]
    assert (batch["source"], batch["groups"], batch["rollouts"], batch["correct"]) == ("verl", 2, 8, 5)
    assert batch["on_policy"] and batch["log_ratio"] == {"mean": 0, "rms": 0}
    assert batch["label"] == [True, True, True, False, True, False, False, True]
    assert batch["problem"][0] == batch["problem"][3] != batch["problem"][4]
    assert "all ratios are 1" in batch["notes"][0]
    grpo, dr_grpo, _ = document["algorithms"]
    assert [(row["positives"], row["size"]) for row in grpo["composition"]] == [(2, 4), (3, 4)]
    # Dr. GRPO's weight of a rollout is its length times 1 - P/K or -P/K, and sums of |weight| are 8 by definition
    expected = [
        length * (label - (0.75 if i < 4 else 0.5))
        for i, (length, label) in enumerate(zip(batch["length"], batch["label"], strict=True))
    ]
    scale = 8 / sum(map(abs, expected))
    assert dr_grpo["sequence_weight"] == pytest.approx([scale * weight for weight in expected])
    assert grpo["tokens"]["clipped"] == 0
    assert (
        "on-policy: all ratios are 1"
        in rence("diff", "grpo", "rence", "--batch", name, "--model", "quickstart-base")[1]
    )


def test_scores_of_a_dump_are_read_as_its_import_reads_them(rence: Call) -> None:
    def correct(lines: list[dict[str, Any]], *options: str) -> int:
        name = dump(Path("7.jsonl"), lines)
        found = rence("diff", "grpo", "rence", "--batch", name, "--model", "quickstart-base", "--json", *options)
        assert found[0] == OK, found[2]
        return json.loads(found[1])["batch"]["correct"]

    plain = rows()
    assert correct([{**row, "score": 2 * row["score"] - 1} for row in plain]) == 5
    assert correct([{**row, "score": 0.1, "acc": row["score"] > 0} for row in plain]) == 5
    graded = [{**row, "score": row["score"] - 0.1 * (i % 2)} for i, row in enumerate(plain)]
    assert correct(graded, "--correct-above", "0.5") == 5


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["grpo"], USAGE, "`rence diff` sets at least two algorithms side by side"),
        (["grpo", "grpo"], USAGE, "`grpo` is named twice"),
        (["grpo", "grop"], USAGE, "there is no algorithm `grop`. Did you mean `grpo`?"),
        (["grpo", "dapo:kl=0"], USAGE, "`dapo:kl=0`: `dapo` has no hyper-parameter `kl`."),
        (["grpo", "dapo:clip_low=2"], USAGE, "`clip_low` must be in (0, 1], but is 2"),
        (["grpo", "dapo", "--batch", "nowhere"], USAGE, "nowhere is no rollout batch"),
        (["grpo", "dapo", "--batch", "nowhere.jsonl", "--model", "quickstart-base"], USAGE, "nowhere.jsonl does not"),
        (["grpo", "dapo", "--batch", "7.jsonl"], USAGE, "--model DIR names the policy"),
        (["grpo", "dapo", "--batch", "7.jsonl", "--model", "./nothing"], USAGE, "`./nothing` is neither shipped"),
        (["grpo", "dapo", "--model", "quickstart-base"], USAGE, "`--model` is for a dump of verl's"),
        (["grpo", "dapo", "--batch", "broken"], INCOMPLETE, "broken/batch.json is not valid JSON"),
        (["grpo", "dapo", "--batch", "cut.jsonl", "--model", "quickstart-base"], INCOMPLETE, "cut.jsonl:1"),
        (["grpo", "dapo", "--batch", "odd.jsonl", "--model", "quickstart-base"], INCOMPLETE, "--correct-above X"),
        (["grpo", "dapo", "--out", "7.jsonl"], USAGE, "--out 7.jsonl is a file"),
        (["grpo", "dapo", "--batch", "."], USAGE, ". holds 1 recorded batches. Name one, such as broken"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_errors(rence: Call, arguments: list[str], exit_code: int, message: str) -> None:
    dump(Path("7.jsonl"), rows())
    dump(Path("odd.jsonl"), [{**row, "score": i / 8} for i, row in enumerate(rows())])
    Path("cut.jsonl").write_text('{"input": ')
    Path("broken").mkdir()
    Path("broken/batch.json").write_text("{")
    code, out, err = rence("diff", *arguments)
    assert (code, out) == (exit_code, "")
    assert message in " ".join(err.split())
    assert len(err.splitlines()) <= 3


def test_a_model_that_is_broken_is_refused(rence: Call) -> None:
    dump(Path("7.jsonl"), rows())
    Path("model").mkdir()
    for file in SHIPPED["quickstart-base"].iterdir():
        Path("model", file.name).write_bytes(file.read_bytes())
    Path("model/model.safetensors").write_bytes(b"cut off")
    code, _, err = rence("diff", "grpo", "dapo", "--batch", "7.jsonl", "--model", "model")
    assert code == INCOMPLETE and "model" in err and "Traceback" not in err
