"""Problems of your own: one line of a command or of an experiment, files that are wrong, and what is recorded."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.files import jsonl
from benchmarks.marks import CHOICE, NUMBERS, Rule
from benchmarks.problems import Benchmark, Problem, ProblemsError
from benchmarks.registry import benchmark
from harness import config
from harness.base.errors import OK, USAGE, UserError
from harness.base.reserved import RESERVED
from harness.models.resolving import SHIPPED
from harness.planning import plan
from harness.records import EvalFolder, EvalRecord, Plan, RunFolder
from harness.records.layout import START
from reports.data.scores import AVERAGE

Call = Callable[..., tuple[int, str, str]]
ROWS = '{"problem": "What is 2+3?", "answer": 5}\n{"question": "What is 2*3?", "gold": " 6 ", "level": 2}\n'
EVAL = ["eval", "--model", "quickstart-base", "--template", "bare", "--max-tokens", "16", "--limit", "3"]
EXPERIMENT = """\
name: own
model: quickstart-base
template: bare
train: {file: data/train.jsonl}
seeds: [0]
budget: {rollouts: 16}
recipe: {group_size: 4, prompts_per_step: 4, epochs: 1, minibatches: 1, max_tokens: 16}
evaluation: {benchmarks: {mine: {file: data/my.jsonl, k: 2, title: My problems}, mini_sums: 1}, points: 1, limit: 3}
arms: {rence: {}, grpo: {}}
comparison: {target: rence, baselines: [grpo]}
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "my.jsonl"
    path.write_text(ROWS)
    return path


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    (tmp_path / "there" / "data").mkdir(parents=True)
    (tmp_path / "there" / "data" / "my.jsonl").write_text(ROWS)
    train = [{"problem": f"What is {n}+{n}?", "answer": 2 * n} for n in range(1, 9)]
    (tmp_path / "there" / "data" / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in train))
    path = tmp_path / "there" / "own.yaml"
    path.write_text(EXPERIMENT)
    return path


def test_a_file_is_a_benchmark_without_code(rence: Call, mine: Path) -> None:
    code, out, _ = rence(*EVAL, "--benchmarks", "my.jsonl:2,mini_sums:4", "--out", "r", "--json")
    assert code == OK and list(json.loads(out)["per_benchmark"]) == ["mini_sums", "my"]
    header = EvalRecord.read(EvalFolder(Path("r/evals/my")).header)
    expected = (Problem("What is 2+3?", "5"), Problem("What is 2*3?", "6"))
    own = Benchmark.from_file(mine)
    assert own.problems == (expected[0], Problem("What is 2*3?", "6", {"level": "2"}))
    assert (header.benchmark_hash, header.problems, header.k) == (own.hash, 2, 2)
    assert (header.title, header.rule) == ("my", "mathematical expressions")
    assert EvalRecord.read(EvalFolder(Path("r/evals/mini_sums")).header).title == "Mini sums"

    code, out, _ = rence(*EVAL, "--benchmarks", f"{mine}:2", "--out", "r")
    assert code == OK and "nothing to do" in out and "\nmy  " in out and "\nMini sums  " in out
    mine.write_text(ROWS.replace("5}", '"five"}'))
    code, _, err = rence(*EVAL, "--benchmarks", "my.jsonl:2", "--out", "r")
    assert code == USAGE and "r holds another evaluation (my): benchmark_hash:" in err


def test_answers_of_a_file_may_be_letters(rence: Call, tmp_path: Path) -> None:
    """The file's lines say it, or the command does."""
    row = {"problem": "Which is a prime? A: 4, B: 5", "answer": "B"}
    (tmp_path / "gpqa.jsonl").write_text(json.dumps({**row, "rule": "choice"}) + "\n")
    (tmp_path / "bare.jsonl").write_text(json.dumps(row) + "\n")
    code, _, err = rence(*EVAL, "--benchmarks", "gpqa.jsonl,bare.jsonl:2:choice", "--out", "r")
    assert code == OK, err
    for name, k in (("gpqa", 1), ("bare", 2)):
        header = EvalRecord.read(EvalFolder(Path("r/evals") / name).header)
        assert (header.rule, header.k) == ("letters of multiple choice", k)
    code, _, err = rence(*EVAL, "--benchmarks", "gpqa.jsonl,bare.jsonl:2", "--out", "r")
    assert code == USAGE and "r holds another evaluation (bare): rule:" in err
    code, _, err = rence(*EVAL, "--benchmarks", "mini_sums:2:choice", "--out", "s")
    assert code == USAGE and "`mini_sums` has a rule of its own" in err


