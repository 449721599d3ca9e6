"""`rence plan`: what an effect is about, when it is none, and the cheapest design."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.errors import OK, USAGE

Call = Callable[..., tuple[int, str, str]]
QUICKSTART = "quickstart"


def effects(rence: Call, *words: str) -> dict:
    return json.loads(rence("plan", QUICKSTART, *words, "--json")[1])["minimum_detectable_effect"]


def test_one_seed_is_never_called_the_algorithm(rence: Call) -> None:
    found = effects(rence, "seeds=[0]")
    assert found["covers"] == "algorithm" and set(found["by_seeds"]["1"].values()) == {None}
    assert set(found["reasons"]) == {"1"} and found["reasons"]["1"]["average"] == "cannot be told with one seed"
    alone = found["checkpoints"]
    assert alone["covers"] == "checkpoints" and alone["reasons"] == {}
    averages = [alone["by_seeds"][seeds]["average"] for seeds in ("1", "5", "10")]
    assert averages == sorted(averages, reverse=True), "what is comparable rises in precision"
    shown = rence("plan", QUICKSTART, "seeds=[0]")[1]
    about, checkpoints = shown.index("about the algorithms"), shown.index("about these checkpoints alone")
    row = next(line for line in shown[about:checkpoints].splitlines() if line.strip().startswith("average"))
    assert row.split()[1] == "-" and "-: cannot be told with one seed" in shown


def test_the_estimand_of_the_plan_is_what_is_shown(rence: Call) -> None:
    found = effects(rence, "comparison.estimand=checkpoints")
    assert found["covers"] == "checkpoints" and "checkpoints" not in found
    assert found["by_seeds"]["3"] == effects(rence)["checkpoints"]["by_seeds"]["3"]
    assert effects(rence, "comparison.estimand=benchmark")["covers"] == "benchmark"


def test_an_effect_beyond_a_third_of_the_scale_is_none(rence: Call) -> None:
    found = effects(rence, "seeds=[0,1]")
    assert found["by_seeds"]["2"]["average"] is None
    assert found["reasons"]["2"]["average"].startswith("cannot detect anything: the smallest difference found would be")
    shown = rence("plan", QUICKSTART, "seeds=[0,1]")[1]
    assert "cannot detect anything" in shown and "Two seeds leave one degree of freedom an arm" in shown


def test_one_problem_has_no_effect_and_no_cheapest_design(rence: Call) -> None:
    words = ("plan", QUICKSTART, "evaluation.limit=1", "--optimise", "margin=5")
    found = json.loads(rence(*words, "--json")[1])
    for table in (found["minimum_detectable_effect"], found["minimum_detectable_effect"]["checkpoints"]):
        assert set(table["by_seeds"]["3"].values()) == {None}
        assert set(table["reasons"]["3"].values()) == {"cannot be told: a benchmark has one problem, or nothing varied"}
    assert (found["optimise"]["fits"], found["optimise"]["binds"]) == (False, "problems")
    assert "problems bind. No difference can be told" in rence(*words)[1]


def test_a_plan_says_from_which_correlation_pairing_by_seed_pays(rence: Call) -> None:
    apart, paired = effects(rence), effects(rence, "comparison.pair_seeds=true")
    pays = apart["pair_seeds"]["pays_from"]
    assert list(pays) == ["3", "5", "10"] and 0.7 > pays["3"] > pays["5"] > pays["10"] > 0
    assert (apart["pair_seeds"]["planned"], paired["pair_seeds"]["planned"]) == (False, True)
    # at correlation 0 pairing gives half of the degrees of freedom away for nothing
    assert paired["by_seeds"]["3"]["average"] > apart["by_seeds"]["3"]["average"]
    assert paired["checkpoints"] == apart["checkpoints"]
    shown = rence("plan", QUICKSTART, "comparison.pair_seeds=true")[1]
    assert f"from a correlation of the arms' scores over seeds of {pays['3']:.2f} with 3 seeds" in shown.replace(
        "\n", " "
    )


def test_the_cheapest_design_within_a_budget(rence: Call) -> None:
    asked = ("plan", QUICKSTART, "--optimise", "margin=4,budget=1e6")
    found = json.loads(rence(*asked, "--json")[1])["optimise"]
    assert (found["margin"], found["budget"], found["fits"]) == (0.04, 1_000_000, True)
    first = found["designs"][0]
    assert first["responses"] == first["rollouts"] + first["attempts"] <= 1_000_000
    assert first["rollouts"] == 4 * first["seeds"] * 12_288
    assert [one["responses"] for one in found["designs"]] == sorted(one["responses"] for one in found["designs"])
    assert all(one["sight"]["upper"] <= 0.04 and one["fits"] for one in found["designs"])
    assert rence(*asked, "--json")[1] == rence(*asked, "--json")[1]
    # Planned as it is printed, the design has the effect and the cost that it was chosen for.
    status, shown, _ = rence(*asked)
    words = shown.partition("add to the command: ")[2].partition("\n")[0].strip("'").split("' '")
    plan = json.loads(rence("plan", QUICKSTART, *words, "--json")[1])
    assert status == OK and plan["costs"]["rollouts"] + plan["costs"]["attempts"] == first["responses"]
    seeds = str(first["seeds"])
    by_seeds = plan["minimum_detectable_effect"]["by_seeds"]
    assert by_seeds[seeds]["average"] == pytest.approx(first["sight"]["estimate"], rel=1e-9)


def test_where_no_design_fits_it_is_said_how_far_the_best_gets(rence: Call) -> None:
    shown = rence("plan", QUICKSTART, "--optimise", "margin=4,budget=200000")[1]
    assert "None fits: the budget binds." in shown and "best within the budget" in shown
    shown = rence("plan", QUICKSTART, "--optimise", "margin=0.5")[1]
    assert "None fits, whatever the budget: problems bind." in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("margin=0,budget=10", "margin is in points, more than 0 and at most 33.3, but is 0 instead"),
        ("margin=50", "margin is in points, more than 0 and at most 33.3, but is 50 instead"),
        ("budget=10", "margin is in points, more than 0 and at most 33.3, but is missing instead"),
        ("margin=2,budget=1.5", "budget must be a whole number, at least 1, but is 1.5 instead"),
        ("margin=2,budget=lots", "its budget is lots instead"),
        ("margin=2,seeds=3", "must be margin=POINTS,budget=N"),
        ("margin=nan", "but is nan instead"),
        ("", "must be margin=POINTS,budget=N"),
    ],
)
def test_a_request_that_is_none(words: str, said: str, rence: Call) -> None:
    status, _, errors = rence("plan", QUICKSTART, "--optimise", words)
    assert status == USAGE and said in errors and len(errors.strip().splitlines()) == 1


def test_a_plan_that_compares_nothing_has_no_cheapest_design(rence: Call) -> None:
    status, _, errors = rence("plan", QUICKSTART, "comparison.baselines=[]", "--optimise", "margin=2")
    assert status == USAGE and "`comparison.baselines` is empty" in errors


def test_hours_by_type_of_gpu_are_expected_at_a_length_that_is_said_and_no_lock_changes(rence: Call) -> None:
    plain, said = (
        json.loads(rence("plan", "paper/rence_qwen3_4b", *words, "--json")[1])
        for words in ((), ("--response-tokens", "1500"))
    )
    assert plain["plan"]["lock"] == said["plan"]["lock"]
    before, after = (one["costs"]["prediction"]["hours"] for one in (plain, said))
    assert [one["device"] for one in after] == ["A100", "H100", "H200", "B200", "L40S", "RTX 4090"]
    assert {one["expected"] for one in before} == {None}
    assert [one["at_most"] for one in before] == [one["at_most"] for one in after]
    assert said["response_length"] == {"tokens": 1500.0, "source": "as given by --response-tokens"}
    assert 0.2 < after[0]["expected"]["all"] / after[0]["at_most"]["all"] < 0.4
    shown = rence("plan", "paper/rence_qwen3_4b")[1]
    assert "--response-tokens N" in shown and "L40S" in shown and "(too much)" in shown
    for phase in ("load", "sampling", "log-probs", "update", "checkpoint", "training"):
        assert f"\n {phase} " in shown
    assert rence("plan", QUICKSTART, "--response-tokens", "0")[0] == USAGE


def test_after_a_run_its_plan_says_what_it_took(rence: Call, finished: Path) -> None:
    found = json.loads(rence("plan", str(finished), "--json")[1])
    took = found["measured"]
    assert (took["trials"], took["rollouts"], took["tokens"]) == (4, 256, 3600)
    # four trials of two seconds each on one core
    assert sum(took["hours"].values()) == pytest.approx(8 / 3600)
    assert took["hours"]["sampling"] == pytest.approx(4 / 3600)
    assert took["predicted"]["at most"]["all"] == pytest.approx(found["costs"]["hours"])
    assert found["response_length"]["tokens"] == pytest.approx(3600 / 256)
    shown = rence("plan", str(finished))[1]
    assert "Measured: 4 of 4 trials, 256 rollouts, 14 tokens a response." in shown
    assert "Predicted, at most: " in shown
