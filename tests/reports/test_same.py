"""`rence same`: the same answers, the same model with other answers, a change that cancels out, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

Say = Callable[..., tuple[int, str, str]]


def draws(seed: int, rates: np.ndarray, k: int) -> list[int]:
    return np.random.default_rng(seed).binomial(k, rates).tolist()


def told(rence: Say, *words: object) -> tuple[int, dict[str, Any]]:
    code, out, err = rence("same", *words, "--json")
    return code, json.loads(out or "{}") | {"err": err}


RATES = np.linspace(0.1, 0.9, 60)
CANCELS = RATES + np.where(np.arange(60) % 2, 0.3, -0.3) * np.minimum(RATES, 1 - RATES) / 0.5


def other_texts(folder: Path) -> None:
    for path in folder.rglob("attempts.parquet"):
        table = pq.read_table(path)
        texts = pa.array([f"answer {i}" for i in range(len(table))])
        pq.write_table(table.set_column(table.schema.names.index("response"), "response", texts), path)


def test_identical_answers(rence: Say, make_evaluated) -> None:
    a, b = (make_evaluated(name, mini=draws(1, RATES, 4)) for name in "ab")
    code, out, _ = rence("same", a, b)
    assert code == 0 and "Identical answers: all 240 texts are equal, answer by answer." in out
    assert told(rence, a, b)[1]["finding"] == "identical"
    other_texts(b)
    code, out, _ = rence("same", a, b)
    assert code == 0 and "0 of 240 answers are equal text by text." in out
    assert "No difference found between A and B on these problems: p 1 (mean and pattern" in out
    assert "It could have seen a difference of" in out


def test_the_same_model_asked_again_and_another_one(rence: Say, make_evaluated) -> None:
    a = make_evaluated("a", mini=draws(1, RATES, 4))
    b = make_evaluated("b", k=8, mini=draws(2, RATES, 8))
    other_texts(b)
    code, found = told(rence, a, b)
    (average, cell) = found["cells"]
    assert code == 0 and found["finding"] == "no difference found" and cell["k"] == ["4", "8"]
    assert average["delta"] == cell["delta"] and average["ci_low"] < cell["delta"] < average["ci_high"]
    assert found["texts"] == {"answers": 240, "equal": 0, "unpaired": 240} and found["confidence"] == 0.975
    # se of the difference: mean p (1 - p) is .194, so sqrt(.194 (1/4 + 1/8) / 60) = .035, times 2.24 + .84
    assert average["mde"] == pytest.approx(0.107, abs=0.015)
    worse = make_evaluated("c", k=8, mini=draws(3, np.clip(RATES - 0.25, 0, 1), 8))
    code, found = told(rence, a, worse)
    assert code == 1 and found["finding"] == "differs" and found["cells"][0]["p_mean"] < 0.001


def test_changes_that_cancel_out(rence: Say, make_evaluated) -> None:
    a, b = make_evaluated("a", k=16, mini=draws(1, RATES, 16)), make_evaluated("b", k=16, mini=draws(2, CANCELS, 16))
    other_texts(b)
    code, found = told(rence, a, b)
    assert code == 1 and found["cells"][0]["p_mean"] > 0.2 and found["cells"][0]["p_pattern"] < 0.001
    code, out, _ = rence("same", a, b)
    assert code == 1 and "A and B differ on these problems: p < .001 (mean and pattern" in out


def test_one_answer_a_problem_cannot_see_what_cancels_out(rence: Say, make_evaluated) -> None:
    a, b = make_evaluated("a", k=1, mini=draws(1, RATES, 1)), make_evaluated("b", k=1, mini=draws(2, RATES, 1))
    other_texts(b)
    code, out, _ = rence("same", a, b)
    assert code == 0 and "Changes that cancel out in the mean cannot be seen" in out
    small = [make_evaluated(name, k=1, mini=[1, 0, 1]) for name in ("x", "y")]
    other_texts(small[1])
    code, out, _ = rence("same", *small)
    assert code == 3 and "This comparison cannot detect anything" in out


def test_so_few_answers_cannot_tell(rence: Say, make_evaluated) -> None:
    a, b = make_evaluated("a", k=1, mini=[1] * 4), make_evaluated("b", k=1, mini=[0] * 4)
    other_texts(b)
    code, out, _ = rence("same", a, b)
    # 2 of the 2^4 exchanges are as far out, and the smaller of two tests is doubled: .25, the least that there can be
    assert code == 3 and "Cannot tell (so few answers cannot reach p .05): p .250" in out
    assert "No difference found" not in out and "by another method (Newcombe's)" in out
    code, found = told(rence, a, b)
    assert (
        code == 3 and found["finding"] == "cannot tell" and found["least_p"] == 0.25 == pytest.approx(found["p_value"])
    )
    a, b = make_evaluated("c", k=1, mini=[1] * 7), make_evaluated("d", k=1, mini=[0] * 7)
    other_texts(b)
    assert told(rence, a, b)[1]["p_value"] == pytest.approx(4 / 2**7) and told(rence, a, b)[0] == 1
    # many equal answers are no few answers
    a, b = make_evaluated("e", k=1, mini=[1] * 50), make_evaluated("f", k=1, mini=[1] * 50)
    other_texts(b)
    assert told(rence, a, b)[0] == 0
    # equal texts are the same, however few
    assert rence("same", make_evaluated("g", k=1, mini=[1]), make_evaluated("h", k=1, mini=[1]))[0] == 0


def test_several_benchmarks_and_one_on_one_side_only(rence: Say, make_evaluated) -> None:
    hard = RATES[:20]
    a = make_evaluated("a", mini=draws(1, RATES, 4), hard=draws(5, hard, 4), more=[1])
    b = make_evaluated("b", mini=draws(2, RATES, 4), hard=draws(6, hard, 4))
    code, found = told(rence, a, b)
    assert code == 3 and [cell["benchmark"] for cell in found["cells"]] == ["average", "hard", "mini"]
    average = np.mean([cell["delta"] for cell in found["cells"][1:]])
    assert found["cells"][0]["delta"] == pytest.approx(average) and found["left_out"] == [f"more (only {a} has it)"]
    code, out, _ = rence("same", a, b)
    assert code == 3 and out.index(f"Not compared: more (only {a} has it).") < out.index("average")
    assert "between A and B on the problems of hard and mini alone: p" in " ".join(out.split())
    assert told(rence, a, b)[1] == found  # the same files, the same draws


def test_what_is_refused(rence: Say, make_run, make_evaluated) -> None:
    run = make_run()
    code, _, err = rence("same", f"{run}/grpo", f"{run}/rence/seed0")
    assert code == 2 and "holds the seeds 0, 1 and 2" in err and f"Name one, such as {run}/grpo/seed0." in err
    code, _, err = rence("same", run, f"{run}/rence/seed0")
    assert code == 2 and "holds the arms rence, grpo" in err
    assert told(rence, f"{run}/grpo/seed0", f"{run}/grpo/seed0")[1]["finding"] == "identical"
    code, found = told(rence, f"{run}/grpo/seed0", f"{run}/grpo/seed1")
    assert code in (0, 1) and found["texts"]["answers"] == 40 * 4 + 30 * 4
    # the fixture's texts are all one, whatever their marks: that is no identity of answers
    assert (
        found["finding"] != "identical"
        and "not all marked alike" in rence("same", f"{run}/grpo/seed0", f"{run}/grpo/seed1")[1]
    )
    a = make_evaluated("a", mini=[1, 2])
    code, _, err = rence("same", a, make_evaluated("b", mini=[1, 2, 3]))
    assert code == 3 and "was asked 2 problems and" in err and "--limit" in err
    code, _, err = rence("same", a, make_evaluated("c", other=[1, 2]))
    assert code == 3 and "no benchmark in common" in err
    code, _, err = rence("same", a, make_evaluated("d", changes={"template": "other"}, mini=[1, 2]))
    assert (
        code == 2
        and "mini: the prompt template differs" in err
        and "--template plain-1" in err
        and "--accept REASON" in err
    )
    code, out, _ = rence("same", a, make_evaluated("d"), "--accept", "to see")
    assert code == 0 and "Accepted: to see. Let through: mini: the prompt template differs (plain-1, other)." in out
    assert "Accepted: not given" in rence("same", a, make_evaluated("d"), "--allow-unmatched")[1]
    assert rence("same", a, "nowhere")[0] == 3
