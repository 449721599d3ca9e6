"""Makes every call fail that changes a file, and kills the process there; then runs the same command again.

    python bench/torture [--long] [--only run,eval] [--workers 2] [--json FILE]

For each command (scenarios.py): an uninterrupted run is traced (shim.c), and what it did to files, each open, write,
rename, fsync, unlink, mkdir, rmdir and truncate, is a point. At each, one at a time, the disk gives an error, has no
space once, or is full from then on; or the process is killed before it, half through a write, or after it. What must
hold then (judge.py):

- the command that failed ends with exit code 3, says so, names a file, and shows no traceback;
- no file that readers look at has a content that it never has in an uninterrupted run;
- readers read what is there, or say what is wrong with it;
- the same command, run again, ends with every byte of an uninterrupted run, but for timing.json and logs.

Without --long every site is tried once with one failure and one kill: a site is a kind of call on a kind of file.
Exit code 1 if something does not hold. Needs Linux and a C compiler; without one it says so and does nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import points
import runner
import shim
from judge import Tree, Versions, differences, has_trace, hidden, logs, state, tree, within, without
from scenarios import RUN, Nursery, Scenario
from shim import Kind, Point, Shim

INCOMPLETE, USAGE = 3, 2
_JOB_DIED = "failed with exit code -9"


@dataclass(frozen=True)
class Whole:
    """What an uninterrupted run of a scenario leaves behind."""

    code: int
    end: Tree
    versions: Versions
    found: list[Point]


@dataclass
class Tried:
    """One point with one kind."""

    scenario: str
    site: str
    point: str
    kind: str
    reached: bool = True
    lost: int = 0
    """bytes of the uninterrupted run that are not there in the end"""
    wrong: list[str] = field(default_factory=list)
    trace: str = ""


def uninterrupted(scenario: Scenario, place: Path) -> Whole:
    """Every name that a file is given is waited for, and what is there is remembered."""
    work = Path(shutil.copytree(scenario.start, place / "work"))
    steered, versions = Shim(work), Versions()
    versions.add(tree(work))
    steered.aim(pausing=True)

    def watch() -> None:
        if steered.paused:
            versions.add(tree(work))
            steered.resume()

    ended = runner.command(scenario.words, work, steered, watch=watch)
    if ended.code not in (0, 1) or has_trace(ended.said):
        raise RuntimeError(f"{scenario.name}: exit code {ended.code}\n{ended.said}")
    end = tree(work)
    versions.add(end)
    shutil.copytree(work, place / "whole")
    return Whole(ended.code, end, versions, points.listed(steered.calls()))


def attempt(scenario: Scenario, whole: Whole, point: Point, kind: Kind, place: Path) -> dict[str, Any]:
    """Start, fail, look, run again, look."""
    tried = Tried(scenario.name, points.site(point), str(point), kind.name.lower())
    work = Path(shutil.copytree(scenario.start, place / "work"))
    steered = Shim(work)
    steered.aim(point, kind)
    ended = runner.command(scenario.words, work, steered)
    tried.reached = steered.tripped
    _look_at_the_end(tried, ended, kind, point, work, whole)
    seen = tree(work)
    if _JOB_DIED in ended.said:  # the driver went on, and has reported what there is
        seen = without(seen, "report")
    tried.wrong += [f"half-written: {name}" for name in whole.versions.half_written(seen)]
    known = place.parent / f"{state(work)}.json"
    if known.exists():
        after = json.loads(known.read_text(encoding="utf-8"))
    else:
        after = _go_on(scenario, work, whole, place)
        (place / "after.json").write_text(json.dumps(after), encoding="utf-8")
        (place / "after.json").rename(known)
    tried.wrong += after["wrong"]
    tried.lost, tried.trace = after["lost"], tried.trace or after["trace"]
    shutil.rmtree(place)
    return asdict(tried)


def _go_on(scenario: Scenario, work: Path, whole: Whole, place: Path) -> dict[str, Any]:
    """Read what is there, and run the command again. Another point that left the same files need not do it again."""
    wrong = [] if scenario.removes else runner.answer(lambda: _read(work), place / "read.said")
    logged = logs(work)
    again = runner.command(scenario.words, work)
    said = "\n".join([again.said, logs(work).replace(logged, "")])
    trace = said[-3000:] if has_trace(said) else ""
    if trace:
        wrong.append("traceback when it is run again")
    was_done = again.code == USAGE and scenario.refused_when_whole and scenario.refused_when_whole in again.said
    if again.code != whole.code and not was_done:
        wrong.append(f"exit code {again.code} when it is run again: {again.said[-600:]}")
    words, lost = _differences(work, whole)
    if words and len(within([w.split(": ")[1] for w in words], "report")) == len(words):
        words, lost = _with_the_same_times(work, whole, place)
    return {"wrong": wrong + words, "lost": lost, "trace": trace}


def _look_at_the_end(tried: Tried, ended: runner.Ended, kind: Kind, point: Point, work: Path, whole: Whole) -> None:
    said = "\n".join([ended.said, logs(work)])
    if has_trace(said):
        tried.trace = said[-3000:]
        tried.wrong.append("traceback")
    if ended.code == runner.HUNG:
        tried.wrong.append("hung")
    elif ended.code == whole.code:
        words, _ = _differences(work, whole)
        there = [word for word in words if not (word.startswith("left behind: ") and hidden(word.split(": ")[1]))]
        tried.wrong += [f"says that it is done, but {word}" for word in there]
    elif kind.kills:
        if ended.code != -9 and _JOB_DIED not in ended.said:
            tried.wrong.append(f"exit code {ended.code} after a kill: {ended.said[-300:]}")
    elif ended.code != INCOMPLETE:
        tried.wrong.append(f"exit code {ended.code}: {ended.said[-300:]}")
    elif not any(name in ended.said for name in _names(point)):
        tried.wrong.append(f"names no file: {ended.said[-300:]}")


def _names(point: Point) -> list[str]:
    """What a message may call the file: its name, or that of a folder it is in, as they are when all is done."""
    parts = [part.removeprefix(".").removesuffix(".new").split("?")[0].strip(".") for part in Path(point.file).parts]
    return [part for part in parts if part]


def _read(work: Path) -> list[str]:
    """What is wrong with what readers say of a folder after a failure; errors for a user are as they should be."""
    import reports
    from harness.base.errors import UserError
    from harness.records import DataError
    from harness.records.chain import check
    from harness.run.progress import run_row
    from reports.data.load import load

    calls: list[tuple[Callable[[Path], Any], Path]] = [
        *((check, work / name) for name in (RUN, "imported", "out")),
        *((load, work / name) for name in (RUN, "imported")),
        (run_row, work / RUN),
        (reports.evaluated_model, work / "out"),
    ]
    wrong = []
    for call, path in calls:
        try:
            found = call(path)
        except (UserError, DataError):
            continue
        except Exception as error:
            wrong.append(f"a reader crashed: {call.__name__}: {type(error).__name__}: {error}")
        else:
            wrong += [f"a break that nobody made: {one}" for one in found.breaks] if call is check else []
    return wrong


def _with_the_same_times(work: Path, whole: Whole, place: Path) -> tuple[list[str], int]:
    """A report prints times and attempts, which may differ: it is made again from equal ones."""
    for file in (place.parent / "whole").rglob("timing.json"):
        shutil.copy(file, work / file.relative_to(place.parent / "whole"))
    shutil.rmtree(work / RUN / "report")
    runner.command(("report", RUN), work)
    return _differences(work, whole)


def _differences(work: Path, whole: Whole) -> tuple[list[str], int]:
    return differences(tree(work), whole.end)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true", help="every point, with every kind")
    parser.add_argument("--turn", type=int, default=0, help="without --long: other calls and kinds of the same sites")
    parser.add_argument("--only", default="", help="scenarios, with commas")
    parser.add_argument("--kinds", default="", help="kinds, with commas")
    parser.add_argument(
        "--match", default="", help="only points in whose words this stands: 'rename 1 of runs/small/plan.json'"
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write every point tried here")
    parser.add_argument("--verbose", action="store_true", help="say on stderr what is wrong as soon as it is found")
    arguments = parser.parse_args()
    os.environ.update(runner.ENVIRONMENT)
    shim.load(sys.argv)
    began = time.monotonic()
    runner.warm_up()
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        tried = _all(Path(folder).resolve(), arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps(tried, indent=1), encoding="utf-8")
    print(f"{time.monotonic() - began:.0f} s")
    return int(any(one["wrong"] or one["lost"] for one in tried))


def _all(folder: Path, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    everything: list[dict[str, Any]] = []
    only = [word for word in arguments.only.split(",") if word]
    among = [Kind[word.upper()] for word in arguments.kinds.split(",") if word] or list(Kind)
    print(f"{'command':<38}{'calls':>6}{'sites':>7}{'tried':>7}{'lost':>6}{'wrong':>7}{'traces':>8}{'seconds':>9}")
    nursery = Nursery(folder / "start")
    runner.import_as(nursery.try_all, folder / "imports.said")
    for scenario in nursery.all():
        if scenario.name not in only if only else scenario.only_long and not arguments.long:
            continue
        began, place = time.monotonic(), folder / scenario.name
        whole = uninterrupted(scenario, place)
        chosen = points.every(whole.found) if arguments.long else points.each_site_once(whole.found, arguments.turn)
        tried: list[dict[str, Any]] = []

        def then(one: dict[str, Any], tried: list[dict[str, Any]] = tried) -> None:
            tried.append(one)
            if arguments.verbose:
                print(*(one[key] for key in ("scenario", "point", "kind", "wrong")), file=sys.stderr)

        with runner.side_by_side(arguments.workers) as start:
            for number, (point, kind) in enumerate(chosen):
                if kind not in among or arguments.match not in str(point):
                    continue
                inner = place / str(number)
                inner.mkdir()
                work = partial(attempt, scenario, whole, point, kind, inner)
                start(work, place / f"{number}.said", then)
        everything += tried
        _print_row(scenario, whole, tried, time.monotonic() - began)
    _print_wrong(everything)
    return everything


def _print_row(scenario: Scenario, whole: Whole, tried: list[dict[str, Any]], seconds: float) -> None:
    sites = len({points.site(point) for point in whole.found})
    wrong, traces = sum(bool(one["wrong"]) for one in tried), sum(bool(one["trace"]) for one in tried)
    lost = sum(one["lost"] for one in tried)
    print(
        f"{scenario.title:<38}{len(whole.found):>6}{sites:>7}{len(tried):>7}{lost:>6}{wrong:>7}{traces:>8}{seconds:>9.0f}",
        flush=True,
    )


def _print_wrong(tried: list[dict[str, Any]]) -> None:
    missed = [one for one in tried if not one["reached"]]
    if missed:
        print(f"\n{len(missed)} points were not reached, such as {missed[0]['point']}")
    kinds: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in tried:
        for word in one["wrong"]:
            kinds[word.split(": ")[0]].append({**one, "word": word})
    for kind, found in kinds.items():
        print(f"\n{len(found)} x {kind}")
        for (scenario, site), count in Counter((one["scenario"], one["site"]) for one in found).most_common(12):
            example = next(one for one in found if (one["scenario"], one["site"]) == (scenario, site))
            print(f"  {count:>3}  {scenario}: {example['point']}, {example['kind']}: {example['word'][:400]}")


if __name__ == "__main__":
    sys.exit(main())
