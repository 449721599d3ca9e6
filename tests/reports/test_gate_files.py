"""The baseline file: what is in it, that hands cannot break it unseen; and the files a gate leaves behind."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import yaml

import reports
from harness.records import DataError
from reports.gate import github, junit, reading
from reports.gate.baseline import Baseline, render, write
from reports.gate.results import Counts, GateResults

FILE = """\
schema: 2
made_from: results/base
arm: base
margin_points: 2.0
average_percent: 50.0
template: plain-1
marker: '1'
sampling: {max_tokens: 48, temperature: 1.0, top_p: 1.0}
models:
  model: m-base
benchmarks:
  sums:
    hash: h-sums
    ids: i-sums
    n: 4
    k: 4
    mean_percent: 50.0
    answers:
      model: 00000000000000000000000000000000000000000000000000000000000000ff
    correct:
      model:
        [4, 0, 1, 3]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "b.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_the_file_is_small_and_says_what_it_holds(make_evaluated, tmp_path: Path, monkeypatch) -> None:
    make_evaluated("base", sums=[4, 0, 1, 3])
    monkeypatch.chdir(tmp_path)
    reports.update_baseline("base", Path("b.yaml"))
    text = Path("b.yaml").read_text(encoding="utf-8")
    # the first 16 digits of the sha256 of "sums-0000\nsums-0001\nsums-0002\nsums-0003"
    expected = FILE.replace("results/base", "base").replace("i-sums", "7b50f0416aaf2182")
    # of the 16 texts, all alike: problem, sample and text of each as JSON, its SHA-256, those sorted, and again
    digests = [
        hashlib.sha256(json.dumps([f"sums-{i:04d}", sample, "<script>alert('1 < 2')</script>"]).encode()).digest()
        for i in range(4)
        for sample in range(4)
    ]
    expected = expected.replace("0" * 62 + "ff", hashlib.sha256(b"".join(sorted(digests))).hexdigest())
    # and the ids themselves, so that a run that lacks some can be gated on the others
    ids = "[sums-0000, sums-0001, sums-0002, sums-0003]"
    expected = expected.replace("    correct:\n", f"    problems:\n      {ids}\n    correct:\n")
    # readings that marks alone tell change nothing: known, and empty
    expected += "    readings:\n      truncated: {}\n      no_answer: {}\n      grader_failed: {}\n"
    expected = expected.replace("schema: 2", "schema: 3").replace("max_tokens: 48, ", "max_tokens: 48, seed: 0, ")
    expected = expected.replace("models:", "engine: local\nengine_version: '1'\nmodels:")
    kept = {key: value for key, value in yaml.safe_load(expected).items() if key != "margin_points"}
    digest = hashlib.sha256(json.dumps(kept, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    assert text.startswith("# What a checkpoint must not fall below")
    assert text.partition("\nschema")[2] == f"{expected[6:]}seal: {digest}\n"


def test_a_file_that_was_edited_is_refused_but_for_its_margin(make_evaluated, tmp_path: Path, monkeypatch) -> None:
    make_evaluated("base", sums=[4, 0, 1, 3])
    monkeypatch.chdir(tmp_path)
    reports.update_baseline("base", Path("b.yaml"))
    text = Path("b.yaml").read_text(encoding="utf-8")
    Path("b.yaml").write_text(text.replace("margin_points: 2.0", "margin_points: 50.0"), encoding="utf-8")
    assert reports.gate_run("base", Path("b.yaml")).decision.margin == 0.5
    for old, new in (("[4, 0, 1, 3]", "[3, 1, 1, 3]"), ("model: m-", "model: n-"), ("arm: base", "arm: other")):
        Path("b.yaml").write_text(text.replace(old, new), encoding="utf-8")
        with pytest.raises(ValueError, match="was edited: its `seal` does not follow"):
            reports.gate_run("base", Path("b.yaml"))
        gate = reports.gate_run("base", Path("b.yaml"), accept="the old counts were lost")
        assert gate.checked.sealed == "accepted" and "was edited" in gate.checked.sentences[0]


def big(seeds: tuple[int, ...] = (0, 1), k: tuple[int, ...] = (4, 4)) -> GateResults:
    rng = np.random.default_rng(3)
    benchmarks = {
        f"b{i}": Counts(f"h{i}", f"i{i}", k, tuple(tuple(rng.integers(0, n + 1, 500).tolist()) for n in k))
        for i in range(6)
    }
    models = {seed: f"{seed:016x}" for seed in seeds}
    return GateResults("runs/x/arm", "arm", models, "no", "2", {"a": None, "top_p": 1e-5}, 500, benchmarks)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    hashed = big()
    texts = ("0" * 64, "f" * 64)
    hashed = replace(hashed, benchmarks={name: replace(c, answers=texts) for name, c in hashed.benchmarks.items()})
    for results in (big(), hashed, big((7,), (32,)), big((0, 1), (4, 2))):
        write(tmp_path / "b.yaml", Baseline(results, 0.0125))
        assert reading.read(tmp_path / "b.yaml", 0.02) == Baseline(results, 0.0125)
    awkward = GateResults(
        "a: b, 'c'", "{x}\n[y]", {-1: "1e5"}, "", "2", {}, None, {"1.5": Counts("0", "~", (1,), ((0, 1),))}
    )
    write(tmp_path / "b.yaml", Baseline(awkward, 0.02))
    assert reading.read(tmp_path / "b.yaml", 0.02).results == awkward


def test_six_benchmarks_of_500_problems_stay_small() -> None:
    one, two = (render(Baseline(results, 0.02)) for results in (big((0,), (32,)), big()))
    assert len(one.encode()) < 14_000 and len(two.encode()) < 30_000
    assert max(map(len, one.splitlines())) <= 120, "lines that a diff can show"


def test_same_results_same_bytes(make_run, tmp_path: Path) -> None:
    run = make_run()
    reports.update_baseline(f"{run}/grpo", tmp_path / "b.yaml")
    first = (tmp_path / "b.yaml").read_bytes()
    update = reports.update_baseline(f"{run}/grpo", tmp_path / "b.yaml")
    assert not update.changed and "was the same already" in update.text()
    assert (tmp_path / "b.yaml").read_bytes() == first
    documents = [
        (junit.render(gate), github.summary(gate), gate.text(), gate.to_json())
        for gate in (reports.gate_run(f"{run}/rence", tmp_path / "b.yaml") for _ in range(2))
    ]
    assert documents[0] == documents[1]


def test_an_update_shows_what_changes_and_keeps_the_margin(make_evaluated, tmp_path: Path) -> None:
    file = tmp_path / "b.yaml"
    base = make_evaluated("base", sums=[4, 0, 1, 3], chains=[2, 2])
    assert reports.update_baseline(str(base), file, 0.015).old is None
    new = make_evaluated("new", changes={"template": "chat"}, sums=[4, 4, 1, 3], longer=[1, 0])
    update = reports.update_baseline(str(new), file)
    assert update.new.margin == 0.015
    assert update.means == [
        ("average", 0.5, 0.4375),
        ("chains", 0.5, None),
        ("longer", None, 0.125),
        ("sums", 0.5, 0.75),
    ]
    assert update.notes == ["Changed: the prompt template is chat, but plain-1 before."]
    lines = update.text().splitlines()
    assert lines[2].split() == ["average", "50.0", "43.8", "−6.2"] and lines[3].split() == ["chains", "50.0", "—", "—"]
    assert f"{file}: replaced; from {new}, margin 1.5 points." in lines
    assert reports.update_baseline(str(new), file, 0.03).notes == [
        "Changed: the margin is 3 points, but 1.5 points before."
    ]


def test_a_file_of_schema_1_has_no_hash_of_its_answers(file: Path) -> None:
    text = FILE.replace("schema: 2", "schema: 1")
    start, end = text.index("    answers:"), text.index("    correct:")
    file.write_text(text[:start] + text[end:], encoding="utf-8")
    read = reading.read(file, 0.02).results
    assert read.benchmarks["sums"].answers == () and read.benchmarks["sums"].correct == ((4, 0, 1, 3),)


def test_margin_of_the_file_of_the_command_and_none(make_evaluated, file: Path) -> None:
    read = reading.read(file, 0.02)
    assert read.margin == 0.02
    file.write_text(FILE.replace("margin_points: 2.0", "margin_points: 3"), encoding="utf-8")
    assert reading.read(file, 0.02).margin == 0.03
    file.write_text(FILE.replace("margin_points: 2.0\n", ""), encoding="utf-8")
    assert reading.read(file, 0.07).margin == 0.07


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[4, 0, 1, 3]", "[5, 0, 1, 2]", r":22: `benchmarks.sums.correct.model\[0\]` must be a whole number from 0 to"),
        ("[4, 0, 1, 3]", "[4, 0, 1, -3]", r"`benchmarks.sums.correct.model\[3\]` must be .* but is `-3` instead"),
        ("[4, 0, 1, 3]", "[4, 0, 1.0, 3]", r"model\[2\]` must be a whole number from 0 to 4, but is `1.0` instead"),
        ("[4, 0, 1, 3]", "[4, 0, 1, true]", r"model\[3\]` must be a whole number"),
        ("[4, 0, 1, 3]", "[4, 0, 1, .nan]", r"model\[3\]` must be a finite number"),
        ("[4, 0, 1, 3]", "[4, 0, 1]", ":21: `benchmarks.sums.correct.model` must be a list of n = 4 counts, but has 3"),
        ("[4, 0, 1, 3]", "[4, 0, 1, 2]", ":17: `benchmarks.sums.mean_percent` is 50, but the counts make 43.75: one"),
        ("average_percent: 50.0", "average_percent: 51", ":5: `average_percent` is 51, but the counts make 50"),
        ("mean_percent: 50.0", "mean_percent: .nan", "`benchmarks.sums.mean_percent` must be a finite number"),
        ("margin_points: 2.0", "margin: 2.0", ":4: `margin` is no key of a baseline. Allowed: schema, made_from"),
        ("margin_points: 2.0", "margin_points: 0", "`margin_points` must be above 0 and below 100, but is 0 instead"),
        ("margin_points: 2.0", "margin_points: -1", "`margin_points` must be above 0"),
        ("margin_points: 2.0", "margin_points: .inf", "`margin_points` must be a finite number"),
        ("margin_points: 2.0", "margin_points: two", "`margin_points` must be a number, but is `two` instead"),
        ("    k: 4", "    k: 0", ":16: `benchmarks.sums.k` must be at least 1, but is `0` instead"),
        ("    k: 4", "    k: [4, 4]", ":16: `benchmarks.sums.k` must be one number, or 1, but has 2"),
        ("    hash: h-sums\n", "", ":12: `benchmarks.sums.hash` is missing"),
        ("    hash: h-sums", "    hash: 12", ":13: `benchmarks.sums.hash` must be a word"),
        ("    hash: h-sums", "    hash: h-sums\n    hash: x", ":14: `benchmarks.sums.hash` is given twice"),
        ("    n: 4", "    N: 4", "`benchmarks.sums.N` is no key of a baseline"),
        ("marker: '1'", "marker: 1", r":7: `marker` must be a word \(a number in quotes\), but is `1` instead"),
        ("  model: m-base", "  seed-1: m-base", ":10: `models.seed-1` must be `model`, or a seed such as `seed0`"),
        ("  model: m-base", "  seed0: m-base", "`benchmarks.sums.correct` must have the seeds that `models` has"),
        ("  model: m-base", "  model: m-base\n  seed0: x", "`models` must be `model` alone, or seeds"),
        ("  model: m-base", "  {}", "`models` is empty"),
        ("schema: 2", "schema: 99", "has schema 99; this rence reads up to 3. Upgrade rence-bench"),
        ("schema: 2", "schema: one", ":1: `schema` must be"),
        ("00ff\n", "00fg\n", ":19: `benchmarks.sums.answers.model` must be a SHA-256 of 64 hex digits, but is `0000"),
        ("      model: 0", "      seed0: 0", ":18: `benchmarks.sums.answers` must have the seeds that `models` has"),
        ("sampling: {", "sampling: {x: [1], ", ":8: `sampling.x` must be a number or a word, but is a list instead"),
        ("[4, 0, 1, 3]", "[4, 0, 1, 3", "this is not YAML"),
        ("[4, 0, 1, 3]", "&a [*a, 0, 1, 3]", r"is an anchor \(`&a`\), which is not read. Write the part out"),
        ("[4, 0, 1, 3]", "!!python/object:os.system [4]", "has the tag .*os.system`. Tags are not read"),
        ("arm: base", "arm: !!python/name:os.system", "has the tag .*os.system`. Tags are not read"),
        ("arm: base", "arm: 2020-99-99", "this is not YAML"),
    ],
)  # fmt: skip
def test_hands_cannot_break_it_unseen(file: Path, old: str, new: str, words: str) -> None:
    assert FILE.count(old) == 1
    file.write_text(FILE.replace(old, new), encoding="utf-8")
    with pytest.raises(DataError, match=words) as caught:
        reading.read(file, 0.02)
    message = str(caught.value)
    assert message.startswith(f"{file}") and len(message.splitlines()) <= 3


