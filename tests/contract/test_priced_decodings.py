"""`rence plan` where the headline is sampled in several ways: every price counts all of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness.base.errors import OK

Call = Callable[..., tuple[int, str, str]]
GREEDY = "greedy: {temperature: 0, k: 1, max_tokens: 96}"
SAME = "evaluation.benchmarks={mini_sums: 4, mini_chains: 4}"
MIXED = "evaluation.benchmarks={mini_sums: 4, mini_chains: 2}"
DESIGNS = {
    "k of the benchmarks": (SAME, f"sampled: {{}}, {GREEDY}, t0.6: {{temperature: .6}}", {"greedy": 1, "t0.6": 4}),
    "k of its own": (SAME, f"sampled: {{k: 3}}, {GREEDY}, cool: {{temperature: .6, k: 2}}", {"greedy": 1, "cool": 2}),
    "k of its own, others' not": (SAME, f"sampled: {{k: 3}}, {GREEDY}, cool: {{temperature: .6}}", {"cool": 4}),
    "ks that differ": (MIXED, f"sampled: {{}}, {GREEDY}, cool: {{temperature: .6}}", {"greedy": 1, "cool": None}),
    "both": (MIXED, f"sampled: {{k: 3}}, {GREEDY}, cool: {{temperature: .6}}", {"greedy": 1, "cool": None}),
    "one alone": (MIXED, "sampled: {k: 3}", {}),
}
"""benchmarks, decodings, and what the others ask afterwards; None: as the headline does"""


def planned(rence: Call, *words: str) -> dict[str, Any]:
    status, shown, errors = rence("plan", "quickstart", "evaluation.curve={mini_sums: 1}", *words, "--json")
    assert status == OK, errors
    return json.loads(shown)


def responses(plan: dict[str, Any]) -> tuple[int, int]:
    """And tokens."""
    cost = plan["costs"]
    return cost["rollouts"] + cost["attempts"], cost["train_tokens"] + cost["evaluation_tokens"]


@pytest.mark.parametrize("design", DESIGNS)
def test_the_cheapest_design_costs_what_its_plan_costs(rence: Call, design: str) -> None:
    benchmarks, decodings, others = DESIGNS[design]
    words = (
        benchmarks,
        f"evaluation.decodings={{{decodings}}}",
        "recipe.max_tokens=40",
        "arms.grpo.recipe.max_tokens=56",
    )
    asked = ("--optimise", "margin=8")
    before = planned(rence, *words, *asked)
    assert responses(before) == tuple(before["optimise"]["planned"][what] for what in ("responses", "tokens"))
    best = before["optimise"]["designs"][0]
    assert best["samples"] != before["plan"]["benchmarks"]
    shown = rence("plan", "quickstart", "evaluation.curve={mini_sums: 1}", *words, *asked)[1]
    added = shown.partition("add to the command: ")[2].partition("\n")[0].strip("'").split("' '")
    after = planned(rence, *words, *added)
    assert responses(after) == (best["responses"], best["tokens"])
    assert after["plan"]["benchmarks"] == best["samples"] and len(after["plan"]["seeds"]) == best["seeds"]
    effect = after["minimum_detectable_effect"]["by_seeds"][str(best["seeds"])]["average"]
    assert effect == pytest.approx(best["sight"]["estimate"], rel=1e-9)
    for name, k in others.items():
        now = after["plan"]["evaluation"]["decodings"][name]["benchmarks"]
        assert now == (best["samples"] if k is None else dict.fromkeys(best["samples"], k))
    assert ("the k of the headline's decoding, sampled" in " ".join(shown.split())) == bool(others)


def test_a_greedy_headline_has_one_attempt_a_problem_in_every_design(rence: Call) -> None:
    """More of them would be the same answer again, and no plan."""
    first = "evaluation.decodings={greedy: {temperature: 0, k: 1}, sampled: {k: 4}}"
    alone = ("evaluation.decodings=null", "evaluation.temperature=0", "evaluation.benchmarks={mini_sums: 1}")
    for words in ((first,), alone):
        found = planned(rence, *words, "--optimise", "margin=8")["optimise"]
        assert found["designs"]
        assert all({*one["samples"].values()} == {1} for one in (*found["designs"], found["largest_tried"]))
    shown = rence("plan", "quickstart", first, "--optimise", "margin=0.5")[1]
    assert "256 seeds and 1 attempt a problem find" in " ".join(shown.split())
