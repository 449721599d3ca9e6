"""Slips: every kind of file of a run is swapped, renamed, cut off, edited, lost or brought from elsewhere, one at a
time, and every command that reads it is asked. None may believe it.

    OMP_NUM_THREADS=1 PYTHONPATH=. python bench/slips.py [--json FILE] [--only WORDS]

A slip is *refused* (exit code 2 or 3, with a message that names a file); *named*, if a report goes on and says what is
missing; or *harmless*: what is said of scores, differences and the plan is the same to the last byte. *Found by verify*
is what no other command reads, such as weights. It is *believed* if it is none of these. Two runs of one experiment are
trained first, which differ in a seed; it takes some minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from rence.cli import main as rence

EXPERIMENT = """\
name: slips
backend: local
model: quickstart-base
template: bare
train: mini_rl
seeds: [0, 1]
budget: {rollouts: 64}
recipe: {group_size: 4, prompts_per_step: 8, epochs: 2, minibatches: 2, checkpoint_steps: 1}
evaluation: {benchmarks: {mini_sums: 2, mini_unseen: 2}, curve: {mini_sums: 2, mini_unseen: 2}, points: 2, limit: 24}
arms: {rence: {}, grpo: {}}
comparison: {target: rence, baselines: [grpo]}
"""
BENCHMARK, OTHER = "mini_sums", "mini_unseen"
ASKED = ("--benchmarks", f"{BENCHMARK}:2,{OTHER}:1", "--limit", "24", "--max-tokens", "24", "--template", "bare")
ARMS = ("rence", "grpo")
FORMATS = "json,md"


def quietly(*arguments: str) -> tuple[int, str, str]:
    """A command in this process: exit code, stdout, stderr."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            rence(list(arguments))
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
    return code, out.getvalue(), err.getvalue()


def prepare(root: Path) -> None:
    """Two runs, an import, an evaluation and a baseline."""
    os.chdir(root)
    (root / "slips.yaml").write_text(EXPERIMENT)
    (root / "other.yaml").write_text(EXPERIMENT.replace("name: slips", "name: other").replace("[0, 1]", "[0, 1, 2]"))
    for name in ("slips", "other"):
        must("run", f"{name}.yaml", "--workers", "2")
    must("import", "attempts", *attempts_of(root), "--out", "runs/imported")
    trained = root / "runs/slips/grpo/seed0/checkpoints" / last_step(root, "grpo", 0)
    for name, model in (("one", "quickstart-base"), ("two", str(trained))):
        must("eval", "--model", model, *ASKED, "--out", f"evaluated/{name}")
    must("gate", "evaluated/one", "--baseline", "baseline.yaml", "--update")
    for name in ("slips", "imported"):
        must("report", f"runs/{name}", "--format", FORMATS)


def must(*arguments: str) -> None:
    code, _, err = quietly(*arguments)
    if code:
        sys.exit(f"rence {' '.join(arguments)}: exit code {code}\n{err}")


def attempts_of(root: Path) -> Iterator[str]:
    """The run's own results, as somebody's table."""
    columns = [
        "arm",
        "seed",
        "step",
        "benchmark",
        "problem_id",
        "sample",
        "mark",
        "response",
        "gold",
        "answer",
        "tokens",
    ]
    for arm in ARMS:
        for seed in (0, 1):
            found = sorted(
                (root / f"runs/slips/{arm}/seed{seed}").glob(f"evals/{last_step(root, arm, seed)}/*/*.parquet")
            )
            rows = [row for path in found for row in pq.read_table(path, columns=columns).to_pylist()]
            path = root / f"table-{arm}-{seed}.jsonl"
            path.write_text("".join(json.dumps({**row, "step": 1}) + "\n" for row in rows))
            yield path.name


def steps(root: Path, arm: str, seed: int) -> list[str]:
    """`step_1`, ... of a trial's evaluations."""
    return sorted(path.name for path in (root / f"runs/slips/{arm}/seed{seed}/evals").iterdir())


