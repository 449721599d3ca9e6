"""What counts as a sign that a trial was not well, and that none is seen in runs that are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.records import EvalRecord, StepRecord, Timing, TrialFolder, append_jsonl, health, reward_failures
from harness.records.health import Answers, in_answers, in_rewards, in_steps, in_time, parts
from harness.run.examining import examine
from harness.run.stillness import Stillness

WELL: Mapping[str, float | None] = {
    "actor/entropy": 0.3,
    "actor/grad_norm": 0.8,
    "actor/loss": 0.1,
    "actor/kl_loss": 0.01,
    "nce/margin": 0.5,
}


def codes(findings: object) -> list[str]:
    return [parts(one)[0] for one in findings]  # type: ignore[attr-defined]


def steps(*changes: Mapping[str, float | None], of: int = 20) -> list[Mapping[str, float | None]]:
    """So many steps that are well, the last ones with changes."""
    return [WELL] * (of - len(changes)) + [{**WELL, **change} for change in changes]


@pytest.mark.parametrize(
    ("change", "count", "found"),
    [
        ({}, 1, []),
        ({"actor/entropy": 0.01}, 20, []),
        ({"actor/entropy": 0.0099}, 2, ["entropy"]),
        ({"actor/entropy": 0.0099}, 1, []),
        ({"actor/entropy": 0.0}, 20, ["entropy"]),
        ({"actor/grad_norm": 0.0}, 2, ["zero"]),
        ({"actor/grad_norm": 0.0}, 1, []),
        ({"actor/grad_norm": 1e-30}, 20, []),
        ({"actor/grad_norm": 200.0}, 20, []),
        ({"actor/grad_norm": 200.1}, 2, ["clipped"]),
        ({"actor/grad_norm": 200.1}, 1, []),
        ({"actor/grad_norm": None}, 1, ["null"]),
        ({"actor/loss": None}, 1, ["null"]),
        ({"nce/margin": None}, 1, []),
        ({"nce/margin": None}, 2, ["null"]),
        ({"groups/kept": 0}, 20, ["nothing"]),
        ({"groups/kept": 32}, 20, []),
        ({"actor/entropy": 0.001, "actor/grad_norm": 0.0, "actor/kl_loss": None}, 5, ["entropy", "zero", "null"]),
    ],
)
def test_signs_in_steps(change: dict[str, float | None], count: int, found: list[str]) -> None:
    assert codes(in_steps(steps(*[change] * count), limit=2.0)) == found


def test_what_was_never_a_number_or_is_one_again_is_no_finding() -> None:
    assert not list(in_steps([{**WELL, "labels/majority_correct": None}] * 20, 1.0))
    gap = [WELL] * 10 + [{**WELL, "nce/margin": None, "actor/loss": None}] * 5 + [WELL] * 5
    assert not list(in_steps(gap, 1.0))
    assert not list(in_steps([], 1.0))
    # steps that learn nothing log no gradient: absence is not zero
    assert not list(in_steps([WELL, {"actor/entropy": 0.3}, {"actor/entropy": 0.3}], 1.0))


def test_findings_say_where_and_how_often() -> None:
    gone = {"actor/loss": None, "nce/margin": None, "actor/kl_loss": None}
    assert list(in_steps(steps(*[{"actor/grad_norm": 0.0, **gone}] * 4), 1.0)) == [
        "zero: the gradient's norm is exactly 0 in 4 of 20 steps",
        "null: actor/kl_loss has no numbers from step 17 on, and 2 other metrics",
    ]
    assert list(in_steps(steps(*[{"actor/grad_norm": 101.0}] * 2), 1.0)) == [
        "clipped: the gradient's norm is more than 100 times its limit of 1 in 2 of 20 steps"
    ]


def seen(
    step: int, benchmark: str = "sums", n: int = 100, truncated: int = 0, common: int = 5, gold: int = 5
) -> Answers:
    return Answers(step, benchmark, n, truncated, common, gold)


@pytest.mark.parametrize(
    ("evaluations", "found"),
    [
        ([seen(1), seen(2)], []),
        ([seen(1, truncated=95), seen(2, truncated=95)], ["truncated"]),
        ([seen(1, truncated=95), seen(2, truncated=94)], []),
        ([seen(1, truncated=95)], []),
        ([seen(1, truncated=95), seen(2), seen(3, truncated=95)], []),
        ([seen(2, truncated=100), seen(1), seen(3, truncated=100)], ["truncated"]),
        ([seen(1, common=95), seen(2, common=100)], ["identical"]),
        ([seen(1, common=94), seen(2, common=100)], []),
        # all problems have one answer: a model that knows it says nothing else
        ([seen(1, common=100, gold=100), seen(2, common=100, gold=97)], []),
        ([seen(1, n=1, common=1, gold=0), seen(2, n=1, common=1, gold=0)], []),
        # one benchmark is too hard at every point; or all are, at one point
        ([seen(1), seen(1, "hard", truncated=99), seen(2), seen(2, "hard", truncated=99)], ["truncated"]),
        ([seen(2, truncated=99), seen(2, "hard", truncated=99)], ["truncated"]),
        ([seen(1, truncated=99), seen(2, "hard", truncated=99)], []),
        ([seen(1, truncated=97, common=97), seen(2, truncated=97, common=97)], ["truncated", "identical"]),
    ],
)
def test_signs_in_answers(evaluations: list[Answers], found: list[str]) -> None:
    assert codes(in_answers(evaluations)) == found


def test_a_worker_that_was_stopped_or_waits_stood_still() -> None:
    stopped, waits = Stillness(10.0), Stillness(10.0)
    for gap in (10.0, 10.1, 10.0, 75.0, 10.0, 60.0):  # it worked in the first seconds of 75; 50 s are no minute
        stopped.beat(gap, worked=True)
    assert stopped.seconds == 65.0 and codes(in_time(stopped.seconds)) == ["still"]
    for worked in (True, *[False] * 7, True, *[False] * 5, True):
        waits.beat(10.0, worked)
    assert waits.seconds == 70.0 and not list(in_time(59.9))


HEADER = EvalRecord("grpo", 0, 2, 64, 48, "sums", "hash", 4, 1, "weights", "bare", "local", "1", "1", {})


def evaluation(folder: TrialFolder, step: int, texts: list[str], golds: list[str], mark: str = "wrong") -> None:
    place = folder.eval(step, "sums")
    replace(HEADER, step=step).write(place.header)
    pq.write_table(pa.table({"response": texts, "gold": golds, "mark": [mark] * len(texts)}), place.attempts)


def test_a_trial_is_examined_by_its_files(tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path)
    assert examine(folder, 1.0) == []
    append_jsonl(folder.steps, [StepRecord(n, n, n, n, n, {**WELL, "actor/entropy": 0.001}).to_json() for n in (1, 2)])
    evaluation(folder, 1, ["7"] * 4, ["1", "2", "3", "4"])
    evaluation(folder, 2, ["7"] * 4, ["1", "2", "3", "4"])
    Timing(1, 100.0, 20.0, 0.0, 0.0, 0.0, "", "", still_seconds=75.0).write(folder.timing)
    assert examine(folder, 1.0) == [
        "entropy: the entropy is below 0.01 nats a token in 2 of 2 steps",
        "identical: 95 % of the answers or more are one text, on sums at steps 1 and 2",
        "still: a worker stood still for 60 s or longer; `still_seconds` of timing.json says how long",
    ]
    evaluation(folder, 2, [""] * 4, ["1", "2", "3", "4"], "truncated")
    evaluation(folder, 3, ["1", "2", "3", "4"], ["1", "2", "3", "4"], "truncated")
    found = codes(examine(folder, 1.0))
    assert found == ["entropy", "truncated", "identical", "still"]
    (folder.eval(1, "sums").attempts).unlink()  # not complete: not looked at
    assert codes(examine(folder, 1.0)) == ["entropy", "truncated", "still"]


def test_the_words_have_no_code_in_them() -> None:
    assert parts("entropy: below: 1") == ("entropy", "below: 1")
    assert health.SHARE == 0.1 and json.dumps(health.ALWAYS)


def own_reward(*steps: tuple[int, str]) -> list[dict[str, object]]:
    """Steps of 50 rollouts, on so many of which the reward failed, and why."""
    return [
        {"step": n, "rollouts": 50 * n, "metrics": {"reward/failed": float(failed)}, "reward_failure": reason}
        for n, (failed, reason) in enumerate(steps, 1)
    ]


def test_rewards_that_failed_are_a_finding_from_a_hundredth_on() -> None:
    """2 and 10 of 150 rollouts are 8 %; 1 of 150 is .7 %."""
    many = reward_failures.count(own_reward((2, "r.py:3: returned nan"), (10, "r.py:9: KeyError"), (0, "")))
    assert many is not None and many.share == 0.08
    assert list(in_rewards(many)) == [
        "reward: the reward failed on 12 of 150 rollouts (8.0 %), at worst on 10 of 50 at step 2; first at step 1: "
        "r.py:3: returned nan"
    ]
    few = reward_failures.count(own_reward((0, ""), (1, "r.py:3: returned nan"), (0, "")))
    assert few is not None and few.failed == 1 and not list(in_rewards(few))


def test_without_a_reward_of_the_users_own_nothing_is_counted_and_none_is_no_zero() -> None:
    assert reward_failures.count([{"step": 1, "rollouts": 8, "metrics": {"actor/loss": 0.1}}]) is None
    assert not list(in_rewards(None))
    none = reward_failures.count(own_reward((0, "")))
    assert none is not None and none.words == "the reward failed on none of 50 rollouts" and not list(in_rewards(none))
    old = reward_failures.count([{"step": 1, "rollouts": 8, "metrics": {"reward/failed": 8.0}}])
    assert old is not None and old.words.endswith(
        "first at step 1: no reason is recorded; the logs of the trial have it"
    )
    assert [reward_failures.percent(share) for share in (0.058, 1, 0, 0.00003)] == ["5.8", "100.0", "0.0", "0.003"]
