"""What an addition costs in files. Each is made in a copy of the packages, by as many edits as it is said to take, and
must then work from end to end: in a process of its own, by the commands that users have."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

ROOT = Path(__file__).parent.parent
ARMS = ("with", "without", "partly")
OURS = ("algorithms", "benchmarks", "harness", "reports", "rence")

COLUMN = '''
    logprob: float | None = field(default=None, metadata=MEASURED)
    """log-probability of the response under the model that gave it, at the sampling temperature, in nats"""
'''
SECTION = '''"""How likely the models held their answers to be."""

import numpy as np

from reports.data.scores import final
from reports.document import Cell, Column, Row, Section, Table, text
from reports.words import GAP


def section(a):
    """None where no answer's likelihood is known."""
    evals, means = final(a.run), {}
    for e, arm in zip(evals.index, evals["arm"], strict=True):
        column = a.run.column(int(e), "logprob")
        if column is not None:
            means.setdefault(arm, []).append(float(np.nanmean(column)))
    if not means:
        return None
    cells = {arm: Cell(f"{np.mean(found):.3f}", float(np.mean(found))) for arm, found in means.items()}
    rows = [Row([text(a.label(arm)), cells.get(arm, Cell(GAP))]) for arm in a.rows]
    columns = [Column("", numeric=False), Column("Mean, nats an answer")]
    return Section("likelihood", "How likely the answers were", [Table("likelihood", columns, rows)])
'''
COLUMN_STEPS = """
from rence.cli import main

def rence(*words):
    try:
        main(list(words))
    except SystemExit as ended:
        assert not ended.code, (words, ended.code)

rence("eval", "--model", "quickstart-base", "--benchmarks", "mini_sums:2", "--limit", "6", "--template", "bare",
      "--max-tokens", "24", "--out", "evaluated")
import json
import pyarrow.parquet as pq
rows = pq.read_table("evaluated/evals/mini_sums/attempts.parquet").to_pylist()
with open("rows.jsonl", "w") as file:
    for arm in ("with", "without", "partly"):
        for row in rows:
            row = {name: row[name] for name in ("benchmark", "problem_id", "sample", "mark", "logprob")}
            if arm == "without" or (arm == "partly" and row["sample"]):
                del row["logprob"]
            file.write(json.dumps({"arm": arm, "seed": 0, **row}) + "\\n")
rence("import", "attempts", "--help")
rence("import", "attempts", "rows.jsonl", "--out", "runs/made")
without = "runs/made/without/seed0/evals/step_0/mini_sums/attempts.parquet"
pq.write_table(pq.read_table(without).drop_columns(["logprob"]), without)  # as before there was such a column
rence("report", "runs/made", "--accept", "as before there was such a column")
from reports.sections.registry import ours
from reports.sections.section_contract import CHECKS, ExampleRuns, SectionUnderTest
subject = SectionUnderTest("likelihood", ours()["likelihood"])
for check in CHECKS:
    if check.__name__ != "same_files_give_the_same_bytes":
        check(subject)
"""

OBJECTIVE = '''"""A scale that a group's share of correct rollouts gives.

    A_k = (r_k - p) / p        p = share of correct rollouts in the group; 0 where none is
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from algorithms.objectives.reinforce import Reinforce
from algorithms.ops.advantages import Baseline


@dataclass(frozen=True)
class OverShare(Reinforce):
    """REINFORCE with centred rewards over their mean: prompts that are seldom answered weigh more."""

    title: ClassVar[str] = "Over share"
    source: ClassVar[str] = "made up for a test"

    baseline: Baseline = "group_mean"
    """the mean of the group"""

    def credit(self, batch, rng):
        share_B = (batch.positives_G / batch.size_G)[batch.group_B].to(batch.reward_B.dtype)
        centred_B = super().credit(batch, rng)["advantage"]
        return {"advantage": centred_B / share_B.where(share_B > 0, 1.0)}

    def spec(self):
        return super().spec() | {"weight": "1 / share of correct rollouts in the group"}
'''
OBJECTIVE_TEST = '''
from dataclasses import replace

import pytest

from algorithms import registry
from algorithms.example import example, keyed


def test_of_four_rollouts_one_is_correct():
    """p = 1/4: the correct one has (1 - 1/4) / (1/4) = 3, the others -1."""
    batch, _ = example(label=False)
    rows = (batch.size_G == 4)[batch.group_B]
    label_B = batch.label_B.clone()
    label_B[rows.nonzero()[0]] = True
    batch = replace(batch, label_B=label_B, reward_B=label_B.double())
    credit = registry.get("over_share").credit(batch, keyed)["advantage"][rows]
    assert sorted(credit.tolist()) == pytest.approx([-1, -1, -1, 3])
'''
OBJECTIVE_STEPS = """
import pytest
from rence.cli import main

