"""A gate by other readings of the same answers: what its baseline keeps of them, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.records import DataError
from reports.gate import reading
from reports.gate.baseline import LONGEST_READ
from tests.sealing import sealed_anew

from .conftest import Done, Rows, write
from .test_readings import ARMS, made

Rence = Callable[..., Done]
MARKS = {"c": "correct", "w": "wrong", "t": "truncated", "n": "no_answer", "f": "grader_failed"}


def marked(**arms: str) -> Rows:
    """Rows of one seed and one attempt a problem.

    Args:
        arms: arm -> a letter of MARKS for each problem.
    """
    return [
        {"arm": arm, "seed": 0, "benchmark": "sums", "problem_id": f"p{i:02}", "sample": 0}
        | {"correct": int(letter == "c"), "mark": MARKS[letter]}
        for arm, letters in arms.items()
        for i, letter in enumerate(letters)
    ]


def gated(rence: Rence, run: Path, *options: str, base: str = "ours", new: str = "theirs") -> Any:
    """`--json` of the new arm against a baseline of the other."""
    assert rence("gate", f"{run}/{base}", "--baseline", "b.yaml", "--update").code == 0
    done = rence("gate", f"{run}/{new}", "--baseline", "b.yaml", "--json", *options)
    assert done.code in (0, 1), done.err
    return done.json


def kept() -> dict[str, Any]:
    return yaml.safe_load(Path("b.yaml").read_text(encoding="utf-8"))["benchmarks"]["sums"]["readings"]


def test_a_sign_that_a_reading_turns(rence: Rence) -> None:
    """By the rule 0 − 50, anywhere in the text 100 − 50."""
    found = gated(rence, made(rence, "turned", **ARMS["turned"][0]))
    (only,) = found["depends_on"]
    assert "run − baseline depends on the reading of answers: anywhere in the text changes it by +100.0 points" in only
    said = "depends on the reading of answers: −50.0 points at the headline; anywhere in the text: +50.0."
    assert said in found["verdict"]


def test_a_sign_that_none_turns_and_a_baseline_that_knows_none(rence: Rence) -> None:
    """By the rule 20 − 100, anywhere 80 − 100, without those that have no answer 4 of 8 − 20 of 20."""
    run = made(rence, "both", **ARMS["both"][0])
    found = gated(rence, run)
    assert found["depends_on"] == []
    said = "not shown to depend on the reading of answers or the seed. Over these choices, in points: run − baseline"
    assert f"{said} −80.0 to −20.0." in found["verdict"]
    assert kept() == {name: {} for name in ("mark_box", "mark_anywhere", "truncated", "no_answer", "grader_failed")}
    text = Path("b.yaml").read_text(encoding="utf-8")
    start, end = text.index("    readings:\n"), text.index("seal: ")
    Path("b.yaml").write_text(sealed_anew(text[:start] + text[end:]), encoding="utf-8")
    before = Path("b.yaml").read_bytes()
    older = rence("gate", f"{run}/theirs", "--baseline", "b.yaml", "--json").json
    assert "reading of answers" not in older["verdict"] and older["depends_on"] == []
    assert "not shown to depend on the seed. Over this choice, in points: run − baseline −80.0" in older["verdict"]
    assert {**found, "verdict": ""} == {**older, "verdict": ""} and Path("b.yaml").read_bytes() == before


@pytest.mark.parametrize(("letter", "title"), [("t", "truncated"), ("n", "no answer"), ("f", "marker failed")])
def test_attempts_that_are_left_out(rence: Rence, letter: str, title: str) -> None:
    """Of 40 problems 20 against 30 are right, −25 points; of those that are left 20 of 20 against 30 of 40."""
    arms = {"ours": "c" * 30 + "w" * 10, "theirs": "c" * 20 + letter * 20}
    write(Path("a.jsonl"), marked(**arms))
    assert rence("import", "attempts", "a.jsonl", "--out", "lost").code == 0
    said = f"depends on the reading of answers: −25.0 points at the headline; {title} left out: +25.0."
    assert said in gated(rence, Path("lost"))["verdict"]
    said = f"depends on the reading of answers: +25.0 points at the headline; {title} left out: −25.0."
    assert said in gated(rence, Path("lost"), base="theirs", new="ours")["verdict"]
    assert kept()[MARKS[letter]] == {"seed0": {f"p{i}": 1 for i in range(20, 40)}}
    assert "mark_anywhere" not in kept(), "no text, no reading of it"


def test_what_is_not_known_is_no_zero(rence: Rence) -> None:
    """A source that told correct from not correct does not know what was truncated."""
    rows = marked(ours="c" * 30 + "w" * 10)
    write(Path("a.jsonl"), [{key: value for key, value in row.items() if key != "mark"} for row in rows])
    write(Path("b.jsonl"), marked(theirs="c" * 20 + "t" * 20))
    for name in ("a", "b"):
        assert rence("import", "attempts", f"{name}.jsonl", "--out", name).code == 0
    assert rence("gate", "a/ours", "--baseline", "b.yaml", "--update").code == 0
    assert "readings" not in Path("b.yaml").read_text(encoding="utf-8").partition("schema")[2]
    assert "reading of answers" not in rence("gate", "b/theirs", "--baseline", "b.yaml").out


def test_common_problems_have_their_own_readings(rence: Rence) -> None:
    """Of 44 problems 40 are on both sides: there 8 against 10 are right, and of those that are left 8 of 8 against 10
    of 40. What the baseline had truncated is not among them."""
    write(Path("a.jsonl"), marked(ours="c" * 10 + "w" * 30 + "ttcc"))
    write(Path("b.jsonl"), marked(theirs="c" * 8 + "t" * 32))
    for name in ("a", "b"):
        assert rence("import", "attempts", f"{name}.jsonl", "--out", name).code == 0
    assert rence("gate", "a/ours", "--baseline", "b.yaml", "--update").code == 0
    assert kept()["truncated"] == {"seed0": {"p40": 1, "p41": 1}}
    done = rence("gate", "b/theirs", "--baseline", "b.yaml", "--common")
    said = "depends on the reading of answers: −5.0 points at the headline; truncated left out: +75.0."
    assert said in " ".join(done.out.split())


AWKWARD = ["12", "1e5", "no", "~", "a: b, {c}", "<<", "é 'x' \"y\"", "2020-01-01", "x" * LONGEST_READ]


@pytest.mark.parametrize("last", ["p", "x" * (LONGEST_READ + 1)])
def test_any_ids_are_read_back(rence: Rence, last: str) -> None:
    rows = marked(ours="c" + "t" * len(AWKWARD))
    for row, name in zip(rows, [*AWKWARD, last], strict=True):
        row["problem_id"] = name
    write(Path("a.jsonl"), rows)
    assert rence("import", "attempts", "a.jsonl", "--out", "a").code == 0
    assert rence("gate", "a/ours", "--baseline", "b.yaml", "--update").code == 0
    found = reading.read(Path("b.yaml"), 0.02)
    (counts,) = found.results.benchmarks.values()
    assert not found.edited and rence("gate", "a/ours", "--baseline", "b.yaml").code in (0, 1)
    # an id that is too long for a key of YAML: then no reading is kept
    lost = {} if len(last) > LONGEST_READ else {"truncated": (tuple(1 - one for one in counts.correct[0]),)}
    assert {name: rows for name, rows in counts.readings.items() if name == "truncated"} == lost


def test_a_file_that_would_be_too_large_to_be_read_keeps_none(rence: Rence, monkeypatch) -> None:
    write(Path("a.jsonl"), marked(ours="cwtn"))
    assert rence("import", "attempts", "a.jsonl", "--out", "a").code == 0
    for most, there in ((14, True), (13, False)):  # 4 ids, 4 counts, 2 problems and their counts: 12 of 0.9 x 14
        monkeypatch.setattr("reports.gate.baseline.MOST_NODES", most)
        assert rence("gate", "a/ours", "--baseline", f"{most}.yaml", "--update").code == 0
        assert ("    readings:\n" in Path(f"{most}.yaml").read_text(encoding="utf-8")) is there


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{p02: 1}", "{p02: 2}", "truncated.seed0.p02` must be a whole number from 0 to 1, but is `2` instead"),
        ("{p02: 1}", "{p02: -1}", "truncated.seed0.p02` must be a whole number from 0 to 1, but is `-1` instead"),
        ("{p02: 1}", "{p02: 1.0}", "truncated.seed0.p02` must be a whole number from 0 to 1, but is `1.0` instead"),
        ("{p02: 1}", "{p02: true}", "truncated.seed0.p02` must be a whole number"),
        ("{p02: 1}", "{p02: 0}", "truncated.seed0.p02` is 0, as without the reading: only what differs stands here"),
        ("{p02: 1}", "{p00: 1}", "truncated.seed0.p00` must be a whole number from 0 to 0, but is `1` instead"),
        ("{p02: 1}", "{p03: 1}", "no_answer.seed0.p03`: more attempts are correct or left out than the k = 1 there"),
        ("{p02: 1}", "{p09: 1}", "truncated.seed0.p09` is none of the `problems`"),
        ("{p02: 1}", "{p02: 1, p02: 1}", "truncated.seed0.p02` is given twice"),
        ("{p02: 1}", "[1]", "truncated.seed0` must be a mapping of keys to values, but is a list instead"),
        ("truncated:\n        seed0:", "truncated:\n        seed1:", "truncated.seed1` is none of the seeds"),
        ("truncated:\n        seed0:", "truncated:\n        model:", "truncated.model` is none of the seeds"),
        ("truncated:\n        seed0:", "truncated:\n        first:", "truncated.first` must be `model`, or a seed"),
        ("      truncated:", "      cut:", "cut` is no key of a baseline. Allowed: mark_box, mark_anywhere, truncated"),
        ("      truncated:", "      mark_box: {seed0: {p00: 2}}\n      truncated:", "mark_box.seed0.p00` must be a "),
        ("      truncated:", "      mark_box: {seed0: {p00: 1}}\n      truncated:", "mark_box.seed0.p00` is 1, as "),
        ("    problems:\n      [p00, p01, p02, p03]\n", "", "truncated.seed0.p02` is none of the `problems`"),
    ],
)  # fmt: skip
def test_broken_readings_are_refused_with_their_line(rence: Rence, old: str, new: str, words: str) -> None:
    write(Path("a.jsonl"), marked(ours="cwtn"))
    assert rence("import", "attempts", "a.jsonl", "--out", "a").code == 0
    assert rence("gate", "a/ours", "--baseline", "b.yaml", "--update").code == 0
    text = Path("b.yaml").read_text(encoding="utf-8")
    assert text.count(old) == 1
    changed = text.replace(old, new)
    Path("b.yaml").write_text(changed, encoding="utf-8")
    with pytest.raises(DataError, match=f"b.yaml:[0-9]+: `benchmarks.sums.readings.?{words}") as caught:
        reading.read(Path("b.yaml"), 0.02)
    _, line, _, key = str(caught.value).replace("`", ":").split(":")[:4]
    assert key.split(".")[-1] in changed.splitlines()[int(line) - 1]
    assert rence("gate", "a/ours", "--baseline", "b.yaml").code == 3


def test_the_seal_and_the_sum_cover_them(rence: Rence) -> None:
    run = made(rence, "both", **ARMS["both"][0])
    assert rence("gate", f"{run}/theirs", "--baseline", "b.yaml", "--update").code == 0
    text = Path("b.yaml").read_text(encoding="utf-8")
    Path("b.yaml").write_text(text.replace("      mark_box: {}\n", ""), encoding="utf-8")
    refused = rence("gate", f"{run}/ours", "--baseline", "b.yaml")
    assert refused.code == 2 and "its `seal` does not follow from what it holds" in refused.err
    Path("b.yaml").write_text(text.replace("          {p04: 1, ", "          {", 1), encoding="utf-8")
    refused = rence("gate", f"{run}/ours", "--baseline", "b.yaml")
    assert refused.code == 3
    assert "`benchmarks.sums.readings.mark_anywhere` does not make the sum that `anywhere` states" in refused.err