def last_step(root: Path, arm: str, seed: int) -> str:
    return steps(root, arm, seed)[-1]


# What can happen to a file. Each takes the copy's root and the file's path in it.


def swap(root: Path, one: str, other: str) -> None:
    a, b, aside = root / one, root / other, root / "aside"
    a.rename(aside)
    b.rename(a)
    aside.rename(b)


def bring(root: Path, source: str, to: str) -> None:
    target = root / to
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    copy = shutil.copytree if (root / source).is_dir() else shutil.copy
    copy(root / source, target)


def lose(root: Path, path: str) -> None:
    (root / path).rename(root / f"{path}.bak")


def cut(root: Path, path: str) -> None:
    content = (root / path).read_bytes()
    (root / path).write_bytes(content[: len(content) // 2])


def flip(root: Path, path: str) -> None:
    """One bit in the middle."""
    content = bytearray((root / path).read_bytes())
    content[len(content) // 2] ^= 1
    (root / path).write_bytes(content)


def other(value: Any) -> Any:
    """Of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return f"{value}x" if not value or value[-1] != "0" else f"{value[:-1]}1"
    if isinstance(value, list):
        return [*value[:-1], other(value[-1])] if value else [1]
    if isinstance(value, dict):
        return {**value, (key := list(value)[-1]): other(value[key])} if value else {"x": 1}
    return 1


def edit(root: Path, path: str, key: str) -> None:
    """One key of a JSON file, as an editor would."""
    data = json.loads((root / path).read_text())
    (root / path).write_text(json.dumps({**data, key: other(data[key])}, indent=2, ensure_ascii=False) + "\n")


def edit_line(root: Path, path: str, key: str) -> None:
    """One key of the first line of a JSONL file."""
    first, *rest = (root / path).read_text().splitlines(keepends=True)
    row = json.loads(first)
    (root / path).write_text(json.dumps({**row, key: other(row[key])}) + "\n" + "".join(rest))


def edit_cell(root: Path, path: str, column: str) -> None:
    """The last row's cell of a column."""
    table = pq.read_table(root / path)
    cells, place = table[column].to_pylist(), table.schema.get_field_index(column)
    wrong = "wrong" if cells[-1] == "correct" else "correct"
    cells[-1] = wrong if column.startswith("mark") else other(cells[-1]) if cells[-1] is not None else cells[-1]
    table = table.set_column(place, table.schema.field(place), pa.array(cells, table.schema.field(place).type))
    pq.write_table(table, root / path)


def edit_text(root: Path, path: str, old: str, new: str) -> None:
    text = (root / path).read_text()
    assert old in text, (path, old)
    (root / path).write_text(text.replace(old, new, 1))


def other_marker(root: Path, folder: str) -> None:
    """An evaluation that was marked by something else, header and rows alike."""
    edit(root, f"{folder}/eval.json", "grader_version")
    version = json.loads((root / folder / "eval.json").read_text())["grader_version"]
    table = pq.read_table(root / folder / "attempts.parquet")
    rows = [{**row, "grader_version": version, "mark": "correct"} for row in table.to_pylist()]
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), root / folder / "attempts.parquet")


def slips(root: Path) -> Iterator[tuple[str, str, Callable[[Path], Any]]]:
    """Kind of file, what is done to it, and how."""
    run, a, b, sibling = "runs/slips", "grpo/seed0", "rence/seed0", "grpo/seed1"
    first, last = steps(root, "grpo", 0)
    headline = f"evals/{last}/{BENCHMARK}"
    ours = f"{run}/{a}/{headline}"
    files = {
        "trial.json": "trial.json",
        "steps.jsonl": "steps.jsonl",
        "done.json": "done.json",
        "eval.json": f"{headline}/eval.json",
        "attempts.parquet": f"{headline}/attempts.parquet",
        "seal.json of an evaluation": f"{headline}/seal.json",
        "evaluation": headline,
        "all evaluations": "evals",
        "weights": f"checkpoints/{last}/model.safetensors",
        "checkpoint": f"checkpoints/{last}",
    }
    for kind, name in files.items():
        at = {who: f"{run}/{who}/{name}" for who in (a, b, sibling)}
        for word, pair in {"arms": (a, b), "seeds": (a, sibling)}.items():
            if all((root / at[who]).exists() for who in pair):
                yield kind, f"swapped between {word}", lambda r, p=pair, at=at: swap(r, at[p[0]], at[p[1]])
        yield kind, "of another run", lambda r, n=name: bring(r, f"runs/other/{a}/{n}", f"{run}/{a}/{n}")
        yield kind, "lost", lambda r, n=name: lose(r, f"{run}/{a}/{n}")
    yield "trial", "swapped between arms", lambda r: swap(r, f"{run}/{a}", f"{run}/{b}")
    yield "trial", "swapped between seeds", lambda r: swap(r, f"{run}/{a}", f"{run}/{sibling}")
    yield "trial", "of another run", lambda r: bring(r, f"runs/other/{a}", f"{run}/{a}")
    yield "arm", "swapped between arms", lambda r: swap(r, f"{run}/rence", f"{run}/grpo")
    yield "arm", "of another run", lambda r: bring(r, "runs/other/rence", f"{run}/rence")
    for kind in ("eval.json", "attempts.parquet", "seal.json"):
        for word, place in {"steps": f"evals/{first}/{BENCHMARK}", "benchmarks": f"evals/{last}/{OTHER}"}.items():
            there = f"{run}/{a}/{place}/{kind}"
            yield kind, f"swapped between {word}", lambda r, k=kind, t=there: swap(r, f"{ours}/{k}", t)
    for word, place in {"steps": f"evals/{first}/{BENCHMARK}", "benchmarks": f"evals/{last}/{OTHER}"}.items():
        yield "evaluation", f"swapped between {word}", lambda r, p=place: swap(r, ours, f"{run}/{a}/{p}")
    yield "evaluation", "renamed", lambda r: (r / ours).rename(r / ours.replace(BENCHMARK, "mini_chains"))
    yield "evaluation", "at another step", lambda r: (r / ours).parent.rename(r / f"{run}/{a}/evals/step_9")
    yield "evaluation", "by another marker", lambda r: other_marker(r, ours)
    yield "start", "by another marker", lambda r: other_marker(r, f"{run}/start/evals/{BENCHMARK}")
    start = f"{run}/start/evals"
    yield "start", "swapped between benchmarks", lambda r: swap(r, f"{start}/{BENCHMARK}", f"{start}/{OTHER}")
    yield "start", "of an arm", lambda r: bring(r, ours, f"{start}/{BENCHMARK}")
    for place in (f"{run}/plan.json", f"{run}/data.json"):
        yield Path(place).name, "of another run", lambda r, p=place: bring(r, p.replace("slips", "other"), p)
        yield Path(place).name, "lost", lambda r, p=place: lose(r, p)
    yield from edits(root, run, f"{run}/{a}", ours, last)
    yield from elsewhere(root)


def edits(root: Path, run: str, trial: str, ours: str, last: str) -> Iterator[tuple[str, str, Callable[[Path], Any]]]:
    """Every key of every file, and every column; and every file cut off, and with one bit flipped."""
    start = f"{run}/start/evals/{BENCHMARK}"
    records = [f"{run}/plan.json", f"{run}/data.json", f"{trial}/trial.json", f"{trial}/done.json"]
    records += [f"{ours}/eval.json", f"{ours}/seal.json", f"{start}/eval.json", f"{start}/seal.json"]
    for path in records:
        for key in json.loads((root / path).read_text()):
            if key != "schema":
                yield Path(path).name, f"`{key}` edited", lambda r, p=path, k=key: edit(r, p, k)
    for key in ("step", "rollouts", "tokens", "updates", "cursor", "metrics"):
        yield "steps.jsonl", f"`{key}` edited", lambda r, k=key: edit_line(r, f"{trial}/steps.jsonl", k)
    for column in pq.read_schema(root / ours / "attempts.parquet").names:
        for where in (ours, start):
            yield (
                "attempts.parquet",
                f"`{column}` edited",
                lambda r, w=where, c=column: edit_cell(r, f"{w}/attempts.parquet", c),
            )
    weights = [f"{trial}/checkpoints/{last}/{name}" for name in ("model.safetensors", "config.json", "tokenizer.json")]
    for path in (*records, f"{trial}/steps.jsonl", f"{ours}/attempts.parquet", f"{start}/attempts.parquet", *weights):
        yield Path(path).name, "cut off", lambda r, p=path: cut(r, p)
        yield Path(path).name, "one bit flipped", lambda r, p=path: flip(r, p)


def elsewhere(root: Path) -> Iterator[tuple[str, str, Callable[[Path], Any]]]:
    """Files of an import, of `rence eval`, and a baseline."""
    imported = "runs/imported"
    one, two = (f"evaluated/{name}/evals/{BENCHMARK}" for name in ("one", "two"))
    ours, theirs = (f"{imported}/{arm}/seed0/evals/step_1/{BENCHMARK}" for arm in ARMS)
    for name in ("eval.json", "attempts.parquet", "seal.json"):
        yield f"import's {name}", "swapped between arms", lambda r, n=name: swap(r, f"{ours}/{n}", f"{theirs}/{n}")
        yield f"import's {name}", "cut off", lambda r, n=name: cut(r, f"{ours}/{n}")
        yield f"evaluated {name}", "of another evaluation", lambda r, n=name: swap(r, f"{one}/{n}", f"{two}/{n}")
        yield f"evaluated {name}", "cut off", lambda r, n=name: cut(r, f"{one}/{n}")
    yield "import's evaluation", "swapped between arms", lambda r: swap(r, ours, theirs)
    yield "import's arm", "swapped between arms", lambda r: swap(r, f"{imported}/rence", f"{imported}/grpo")
    for path in ("plan.json", "import.json"):
        for key in json.loads((root / imported / path).read_text()):
            if key != "schema":
                yield f"import's {path}", f"`{key}` edited", lambda r, p=path, k=key: edit(r, f"{imported}/{p}", k)
    for column in pq.read_schema(root / ours / "attempts.parquet").names:
        for kind, place in {"import's": ours, "evaluated": one}.items():
            yield (
                f"{kind} attempts.parquet",
                f"`{column}` edited",
                lambda r, p=place, c=column: edit_cell(r, f"{p}/attempts.parquet", c),
            )
    for key in json.loads((root / one / "eval.json").read_text()):
        if key != "schema":
            yield "evaluated eval.json", f"`{key}` edited", lambda r, k=key: edit(r, f"{one}/eval.json", k)
    lines = [line for line in (root / "baseline.yaml").read_text().splitlines() if any(c.isdigit() for c in line)]
    for number, line in enumerate(lines):
        digit = next(c for c in reversed(line) if c.isdigit())
        place = line.rindex(digit)
        new = line[:place] + str((int(digit) + 1) % 10) + line[place + 1 :]
        if not line.lstrip().startswith(("#", "margin_points")):  # which is for hands to change
            yield "baseline.yaml", f"line {number} edited", lambda r, o=line, n=new: edit_text(r, "baseline.yaml", o, n)


COMMANDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "runs/slips": (
        ("report", "runs/slips", "--format", FORMATS, "--out", "page"),
        ("compare", "runs/slips/rence", "runs/slips/grpo", "--json"),
        ("compare", "runs/slips/rence/seed0", "runs/slips/start", "--json"),
    ),
    "runs/imported": (("report", "runs/imported", "--format", FORMATS, "--out", "page"),),
    "evaluated": (
        ("compare", "evaluated/one", "evaluated/two", "--json"),
        ("gate", "evaluated/one", "--baseline", "baseline.yaml", "--json"),
        ("eval", "--model", "quickstart-base", *ASKED, "--out", "evaluated/one", "--json"),  # last: it may write
    ),
}
VERIFY = {
    "runs/slips": ("verify", "runs/slips", "--json"),
    "runs/imported": ("verify", "runs/imported", "--json"),
    "evaluated": ("verify", "evaluated/one", "--json"),
}