def test_a_lines_tolerance_and_letters_are_its_rule(tmp_path: Path) -> None:
    path = tmp_path / "my.jsonl"
    rows = [{"problem": "a", "answer": 1.5, "tolerance": 0.01}, {"problem": "b", "answer": "b)", "rule": "choice"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [one.rule for one in Benchmark.from_file(path).problems] == [Rule(tolerance=0.01), CHOICE]
    assert Benchmark.from_file(path, rule=NUMBERS).problems[0].rule == NUMBERS
    assert Benchmark.from_file(path).rule_in_words.startswith("mathematical expressions, decimals within 1.00%;")


@pytest.mark.parametrize(
    "row, said",
    [
        ({"answer": "1", "tolerance": 2}, "`tolerance` must be a number from 0 to 0.5, but is `2`"),
        ({"answer": "B", "rule": "letters"}, "`rule` must be one of maths, numbers, choice, but is `letters`"),
        ({"answer": "42", "rule": "choice"}, "`answer` of multiple choice must be a letter, A to J, but is `42`"),
    ],
)
def test_a_rule_that_is_none(tmp_path: Path, row: dict[str, str], said: str) -> None:
    path = tmp_path / "my.jsonl"
    path.write_text(json.dumps({"problem": "Which?", **row}))
    with pytest.raises(ValueError, match=re.escape(f"my.jsonl:1: {said}")):
        jsonl.read(path)


def test_an_experiments_file_has_a_rule(experiment: Path) -> None:
    before = plan.make(config.load(experiment), SHIPPED["quickstart-base"])
    numbers = config.load(experiment, ["evaluation.benchmarks.mine.rule=numbers"])
    assert numbers.evaluation.benchmark("mine").problems[0].rule == NUMBERS
    assert plan.make(numbers, SHIPPED["quickstart-base"]).lock != before.lock, "it is what a score means"
    with pytest.raises(UserError, match="a letter, A to J, but is `5`"):
        config.load(experiment, ["evaluation.benchmarks.mine.rule=choice"])
    with pytest.raises(UserError, match=r"evaluation\.benchmarks\.mine\.rule"):
        config.load(experiment, ["evaluation.benchmarks.mine.rule=letters"])


def test_an_experiment_names_files_beside_it(rence: Call, experiment: Path) -> None:
    """From plan to report in processes of their own, in a folder that is not the experiment's."""
    code, _, err = rence("run", "there/own.yaml")
    assert code == OK, err
    run = RunFolder(Path("runs/own"))
    made, own = Plan.read(run.plan), Benchmark.from_file(experiment.parent / "data" / "my.jsonl")
    assert made.benchmarks == {"mine": 2, "mini_sums": 1} and made.evaluation["files"] == {"mine": own.hash}
    assert made.train == "train" and made.train_hash == json.loads(run.data.read_text())["hash"]
    header = EvalRecord.read(run.start_eval("mine").header)
    assert (header.benchmark_hash, header.title) == (own.hash, "My problems")
    report = run.report / "report.md"
    page = report.read_text(encoding="utf-8")
    assert "|  | Average | Pooled | My problems | Mini sums |" in page and "My problems 2 × 2, Mini sums 3 × 1." in page
    assert "Answers are compared as mathematical expressions (My problems); numbers (Mini sums)." in page
    for name in ("index.html", "table.tex", "results.csv"):
        assert "My problems" in (run.report / name).read_text(encoding="utf-8"), name

    there = config.load(run.resolved)
    assert there == config.load(experiment) and there.evaluation.benchmark("mine").hash == own.hash
    assert there.training_set.problems[0] == Problem("What is 1+1?", "2")
    experiment.with_name("data").joinpath("my.jsonl").write_text(ROWS.replace("5", "7"))
    with pytest.raises(UserError, match=f"benchmark `mine` must have the hash {own.hash}, but has"):
        config.load(run.resolved)
    code, _, err = rence("run", "there/own.yaml")
    assert code == USAGE and f'evaluation.files.mine: "{own.hash}" -> ' in err


def test_where_a_file_is_changes_no_plan(experiment: Path) -> None:
    before = plan.make(config.load(experiment), SHIPPED["quickstart-base"])
    moved = experiment.with_name("other.jsonl")
    experiment.with_name("data").joinpath("my.jsonl").rename(moved)
    after = plan.make(
        config.load(experiment, ["evaluation.benchmarks.mine.file=other.jsonl"]), SHIPPED["quickstart-base"]
    )
    assert after.lock == before.lock
    moved.write_text(ROWS.replace("2*3", "3*2"))
    changed = config.load(experiment, ["evaluation.benchmarks.mine.file=other.jsonl"])
    assert plan.make(changed, SHIPPED["quickstart-base"]).lock != before.lock


def test_tuning_on_a_file(experiment: Path) -> None:
    held = experiment.with_name("data") / "held.jsonl"
    held.write_text('{"problem": "What is 4+4?", "answer": 8}\n')
    block = (
        "tuning: {grid: {recipe.learning_rate: [1e-4, 1e-3]}, seeds: [9], benchmarks: {held: {file: data/held.jsonl}}}"
    )
    experiment.write_text(f"{EXPERIMENT}{block}\n")
    found = config.load(experiment)
    assert found.search and found.search.benchmarks == {"held": 1} and found.search.files["held"].file == str(held)
    assert found.tuning["files"] == {"held": Benchmark.from_file(held).hash}


MISSING = '{"problem": "1+1", "answer": 2}\n{"problem": "1+2"}\n'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (MISSING.encode(), ":2: `answer` or `gold` is missing."),
        (MISSING.encode() + b'{"answer": 3}\n', ":3: `problem` or `question` is missing."),
        (b'{"problem": "a", "question": "b", "answer": 1}', ":1: the line has both `problem` and `question`."),
        (ROWS.encode() * 2, ":3: the line has the same problem as another, line 1 (likewise line 4)."),
        (b'{"id": 1, "problem": "a", "answer": 1}\n{"id": 1, "problem": "b", "answer": 1}', "the same `id` as another"),
        (b"", " holds no problems."),
        (b"\n \r\n\n", " holds no problems."),
        (b'{"problem": "a", "answer": "1\0"}\n', ":1: the line holds a NUL byte."),
        (b'{"problem": "a", "answer": "1\\u0000"}\n', ":1: `answer` holds a NUL character"),
        (b'{"problem": "a\\ud800", "answer": "1"}\n', ":1: `problem` holds half of a"),
        (b'{"problem": "' + b"x" * 10_000_000 + b'", "answer": 1}\n' + ROWS.encode(), ":1: the line is longer than"),
        (ROWS.encode() + b'{"problem": "caf\xe9", "answer": 1}\n', ":3: the line is not UTF-8: byte 0xe9 at 17"),
        (ROWS.encode("utf-16"), ":1: the line is not UTF-8: byte 0xff at 1"),
        (ROWS.encode() + b"\xef\xbb\xbf" + b'{"problem": "a", "answer": 1}', ":3: the line is not JSON"),
        (b"problem,answer\n1+1,2\n", ":1: the line is not JSON: Expecting value (likewise line 2)."),
        (b'[{"problem": "a", "answer": 1}]', ":1: the line must be an object, but is an array: write"),
        (b'{"problem": "a", "answer": null}', ":1: `answer` must be text or a number, but is `null`."),
        (b'{"problem": "a", "answer": [1, 2]}', ":1: `answer` must be text or a number, but is `[1, 2]`."),
        (b'{"problem": "a", "answer": true}', ":1: `answer` must be text or a number, but is `true`."),
        (b'{"problem": "a", "answer": NaN}', ":1: `answer` must be a finite number, but is nan."),
        (b'{"problem": "a", "answer": 1e999}', ":1: `answer` must be a finite number, but is inf."),
        (b'{"problem": "a", "answer": ""}\n{"problem": "", "answer": 1}', ":1: `answer` is empty."),
        (b'{"problem": "a", "answer": "\\\\frac{1}{2"}', ":1: the answer cannot be marked"),
        (b'{"problem": "a", "answer": ' + b"9" * 5000 + b"}", "is not JSON: it is too deep, or a number too long."),
        (b"[" * 100_000, ":1: the line is not JSON: it is too deep"),
    ],
)  # fmt: skip
def test_a_bad_file_is_one_clear_error_and_leaves_nothing(rence: Call, mine: Path, content: bytes, said: str) -> None:
    mine.write_bytes(content)
    for arguments in ([*EVAL, "--benchmarks", "my.jsonl:2", "--out", "r"], ["benchmarks", "pin", "my.jsonl"]):
        code, out, err = rence(*arguments)
        assert code == USAGE and out == "" and err.startswith("rence: my.jsonl")
        assert said in err and "A line is a JSON object with `problem`" in err
        assert len(err.splitlines()) <= 3 and len(err) < 700 and "bug" not in err
    assert list(Path().iterdir()) == [Path("my.jsonl")]