assert pytest.main(["-q", "-p", "no:cacheprovider", "test_over_share.py"]) == 0
print()
for words in (["check", "over_share", "--json"], ["show", "over_share"]):
    try:
        main(words)
    except SystemExit as ended:
        assert not ended.code, words
"""

BENCHMARK = '''"""Doubles: a number and itself."""

from __future__ import annotations

from benchmarks.marks import NUMBERS
from benchmarks.problems import Benchmark, Problem


def _problems() -> tuple[Problem, ...]:
    return tuple(Problem(f"What is {n} + {n}?", str(2 * n)) for n in range(1, 9))


BENCHMARKS = (
    Benchmark(
        "doubles", "Twice the number", "a number and itself", 8, _problems, licence="CC0", origin="made by rule",
        rule=NUMBERS, k=2,
    ),
)
'''
BENCHMARK_STEPS = """
from rence.cli import main

def rence(*words):
    try:
        main(list(words))
    except SystemExit as ended:
        assert not ended.code, (words, ended.code)

rence("check", "doubles")
rence("list", "benchmarks", "--json")
rence("eval", "--model", "quickstart-base", "--benchmarks", "doubles:2", "--template", "bare", "--max-tokens", "16",
      "--out", "evaluated")
"""


@dataclass
class Copy:
    """Our packages in a folder of their own, to be edited."""

    root: Path
    edited: set[str] = field(default_factory=set)

    @classmethod
    def at(cls, root: Path) -> Copy:
        """Folders are made, files are links until they are edited."""
        for path in [ROOT / "docs/algorithms.md", *(path for name in OURS for path in (ROOT / name).rglob("*"))]:
            if path.is_file() and "__pycache__" not in path.parts:
                place = root / path.relative_to(ROOT)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(path)
        return cls(root)

    def new(self, name: str, text: str) -> None:
        place = self.root / name
        assert not place.exists()
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        self.edited.add(name)

    def edit(self, name: str, old: str, new: str) -> None:
        place = self.root / name
        text = place.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name} has `{old}` {text.count(old)} times"
        place.unlink(missing_ok=True)
        place.write_text(text.replace(old, new), encoding="utf-8")
        self.edited.add(name)

    def run(self, program: str, work: Path) -> str:
        environment = {**os.environ, "PYTHONPATH": str(self.root), "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        command = [
            sys.executable,
            "-c",
            f"import harness; assert harness.__file__.startswith({str(self.root)!r})\n{program}",
        ]
        done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout


def rows(path: Path) -> list[dict[str, Any]]:
    return pq.read_table(path).to_pylist()


def test_a_column_of_attempts_with_its_section_costs_three_files(tmp_path: Path) -> None:
    copy, work = Copy.at(tmp_path / "copy"), tmp_path / "work"
    work.mkdir()
    meaning = '"""the second marker\'s mark, where one ran"""\n'
    copy.edit("harness/records/schema.py", meaning, meaning + COLUMN[1:])
    copy.edit(
        "harness/engines/local.py",
        """            Completion(text, int(length), "stop" if stopped else "length")
            for text, length, stopped in zip(texts, samples.length_B, samples.stopped_B, strict=True)
""",
        """            Completion(text, int(length), "stop" if stopped else "length", {"logprob": float(logp)})
            for text, length, stopped, logp in zip(
                texts, samples.length_B, samples.stopped_B, samples.logp_BT.sum(1), strict=True
            )
""",
    )
    copy.new("reports/sections/likelihood.py", SECTION)
    assert len(copy.edited) == 3
    assert "grader_version, logprob, benchmark_hash" in " ".join(copy.run(COLUMN_STEPS, work).split())

    evaluated = rows(work / "evaluated/evals/mini_sums/attempts.parquet")
    known = [row["logprob"] for row in evaluated]
    assert len(known) == 12 and all(-200 < value < 0 for value in known) and len(set(known)) > 6
    assert list(evaluated[0])[-4:] == ["mark_second", "logprob", "mark_box", "mark_anywhere"]

    kept = {arm: rows(work / f"runs/made/{arm}/seed0/evals/step_0/mini_sums/attempts.parquet") for arm in ARMS}
    assert sorted(row["logprob"] for row in kept["with"]) == sorted(known)
    assert "logprob" not in kept["without"][0]
    assert [row["logprob"] is None for row in kept["partly"]] == [False, True] * 6
    first = [row["logprob"] for row in evaluated if row["sample"] == 0]
    page = (work / "runs/made/report/report.md").read_text(encoding="utf-8")
    assert "## How likely the answers were" in page
    table = page[page.index("## How likely the answers were") :]
    assert f"| with | {sum(known) / 12:.3f} |" in table and "| without | — |" in table
    assert f"| partly | {sum(first) / 6:.3f} |" in table
    assert "How likely the answers were" in (work / "runs/made/report/index.html").read_text(encoding="utf-8")


