"""The sections `checks` and `design`: what they say, and what they leave out where there is nothing to say."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import reports
from reports.data.analysis import analyse
from reports.data.load import load
from reports.sections import checks as shown_checks
from reports.sections import design
from reports.sections.checks import checks


def sections(run: Path) -> tuple[str, str]:
    """Of the Markdown report, without escapes; empty where there is none."""
    reports.build(run, ["md"])
    parts = re.split(r"^## ", (run / "report/report.md").read_text(encoding="utf-8").replace("\\", ""), flags=re.M)
    named = {part.splitlines()[0]: part for part in parts}
    return named.get("The same differences by other tests", ""), named.get("Where the uncertainty comes from", "")


def row(section: str, start: str) -> list[str]:
    line = next(line for line in section.splitlines() if line.startswith(f"| {start}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_three_seeds_have_a_bootstrap_and_nothing_to_exchange(default_run: Path) -> None:
    (check,) = checks(analyse(load(default_run)))
    assert check.bootstrap and check.permutation is None and check.mcnemar is None
    estimate = check.pair.estimate
    assert estimate and check.bootstrap[0] < estimate.value < check.bootstrap[1]


def test_five_seeds_are_dealt_out_in_every_way(make_run) -> None:
    check = checks(analyse(load(make_run(seeds=(0, 1, 2, 3, 4), gains={"rence": 1.5, "grpo": 0.2}))))[0]
    assert check.exchanged == "seeds" and check.permutation and check.permutation.exact
    assert check.permutation.cases == 252 and check.permutation.p_value == 2 / 252 and check.agree


def test_two_checkpoints_on_one_benchmark_have_mcnemars_test(make_run) -> None:
    run = make_run(seeds=(0,), benchmarks={"a": (60, 1)}, curve=())
    (check,) = checks(analyse(load(run)))
    assert check.mcnemar and check.permutation and check.exchanged == "answers within problems"
    estimate = check.pair.estimate
    assert estimate and (check.mcnemar.gained - check.mcnemar.lost) / 60 == pytest.approx(estimate.value)
    said, _ = sections(run)
    assert f"{check.mcnemar.gained} gained, {check.mcnemar.lost} lost" in said


def test_over_several_benchmarks_mcnemar_would_weigh_problems(make_run) -> None:
    (check,) = checks(analyse(load(make_run(seeds=(0,), benchmarks={"a": (60, 1), "b": (20, 1)}, curve=()))))
    assert check.mcnemar is None and check.permutation


def test_different_k_cannot_be_exchanged(make_run) -> None:
    run = make_run(seeds=(0,))
    other = make_run("other", seeds=(0,), benchmarks={"mini_easy": (40, 8), "mini_hard": (30, 8)})
    target = run / "grpo/seed0/evals/step_20"
    for name in ("mini_easy", "mini_hard"):
        for file in ("eval.json", "attempts.parquet"):
            (target / name / file).write_bytes((other / f"grpo/seed0/evals/step_20/{name}/{file}").read_bytes())
    (check,) = checks(analyse(load(run)))
    assert check.bootstrap and check.permutation is None and check.exchanged == ""


def test_agreement_is_said_in_a_sentence(make_run) -> None:
    said, _ = sections(make_run(gains={"rence": 3.0, "grpo": 0.2}, sd_seed=0.05))
    assert "All tests come to the same finding at level 0.05, before adjustment." in said


def test_disagreement_names_the_difference(make_run) -> None:
    """The first draw in which seeds exchanged and the t test part ways."""
    seeds = (0, 1, 2, 3, 4)
    for draw in range(40):
        run = make_run(f"run{draw}", draw=draw, seeds=seeds, gains={"rence": 0.75, "grpo": 0.5}, points=1)
        a = analyse(load(run))
        if not checks(a)[0].agree:
            break
    said, _ = sections(run)
    assert "The tests do not agree on ReNCE (reconstruction) minus GRPO" in said


def test_the_same_files_give_the_same_bytes(make_run) -> None:
    run = make_run(seeds=(0, 1, 2, 3))
    assert sections(run) == sections(run)


def test_shares_add_up(default_run: Path) -> None:
    table = design._table(a := analyse(load(default_run)), design._sources(a, a.family("primary")), "x", "")
    values = [cell.value for cell in table.rows[0].cells]
    assert np.sum([float(str(value)) for value in values[2:6]]) == pytest.approx(1)


def test_the_design_as_it_is_has_the_mde_of_the_table_of_differences(make_run) -> None:
    run = make_run(sd_seed=0.3)
    a = analyse(load(run))
    _, said = sections(run)
    (pair,) = a.family("primary")
    assert pair.mde is not None
    assert row(said, "as it is")[1] == f"{100 * pair.mde[0]:.1f} to {100 * pair.mde[1]:.1f}"
    # two arms x 3 seeds x (70 problems x 4 at the headline, 40 x 4 once before)
    assert row(said, "twice the seeds (6 an arm)")[2:] == ["6", "6,000", f"{6 * (280 + 160):,}"]
    assert row(said, "twice the samples")[2:] == ["0", "0", f"{6 * 280:,}"]


def test_one_seed_knows_nothing_of_more_seeds(make_run) -> None:
    _, said = sections(make_run(seeds=(0,)))
    cells = row(said, "ReNCE (reconstruction) − GRPO")
    assert cells[2] == "—" and cells[4] == "—" and cells[6] == "—"
    assert "of what more seeds would bring; two would tell" in said and "twice the seeds" not in said


def test_one_sample_knows_nothing_of_more_samples(make_run) -> None:
    _, said = sections(make_run(benchmarks={"a": (40, 1)}, curve=()))
    assert row(said, "ReNCE (reconstruction) − GRPO")[5] == "—"
    assert "twice the seeds" in said and "the samples a problem" not in said


def test_one_problem_has_no_shares(make_run) -> None:
    other, said = sections(make_run(benchmarks={"a": (1, 4)}, curve=()))
    assert row(said, "ReNCE (reconstruction) − GRPO")[2:6] == ["—"] * 4
    assert "No second test applies" in other and "twice" not in said


def test_all_correct(make_run) -> None:
    run = make_run(gains={"rence": 99.0, "grpo": 99.0})
    other, said = sections(run)
    assert "No second test applies: nothing varied" in other
    assert "Nothing varied, so nothing can be said" in said
    assert row(said, "ReNCE (reconstruction) − GRPO")[1:6] == ["—"] * 5


def test_one_arm_has_neither(make_run) -> None:
    assert sections(make_run(gains={"grpo": 0.5})) == ("", "")


def test_with_many_baselines_the_least_certain_difference_is_shown(make_run) -> None:
    gains = {f"arm{i}": 0.1 * i for i in range(7)}
    run = make_run(gains=gains, points=1, curve=())
    a = analyse(load(run))
    widest = max(a.family("primary"), key=lambda pair: pair.mde or (0.0, 0.0))
    section = design.section(a)
    assert section is not None
    table = next(block for block in section.blocks if getattr(block, "name", "") == "sharpen")
    assert [column.title for column in table.columns][1] == f"MDE, arm0 − {widest.b}"  # type: ignore[union-attr]
    assert len(shown_checks.table(a, checks(a)).rows) == 6