def test_missing_not_utf8_or_no_mapping(tmp_path: Path, file: Path) -> None:
    with pytest.raises(DataError, match=r"none.yaml does not exist. To make it from RUN: `rence gate RUN --baseline"):
        reading.read(tmp_path / "none.yaml", 0.02)
    for content, words in (
        (b"\xff", "is not UTF-8"),
        (b"", "but is nothing instead"),
        (b"[1]", "but is a list instead"),
    ):
        file.write_bytes(content)
        with pytest.raises(DataError, match=words):
            reading.read(file, 0.02)


def test_a_broken_baseline_is_not_replaced_unseen(make_evaluated, file: Path) -> None:
    file.write_text(FILE.replace("[4, 0", "[3, 0"), encoding="utf-8")
    with pytest.raises(DataError, match="one of them was changed"):
        reports.update_baseline(str(make_evaluated("base", sums=[4, 0, 1, 3])), file)
    assert "[3, 0" in file.read_text(encoding="utf-8")


UP, DOWN, SAME = [4, 3, 4, 4, 3] * 8, [0, 1, 0, 0, 0] * 8, [2, 3, 2, 1, 2] * 8


def gate(make_evaluated, tmp_path: Path, policy: str = "fail", **benchmarks: list[int]):
    base = make_evaluated("base", **dict.fromkeys(benchmarks, SAME))
    reports.update_baseline(str(base), tmp_path / "b.yaml")
    new = make_evaluated("new", **benchmarks)
    return reports.gate_run(str(new), tmp_path / "b.yaml", on_inconclusive=policy)


