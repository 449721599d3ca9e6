"""Rewards of one's own: found without being run, hashed, called in processes that may die, and tried by a contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.marking.pool import Pool
from benchmarks.marks import CHOICE, Mark, Rule
from benchmarks.problems import Problem
from benchmarks.rewards import OwnReward, Rated, Rewarded, RewardMistake, is_function, locate, rate
from benchmarks.rewards.reward_contract import CHECKS, under_test
from benchmarks.rewards.serving import problem_of, written_problem

Write = Callable[[str, str], Path]
PROBLEM = Problem("What is 2+3?", "5", {"kind": "sum"})
HOSTILE = """\
import ctypes, math, os, time
import helper


def score(text, gold, problem):
    print("noise that is no reply")
    if text == "raises":
        return helper.half(text)
    if text == "crashes":
        ctypes.string_at(0)
    if text == "exits":
        raise SystemExit(3)
    if text == "loops":
        while True:
            pass
    if text == "sleeps":
        time.sleep(1000)
    if text == "fills":
        return len(bytearray(64 * 2**30))
    return {"nan": math.nan, "inf": math.inf, "none": None, "dict": {"score": 1}, "word": "right"}.get(text, 0.5)
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """A module in the current folder."""
    monkeypatch.chdir(tmp_path)

    def written(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return written


@pytest.fixture
def ask() -> Iterator[Callable[[OwnReward, list[str]], list[Rewarded]]]:
    pools: list[Pool] = []

    def asked(own: OwnReward, texts: list[str]) -> list[Rewarded]:
        pools.append(own.pool(1))
        return rate(own, [Rated(text, PROBLEM) for text in texts], pools[-1])

    yield asked
    for pool in pools:
        pool.close()


def test_how_a_function_is_written() -> None:
    assert all(map(is_function, ("a:f", "my_package.rewards:score", "a.b.c:Class.method")))
    assert not any(map(is_function, ("label", "a:", ":f", "a b:f", "a:f()", "a:f:g", "a..b:f", "1a:f", "a/b.py:f")))


def test_the_hash_is_of_all_that_is_imported_from_beside_it(write: Write) -> None:
    write("pack/__init__.py", "")
    rewards = write("pack/rewards.py", "import os, json\n\n\ndef score(text, gold, problem):\n    from . import deep\n")
    deep = write("pack/deep.py", "import beside\n")
    beside = write("beside.py", "import rest.more\n")
    write("other.py", "")
    write("rest/__init__.py", "")
    more = write("rest/more.py", "X = 1\n")
    found = locate("pack.rewards:score")
    assert (found.file, found.line) == (rewards, 4)
    assert found.files == (
        "beside.py", "pack/__init__.py", "pack/deep.py", "pack/rewards.py", "rest/__init__.py", "rest/more.py",
    )  # fmt: skip
    hashes = {found.hash}
    for path in (rewards, deep, beside, more):
        path.write_text(path.read_text() + "# changed\n")
        hashes.add(locate("pack.rewards:score").hash)
    assert len(hashes) == 5 and all(len(one) == 16 for one in hashes)
    write("other.py", "X = 2\n")
    assert locate("pack.rewards:score").hash in hashes


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("rewards:scor", "rewards.py: `rewards` has no `scor`. Did you mean `score`?"),
        ("rewards:zzz", "It defines score."),
        ("nowhere:score", "there is no module `nowhere`, neither in the current folder, "),
        ("rewards.deep:score", "there is no module `rewards.deep`"),
        ("broken:score", "broken.py:2: SyntaxError: "),
        ("math:sqrt", "`math` is not Python source"),
        ("rewards", "`rewards` is no function: it is written `module:function`"),
    ],
)
def test_a_function_that_is_not_there(write: Write, function: str, said: str) -> None:
    write("rewards.py", "def score(text, gold, problem):\n    return 1\n")
    write("broken.py", "x = 1\ny = = 2\n")
    if function == "math:sqrt":
        write("math_is_built_in.py", "")
        pytest.importorskip("math")
    with pytest.raises(RewardMistake) as error:
        locate(function)
    assert said in str(error.value) or function == "math:sqrt"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def score(text, gold):\n    return 1\n", "rewards.py:1: `score(text, gold)` must take three arguments, "),
        ("async def score(text, gold, problem):\n    return 1\n", "rewards.py:1: `score` is async"),
        ("score = 3\n", "`rewards:score` is int, not a function"),
        (
            "\nimport nothing_such\n\n\ndef score(t, g, p):\n    return 1\n",
            "rewards.py:2: ModuleNotFoundError: ",
        ),
        ("\n\nraise ValueError('no key')\n\n\ndef score(t, g, p):\n    return 1\n", "rewards.py:3: ValueError: no key"),
        ("import os\nos._exit(7)\n\n\ndef score(t, g, p):\n    return 1\n", "the reward does not start (exit code 7)"),
    ],
)
def test_a_function_that_cannot_be_called(
    write: Write, ask: Callable[..., list[Rewarded]], source: str, said: str
) -> None:
    write("rewards.py", source)
    with pytest.raises(RewardMistake, match="`rewards:score` cannot be used: ") as error:
        ask(OwnReward("rewards:score"), ["1"])
    assert said in str(error.value) and "Traceback" not in str(error.value)