def test_an_objective_costs_four_files_with_its_test_and_its_page(tmp_path: Path) -> None:
    copy = Copy.at(tmp_path)
    copy.new("algorithms/objectives/over_share.py", OBJECTIVE)
    near, entry = "from algorithms.objectives.reinforce import Reinforce\n", '    "grpo": GRPO(),\n'
    copy.edit("algorithms/registry.py", near, f"from algorithms.objectives.over_share import OverShare\n{near}")
    copy.edit("algorithms/registry.py", entry, f'{entry}    "over_share": OverShare(),\n')
    row = "| `rloo` | r − mean of the others"
    copy.edit("docs/algorithms.md", row, f"| `over_share` | (r − mean) / mean | none | rollouts | | all |\n{row}")
    copy.new("tests/algorithms/test_over_share.py", OBJECTIVE_TEST)
    assert len(copy.edited) == 4
    said = copy.run(OBJECTIVE_STEPS, tmp_path / "tests/algorithms")
    checks = json.loads(said[said.index("{") : said.rindex("}") + 1])["checks"]
    assert len(checks) >= 5 and all(check["passed"] for check in checks)
    assert "share of correct rollouts in the group" in said


def test_a_benchmark_with_code_costs_two_files(tmp_path: Path) -> None:
    copy, work = Copy.at(tmp_path / "copy"), tmp_path / "work"
    work.mkdir()
    copy.new("benchmarks/doubles.py", BENCHMARK)
    near = "from benchmarks.maths import aime"
    copy.edit("benchmarks/registry.py", near, f"from benchmarks import doubles\n{near}")
    copy.edit("benchmarks/registry.py", "FAMILIES = (miniature, ", "FAMILIES = (miniature, doubles, ")
    assert len(copy.edited) == 2
    said = copy.run(BENCHMARK_STEPS, work)
    assert '"name": "doubles"' in said and "Twice the number" in said
    header = json.loads((work / "evaluated/evals/doubles/eval.json").read_text(encoding="utf-8"))
    assert (header["title"], header["problems"], header["k"]) == ("Twice the number", 8, 2) and header["rule"]
    marked = {row["gold"] for row in rows(work / "evaluated/evals/doubles/attempts.parquet")}
    assert marked == {str(2 * n) for n in range(1, 9)}