def parsed(text: str) -> tuple[ET.Element, dict[str, list[str]]]:
    """The one suite, and each case's name with what it says beside its output."""
    root = ET.fromstring(text)
    (suite,) = root
    assert root.tag == "testsuites" and {"time", "timestamp", "hostname"} & set(suite.attrib) == set()
    cases = {case.attrib["name"]: [e.tag for e in case if e.tag != "system-out"] for case in suite.iter("testcase")}
    for tag, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert int(suite.attrib[attribute]) == sum(tags.count(tag) for tags in cases.values())
    assert int(suite.attrib["tests"]) == len(cases)
    return suite, cases


def test_junit_of_a_regression_on_one_benchmark(make_evaluated, tmp_path: Path) -> None:
    found = gate(make_evaluated, tmp_path, sums=UP, longer=UP, chains=DOWN)
    suite, cases = parsed(junit.render(found))
    assert cases == {"average": [], "chains": ["failure"], "longer": [], "sums": []}
    failure = suite.find("testcase/failure")
    assert failure is not None and failure.attrib == {
        "type": "regression",
        "message": "chains lost more than 2 points.",
    }
    assert "baseline 50.0, run 5.0, change −45.0 points" in (failure.text or "")
    properties = {p.attrib["name"]: p.attrib["value"] for p in suite.iter("property")}
    assert properties["outcome"] == "regression" and properties["margin_points"] == "2"
    assert "Regression: chains (−45.0 points, " in (suite.findtext("system-out") or "")