def test_the_place_in_an_experiment_is_said(rence: Call, experiment: Path) -> None:
    (experiment.parent / "data" / "my.jsonl").write_text(MISSING)
    code, out, err = rence("run", "there/own.yaml")
    assert code == USAGE and out == "" and not Path("runs").exists()
    assert "there/own.yaml:8: there/data/my.jsonl:2: `answer` or `gold` is missing." in err
    for written, said in {
        "mine: {file: nowhere.jsonl}": "there/own.yaml:8: there/nowhere.jsonl does not exist.",
        "mine: {file: data}": "there/own.yaml:8: there/data is a folder.",
        "mine: {k: 2}": "there/own.yaml:8: `evaluation.benchmarks.mine.file` is missing.",
        "mine: {file: data/my.jsonl, k: 0}": "`evaluation.benchmarks.mine.k` must be at least 1, but is 0 instead.",
        "mine: {file: data/my.jsonl, kk: 2}": "`evaluation.benchmarks.mine.kk` is not a key. Did you mean `k`?",
        "math500: {file: data/train.jsonl}": "there is a benchmark or training set of that name",
        "Average: {file: data/train.jsonl}": "`Average` is a word of rence's own files and tables.",
        "a/b: {file: data/train.jsonl}": "a name is letters, digits",
        "mine: {file: data/train.jsonl, hash: '0'}": "benchmark `mine` must have the hash 0, but has",
    }.items():
        experiment.write_text(EXPERIMENT.replace("mine: {file: data/my.jsonl, k: 2, title: My problems}", written))
        code, _, err = rence("plan", "there/own.yaml")
        assert code == USAGE and said in err, err


