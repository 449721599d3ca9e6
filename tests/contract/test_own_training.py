"""Problems and a reward of one's own in an experiment: from plan to report, and everything that may be wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from algorithms.registry import ALL, get
from harness import config
from harness.base.errors import FAILED, OK, USAGE, UserError
from harness.models.resolving import SHIPPED
from harness.planning import plan
from harness.records import DataRecord, Plan, RunFolder, TrialRecord, read_json, read_jsonl

Call = Callable[..., tuple[int, str, str]]
EXPERIMENT = """\
name: own
model: quickstart-base
template: bare
train: {file: data/train.jsonl}
seeds: [0]
budget: {rollouts: 32}
recipe: {group_size: 4, prompts_per_step: 4, epochs: 1, minibatches: 1, max_tokens: 12, reward: my_pack.rewards:score}
evaluation: {benchmarks: {mine: {file: data/my.jsonl, k: 2}, mini_sums: 1}, points: 1, limit: 3}
arms: {grpo: {}, dr_grpo: {}}
comparison: {target: grpo, baselines: [dr_grpo]}
"""
REWARDS = '''\
def score(text, gold, problem):
    """Short answers are worth more."""
    return 1 / (1 + len(text))


def other(text, gold, problem):
    return float(gold in text)
'''
MINE = [{"problem": "What is 2+3?", "answer": 5}, {"problem": "What is 2*3?", "answer": 6}]
TRAIN = [{"problem": f"What is {n}+{n}?", "answer": 2 * n} for n in range(10, 18)]


def lines(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def place(tmp_path: Path, rence: Call) -> Path:
    """The current folder: an experiment, its data and its reward."""
    (tmp_path / "data").mkdir()
    lines(tmp_path / "data" / "my.jsonl", MINE)
    lines(tmp_path / "data" / "train.jsonl", [*TRAIN, {"problem": "what is 2 + 3 ?", "answer": 5}])
    (tmp_path / "my_pack").mkdir()
    (tmp_path / "my_pack" / "__init__.py").write_text("")
    (tmp_path / "my_pack" / "rewards.py").write_text(REWARDS)
    (tmp_path / "own.yaml").write_text(EXPERIMENT)
    return tmp_path


def test_from_plan_to_report(rence: Call, place: Path) -> None:
    code, out, err = rence("plan", "own.yaml")
    assert code == OK, err
    assert "train: 8 problems; left out: 1 in mine (file " in out
    assert "Reward my_pack.rewards:score fails where it raises, crashes, returns NaN or anything but a number" in out
    assert "in the budget and as `reward/failed`; learnt nothing from, which is not a reward of 0" in out
    code, out, _ = rence("plan", "own.yaml", "--json")
    assert json.loads(out)["own_rewards"][0]["arms"] == ["grpo", "dr_grpo"]
    assert json.loads(out)["training_set"] == {"problems": 8, "removed": {"in mine": 1}}
    code, out, err = rence("run", "own.yaml")
    assert code == OK, err
    run = RunFolder(Path("runs/own"))
    data, made = DataRecord.read(run.data), Plan.read(run.plan)
    assert (data.train, data.problems, data.removed, data.kept) == ("train", 8, {"in mine": 1}, {})
    recorded = read_json(run.resolved)
    assert recorded["recipe"]["reward"] == "my_pack.rewards:score" and made.recipe["reward"] == "my_pack.rewards:score"
    digest = recorded["recipe"]["reward_hash"]
    assert len(digest) == 16 and made.recipe["reward_hash"] == digest and made.train_hash == recorded["train"]["hash"]
    assert TrialRecord.read(run.trial("grpo", 0).trial).reward == f"my_pack.rewards:score ({digest})"
    assert all(arm.spec["label"] == f"own: my_pack.rewards:score ({digest})" for arm in made.arms)
    for step in read_jsonl(run.trial("grpo", 0).steps):
        assert 0 < step["metrics"]["reward/mean"] < 0.5 and step["metrics"]["reward/failed"] == 0
    page = (run.report / "report.md").read_text(encoding="utf-8")
    assert "8 problems; left out: 1 in mine" in page and "arms matched" in page and digest in page

    # nothing has changed, so nothing is done; then a file and the reward have
    assert rence("run", "own.yaml")[0] == OK
    lines(place / "data" / "train.jsonl", TRAIN)
    code, _, err = rence("run", "own.yaml")
    assert code == USAGE and f"{place / 'data' / 'train.jsonl'} has changed since. Restore it" in err
    with pytest.raises(UserError, match=r"train\.jsonl: training set `train` must have the hash"):
        config.load(run.resolved)
    lines(place / "data" / "train.jsonl", [*TRAIN, {"problem": "what is 2 + 3 ?", "answer": 5}])
    (place / "my_pack" / "rewards.py").write_text(REWARDS + "\n# changed\n")
    code, _, err = rence("run", "own.yaml")
    assert code == USAGE and "the source of the reward `my_pack.rewards:score` has changed since." in err


def test_options_of_a_training_file(rence: Call, place: Path) -> None:
    found = config.load(place / "own.yaml", ["train.limit=3", "train.name=small", "train.tolerance=0.25"])
    problems = found.training_set.problems
    assert found.train == "small" and [one.gold for one in problems] == ["20", "22", "24"]
    assert {one.rule.label for one in problems} == {"maths within 0.25"}
    again = config.load(place / "own.yaml", ["train.rule=numbers"])
    assert {one.rule.label for one in again.training_set.problems} == {"numbers"}
    with pytest.raises(UserError, match="a letter, A to J, but is `20`"):
        config.load(place / "own.yaml", ["train.rule=choice"])
    with pytest.raises(UserError, match=r"`train\.limit` must be at least 1"):
        config.load(place / "own.yaml", ["train.limit=0"])
    with pytest.raises(UserError, match=r"`train\.limits` is not a key. Did you mean `limit`"):
        config.load(place / "own.yaml", ["train.limits=1"])


def test_what_lines_say_beside_problem_and_answer_is_locked(rence: Call, place: Path) -> None:
    """Rules and tolerances decide what is right, and a reward may read the tags."""
    hashes = set()
    for extra in ({}, {"rule": "numbers"}, {"tolerance": 0.1}, {"kind": "sum"}):
        lines(place / "data" / "train.jsonl", [{**row, **extra} for row in TRAIN])
        made = plan.make(config.load(place / "own.yaml"), SHIPPED["quickstart-base"])
        hashes.add((made.train_hash, made.lock))
    assert len(hashes) == 4 and {one.partition(",")[0] for one, _ in hashes} == {made.train_hash.partition(",")[0]}


def test_problems_that_are_evaluated_are_kept_only_if_that_is_asked(rence: Call, place: Path) -> None:
    code, out, _ = rence("plan", "own.yaml", "train.overlap=keep")
    assert code == OK and "1 in mine are learnt from all the same" in out
    code, _, err = rence("run", "own.yaml", "train.overlap=keep")
    assert code == OK, err
    run = RunFolder(Path("runs/own"))
    assert DataRecord.read(run.data).kept == {"in mine": 1} and DataRecord.read(run.data).problems == 9
    page = (run.report / "report.md").read_text(encoding="utf-8")
    assert "Training held problems that are evaluated (1 in mine): these scores are not of unseen problems." in page
    lines(place / "data" / "train.jsonl", MINE)
    code, _, err = rence("run", "own.yaml", "name=all")
    assert code != OK and "all 2 problems are of benchmarks that are evaluated (2 in mine)" in err
    assert "`train.overlap: keep`" in err and not Path("runs/all/plan.json").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"problem": "a"}\n', ":1: `answer` or `gold` is missing."),
        (b'{"problem": "a", "answer": ""}\n', ":1: `answer` is empty."),
        (b'{"problem": "a", "answer": "1"}\n' * 2, ":2: the line has the same problem as another, line 1."),
        (b'{"problem": "a", "answer": "\\\\frac{1}{2"}\n', ":1: the answer cannot be marked"),
        ('{"problem": "é", "answer": "1"}\n'.encode("latin-1"), ":1: the line is not UTF-8: byte 0xe9"),
        (b"", " holds no problems."),
        (b"problem,answer\n1,2\n", ":1: the line is not JSON"),
    ],
)
def test_a_bad_training_file_is_one_message_and_leaves_nothing(
    rence: Call, place: Path, content: bytes, said: str
) -> None:
    (place / "data" / "train.jsonl").write_bytes(content)
    for command in ("plan", "run"):
        code, _, err = rence(command, "own.yaml")
        assert code == USAGE and said in err and "own.yaml:4: " in err, err
        assert "`problem` (or `question`) and `answer` (or `gold`" in err and "`rence benchmarks pin " in err
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            "recipe.reward=labels",
            'or a function of yours, `module:function`, but is "labels" instead. Did you mean `label`',
        ),
        ("recipe.reward=nowhere:f", "there is no module `nowhere`, neither in the current folder, "),
        ("recipe.reward=my_pack.rewards:scor", "rewards.py: `my_pack.rewards` has no `scor`. Did you mean `score`?"),
        ("recipe.reward=my_pack.bad:two", "bad.py:1: `two(text, gold)` must take three arguments"),
        ("recipe.reward=my_pack.bad:text", "bad.py:5: returned `yes`; a label is one of correct, wrong, no_answer"),
        ("recipe.reward=my_pack.bad:breaks", "bad.py:10: KeyError: 'level'"),
        ("recipe.reward=my_pack.worse:f", "worse.py:1: SyntaxError: "),
        ("recipe.reward_hash=abc", "its source must have the hash abc, but "),
        ("arms.grpo.recipe.reward_seconds=0", "`arms.grpo.recipe.reward_seconds` must be more than 0"),
        ("arms.grpo.algorithm=rence", "`rence` asks which rollouts are right, but `my_pack.rewards:score` returns 0."),
    ],
)
def test_a_reward_that_cannot_be_used_is_refused_before_anything_is_written(
    rence: Call, place: Path, override: str, said: str
) -> None:
    (place / "my_pack" / "bad.py").write_text(
        "def two(text, gold):\n    return 1\n\n\ndef text(text, gold, problem):\n    return 'yes'\n\n\n"
        "def breaks(text, gold, problem):\n    return problem.tags['level']\n"
    )
    (place / "my_pack" / "worse.py").write_text("def f(:\n")
    for command in ("plan", "run"):
        code, _, err = rence(command, "own.yaml", override)
        assert code == USAGE and said in err and "Traceback" not in err, err
    assert not Path("runs/own/plan.json").exists()


def test_settings_of_a_reward_without_one(rence: Call, place: Path) -> None:
    for key, value in (("reward_threshold", "0.5"), ("reward_seconds", "3"), ("reward_hash", "abc")):
        code, _, err = rence("plan", "own.yaml", "recipe.reward=label", f"recipe.{key}={value}")
        assert code == USAGE and f"`recipe.{key}` has no effect: `recipe.reward` is `label`" in err


TWO = "arms={grpo: {}, other: {algorithm: grpo, recipe: {reward: 'my_pack.rewards:other'}}}"
COMPARED = "comparison={target: grpo, baselines: [other]}"


def test_arms_with_different_rewards_are_no_comparison_of_algorithms(rence: Call, place: Path) -> None:
    code, _, err = rence("plan", "own.yaml", TWO, COMPARED)
    assert code == USAGE and "the arms `grpo` and `other` differ in their reward, my_pack.rewards:score (" in err
    assert "`comparison.factor: reward`" in err
    marker = TWO.replace("my_pack.rewards:other", "label")
    assert "differ in their reward" in rence("plan", "own.yaml", marker, COMPARED)[2]
    factor = "comparison.factor=reward"
    code, _, err = rence("plan", "own.yaml", factor)
    assert code == USAGE and "`comparison.factor` is reward, but the arms `grpo` and `dr_grpo` have the same one" in err
    more = TWO.replace("{reward", "{learning_rate: 0.01, reward")
    code, _, err = rence("plan", "own.yaml", more, COMPARED, factor)
    assert code == USAGE and "differ in `recipe.learning_rate` as well" in err
    another = TWO.replace("algorithm: grpo", "algorithm: dr_grpo")
    assert "differ in their algorithm as well" in rence("plan", "own.yaml", another, COMPARED, factor)[2]


def test_rewards_are_compared_where_the_plan_says_so(rence: Call, place: Path) -> None:
    code, _, err = rence("run", "own.yaml", TWO, COMPARED, "comparison.factor=reward")
    assert code == OK, err
    run = RunFolder(Path("runs/own"))
    told = json.loads((run.report / "verdict.json").read_text(encoding="utf-8"))
    assert told["comparison"]["factor"] == "reward" and all(not pair["unmatched"] for pair in told["pairs"])
    assert "What is compared is the reward in training, not an algorithm: " in told["verdict"]
    assert "by `my_pack.rewards:score`" in told["verdict"] and "by `my_pack.rewards:other`" in told["verdict"]
    assert "arms matched but for the reward" in told["verdict"]
    assert rence("compare", "runs/own/grpo", "runs/own/other")[0] == OK

    # across runs that do not say so they are not matched
    code, _, err = rence("run", "own.yaml", "name=plain", "recipe.reward=label", "--only", "grpo")
    assert code == OK, err
    code, _, err = rence("compare", "runs/own/grpo", "runs/plain/grpo")
    assert code == USAGE and "the reward differs (seed 0)" in err


def test_check_tries_a_reward(rence: Call, place: Path) -> None:
    code, out, _ = rence("check", "my_pack.rewards:other", "--json")
    assert code == OK and {row["passed"] for row in json.loads(out)["checks"]} == {True}
    code, out, _ = rence("check", "my_pack.rewards:score")
    assert code == FAILED and "gives right answers more" in out and "for the gold answer 5, and " in out
    code, _, err = rence("check", "my_pack.rewards:nothing")
    assert code == USAGE and "has no `nothing`" in err


def test_the_how_to_is_true(rence: Call, place: Path) -> None:
    """Its lines are problems, its function passes the checks, and each of its pieces of an experiment loads in one."""
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "own-data.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w*)(?: run)?\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    of = {language: [text for name, text in blocks if name == language] for language in ("text", "python", "yaml")}
    (place / "my_package").mkdir()
    (place / "my_package" / "__init__.py").write_text("")
    (place / "my_package" / "rewards.py").write_text(of["python"][0])
    (place / "train.jsonl").write_text(of["text"][0])
    assert rence("check", "my_package.rewards:score")[0] == OK
    base = yaml.safe_load(EXPERIMENT)
    out = ""
    for text in of["yaml"]:
        piece = yaml.safe_load(text)
        made = {**base, **piece, "recipe": {**base["recipe"], **piece.get("recipe", {})}}
        (place / "piece.yaml").write_text(yaml.safe_dump(made, sort_keys=False))
        code, out, err = rence("plan", "piece.yaml")
        assert code == OK, err
    assert len(of["yaml"]) == 3 and "shaped" in out
    said = "train: 8 problems; left out: 1 in mine (file /data/train.jsonl, hash"
    assert said in of["text"][1] and said.partition(" (")[0] in rence("plan", "own.yaml")[1]
    takes = {name for name in ALL if not get(name).reads_labels}
    rows = [line for line in page.splitlines() if "no threshold needed" in line]
    assert set(re.findall(r"`(\w+)`", rows[0])) == takes
