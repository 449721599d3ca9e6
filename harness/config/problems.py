"""Training sets and benchmarks in an experiment file: whether there is such a name and it can be used, and files of
problems that stand where a name could."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.marks import Form, Rule
from benchmarks.problems import Benchmark, ProblemsError, hash_of
from harness.base import registry, reserved
from harness.base.errors import UserError
from harness.base.plugins import PluginError
from harness.config import training_file
from harness.config.check import checked, fail, known
from harness.config.evaluation import Evaluation
from harness.config.experiment import Experiment
from harness.config.manifest import Key, Manifest, dotted
from harness.config.own_files import ProblemFile, TrainFile
from harness.config.shape import model
from harness.records.fields import stated
from harness.records.files import real_path

T = TypeVar("T", ProblemFile, TrainFile)


def check_training_set(manifest: Manifest, key: Key, name: str) -> None:
    """Raises: UserError, also if what another package offers under the name is no training set or cannot be used."""
    known(manifest, key, "training set", name, registry.training_set_names())
    _check(manifest, key, registry.training_set, name)


def check_benchmark(manifest: Manifest, key: Key, name: str) -> None:
    """Raises: UserError, also if what another package offers under the name is no benchmark or cannot be used."""
    known(manifest, key, "benchmark", name, registry.benchmark_names())
    _check(manifest, key, registry.benchmark, name)


def own_benchmarks(manifest: Manifest, data: Mapping[str, Any], block: str) -> tuple[Any, dict[str, ProblemFile]]:
    """An experiment's data with `k` where its `<block>.benchmarks` names a file, and those files.

    Raises: UserError if a file cannot be read, or is not what its `hash` says.
    """
    inside = data.get(block)
    asked = inside.get("benchmarks") if isinstance(inside, Mapping) else None
    if not isinstance(inside, Mapping) or not isinstance(asked, Mapping):
        return data, {}  # which is said with the other mistakes of shape
    for name, value in asked.items():
        if isinstance(value, str | list):
            at = (block, "benchmarks", name)
            fail(
                manifest,
                at,
                f"`{dotted(at)}` must be k, an integer, or `{{file: my.jsonl, k: 4}}`, problems of your own.",
            )
    _once(manifest, (block, "benchmarks"), asked)
    files = {
        name: _placed(manifest, (block, "benchmarks", name), name, value, ProblemFile)
        for name, value in asked.items()
        if isinstance(value, Mapping)
    }
    counts = {name: files[name].k if name in files else value for name, value in asked.items()}
    return {**data, block: {**inside, "benchmarks": counts}}, files


def own_training_set(manifest: Manifest, data: Mapping[str, Any]) -> tuple[Any, TrainFile | None]:
    """An experiment's data with a name where `train` names a file, and that file. Raises: like `own_benchmarks`."""
    wanted = data.get("train")
    if isinstance(wanted, str) and Path(wanted).suffix.lower() in (".jsonl", ".json"):
        fail(manifest, ("train",), f"a file of problems is named as `train: {{file: {wanted}}}`.")
    if not isinstance(wanted, Mapping):
        return data, None
    name = str(wanted.get("name") or Path(str(wanted.get("file", ""))).stem)
    return {**data, "train": name}, _placed(manifest, ("train",), name, wanted, TrainFile)


def problem_file(name: str, path: Path, wanted: T) -> T:
    """A file of problems, found to be usable: its absolute path and its hash.

    Raises: UserError if it cannot be read, is not what its `hash` says, or its name is taken.
    """
    wrong = reserved.mistake(name)
    if name in (*registry.benchmark_names(), *registry.training_set_names()):
        wrong = "there is a benchmark or training set of that name"
    if wrong:
        raise UserError(f"`{name}` cannot be the name of the problems in {path}: {wrong}.")
    try:
        if isinstance(wanted, ProblemFile):
            rule = Rule(Form(wanted.rule)) if wanted.rule else None
            found = Benchmark.from_file(path, name, rule=rule, content=wanted.hash)
            return replace(wanted, file=str(real_path(path)), hash=hash_of(found.problems))
        whole = training_file.read(path, name, wanted)
        held, reading = hash_of(whole.problems), training_file.reading_of(whole.problems)
        return replace(wanted, file=str(real_path(path)), hash=held, reading=reading)
    except ProblemsError as error:
        raise UserError(str(error)) from None


def benchmarks_written(evaluation: Evaluation) -> dict[str, Any]:
    """As a file that loads to the same has them."""
    own = {name: {**asdict(file), "k": evaluation.benchmarks[name]} for name, file in evaluation.files.items()}
    return {**evaluation.benchmarks, **own}


def train_written(experiment: Experiment) -> Any:
    """As a file that loads to the same has it."""
    file = experiment.train_file
    return {**stated(file), "overlap": file.overlap} if file else experiment.train


def _once(manifest: Manifest, key: Key, names: Iterable[str]) -> None:
    """Raises: UserError if two names differ in case alone, for some disks would give them one folder."""
    if found := reserved.alike(names):
        fail(manifest, (*key, found[0]), f"`{found[0]}` and `{found[1]}` differ in case alone. Rename one of them.")


def _placed(manifest: Manifest, key: Key, name: str, written: Mapping[str, Any], shape: type[T]) -> T:
    wanted = shape(**dict(checked(manifest, model(shape), dict(written), key)))
    if not wanted.file:
        fail(
            manifest,
            (*key, "file"),
            f"`{dotted((*key, 'file'))}` is empty. It must be the path of a file of JSON lines.",
        )
    beside = Path(manifest.source).parent / wanted.file
    path = beside if beside.exists() or not Path(wanted.file).exists() else Path(wanted.file)
    try:
        return problem_file(name, path, wanted)
    except UserError as error:
        fail(manifest, (*key, "file"), str(error))


def _check(manifest: Manifest, key: Key, load: Callable[[str], object], name: str) -> None:
    try:
        load(name)
    except (registry.UnknownBenchmark, PluginError) as error:
        fail(manifest, key, str(error))