def test_what_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"problem": "a", "answer": 72}\r\n\r\n{"problem": "b", "answer": 7.50, "gold": "15/2"}\r\n'
        b'{"problem": "c", "answer": 2.5e-7}\n{"problem": "d", "answer": "1, 2", "id": "x", "other": [1]}'
    )
    found = [(line.question, line.gold, bool(line.note), dict(line.tags)) for line in jsonl.read(path)]
    assert found == [
        ("a", "72", False, {}),
        ("b", "15/2", False, {}),
        ("c", "2.5 \\times 10^{-7}", False, {}),
        ("d", "1, 2", True, {"id": "x"}),
    ]


def test_many_mistakes_are_few_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("x\n" * 9 + '{"problem": "a"}\n' * 2 + "[]\n")
    with pytest.raises(ValueError) as raised:
        jsonl.read(path)
    first, second, third = str(raised.value).splitlines()
    assert first == f"{path}:1: the line is not JSON: Expecting value (likewise line 2, 3, 6 more)."
    assert second == f"{path}:10: `answer` or `gold` is missing (likewise line 11)."
    assert third.startswith("And 1 more of other kinds. A line is a JSON object")


def test_names_on_the_command_line(rence: Call, mine: Path) -> None:
    (mine.parent / "mini_sums.jsonl").write_text(ROWS)
    (mine.parent / "Report.jsonl").write_text(ROWS)
    for asked, said in {
        "my.jsonl,./my.jsonl:2": "names `my` twice",
        "mini_sums.jsonl": "there is a benchmark or training set of that name",
        "Report.jsonl": "`Report` is a word of rence's own files and tables",
        "my.jsonl:0": "must be names or files with commas",
        "my.json": "my.json does not exist",
        "myjsonl": "unknown benchmark `myjsonl`",
    }.items():
        code, _, err = rence(*EVAL, "--benchmarks", asked, "--out", "r")
        assert code == USAGE and said in err and not Path("r").exists(), err


def test_what_pins_a_file_is_printed_and_pins_it(rence: Call, mine: Path) -> None:
    code, out, _ = rence("benchmarks", "pin", "my.jsonl")
    own = Benchmark.from_file(mine)
    assert code == OK and out.startswith(f"my.jsonl: 2 problems, hash {own.hash}\n")
    lines = out[out.index("  my = ") :]
    names = {"Path": Path, "Benchmark": Benchmark, "__file__": str(mine.parent / "module.py")}
    exec(lines.strip(), names)
    pinned = names["my"]
    assert isinstance(pinned, Benchmark) and pinned.problems == own.problems
    assert (pinned.k, pinned.count, pinned.content) == (4, 2, own.hash)
    assert json.loads(rence("benchmarks", "pin", "my.jsonl", "--json")[1])["hash"] == own.hash
    assert "Answers are mathematical expressions." in out
    mine.write_text(ROWS.replace("2*3", "1*6"))
    with pytest.raises(ProblemsError, match=f"benchmark `my` must have the hash {own.hash}, but has"):
        Benchmark.from_file(mine, count=2, content=own.hash).hash  # noqa: B018  which loads them
    with pytest.raises(ProblemsError, match="must have 3 problems, but has 2 instead"):
        Benchmark.from_file(mine, count=3).hash  # noqa: B018