def asked(root: Path, command: tuple[str, ...]) -> tuple[int, str, str]:
    """Exit code, what is said of numbers and of the plan, and the error."""
    shutil.rmtree(root / "page", ignore_errors=True)
    code, out, err = quietly(*command)
    verdict = root / "page/verdict.json"
    return code, out if not verdict.exists() else verdict.read_text(), err


def named(said: str) -> set[str]:
    """What a report says is not as planned."""
    try:
        return set(json.loads(said).get("notes", ()))
    except ValueError:
        return set()


def where(kind: str) -> str:
    return next((place for word, place in PLACES.items() if kind.startswith(word)), "runs/slips")


PLACES = {"import's": "runs/imported", "evaluated": "evaluated", "baseline": "evaluated"}


def judge(root: Path, kind: str, sound: dict[tuple[str, ...], tuple[int, str, str]]) -> str:
    """refused, harmless, named (a report says that something is missing), found (by `rence verify` alone, of what no
    other command reads), believed, or crashed."""
    verified, found = quietly(*VERIFY[where(kind)])[0], []
    for command in COMMANDS[where(kind)]:
        code, said, err = asked(root, command)
        if "Traceback" in err or code not in (0, 1, 2, 3):
            return f"crashed: {' '.join(command)}"
        if code == sound[command][0] and said == sound[command][1]:
            found.append("harmless")
        elif code in (2, 3) and err:
            found.append("refused")
        else:
            found.append("named" if named(said) - named(sound[command][1]) else f"believed: {' '.join(command)}")
    if any(word.startswith("believed") for word in found):
        return next(word for word in found if word.startswith("believed"))
    if "refused" in found:
        return "refused" if verified in (1, 2, 3) or kind.startswith("baseline") else "refused, and not by verify"
    if "named" in found:
        return "named"
    return "found by verify" if verified in (1, 2, 3) else "harmless"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write what came of each here")
    parser.add_argument("--only", default="", metavar="WORDS", help="slips with this in their name")
    parser.add_argument("--root", type=Path, help="a prepared folder, or a place for one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        whole, copy = options.root or Path(place) / "whole", Path(place) / "copy"
        if not whole.exists():
            whole.mkdir(parents=True)
            prepare(whole)
        results: dict[str, str] = {}
        shutil.copytree(whole, copy)
        os.chdir(copy)
        sound = {command: asked(copy, command) for commands in COMMANDS.values() for command in commands}
        for kind, what, make in slips(whole):
            name = f"{len(results) + 1}. {kind}, {what}"
            if options.only not in name:
                continue
            os.chdir(whole)
            shutil.rmtree(copy)
            shutil.copytree(whole, copy)
            os.chdir(copy)
            make(copy)
            results[name] = judge(copy, kind, sound)
            if results[name].startswith(("believed", "crashed", "refused,")):
                print(f"{name}: {results[name]}", flush=True)
        os.chdir("/")
    counts = Counter(result.partition(":")[0] for result in results.values())
    print("\n| slips | " + " | ".join(counts) + " |\n|---|" + "---:|" * len(counts))
    print(f"| {len(results)} | " + " | ".join(map(str, counts.values())) + " |")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    sys.exit(any(result.startswith(("believed", "crashed")) for result in results.values()))


if __name__ == "__main__":
    main()