def test_what_fails_is_named_and_is_never_a_zero(write: Write, ask: Callable[..., list[Rewarded]]) -> None:
    write("rewards.py", HOSTILE)
    write("helper.py", "def half(text):\n    return 1 / (len(text) - 6)\n")
    failures = {
        "raises": "helper.py:2: ZeroDivisionError: division by zero",
        "crashes": "the reward crashed",
        "exits": "rewards.py:12: SystemExit: 3",
        "loops": "the reward ran out of time",
        "sleeps": "the reward stood still",
        "fills": "the reward ran out of memory",
        "nan": "rewards.py:5: returned nan; a reward must be finite",
        "inf": "rewards.py:5: returned inf; a reward must be finite",
        "none": "rewards.py:5: returned nothing; it must return a number or a label",
        "dict": "rewards.py:5: returned a dict; it must return a number or a label",
        "word": "rewards.py:5: returned `right`; a label is one of correct, wrong, no_answer, truncated, grader_failed",
    }
    found = ask(OwnReward("rewards:score", seconds=0.5), [*failures, "else", "raises"])
    assert [one.failure for one in found] == [*failures.values(), "", failures["raises"]]
    assert [one.number for one in found if not one.failure] == [0.5]


def test_what_a_function_gets_and_may_return(write: Write, ask: Callable[..., list[Rewarded]]) -> None:
    write(
        "rewards.py",
        "import numpy as np\n\n\nclass Scorer:\n    def __call__(self, text, gold, problem):\n"
        "        if text == 'label':\n            return 'no_answer'\n"
        "        if text == 'failed':\n            return 'grader_failed'\n"
        "        if text == 'same':\n"
        "            return problem.gold == gold and problem.tags['kind'] == 'sum' and problem.id\n"
        "        return {'true': True, 'numpy': np.float32(0.25), 'array': np.array(2), 'minus': -3}[text]\n\n\n"
        "score = Scorer()\n",
    )
    found = ask(OwnReward("rewards:score"), ["label", "failed", "true", "numpy", "array", "minus", "same"])
    assert [one.number for one in found] == [None, None, 1.0, 0.25, 2.0, -3.0, None]
    assert [one.label for one in found] == [Mark.NO_ANSWER] + 6 * [None]
    assert found[1].failure == "it returned grader_failed" and f"returned `{PROBLEM.id}`" in found[6].failure


def test_a_problem_arrives_as_it_was_sent() -> None:
    for one in (PROBLEM, Problem("é\u2028", "B", {}, CHOICE, "a letter"), Problem("a", "1", {}, Rule(tolerance=0.1))):
        assert problem_of(written_problem(one)) == one


def test_another_source_on_a_node_is_refused(write: Write, ask: Callable[..., list[Rewarded]]) -> None:
    path = write("rewards.py", "def score(text, gold, problem):\n    return 1\n")
    own = OwnReward.here("rewards:score", hash=locate("rewards:score").hash)
    assert own.paths[0] == str(path.parent) and [one.number for one in ask(own, ["a"])] == [1.0]
    path.write_text("def score(text, gold, problem):\n    return 2\n")
    with pytest.raises(RewardMistake, match=f"its source must have the hash {own.hash}, but {path} on .* has"):
        ask(own, ["a"])


PLAIN = "def score(text, gold, problem):\n    return float(f'boxed{{{gold}}}' in text)\n"
BUSY = (
    "import time\n    end = time.process_time() + 0.15\n    while time.process_time() < end:\n        pass\n    return"
)


@pytest.mark.parametrize(
    ("source", "failing"),
    [
        (PLAIN, {}),
        (f"import random\n\n\n{PLAIN.rstrip()} * random.random()\n", {"gives_the_same_again": "gives 0."}),
        (
            PLAIN.replace("float(", "1 - float("),
            {"gives_right_answers_more": "gives 0 for the gold answer 5, "},
        ),
        (PLAIN.replace("return", "return text[0] and"), {"gives_a_reward_for_every_text": "IndexError"}),
        (PLAIN.replace("return", BUSY), {"is_fast_enough": "ms of processor time a call; at most 100 ms"}),
        ("def score(text):\n    return 1\n", {"can_be_called": "must take three arguments"}),
    ],
)
def test_the_contract_finds_its_fault(write: Write, source: str, failing: dict[str, str]) -> None:
    write("rewards.py", source)
    subject, found = under_test("rewards:score"), {}
    # all checks, but where one that fails ends all or costs the others much time
    alone = [check for check in CHECKS if check.__name__ in ("can_be_called", "is_fast_enough")]
    for check in [check for check in alone if check.__name__ in failing] or CHECKS:
        try:
            check(subject)
        except (AssertionError, RewardMistake) as error:
            found[check.__name__] = str(error)
    assert found.keys() == failing.keys(), found
    assert all(words in found[name] for name, words in failing.items()), found