def test_reserved_words_cover_what_a_run_is_made_of() -> None:
    folder = RunFolder(Path("run"))
    files = (folder.config, folder.resolved, folder.plan, folder.data, folder.imported, folder.expected, folder.report)
    assert {path.name for path in files} | {START, AVERAGE} <= set(RESERVED)
    assert all(word == word.casefold() for word in RESERVED)


@pytest.mark.parametrize("name", ["average", "Average", "START", "data.json", "mlartifacts"])
def test_arms_benchmarks_and_plugins_may_not_take_a_reserved_word(
    rence: Call, package: Callable[..., Path], experiment: Path, name: str
) -> None:
    experiment.write_text(EXPERIMENT.replace("grpo: {}", f"grpo: {{}}, {name}: {{algorithm: grpo}}"))
    code, _, err = rence("plan", "there/own.yaml")
    assert code == USAGE and f"\"{name}\" cannot be an arm's name: `{name}` is a word of rence's own files" in err
    package(
        "other",
        "from algorithms.registry import ALL\nmine = ALL['grpo']",
        algorithms={name: "other:mine"},
    )
    rows = json.loads(rence("list", "algorithms", "--json")[1])
    assert f"`{name}` is a word of rence's own files and tables" in rows[-1]["source"]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("Average", "`Average` is a word of rence's own"), ("m" * 256, "it has 256 letters, and at most 255 are allowed")],
)
def test_a_benchmark_of_an_experiment_may_not_either(rence: Call, experiment: Path, name: str, wrong: str) -> None:
    experiment.write_text(EXPERIMENT.replace("{mine: {file", f"{{{name}: {{file"))
    code, _, err = rence("plan", "there/own.yaml")
    assert code == USAGE and f"`{name}` cannot be the name of the problems in" in err and wrong in err


def test_titles_of_old_files_are_those_of_the_registry() -> None:
    from reports.words import benchmark_title

    old = (
        "math500",
        "aime24",
        "aime25",
        "amc23",
        "amc12",
        "minerva_math",
        "minerva_math_errata",
        "olympiadbench",
        "gsm8k",
    )
    assert {name: benchmark_title(name) for name in old} == {name: benchmark(name).title for name in old}
    assert benchmark_title("mine") == "mine" and benchmark_title("math500", "My copy") == "My copy"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"problem": "1+1", "answer": "2", "answer": "3"}', "my.jsonl:1: the line has a key twice: `answer`."),
        ('[{"problem": "1+1", "answer": "2"}]', "my.jsonl:1: the line must be an object, but is an array"),
        ('[\n{"problem": "1+1", "answer": "2"}\n]', "an array of objects must be written one object a line"),
    ],
)
def test_what_is_nearly_a_file_of_problems_says_what_it_must_be(rence: Call, line: str, message: str) -> None:
    Path("my.jsonl").write_text(line)
    code, _, err = rence(*EVAL, "--benchmarks", "my.jsonl", "--out", "r")
    assert code == USAGE and message in err and not Path("r").exists()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "evaluation.benchmarks={mine: data/my.jsonl}",
            "must be k, an integer, or `{file: my.jsonl, k: 4}`, problems of your own.",
        ),
        ("evaluation.benchmarks={mine: {file: '', k: 1}}", "`evaluation.benchmarks.mine.file` is empty."),
        ("train=data/train.jsonl", "a file of problems is named as `train: {file: data/train.jsonl}`."),
        (
            "evaluation.benchmarks={mine: {file: data/my.jsonl}, Mine: {file: data/my.jsonl}}",
            "`Mine` and `mine` differ in case alone.",
        ),
    ],
)
def test_a_file_named_in_another_form_is_told_the_right_one(experiment: Path, override: str, message: str) -> None:
    with pytest.raises(UserError, match=re.escape(message)):
        config.load(experiment, [override])


def test_two_files_whose_names_differ_in_case_alone(rence: Call, mine: Path) -> None:
    Path("My.jsonl").write_text(mine.read_text())
    code, _, err = rence(*EVAL, "--benchmarks", "my.jsonl,My.jsonl", "--out", "r")
    assert code == USAGE and "`My` twice (case does not count)" in err


def test_a_name_that_cannot_be_used_is_not_pinned(rence: Call, mine: Path) -> None:
    mine.rename("report.jsonl")
    code, _, err = rence("benchmarks", "pin", "report.jsonl")
    assert code == USAGE and "`report` cannot be the name of the problems" in err