@pytest.mark.parametrize(("policy", "tag"), [("fail", "failure"), ("warn", "skipped")])
def test_junit_of_an_inconclusive_gate(make_evaluated, tmp_path: Path, policy: str, tag: str) -> None:
    found = gate(make_evaluated, tmp_path, policy, sums=[0, 4, 4, 0, 2] * 8)
    suite, cases = parsed(junit.render(found))
    assert cases == {"average": [tag], "sums": []}
    said = suite.find(f"testcase/{tag}")
    assert said is not None and said.attrib["type"] == "inconclusive"


def test_junit_of_a_pass_and_of_no_decision(make_evaluated, tmp_path: Path) -> None:
    assert parsed(junit.render(gate(make_evaluated, tmp_path, sums=UP)))[1] == {"average": [], "sums": []}
    suite, cases = parsed(junit.refused('x < y & "z" \x00 \x1b[31m is missing.\nRun it.'))
    assert cases == {"average": ["error"]}
    error = suite.find("testcase/error")
    assert error is not None and error.text == 'x < y & "z" ␀ ␛[31m is missing.\nRun it.'


def test_annotations_of_each_outcome(make_evaluated, tmp_path: Path) -> None:
    assert github.commands(gate(make_evaluated, tmp_path, sums=UP)) == []
    strict, lenient = (gate(make_evaluated, tmp_path, policy, sums=[0, 4, 4, 0, 2] * 8) for policy in ("fail", "warn"))
    (one,), (other,) = github.commands(strict), github.commands(lenient)
    assert one.startswith("::error title=rence gate%3A inconclusive::Inconclusive: the average may have lost 2 points")
    assert other.startswith("::warning title=rence gate%3A inconclusive::")


