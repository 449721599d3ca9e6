"""What files may hold is what the types of their records say."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import pytest

from harness.records import DataError, Plan, StepRecord, last_line, read_json, read_jsonl
from harness.records.allowed import ASCENDING, Count, Date, FolderName, Whole
from harness.records.decode import decoder
from harness.records.wrong_type import WrongType


@dataclass(frozen=True)
class Inner:
    name: FolderName
    k: Count = 1


class Loose(TypedDict):
    metric: str
    low: NotRequired[float]


@dataclass(frozen=True)
class Outer:
    inner: list[Inner]
    either: int | str | None
    kind: Literal["full", "half", 1] = "full"
    pair: tuple[int, float] = (0, 0.0)
    rest: dict[str, Any] = field(default_factory=dict)


GOOD = [
    (int, -3),
    (float, 3),
    (float, 0.5),
    (bool, True),
    (None, None),
    (str, "ä 🙂"),
    (str | None, None),
    (float | int | str, "x"),
    (Whole, 0),
    (Date, ""),
    (Date, "2026-11-30T02:00:00+00:00"),
    (dict[str, float | None], {"a": 1, "b": 0.5, "c": None, "ä": 1.5}),
    (Annotated[list[int], ASCENDING], [1, 2, 9]),
    (Loose, {"metric": "m", "of a later version": [1]}),
    (Any, {"a": [1, None, {"b": "c"}]}),
]
BAD = [
    (int, True, "must be a whole number, but is true instead"),
    (int, 1.0, "must be a whole number, but is 1.0 instead"),
    (int, "1", 'must be a whole number, but is "1" instead'),
    (int, 2**63, "must be a number of at most 64 bits, but is larger"),
    (float, -(10**30), "must be a number of at most 64 bits, but is larger"),
    (float, float("inf"), "must be a finite number"),
    (dict[str, float | None], {"a": float("nan")}, ": `a` must be a finite number"),
    (Any, {"a": [float("inf")]}, ": `a[0]` must be a finite number"),
    (bool, 0, "must be true or false, but is 0 instead"),
    (str, None, "must be a text, but is null instead"),
    (str, "\ud800", "must be a text of whole characters"),
    (dict[str, int], {"\udfff": 1}, "has a key that must be a text of whole characters"),
    (str | None, [], "must be a text or null, but is a list of 0 instead"),
    (Count, 0, "must be a whole number of at least 1, but is 0 instead"),
    (FolderName, "../x", 'must be a text that can be the name of a folder, but is "../x" instead'),
    (FolderName, "..", "must be a text that can be the name of a folder"),
    (FolderName, "a\nb", "must be a text that can be the name of a folder"),
    (Date, "yesterday", "must be a text that is an ISO date, or empty"),
    (Literal["a", "b"], "c", 'must be `a` or `b`, but is "c" instead'),
    (Literal["a", "b"], ["a"], "must be `a` or `b`, but is a list of 1 instead"),
    (Annotated[list[int], ASCENDING], [1, 1], "must be a list that ascends"),
    (list[int], {"a": 1}, "must be a list, but is an object of 1 instead"),
    (list[list[int]], [[1], [2, "x"]], ': `[1][1]` must be a whole number, but is "x" instead'),
    (Loose, {"low": 1}, "lacks `metric`"),
    (Loose, {"metric": "m", "low": "x"}, ': `low` must be a number, but is "x" instead'),
    (Inner, {}, "lacks `name`"),
    (Outer, {}, "lacks `inner`, `either`"),
    (Outer, {"inner": [{"name": "a"}, {"name": "b", "k": 0}], "either": 1}, ": `inner[1].k` must be a whole number of"),
    (Outer, {"inner": [], "either": 1.5}, ": `either` must be a whole number or a text or null, but is 1.5 instead"),
    (Outer, {"inner": [], "either": 1, "kind": True}, ": `kind` must be `full` or `half` or `1`, but is true instead"),
    (Outer, {"inner": [], "either": 1, "pair": [1]}, ": `pair` must be a list of 2, but is a list of 1 instead"),
]


@pytest.mark.parametrize(("kind", "value"), GOOD)
def test_what_is_of_a_type_stays_as_it_is(kind: Any, value: Any) -> None:
    found = decoder(kind)(value)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(("kind", "value", "said"), BAD)
def test_what_is_not_says_where_and_what_is_allowed(kind: Any, value: Any, said: str) -> None:
    with pytest.raises(WrongType) as raised:
        decoder(kind)(value)
    assert said in str(raised.value)


def test_objects_become_records_and_what_a_later_version_wrote_is_left_out() -> None:
    data = {"inner": [{"name": "a", "later": {}}], "either": None, "pair": [1, 2.5], "later": 1, "rest": {"x": [1]}}
    assert decoder(Outer)(data) == Outer([Inner("a")], None, pair=(1, 2.5), rest={"x": [1]})


def test_nesting_that_no_type_bounds_has_an_end() -> None:
    value: Any = 1
    for _ in range(63):
        value = [value]
    assert decoder(Any)(value) == value
    with pytest.raises(WrongType, match="nested 64 deep at most"):
        decoder(Any)([[value]])


def test_a_type_that_is_not_known_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="no decoder for"):
        decoder(set[int])


WHOLE = {
    b"": "is not valid JSON: Expecting value",
    b"[]": "must be an object, but is a list of 0 instead",
    b"7": "must be an object, but is 7 instead",
    b'{"a": 1, "a": 2}': 'must have each key once, but has "a" twice',
    b'{"a": NaN}': "must hold numbers, but holds NaN",
    b'{"a": 1e999}': ": `a` must be a finite number",
    b'{"a": %s}' % (b"9" * 5000): "a number in it has thousands of digits",
    b'{"a": "\xff"}': "is not valid JSON: 'utf-8' codec can't decode",
    b"\xef\xbb\xbf{}": "is not valid JSON: Unexpected UTF-8 BOM",
    b'{"schema": 99}': "has schema 99; this rence reads up to 1. Upgrade rence-bench.",
    b'{"schema": "1"}': 'must have a whole number of at least 1 as its `schema`, but has "1" instead',
    b'{"schema": true}': "must have a whole number of at least 1 as its `schema`, but has true instead",
    b"[" * 100_000: "is nested too deep to be read",
    b'{"a":' * 100_000: "is nested too deep to be read",
}


@pytest.mark.parametrize("content", WHOLE)
def test_a_file_that_is_no_object_is_named_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(DataError) as raised:
        read_json(path, mend="Make it anew.")
    said = str(raised.value)
    assert said.startswith(str(path)) and WHOLE[content] in said and said.endswith(("anew.", "rence-bench."))
    path.write_bytes(b"{}\n" + content.replace(b"\n", b" ") + b"\n")
    with pytest.raises(DataError, match=":2") as raised:
        list(read_jsonl(path))
    assert WHOLE[content].partition(": Exp")[0] in str(raised.value)


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "loop.json").symlink_to(tmp_path / "loop.json")
    for name, said in (
        ("pipe.json", "is a FIFO, which ends when its writer does, but must be a regular file"),
        ("folder.json", "is a folder, but must be a regular file"),
        ("none.json", "does not exist"),
        ("loop.json", "is a symbolic link that leads back to itself"),
        ("x" * 300, "cannot be read: File name too long"),
    ):
        with pytest.raises(DataError, match=said):
            read_json(tmp_path / name)
    for read in (lambda path: list(read_jsonl(path)), lambda path: last_line(path, StepRecord)):
        with pytest.raises(DataError, match="is a FIFO"):
            read(tmp_path / "pipe.json")


def test_a_settings_section_is_found_under_the_backends_name(tmp_path: Path) -> None:
    """The two keys of a plan that are not fields of the same name."""
    arm = {"name": "a", "algorithm": "a", "title": "A", "hyperparameters": {}, "spec": {}, "recipe_differences": {}}
    words = dict.fromkeys(("experiment", "backend", "model", "model_hash", "train", "template", "lock"), "mine")
    plan = {
        **words,
        "arms": [{**arm, "activity": [], "fingerprint": "f"}],
        "seeds": [0],
        "benchmarks": {"sums": 1},
        "curve_benchmarks": {},
        "comparison": {"target": "a", "baselines": []},
        "budget_rollouts": 8,
        "grid_rollouts": [8],
        "mine": {"cores": 3},
        **{key: {} for key in ("recipe", "evaluation", "tuning")},
    }
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan))
    found = Plan.read(path)
    assert found.backend_settings == {"cores": 3} and found.to_json()["mine"] == {"cores": 3}
    for changes, said in (
        ({"seeds": [0, 0]}, "`seeds` must be a list that is not empty without repetition, but is a list of 2"),
        ({"grid_rollouts": [8, 4]}, "`grid_rollouts` must be a list that is not empty that ascends"),
        ({"comparison": {"target": "b", "baselines": []}}, "must compare the arms that it has, a, but names `b`"),
        ({"arms": []}, "`arms` must be a list that is not empty, but is a list of 0"),
        ({"mine": []}, "`backend_settings` must be an object"),
        ({"tuning": {"tried": [], "chosen": {}}}, "`tuning` lacks `run`, `seeds`, `benchmarks`"),
    ):
        path.write_text(json.dumps({**plan, **changes}))
        with pytest.raises(DataError, match=r"plan\.json") as raised:
            Plan.read(path)
        assert said in str(raised.value)
