"""The one YAML reader: what it refuses as soon as it meets it, with the line."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from harness import config
from harness.base.errors import UserError
from harness.config import limits, manifest
from harness.config.experiment import Experiment
from harness.records import DataError, yaml_reader
from harness.records.yaml_reader import MOST_DEPTH, MOST_NODES, Key, YamlMistake
from reports.gate import nodes

BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(24)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} {{<<: [*{chr(97 + i)}, *{chr(97 + i)}]}}\n" for i in range(24)
)


def test_plain_data_with_lines() -> None:
    lines: dict[Key, int] = {}
    text = "a: 1\nb:\n  - x\n  - {c: 1e-4, d: no}\n'5': '5'\ne:\n"
    assert yaml_reader.load(text, lines) == {"a": 1, "b": ["x", {"c": 1e-4, "d": "no"}], "5": "5", "e": None}
    assert (lines["a",], lines["b", 0], lines["b", 1, "d"], lines["5",]) == (1, 3, 4, 5)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (BOMB, 1, "`a` is an anchor (`&a`), which is not read. Write the part out."),
        (MERGES, 1, "`a` is an anchor"),
        ("a: 1\nb: *a", 2, "`b` is an alias (`*a`)"),
        ("*a : 1", 1, "this is an alias"),
        ("a:\n  <<: {b: 1}", 2, "`a.<<`, a merge of keys, is not read"),
        ("a: !!python/object/apply:os.system [x]", 1, "`a` has the tag `tag:yaml.org,2002:python/object/apply:os.sys"),
        ("a: !!int '1'", 1, "has the tag"),
        ("a: ! x", 1, "has the tag `!`"),
        ("a: 1\n---\nb: 1", 2, "a second document begins here"),
        ("a: 1\na: 2", 2, "`a` is given twice, first in line 1. Remove one of them."),
        ("? [a]\n: 1", 1, "a key must be a word, but is a list instead."),
        ("[" * 100_000, 1, f"more than {MOST_DEPTH} levels deep"),
        ("a: " + "{a: " * 100_000, 1, f"more than {MOST_DEPTH} levels deep"),
        ("- " * 100_000, 1, f"more than {MOST_DEPTH} levels deep"),
        ("[" + "1," * 600_000 + "]", 1, f"more than {MOST_NODES:,} keys and values"),
        ("a: 9223372036854775808", 1, "`a` must be from -9223372036854775808 to 9223372036854775807, but is 92233"),
        ("a: -9223372036854775809", 1, "64 bits hold no more"),
        ("a: " + "9" * 1_000_000, 1, "64 bits hold no more"),
        ("a: 1e999", 1, "`a` must be a finite number, but is 1e999 instead."),
        ("a: .nan", 1, "`a` must be a finite number, but is NaN instead."),
        ('a: "x\\0"', 1, "`a` holds the control character U+0000"),
        ("a: x\x9by", 1, "control"),
        ('"a\\e": 1', 1, "the control character U+001B"),
        ("a: [1", 2, "this is not YAML"),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, line: int, said: str) -> None:
    began = time.process_time()
    with pytest.raises(YamlMistake) as caught:
        yaml_reader.load(text, {})
    assert said in str(caught.value) and caught.value.line == line
    assert len(str(caught.value)) < 300 and time.process_time() - began < 10, "a minute, and for ever, before"


@pytest.mark.parametrize("text", ["9223372036854775807", "-9223372036854775808", "007", "0.1e-300"])
def test_what_64_bits_hold_is_read_as_it_is_written(text: str) -> None:
    assert yaml_reader.load(f"a: {text}", {}) == {"a": float(text) if "." in text else int(text)}


def test_all_who_read_yaml_read_it_so(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    for text in (BOMB, MERGES, "[" * 100_000, "a: 1\n---\na: 1\n", "a: !!str 1\n", "a: 1\na: 2\n", "a: 1" + "0" * 30):
        path.write_text(text)
        with pytest.raises(UserError, match=f"^{path}:[0-9]+"):
            manifest.read(path)
        with pytest.raises(DataError, match=f"^{path}:[0-9]+: "):
            nodes.read(path)
    for text in ("&a [1]", "*a", "!!str 1", "[" * 100_000, "1" + "0" * 30, "{a: 1, a: 2}", "[0]\n---\n[1]"):
        path.write_text("a: 1\n")
        with pytest.raises(UserError, match=r"^`seeds="):
            manifest.read(path, [f"seeds={text}"])
    with pytest.raises(UserError, match="levels deep"):
        manifest.read(path, [".".join("a" * 4000) + "=1"])


def test_too_many_bytes_and_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"# \xff")
    with pytest.raises(UserError, match="is not UTF-8: invalid start byte at byte 2"):
        manifest.read(path)
    with path.open("wb") as file:
        file.truncate(10**10)
    with pytest.raises(UserError, match="has 10,000,000,000 bytes, but at most 4,000,000 are read"):
        manifest.read(path)
    with pytest.raises(DataError, match="has 10,000,000,000 bytes, but at most 16,000,000 are read"):
        nodes.read(path)


def test_a_baselines_words_are_those_of_yaml_1_1(tmp_path: Path) -> None:
    """PyYAML, which wrote the files there are, leaves the quotes off what its YAML takes for a word."""
    path = tmp_path / "b.yaml"
    path.write_text("a: 12e45678\nb: 089\nc: 1.5\nd: 12\ne: null\nf: '12'\n")
    assert nodes.read(path).data == {"a": "12e45678", "b": "089", "c": 1.5, "d": 12, "e": None, "f": "12"}


EXPERIMENT = """\
name: tiny
model: quickstart-base
template: bare
train: mini_rl
seeds: [0]
budget: {rollouts: 64}
evaluation: {benchmarks: {mini_sums: 1}}
arms: {grpo: {}}
comparison: {target: grpo}
"""


def _load(tmp_path: Path, *overrides: str, more: str = "") -> object:
    path = tmp_path / "e.yaml"
    path.write_text(EXPERIMENT + more)
    return config.load(path, overrides)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (f"seeds={[*range(limits.SEEDS + 1)]}", "`seeds` must be shorter: at most 1,000 are allowed"),
        ("evaluation.points=1001", "`evaluation.points` must be at most 1,000, but is 1001 instead."),
        ("budget.rollouts=1000000000001", "`budget.rollouts` must be at most 1,000,000,000,000, but is"),
        ("evaluation.seed=-1", "`evaluation.seed` must be at least 0"),
        ("evaluation.benchmarks={" + ", ".join(f"b{i}: 1" for i in range(201)) + "}", "at most 200 are allowed"),
        ("arms={" + ", ".join(f"a{i}: {{algorithm: grpo}}" for i in range(1001)) + "}", "at most 1,000 are allowed"),
        ("grid={base: grpo, factors: {kl_coef: " + str([i / 1e6 for i in range(1002)]) + "}}", "has 1,002 values"),
        ("ablate={base: grpo, pieces: {" + ", ".join(f"p{i}: {{kl_coef: {i + 1}e-6}}" for i in range(1000)) + "}}",
         "this ablation has 1,001 combinations; at most 999 more arms may be made, 1,000 in one experiment."),
        (f"record_steps={[*range(1, 1002)]}", "`record_steps` must be shorter"),
    ],
)  # fmt: skip
def test_how_much_one_experiment_may_ask_for(tmp_path: Path, override: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        _load(tmp_path, override)
    assert said in str(caught.value) and len(str(caught.value)) < 500


def test_many_sweeps_are_counted_together_and_before_they_are_made(tmp_path: Path) -> None:
    values = [0.04, *(i / 1e6 for i in range(1, 400))]
    for design in ("full", "one_at_a_time"):
        grid = f"  - {{base: grpo, design: {design}, factors: {{kl_coef: {values}}}}}\n"
        with pytest.raises(
            UserError, match=r"this grid has .* combinations; at most [12][0-9]{2} more arms may be made"
        ):
            _load(tmp_path, more=f"grid:\n{grid * 3}")
    with pytest.raises(UserError, match="1,000 arms x 101 seeds are 101,000 trials; at most 100,000 are allowed"):
        arms = ", ".join(f"a{i}: {{algorithm: grpo}}" for i in range(999))
        _load(tmp_path, f"arms={{grpo: {{}}, {arms}}}", f"seeds={[*range(101)]}")


def test_the_largest_seed_is_a_seed(tmp_path: Path) -> None:
    """2**63 - 1 was another seed in the report: the column of seeds has a gap, and is one of floats."""
    found = _load(tmp_path, "seeds=[9007199254740991]", "evaluation.seed=9007199254740991")
    assert (
        isinstance(found, Experiment) and found.seeds == (2**53 - 1,) and int(float(found.seeds[0])) == found.seeds[0]
    )
    with pytest.raises(UserError, match=r"`seeds\[0\]` must be at most 9,007,199,254,740,991, but is 9007199254740992"):
        _load(tmp_path, "seeds=[9007199254740992]")


def test_a_long_way_up_is_no_crash(tmp_path: Path) -> None:
    chain = ", ".join(f"b{i}: {{extends: {f'b{i + 1}' if i < 899 else 'grpo'}}}" for i in range(900))
    with pytest.raises(UserError, match="`b0` takes from more than 100 arms, one through the other"):
        _load(tmp_path, f"arms={{grpo: {{}}, {chain}}}")


def test_tuning_is_counted_before_it_is_made(tmp_path: Path) -> None:
    rates = [i / 1e6 for i in range(1, 901)]
    block = f"tuning={{grid: {{recipe.learning_rate: {rates}}}, seeds: [9], benchmarks: {{mini_chains: 1}}}}"
    arms = ", ".join(f"a{i}: {{algorithm: grpo}}" for i in range(4))
    with pytest.raises(UserError, match="5 arms x 900 candidates are 4,500 to be tuned; at most 4,000 are tried"):
        _load(tmp_path, block, f"arms={{grpo: {{}}, {arms}}}")
