"""Matching by exception: whatever differs in how answers were asked for and marked is refused by name, in every
command, and let through only for a reason that is printed."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import reports
from harness.records import EvalRecord, chain
from reports.data.matching import HARMLESS, LISTED, NAMES
from tests.reports.conftest import relock

Say = Callable[..., tuple[int, str, str]]
SAMPLING = {"temperature": 1.0, "top_p": 1.0, "max_tokens": 48, "seed": 0}
BASE: dict[str, object] = {"sampling": SAMPLING, "rule": "numbers"}
KINDS: dict[str, tuple[dict[str, object], str]] = {
    "temperature": ({"sampling": {**SAMPLING, "temperature": 0.6}}, "the sampling's `temperature`"),
    "greedy": ({"sampling": {**SAMPLING, "temperature": 0}}, "the sampling's `temperature`"),
    "top_p": ({"sampling": {**SAMPLING, "top_p": 0.95}}, "the sampling's `top_p`"),
    "max_tokens": ({"sampling": {**SAMPLING, "max_tokens": 4096}}, "the sampling's `max_tokens`"),
    "seed": ({"sampling": {**SAMPLING, "seed": 3}}, "the evaluation seed"),
    "large seed": ({"sampling": {**SAMPLING, "seed": 2**63 - 1}}, "the evaluation seed"),
    "a new key": ({"sampling": {**SAMPLING, "min_p": 0.05}}, "the sampling's `min_p`"),
    "a list": ({"sampling": {**SAMPLING, "stop": ["Q:"]}}, "the sampling's `stop`"),
    "a key that is gone": (
        {"sampling": {key: SAMPLING[key] for key in ("temperature", "max_tokens", "seed")}},
        "the sampling's `top_p`",
    ),
    "nothing stated": ({"sampling": {}}, "the sampling's `max_tokens`"),
    "template": ({"template": "chat"}, "the prompt template"),
    "marker": ({"grader_version": "9"}, "the marker's version"),
    "hash": ({"benchmark_hash": "other"}, "the version of the problems"),
    "engine": ({"engine": "hf"}, "the engine"),
    "another engine": ({"engine": "vllm"}, "the engine"),
    "limit": ({"limit": 4}, "the limit of problems"),
    "rule": ({"rule": "maths"}, "what counts as equal to a gold"),
    "stopped": ({"stopped_by": "gate"}, "what ended it before all problems were asked"),
}
"""what is changed in a header, and what the refusal calls it"""
kinds = pytest.mark.parametrize("kind", KINDS)
REASON = "we looked, and it is known"


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


@pytest.fixture
def sides(make_evaluated) -> Callable[[str], tuple[str, str]]:
    def make(kind: str) -> tuple[str, str]:
        a = make_evaluated("a", changes=BASE, mini=[1, 2, 3, 4])
        return str(a), str(make_evaluated("b", changes=BASE | KINDS[kind][0], mini=[1, 2, 3, 3]))

    return make


def test_every_field_of_a_header_has_its_place() -> None:
    """A new one counts until somebody says here that it may differ: by exception."""
    known = [*HARMLESS, *LISTED, *NAMES]
    assert {f.name for f in fields(EvalRecord)} - {"sampling"} == {name for name in known if "." not in name}
    assert len(known) == len(set(known))


@kinds
def test_compare_and_same(sides, kind: str) -> None:
    a, b = sides(kind)
    words = f"mini: {KINDS[kind][1]} differs ("
    for ask in (reports.compare, reports.same_model):
        with pytest.raises(reports.Unmatched) as refused:
            ask(a, b)
        assert words in str(refused.value) and "--accept REASON" in str(refused.value).splitlines()[-1]
        found = ask(a, b, accept=REASON).to_json()
        assert found["accepted"]["reason"] == REASON and found["sealed"] == "accepted"
        assert any(words in what for what in found["accepted"]["what"])
    text = reports.compare(a, b, accept=REASON).text()
    assert f"; accepted: {REASON}." in text and "; matched" not in text and f"Accepted: {REASON}. Let" in text
    assert not any(pair["matched"] for pair in reports.compare(a, b, accept=REASON).to_json()["pairs"])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "stopped"])
def test_gate(sides, tmp_path: Path, kind: str) -> None:
    a, b = sides(kind)
    reports.update_baseline(a, tmp_path / "b.yaml")
    with pytest.raises(reports.Unmatched, match=KINDS[kind][1]) as refused:
        reports.gate_run(b, tmp_path / "b.yaml")
    assert "--accept REASON" in str(refused.value)
    found = reports.gate_run(b, tmp_path / "b.yaml", accept=REASON)
    said = found.to_json()
    assert said["accepted"]["reason"] == REASON and said["matched"] is False and said["sealed"] == "accepted"
    assert any(KINDS[kind][1] in what for what in said["accepted"]["what"])
    assert f"; accepted: {REASON}." in found.text() and "; matched" not in found.text()


RUN = {"seeds": (0, 1), "benchmarks": {"mini": (8, 4)}, "curve": (), "points": 1}
OF_RUNS = {**KINDS, "k": ({"k": 2}, "the number of attempts a problem")}


@pytest.mark.parametrize("kind", [*OF_RUNS])
def test_report(make_run, kind: str) -> None:
    """A header that is not as the plan says, or as the others, ends the report of a run of ours."""
    run, (change, name) = make_run(**RUN), OF_RUNS[kind]
    for header in run.rglob("eval.json"):
        edit(header, **BASE)
    assert verdict(run)["as_planned"]
    place = run / "grpo/seed1/evals/step_10/mini"
    edit(place / "eval.json", **BASE | change)
    if kind == "k":
        halved(place / "attempts.parquet", 2)
    before = (run / "report/verdict.json").read_bytes()
    with pytest.raises(reports.Unmatched) as refused:
        verdict(run)
    message = str(refused.value)
    assert name in message and "grpo seed 1, step 10, mini" in message and "--accept REASON" in message
    assert (run / "report/verdict.json").read_bytes() == before
    found = verdict(run, accept=REASON)
    assert found["sealed"] == "accepted" and found["accepted"]["reason"] == REASON and found["as_planned"] is False
    assert any(name in what for what in found["accepted"]["what"])
    assert not any(pair["matched"] for pair in found["pairs"])
    assert f"Accepted: {REASON}. Let through: " in found["verdict"] and f"; accepted: {REASON}" in found["verdict"]
    assert "arms matched" not in found["verdict"] and "as planned" not in found["verdict"]
    assert verdict(run, accept=REASON) == found, "same files, same reason, same bytes"


def verdict(run: Path, accept: str | None = None) -> dict[str, Any]:
    reports.build(run, ["json"], accept=accept)
    return json.loads((run / "report/verdict.json").read_text(encoding="utf-8"))


def halved(path: Path, k: int) -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    pq.write_table(table.filter([sample < k for sample in table["sample"].to_pylist()]), path)


@pytest.mark.parametrize("key", ["temperature", "top_p", "max_tokens", "seed", "limit", "template"])
def test_all_headers_may_agree_and_not_be_as_planned(make_run, key: str) -> None:
    run = make_run(**RUN)
    plan = json.loads((run / "plan.json").read_text(encoding="utf-8"))
    change = {key: "chat" if key == "template" else 7}
    settings = {} if key == "template" else {"evaluation": {**plan["evaluation"], **change}}
    edit(run / "plan.json", **settings or change)
    relock(run)
    with pytest.raises(reports.Unmatched, match=r"start, step 0, mini; rence seed 0, step 10, mini; .*; 2 more eval"):
        verdict(run)
    assert verdict(run, accept=REASON)["sealed"] == "accepted"


def test_what_every_form_of_a_report_says(make_run) -> None:
    run = make_run(**RUN)
    edit(run / "grpo/seed1/evals/step_10/mini/eval.json", template="chat")
    reason = "50 % of <b>it</b> & more_or_less, _known_."
    files = reports.build(run, accept=f"  {reason}\n")
    texts = {path.name: path.read_text(encoding="utf-8") for path in files}
    page = texts["index.html"]
    head = page[page.index("<header>") : page.index("</header>")]
    assert '<p class="accepted" role="note">Accepted: 50\u202f% of &lt;b&gt;it&lt;/b&gt; &amp; more_or_less' in head
    assert "**Accepted: 50 % of &lt;b&gt;it&lt;/b&gt; &amp; more\\_or\\_less" in texts["report.md"]
    for name in ("table.tex", "differences.tex"):
        assert r"ccepted: 50 \% of $<$b$>$it$<$/b$>$ \& more\_or\_less" in texts[name], name
    rows = list(csv.DictReader(texts["results.csv"].splitlines()))
    assert {row["accepted"] for row in rows} == {reason}
    for name in ("index.html", "report.md", "table.tex", "differences.tex", "verdict.json"):
        body = texts[name].replace('"matched": false', "").replace('"unmatched"', "").replace('"as_planned"', "")
        assert "matched" not in body and "as planned" not in body, name
    assert f"Accepted: {reason.rstrip('.')}. Let" in reports.summary(run, accept=reason)
    edit(run / "grpo/seed1/evals/step_10/mini/eval.json", template="plain-1")
    reports.build(run, ["csv"], accept=reason)
    assert "accepted" not in (run / "report/results.csv").read_text(encoding="utf-8"), (
        "there was nothing to let through"
    )


def test_the_seal_of_a_report(make_run) -> None:
    run = make_run(**RUN)
    files = reports.build(run)
    assert files[-1] == run / "report/seal.json"
    seal = json.loads(files[-1].read_text(encoding="utf-8"))
    assert {run / "report" / name for name in seal["files"]} == set(files[:-1])
    assert seal["rests_on"] == chain.check(run).evidence
    for name, digest in seal["files"].items():
        assert hashlib.sha256((run / "report" / name).read_bytes()).hexdigest() == digest
    before = files[-1].read_bytes()
    assert reports.build(run)[-1].read_bytes() == before


def test_what_may_differ_is_told(make_run, make_evaluated) -> None:
    run = make_run(**RUN)
    trial = run / "grpo/seed1/trial.json"
    environment = json.loads(trial.read_text(encoding="utf-8"))["environment"]
    edit(trial, environment={**environment, "torch": "2.14.0", "processor": "another"})
    edit(
        run / "grpo/seed1/evals/step_10/mini/eval.json", engine_version="2", sampling={**SAMPLING, "chunk_problems": 1}
    )
    found = verdict(run)
    assert found["as_planned"] and found["pairs"][0]["matched"]
    assert found["differs"] == [
        "mini: the engine's version differs (1, 2)",
        "mini: the number of problems generated together differs (not stated, 1)",
        "torch differs (2.13.0, 2.14.0)",
    ]
    assert all(f"Differs, which is not refused: {what}." in found["notes"] for what in found["differs"])
    compared = reports.compare(f"{run}/rence", f"{run}/grpo")
    assert compared.to_json()["matched"] and compared.to_json()["differs"] == found["differs"]
    assert "Differs, which is not refused: mini: the engine's version differs (1, 2); " in compared.text()
    more = make_evaluated("a", k=2, mini=[1, 2, 0, 1]), make_evaluated("b", k=4, mini=[1, 2, 0, 1])
    assert reports.compare(*map(str, more)).to_json()["differs"] == [
        "mini: the number of attempts a problem differs (2, 4)"
    ]


def test_recipes_of_two_runs_are_told(make_run) -> None:
    one, other = make_run("one", gains={"grpo": 0.8}, **RUN), make_run("other", gains={"grpo": 0.6}, **RUN)
    edit(other / "plan.json", recipe={"group_size": 8, "learning_rate": 1e-3})
    relock(other)
    found = reports.compare(str(one), str(other)).to_json()
    assert found["matched"] and found["differs"] == ["the recipe's `learning_rate` differs (0.0003, 0.001)"]


@pytest.mark.parametrize("kind", ["seed", "engine", "template", "rule"])
def test_a_gate_that_looks(sides, tmp_path: Path, kind: str) -> None:
    a, b = sides(kind)
    reports.update_baseline(a, tmp_path / "b.yaml")
    with pytest.raises(reports.Unmatched, match=KINDS[kind][1]):
        reports.gate_by_looks(b, tmp_path / "b.yaml")
    said = reports.gate_by_looks(b, tmp_path / "b.yaml", accept=REASON).to_json()
    assert said["accepted"]["reason"] == REASON and said["matched"] is False and said["sequential"]["looks"]


def test_seeds_of_one_side_that_differ_are_no_match(make_run) -> None:
    """Both sides hold both engines: not a pair of the same."""
    run = make_run(**RUN)
    for arm, seed in (("grpo", 0), ("rence", 1)):
        edit(run / f"{arm}/seed{seed}/evals/step_10/mini/eval.json", engine="hf")
    with pytest.raises(reports.Unmatched, match=r"mini: the engine differs \(local, hf\)"):
        reports.compare(f"{run}/rence", f"{run}/grpo")


def test_the_command_that_mends_it(make_evaluated, tmp_path: Path) -> None:
    a = make_evaluated("a", changes=BASE, mini=[1, 2])
    b = make_evaluated("b", changes=BASE | {"sampling": {**SAMPLING, "seed": 7}, "template": "chat"}, mini=[1, 2])
    with pytest.raises(reports.Unmatched) as refused:
        reports.compare(str(a), str(b))
    again = f"Evaluate {b} anew as {a} was: rence eval ... --template plain-1 --seed 0 --out NEW; or say why"
    assert str(refused.value).splitlines()[1].startswith(again)
    reports.update_baseline(str(a), tmp_path / "b.yaml")
    with pytest.raises(reports.Unmatched, match=r"was \(rence eval \.\.\. --template plain-1 --seed 0\), make a new"):
        reports.gate_run(str(b), tmp_path / "b.yaml")


def test_commands_take_the_reason(rence: Say, make_run, make_evaluated, tmp_path: Path) -> None:
    run = make_run(**RUN)
    edit(run / "grpo/seed1/evals/step_10/mini/eval.json", template="chat")
    a, b = (make_evaluated(name, changes={"template": name}, mini=[1, 2, 3, 4]) for name in "ab")
    rence("gate", a, "--baseline", tmp_path / "b.yaml", "--update")
    for words in (
        ("compare", a, b),
        ("same", a, b),
        ("report", run, "--format", "json"),
        ("gate", b, "--baseline", tmp_path / "b.yaml"),
    ):
        code, _, err = rence(*words)
        assert code == 2 and "--accept REASON" in err, words
        assert rence(*words, "--accept", " \t")[0] == 2
        code, out, _ = rence(*words, "--accept", REASON)
        assert code != 2 and (words[0] == "report" or REASON in out), words
        if words[0] != "report":
            code, out, _ = rence(*words, "--allow-unmatched")
            assert (
                code != 2
                and "ccepted: not given (--allow-unmatched)" in out
                and "allow" not in rence(words[0], "--help")[1]
            )
    assert json.loads((run / "report/verdict.json").read_text(encoding="utf-8"))["accepted"]["reason"] == REASON


def test_what_ci_reads(rence: Say, make_evaluated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = (make_evaluated(name, changes={"template": name}, mini=[1, 2, 3, 4]) for name in "ab")
    rence("gate", a, "--baseline", tmp_path / "b.yaml", "--update")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    gate = ("gate", b, "--baseline", tmp_path / "b.yaml", "--junit", tmp_path / "j.xml")
    out = rence(*gate, "--accept", REASON)[1]
    assert f"::warning title=rence gate%3A accepted::Accepted: {REASON}. Let through: the prompt template is b" in out
    assert f"Accepted: {REASON}. Let through: " in (tmp_path / "summary.md").read_text(encoding="utf-8")
    xml = (tmp_path / "j.xml").read_text(encoding="utf-8")
    assert f'<property name="accepted" value="{REASON}" />' in xml and '<property name="matched" value="no" />' in xml
    assert '<property name="sealed" value="accepted" />' in xml and f"Accepted: {REASON}." in xml


@pytest.mark.parametrize("reason", ["", " ", "\n\t", "\u2003"])
def test_a_reason_has_words(make_evaluated, reason: str) -> None:
    a, b = (str(make_evaluated(name, mini=[1, 2])) for name in "ab")
    for ask in (reports.compare, reports.same_model):
        with pytest.raises(ValueError, match="needs a reason, in words"):
            ask(a, b, accept=reason)