def test_at_most_ten_annotations(make_evaluated, tmp_path: Path) -> None:
    found = github.commands(gate(make_evaluated, tmp_path, **{f"b{i:02d}": DOWN for i in range(15)}))
    assert len(found) == 10 and all(line.startswith("::error title=rence gate") for line in found)
    # one of the gate and fifteen of benchmarks: nine are named, seven are left
    assert found[-1] == "::error title=rence gate::7 more; the step's summary and the table name all."


def test_annotations_are_escaped() -> None:
    line = github.Annotation("error", "a:b,c\n", "100 % \r\nnext: x, y").command()
    assert line == "::error title=a%3Ab%2Cc%0A::100 %25 ␍%0Anext: x, y"


def test_the_summary_stays_below_one_mebibyte(make_evaluated, tmp_path: Path) -> None:
    forms = github.summary(gate(make_evaluated, tmp_path, sums=UP, chains=DOWN))
    assert forms[0] == forms[1], "no notes"
    forms = forms[1:]
    sizes = [len(form.encode()) for form in forms]
    assert sizes == sorted(sizes, reverse=True) and forms[0].startswith("## rence gate: regression\n\n**Regression: ")
    assert "| chains | 40 | 4 | 50.0 | 5.0 |" in forms[0]
    path = tmp_path / "summary.md"
    for room, taken in (
        (10_000, 0),
        (sizes[0] + 2, 1),
        (sizes[-1] + 3, len(forms) - 1),
        (sizes[-1] + 2, None),
        (0, None),
    ):
        path.write_bytes(b"x" * (2**20 - room))
        assert github.append(path, forms) == (taken is not None)
        assert path.stat().st_size < 2**20 or taken is None
        expected = "" if taken is None else f"\n{forms[taken]}\n"
        assert path.read_bytes()[2**20 - room :].decode() == expected
    path.unlink()
    assert github.append(path, forms) and path.read_text(encoding="utf-8") == f"{forms[0]}\n"


def test_no_markup_of_a_name_acts(make_evaluated, tmp_path: Path) -> None:
    found = gate(make_evaluated, tmp_path, **{"a|<b>_c_": DOWN})
    assert "&lt;b&gt;" in github.summary(found)[0] and "<b>" not in github.summary(found)[0]
    assert parsed(junit.render(found))[1]["a|<b>_c_"] == ["failure"]
