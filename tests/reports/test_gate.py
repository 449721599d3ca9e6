"""`rence gate`: what it decides, worked out by hand; what it refuses; how often it errs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import reports
from harness.records import DataError
from harness.records.chain import BrokenSeal
from reports.gate.decide import ALPHA, SINGLE_ALPHA, Decision, GateOutcome, change, decide, outcome
from reports.gate.sharpen import sharper
from reports.statistics import contrast
from tests.sealing import sealed_anew

OLD = [4, 4, 2, 2, 0, 0, 2, 2]
NEW = [4, 3, 2, 1, 0, 0, 2, 4]


def rows(*counts: list[int], k: int = 4) -> np.ndarray:
    return np.array(counts) / k


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def test_the_bounds_are_those_of_statistics_at_five_per_cent_each_way() -> None:
    found = change([rows(NEW)], [rows(OLD)], attempts=([[4]], [[4]]))
    assert (found.old, found.new, found.problems) == (0.5, 0.5, 8)
    assert found.estimate.estimand == "checkpoints"
    assert found.bounds == contrast([[rows(NEW)], [rows(OLD)]], (1, -1), "checkpoints", 0.9).interval
    lower, upper = found.bounds
    assert found.passing_margin == pytest.approx(-lower)
    # a bound is where its test is at 5 %
    assert found.estimate.p_above(lower) == pytest.approx(ALPHA, abs=1e-4)
    assert found.p_lost_more(-upper) == pytest.approx(ALPHA, abs=1e-4)


SHARP_OLD, SHARP_NEW = OLD * 40, NEW * 40
"""320 problems: differences of 0, -1 and 2 quarters, mean 0"""


def test_outcomes() -> None:
    found = change([rows(SHARP_NEW)], [rows(SHARP_OLD)])
    assert found.bounds is not None
    low, up = found.bounds
    assert low < 0 < up and outcome(found, -low + 0.001) == GateOutcome.PASS
    assert outcome(found, -low - 0.001) == GateOutcome.INCONCLUSIVE
    lost = change([np.clip(rows(SHARP_NEW) - 0.25, 0, 1)], [rows(SHARP_OLD)])
    assert lost.bounds is not None and lost.bounds[1] < 0
    assert outcome(lost, 0.02) == GateOutcome.REGRESSION
    assert outcome(lost, 0.5) == GateOutcome.PASS, "a loss, shown to be below the margin"
    won = change([rows(SHARP_OLD)], [np.clip(rows(SHARP_NEW) - 0.25, 0, 1)])
    assert outcome(won, 0.02) == GateOutcome.IMPROVEMENT


def test_several_seeds_cover_new_seeds_and_one_on_either_side_does_not() -> None:
    several = rows(OLD, NEW)
    assert change([several], [several]).estimate.estimand == "algorithm"
    assert change([several], [rows(OLD)]).estimate.estimand == "checkpoints"
    assert change([rows(OLD)], [several]).estimate.estimand == "checkpoints"


@pytest.mark.parametrize(
    ("problems", "margin", "expected"),
    [
        (148, 0.02, GateOutcome.INCONCLUSIVE),  # 1 - .05^(1/148) = .02004
        (149, 0.02, GateOutcome.PASS),  # .01990
        (30, 0.02, GateOutcome.INCONCLUSIVE),  # .095
        (30, 0.1, GateOutcome.PASS),
        (1, 0.5, GateOutcome.INCONCLUSIVE),
    ],
)
@pytest.mark.parametrize("right", [0, 4])
def test_identical_is_evidence_not_proof(problems: int, margin: float, expected: GateOutcome, right: int) -> None:
    same = rows([right] * problems)
    found = decide([same], [same], margin, attempts=([[4]], [[4]]))
    assert found.outcome == expected and found.average.identical
    if problems > 1:
        lost = 1 - 0.05 ** (1 / problems)
        assert found.average.bounds == pytest.approx((-lost, lost), abs=1e-9)
    assert decide([same], [same], margin, equal=True).outcome == GateOutcome.PASS, "text by text"


def test_equal_scores_of_seeds_that_differ_show_nothing() -> None:
    seeds = rows([4] * 8, [0] * 8)
    assert decide([seeds], [seeds], 0.02).outcome == GateOutcome.INCONCLUSIVE
    assert decide([seeds], [seeds], 0.02, equal=True).outcome == GateOutcome.PASS


@pytest.mark.parametrize(
    ("new", "old", "problems", "expected"),
    [
        (0, 1, 5, GateOutcome.REGRESSION),  # the sign test: 2^-5 = .031
        (0, 1, 3, GateOutcome.INCONCLUSIVE),
        (1, 0, 5, GateOutcome.IMPROVEMENT),
        (0, 1, 30, GateOutcome.REGRESSION),
        (0, 1, 1, GateOutcome.INCONCLUSIVE),
    ],
)
def test_all_right_against_all_wrong_is_a_difference(new: int, old: int, problems: int, expected: GateOutcome) -> None:
    one = ([[1]], [[1]])
    assert decide([rows([new] * problems, k=1)], [rows([old] * problems, k=1)], 0.02, attempts=one).outcome == expected


def test_on_these_problems_answers_alone_are_new() -> None:
    def about_these(new: np.ndarray, old: np.ndarray, k: int, margin: float = 0.02) -> Decision:
        return decide([new], [old], margin, estimand="answers", attempts=([[k]], [[k]]))

    # 30 problems that are all right four times in four: no error in 120 answers of either side
    right = rows([4] * 30)
    assert about_these(right, right, 4, 0.05).outcome == GateOutcome.PASS
    assert about_these(right, right, 4, 0.05).average.estimate.estimand == "answers"
    assert about_these(right, right, 4, 0.01).outcome == GateOutcome.INCONCLUSIVE
    one = rows([1, 0] * 15, k=1)
    same = about_these(one, one, 1)
    assert same.outcome == GateOutcome.PASS and same.average.bounds is None, "no score differs, and that is all"
    assert about_these(one[:, ::-1], one, 1).outcome == GateOutcome.INCONCLUSIVE


def test_one_benchmark_fails_the_gate_by_itself() -> None:
    up, down = rows([2, 3, 4, 4] * 10), rows([1, 0, 0, 1] * 10)
    base = rows([1, 1, 2, 2] * 10)
    found = decide([up, down, base], [base, base, base], 0.02)
    # gains of 1, 2, 2, 2 and losses of 0, 1, 2, 1 quarters: +.4375 and -.25, the average +.0625
    assert found.average.estimate.value == pytest.approx(0.0625) and found.by_average == GateOutcome.IMPROVEMENT
    assert found.failed == [False, True, False] and found.outcome == GateOutcome.REGRESSION
    assert found.p_lost_more[1] == pytest.approx(3 * found.benchmarks[1].p_lost_more(0.02)), "Bonferroni"
    assert found.p_lost_more[1] < SINGLE_ALPHA and found.p_lost_more[2] == 1.0, "unchanged"


def test_a_loss_on_one_benchmark_within_the_margin_is_only_shown() -> None:
    base, down = rows([2, 2, 2, 2] * 40), rows([2, 1, 2, 2] * 40)
    found = decide([base, down], [base, base], 0.1)  # -.0625 on the second, upper bound below 0
    assert found.benchmarks[1].bounds is not None and found.benchmarks[1].bounds[1] < 0
    assert found.failed == [False, False] and found.outcome == GateOutcome.PASS


def simulate(loss: float, seeds: int, margin: float, replicates: int, rng: np.random.Generator) -> list[GateOutcome]:
    """Gates of two benchmarks of 60 and 100 problems, k = 4. The true average loss is `loss` exactly: problems differ
    in difficulty and by how much they lose, seeds in what they add to all problems, each with mean zero."""

    def side(lost: float, p: np.ndarray) -> np.ndarray:
        between = rng.normal(0, 0.02, (seeds, 1)) if seeds > 1 else np.zeros((1, 1))
        return rng.binomial(4, p - lost + between) / 4

    found = []
    for _ in range(replicates):
        new, old = [], []
        for problems in (60, 100):
            p = 0.25 + 0.5 * rng.beta(0.5, 0.7, problems)
            old.append(side(0.0, p))
            new.append(side(loss, p + rng.uniform(-0.1, 0.1, problems)))
        found.append(decide(new, old, margin).outcome)
    return found


@pytest.mark.parametrize("seeds", [1, 3])
def test_error_rates(seeds: int) -> None:
    """At a loss of the margin at most 5 % pass; at no loss at most 5 % are called a regression. 600 replicates: three
    standard errors of 5 % are 2.7 points."""
    rng = np.random.default_rng([7, seeds])
    at_margin = simulate(0.04, seeds, 0.04, 600, rng)
    passed = sum(one in (GateOutcome.PASS, GateOutcome.IMPROVEMENT) for one in at_margin) / len(at_margin)
    none_lost = simulate(0.0, seeds, 0.04, 600, rng)
    regressed = none_lost.count(GateOutcome.REGRESSION) / len(none_lost)
    assert passed <= ALPHA + 0.027 and regressed <= ALPHA + 0.027
    assert none_lost.count(GateOutcome.PASS) > 100, "the design has some power"


def test_from_files(make_evaluated, tmp_path: Path) -> None:
    base, new = make_evaluated("base", sums=OLD), make_evaluated("new", sums=NEW)
    file = tmp_path / "baseline.yaml"
    reports.update_baseline(str(base), file)
    found = reports.gate_run(str(new), file, margin=0.4)
    assert found.outcome == GateOutcome.PASS and found.passed
    data = found.to_json()
    low, high = contrast([[rows(NEW)], [rows(OLD)]], (1, -1), "checkpoints", 0.9).interval
    assert (data["margin"], data["target"], data["matched"]) == (0.4, "checkpoints", True)
    assert (data["average"]["lower"], data["average"]["upper"]) == pytest.approx((low, high))
    assert data["per_benchmark"]["sums"]["k"] == 4 and data["per_benchmark"]["sums"]["failed"] is False
    assert data["passing_margin"] == pytest.approx(-low)
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert found.text().startswith(f"run       {new} (new)\nbaseline  {file}, made from {base} (base)\n")
    assert "Pass: the average has not lost 40 points or more: +0.0 points, −" in found.text()
    assert "1 checkpoint against 1, about these checkpoints on new problems like these" in found.text()


def test_the_baseline_against_itself(make_evaluated, tmp_path: Path) -> None:
    base = make_evaluated("base", sums=OLD, chains=[0, 1])
    reports.update_baseline(str(base), tmp_path / "b.yaml")
    found = reports.gate_run(str(base), tmp_path / "b.yaml")
    assert found.decision.margin == 0.02, "the default"
    assert found.decision.equal and "Pass: every answer is the baseline's, text by text." in found.text()


def test_equal_scores_without_equal_answers_are_inconclusive(make_evaluated, tmp_path: Path) -> None:
    base, file = make_evaluated("base", sums=OLD), tmp_path / "b.yaml"
    reports.update_baseline(str(base), file)
    text = file.read_text(encoding="utf-8")
    answers = text[text.index("    answers:") : text.index("    problems:")]
    for without, why in (
        (text.replace(answers, ""), "The baseline has no hash of its answers"),
        (text.replace(answers[-65:-1], "a" * 64), "Were the answers equal text by text, it would have passed."),
    ):
        file.write_text(sealed_anew(without), encoding="utf-8")
        found = reports.gate_run(str(base), file)
        assert found.outcome == GateOutcome.INCONCLUSIVE and not found.passed
        said = found.text()
        # 1 - .05^(1/8) = .312
        assert "no problem's score differs, but 8 cannot rule out a loss of 2 points: +0.0 points, −31.2 to" in said
        assert "If nothing differs, 2 points take 149 problems: 8 can never do it on new problems." in said
        assert "`--problems these` asks about these problems alone." in said and why in said
    assert reports.gate_run(str(base), file, problems="these", margin=0.45).outcome == GateOutcome.PASS


def test_after_a_regression_the_hint_is_where_to_look(make_evaluated, tmp_path: Path) -> None:
    base, lost = make_evaluated("base", sums=[4] * 40), make_evaluated("new", sums=[4] * 20 + [3] * 18 + [2, 0])
    reports.update_baseline(str(base), tmp_path / "b.yaml")
    found = reports.gate_run(str(lost), tmp_path / "b.yaml")
    assert found.outcome == GateOutcome.REGRESSION and found.to_json()["passing_margin"] is None
    said = found.text()
    assert "It would have passed" not in said and "margin above" not in said
    assert (
        "To look at: 20 problems scored lower and 0 higher; the largest falls: sums sums-0039 (100.0 to 0.0 %)" in said
    )


def test_both_policies(make_evaluated, tmp_path: Path) -> None:
    base, new = make_evaluated("base", sums=OLD), make_evaluated("new", sums=NEW)
    reports.update_baseline(str(base), tmp_path / "b.yaml")
    strict, lenient = (
        reports.gate_run(str(new), tmp_path / "b.yaml", on_inconclusive=policy) for policy in ("fail", "warn")
    )
    assert strict.outcome == lenient.outcome == GateOutcome.INCONCLUSIVE
    assert (strict.passed, lenient.passed) == (False, True)
    assert "Let through, for `--on-inconclusive warn`." in lenient.text()
    collapse = make_evaluated("collapse", sums=[0] * 8)
    assert not reports.gate_run(str(collapse), tmp_path / "b.yaml", on_inconclusive="warn").passed


def test_an_inconclusive_gate_says_what_would_decide_it(make_evaluated, tmp_path: Path) -> None:
    tens = [[10 * count for count in counts * 5] for counts in (OLD, NEW)]
    base, new = make_evaluated("base", k=40, sums=tens[0]), make_evaluated("new", k=40, sums=tens[1])
    reports.update_baseline(str(base), tmp_path / "b.yaml")
    found = reports.gate_run(str(new), tmp_path / "b.yaml")
    data = found.to_json()
    # variance of a difference 30 / 39 / 16 = .0480769, over 40 problems: standard error .034669
    assert data["average"]["se"] == pytest.approx(0.034669, abs=1e-6)
    # noncentral t, 39 degrees of freedom, one-sided 5 %, power 80 %: 2.52 standard errors
    assert data["provable_margin"] == pytest.approx(2.52 * 0.034669, rel=0.005)
    assert data["times_problems_needed"] == pytest.approx((data["provable_margin"] / 0.02) ** 2)
    # p (1 - p) / 39: of eight old ones four .25 / 39, of the new ones two .25 / 39 and two .1875 / 39
    sampling = (4 * 0.25 + 2 * 0.25 + 2 * 0.1875) / 39 / 8 / 40
    rest = 0.034669**2 - sampling  # 88 % of the variance: more samples cannot make it 19 times smaller
    assert data["times_samples_needed"] is None
    assert "more samples a problem alone are not enough" in data["verdict"]
    more = sharper(found.decision.average, 0.085, found.new, found.old)
    assert more is not None and more.problems == pytest.approx((data["provable_margin"] / 0.085) ** 2)
    assert more.samples == pytest.approx(sampling / (0.034669**2 / more.problems - rest), rel=1e-3)
    assert sharper(found.decision.average, 0.1, found.new, found.old) is None, "sharp enough"


def test_one_sample_a_problem_does_not_tell_what_more_would_bring(make_evaluated, tmp_path: Path) -> None:
    reports.update_baseline(str(make_evaluated("base", k=1, sums=[0, 1, 1, 0, 1])), tmp_path / "b.yaml")
    found = reports.gate_run(str(make_evaluated("new", k=1, sums=[1, 0, 1, 0, 1])), tmp_path / "b.yaml").to_json()
    assert found["outcome"] == "inconclusive" and found["times_problems_needed"] > 100
    assert found["times_samples_needed"] is None and "samples" not in found["verdict"]


def test_an_arm_of_seeds(make_run, tmp_path: Path) -> None:
    run = make_run(gains={"rence": 1.6, "grpo": 0.4}, sd_seed=0.05)
    file = tmp_path / "b.yaml"
    reports.update_baseline(f"{run}/grpo", file)
    found = reports.gate_run(f"{run}/rence", file)
    assert found.outcome == GateOutcome.IMPROVEMENT and found.to_json()["target"] == "algorithm"
    assert "Pass, and an improvement: the average is above the baseline: +" in found.text()
    # the bounds of `rence compare` at the same one-sided level
    pair = reports.compare(f"{run}/rence", f"{run}/grpo", alpha=0.1).to_json()["pairs"][0]
    assert found.decision.average.bounds == pytest.approx((pair["ci_low"], pair["ci_high"]))
    one = reports.gate_run(f"{run}/rence/seed0", file)
    assert one.to_json()["target"] == "checkpoints"
    assert "The run is one checkpoint, the baseline 3 seeds; how much seeds differ is not in the bounds." in one.notes
    lost = reports.update_baseline(f"{run}/rence", file) and reports.gate_run(f"{run}/grpo", file)
    assert lost.outcome == GateOutcome.REGRESSION and not lost.passed


def test_other_benchmarks_of_the_run_are_noted(make_evaluated, tmp_path: Path) -> None:
    reports.update_baseline(str(make_evaluated("base", sums=OLD)), tmp_path / "b.yaml")
    found = reports.gate_run(str(make_evaluated("new", sums=OLD, chains=[1, 2])), tmp_path / "b.yaml")
    assert found.notes == ["Not in the baseline, and left out: chains."] and found.passed


def test_another_k_is_allowed_and_noted(make_evaluated, tmp_path: Path) -> None:
    reports.update_baseline(str(make_evaluated("base", sums=OLD)), tmp_path / "b.yaml")
    found = reports.gate_run(str(make_evaluated("new", k=2, sums=[2, 2, 1, 1, 0, 0, 1, 1])), tmp_path / "b.yaml")
    assert found.notes == ["sums: k is 2 attempts a problem, 4 in the baseline."]
    assert found.decision.average.identical


def test_a_missing_benchmark_is_never_a_pass(make_evaluated, tmp_path: Path) -> None:
    reports.update_baseline(str(make_evaluated("base", sums=OLD, chains=OLD)), tmp_path / "b.yaml")
    with pytest.raises(DataError, match="new has no result on chains, which the baseline has"):
        reports.gate_run(str(make_evaluated("new", sums=OLD)), tmp_path / "b.yaml")


def test_an_unfinished_evaluation_is_never_a_pass(make_evaluated, tmp_path: Path) -> None:
    base, new = make_evaluated("base", sums=OLD), make_evaluated("new", sums=OLD, chains=OLD)
    reports.update_baseline(str(base), tmp_path / "b.yaml")
    (new / "evals/chains/attempts.parquet").unlink()
    assert reports.gate_run(str(new), tmp_path / "b.yaml").passed, "chains is not asked for"
    with pytest.raises(DataError, match="the evaluation on chains was begun and is not complete"):
        reports.update_baseline(str(new), tmp_path / "b.yaml")
    (new / "evals/sums/attempts.parquet").unlink()
    with pytest.raises(DataError):
        reports.gate_run(str(new), tmp_path / "b.yaml")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"benchmark_hash": "newer"}, "sums: the problems of .*new are not those of .*`ids` .*, not "),
        ({"limit": 8}, "was asked the first 8 problems of each benchmark, but .* all problems"),
    ],
)
def test_other_problems_are_never_a_pass(make_evaluated, tmp_path: Path, changes: dict, words: str) -> None:
    reports.update_baseline(str(make_evaluated("base", sums=OLD)), tmp_path / "b.yaml")
    new = make_evaluated("new", changes=changes, sums=OLD[:-1])
    for accept in (None, "the same to us"):
        with pytest.raises(DataError, match=words):
            reports.gate_run(str(new), tmp_path / "b.yaml", accept=accept)


def test_other_ids_under_the_same_hash_are_never_a_pass(make_evaluated, tmp_path: Path) -> None:
    base, new = make_evaluated("base", sums=OLD), make_evaluated("new", sums=OLD)
    reports.update_baseline(str(base), tmp_path / "b.yaml")
    path = new / "evals/sums/attempts.parquet"
    table = pq.read_table(path)
    names = pa.array([f"x{name}" for name in table["problem_id"].to_pylist()])
    pq.write_table(table.set_column(table.schema.get_field_index("problem_id"), "problem_id", names), path)
    with pytest.raises(DataError, match=r"`ids` .*, not "):
        reports.gate_run(str(new), tmp_path / "b.yaml")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"template": "chat"}, "the prompt template is chat, but plain-1 in the baseline"),
        ({"grader_version": "2"}, "the marker's version is 2, but 1 in the baseline"),
        (
            {"sampling": {"temperature": 0.6, "max_tokens": 48, "seed": 3}},
            "the evaluation seed is 3, but 0 in the baseline; the sampling's `temperature` is 0.6, but 1.0 in the "
            "baseline; the sampling's `top_p` is not stated, but 1.0 in the baseline",
        ),
    ],
)
def test_unmatched_runs_are_refused_unless_allowed(make_evaluated, tmp_path: Path, changes: dict, words: str) -> None:
    reports.update_baseline(str(make_evaluated("base", sums=OLD)), tmp_path / "b.yaml")
    new = str(make_evaluated("new", changes=changes, sums=OLD))
    with pytest.raises(reports.Unmatched, match=words):
        reports.gate_run(new, tmp_path / "b.yaml")
    found = reports.gate_run(new, tmp_path / "b.yaml", accept="on purpose")
    assert found.passed and not found.to_json()["matched"] and "; accepted: on purpose." in found.text()
    assert f"Accepted: on purpose. Let through: {words}" in found.text() and "; matched" not in found.text()


def test_batches_may_differ_and_are_told(make_evaluated, tmp_path: Path) -> None:
    here, there = ({"temperature": 1.0, "seed": 0, "chunk_problems": size} for size in (7, 64))
    old = make_evaluated("base", changes={"sampling": there, "engine_version": "1"}, sums=OLD)
    reports.update_baseline(str(old), tmp_path / "b.yaml")
    new = make_evaluated("new", changes={"sampling": here, "engine_version": "2"}, sums=OLD)
    found = reports.gate_run(str(new), tmp_path / "b.yaml").to_json()
    assert found["matched"] and found["differs"] == [
        "the engine's version is 2, but 1 in the baseline",
        "the number of problems generated together is 7, but 64 in the baseline",
    ]
    assert found["notes"] == [f"Differs, which is not refused: {'; '.join(found['differs'])}."]


def test_a_baseline_of_an_older_schema_states_neither_engine_nor_seed(make_evaluated, tmp_path: Path) -> None:
    file = tmp_path / "b.yaml"
    reports.update_baseline(str(make_evaluated("base", sums=OLD)), file)
    lines = file.read_text(encoding="utf-8").replace("schema: 3", "schema: 2").replace(", seed: 0", "").splitlines()
    assert "schema: 2" in lines and any(line.startswith("engine: ") for line in lines)
    older = "\n".join(line for line in lines if not line.startswith(("engine", "seal")))
    file.write_text(older, encoding="utf-8")
    other = {"temperature": 1.0, "top_p": 1.0, "max_tokens": 48, "seed": 1}
    found = reports.gate_run(str(make_evaluated("new", changes={"sampling": other}, sums=OLD)), file)
    assert found.passed and found.to_json()["matched"] is None
    assert "matching unknown, for the baseline is too old to state its engine and evaluation seed" in found.text()
    file.write_text(sealed_anew("\n".join(lines).replace("schema: 2", "schema: 3")), encoding="utf-8")
    with pytest.raises(reports.Unmatched, match="the evaluation seed is 0, but not stated in the baseline"):
        reports.gate_run(str(tmp_path / "base"), file)


def test_a_seed_without_a_result_is_never_averaged_away(make_run, tmp_path: Path) -> None:
    run, file = make_run(), tmp_path / "b.yaml"
    reports.update_baseline(f"{run}/grpo", file)
    shutil.rmtree(run / "rence/seed1/evals/step_20/mini_hard")
    for act in (reports.gate_run, reports.update_baseline):
        with pytest.raises(DataError, match="seed 1 has no complete result on mini_hard"):
            act(f"{run}/rence", file)
    (run / "rence/seed2/done.json").unlink()
    with pytest.raises(DataError, match="rence/seed2 is not finished"):
        reports.gate_run(f"{run}/rence", file)


def test_a_folder_of_two_models_is_refused(make_evaluated, tmp_path: Path) -> None:
    base = make_evaluated("base", sums=OLD, chains=OLD)
    edit(base / "evals/chains/eval.json", model_hash="another")
    with pytest.raises(BrokenSeal, match=r"evals/sums/eval.json says `model_hash: m-base`, where another belongs"):
        reports.update_baseline(str(base), tmp_path / "b.yaml")
    edit(base / "evals/chains/eval.json", model_hash="m-base", template="chat")
    with pytest.raises(DataError, match="the prompt template is chat on chains, plain-1 on sums"):
        reports.update_baseline(str(base), tmp_path / "b.yaml")


def test_benchmarks_that_share_problems_are_not_averaged(make_evaluated, tmp_path: Path) -> None:
    base = make_evaluated("base", amc12=[1, 2, 3], amc23=[1, 2])
    for name in ("amc12", "amc23"):
        path = base / f"evals/{name}/attempts.parquet"
        table = pq.read_table(path)
        ids = pa.array([text.split("-")[1] for text in table["problem_id"].to_pylist()])
        pq.write_table(table.set_column(table.schema.get_field_index("problem_id"), "problem_id", ids), path)
    with pytest.raises(ValueError, match="amc12 and amc23 have 2 problems in common and are never averaged"):
        reports.update_baseline(str(base), tmp_path / "b.yaml")


def test_of_several_arms_the_target_is_gated(make_run, tmp_path: Path) -> None:
    run, path = make_run(), tmp_path / "b.yaml"
    reports.update_baseline(str(run / "rence"), path, None)
    gate = reports.gate_run(str(run), path, margin=None, accept=None, on_inconclusive="fail")
    assert gate.decision.average.identical and gate.new.arm == "rence"
    assert gate.notes == [f"Of {run} the target arm, rence; not gated: grpo."]


def test_what_neither_side_states_is_not_called_matched(make_evaluated, tmp_path: Path) -> None:
    unknown = {"template": "unknown", "grader_version": "unknown", "sampling": {}}
    reports.update_baseline(str(make_evaluated("base", changes=unknown, sums=OLD)), tmp_path / "b.yaml")
    found = reports.gate_run(str(make_evaluated("new", changes=unknown, sums=OLD)), tmp_path / "b.yaml")
    assert found.passed and found.to_json()["matched"] is None
    assert "matching unknown, for neither side states its template, marker and sampling." in found.text()
    stated = make_evaluated("stated", changes={**unknown, "template": "chat"}, sums=OLD)
    with pytest.raises(reports.Unmatched, match="the prompt template is chat, but not stated in the baseline"):
        reports.gate_run(str(stated), tmp_path / "b.yaml")


def test_a_gate_says_what_its_sign_depends_on(make_evaluated, tmp_path: Path) -> None:
    """One benchmark of three makes up for the losses on the two others."""
    base = make_evaluated("base", a=[1] * 200, b=[3] * 200, c=[3] * 200)
    new = make_evaluated("new", a=[4] * 199 + [3], b=[2] * 199 + [3], c=[2] * 199 + [3])
    reports.update_baseline(str(base), tmp_path / "b.yaml")
    gate = reports.gate_run(str(new), tmp_path / "b.yaml")
    assert gate.to_json()["depends_on"] and "run − baseline depends on the benchmarks: +8.4 points" in gate.text()
    assert "without a: −24.9" in gate.text()


def test_a_folder_that_was_asked_in_two_ways_says_which_and_where(rence, make_evaluated, tmp_path: Path) -> None:
    folder = make_evaluated("a", mini=[4, 2], more=[4, 0])
    header = folder / "evals/more/eval.json"
    record = json.loads(header.read_text())
    header.write_text(json.dumps(record | {"sampling": record["sampling"] | {"temperature": 0.0}}))
    code, _, err = rence("gate", folder, "--baseline", tmp_path / "b.yaml", "--update")
    assert code == 3 and "the sampling's `temperature` is 1 on mini, 0 on more." in err
    assert "{" not in err and "into a folder of its own (rence eval ... --out NEW)" in err
