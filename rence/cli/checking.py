"""`rence check`: the contract of a kind of thing, run on one of them, ours or a plug-in.

A contract is a tuple of checks, functions of the thing. A check passes if it returns, fails with what it raises, and is
not run where it raises unittest's SkipTest, whose message says what is missing here. To add a contract: a line in
`CONTRACTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Annotated, Any

import typer

from harness.base.errors import FAILED, UserError, nearest, need
from rence.cli import sections
from rence.cli.console import Json, command, out, print_json, table


def _complete(typed: str) -> list[str]:
    """For the shell: names of every kind that has a contract."""
    return [name for contract in CONTRACTS.values() for name in contract.names() if name.startswith(typed)]


Name = Annotated[
    str, typer.Argument(help="See `rence list`; or MODULE:FUNCTION.", autocompletion=_complete, show_default=False)
]
Check = Callable[[Any], None]


class CheckedKind(StrEnum):
    algorithm = "algorithm"
    benchmark = "benchmark"
    engine = "engine"
    backend = "backend"
    section = "section"
    shape = "shape"
    reward = "reward"


@dataclass(frozen=True)
class Contract:
    """What all things of a kind keep to."""

    names: Callable[[], Sequence[str]]
    """of the kind; imports none of the things"""
    find: Callable[[str], Any]
    """what the checks are given, by name; raises UserError or PluginError, or SkipTest where none of them can run"""
    checks: str
    """`module:attribute` of the tuple of checks"""
    needs: tuple[str, ...] = ("torch",)
    """modules that the checks import"""


@dataclass(frozen=True)
class CheckRow:
    """How one check went."""

    kind: str
    name: str
    passed: bool | None
    """None: it was not run"""
    detail: str = ""
    """what was found where it failed, what is missing where it was not run"""

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "name": self.name, "passed": self.passed, "detail": self.detail}


def _algorithm(name: str) -> Any:
    from harness.base.registry import UnknownAlgorithm, algorithm

    try:
        return algorithm(name)
    except UnknownAlgorithm as error:
        raise UserError(str(error)) from None


def _algorithm_names() -> Sequence[str]:
    from harness.base.registry import algorithm_names

    return algorithm_names()


def _benchmark(name: str) -> Any:
    from benchmarks.problems import ProblemsError, ProblemsMissing
    from harness.base.registry import UnknownBenchmark, benchmark

    try:
        found = benchmark(name)
    except UnknownBenchmark as error:
        raise UserError(str(error)) from None
    try:
        found.problems  # noqa: B018  which loads them
    except ProblemsMissing:
        from unittest import SkipTest

        raise SkipTest("problems are not on this machine; RENCE_DATA_DIR names a folder that has them") from None
    except ProblemsError:
        pass  # the checks will say so
    return found


def _benchmark_names() -> Sequence[str]:
    from harness.base.registry import benchmark_names

    return benchmark_names()


def _engine(name: str) -> Any:
    from harness.engines.engine_contract import opened

    return opened(name)


def _engine_names() -> Sequence[str]:
    from harness.engines.registry import ENGINES

    return ENGINES.names()


def _backend(name: str) -> Any:
    from harness.backends.example_trial import under_test

    return under_test(name)


def _backend_names() -> Sequence[str]:
    from harness.base.registry import BACKENDS

    return BACKENDS.names()


def _section(name: str) -> Any:
    from reports.sections import registry
    from reports.sections.section_contract import SectionUnderTest

    if name in registry.ours():
        return SectionUnderTest(name, registry.ours()[name], "cost" if name == "cost" else "body")
    return SectionUnderTest(name, sections.PLUGINS.get(name))


def _section_names() -> Sequence[str]:
    from reports.sections import registry

    return [*registry.ours(), *sections.PLUGINS.names()]


def _reward(name: str) -> Any:
    from benchmarks.rewards import RewardMistake
    from benchmarks.rewards.reward_contract import under_test

    try:
        found = under_test(name)
        found.rewards  # noqa: B018  which imports it
    except RewardMistake as error:
        raise UserError(str(error)) from None
    return found


def _shape(name: str) -> Any:
    from harness.importing.shapes.families import FAMILIES

    found = next((one for one in FAMILIES if one.name == name), None)
    if found is None:
        raise UserError(f"no family of files is called `{name}`. {nearest(name, _shape_names())}")
    return found


def _shape_names() -> Sequence[str]:
    from harness.importing.shapes.families import FAMILIES

    return [one.name for one in FAMILIES]


_LOCAL = ("torch", "transformers")
CONTRACTS: dict[CheckedKind, Contract] = {
    CheckedKind.algorithm: Contract(_algorithm_names, _algorithm, "harness.config.algorithm_contract:CHECKS"),
    CheckedKind.benchmark: Contract(_benchmark_names, _benchmark, "benchmarks.contract:CHECKS", ("math_verify",)),
    CheckedKind.engine: Contract(_engine_names, _engine, "harness.engines.engine_contract:CHECKS", _LOCAL),
    CheckedKind.backend: Contract(_backend_names, _backend, "harness.backends.backend_contract:CHECKS", _LOCAL),
    CheckedKind.shape: Contract(_shape_names, _shape, "harness.importing.shapes.shape_contract:CHECKS", ("pandas",)),
    CheckedKind.section: Contract(_section_names, _section, "reports.sections.section_contract:CHECKS", ("pandas",)),
    CheckedKind.reward: Contract(list, _reward, "benchmarks.rewards.reward_contract:CHECKS", ()),
}


def add_to(app: typer.Typer) -> None:
    command(app)(check)


def check(
    name: Name,
    kind: Annotated[
        CheckedKind | None, typer.Option(help="Of this kind alone, where a name is of several.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """The contract of what has this name: what every algorithm, benchmark, engine, backend, section, shape of files
    keeps to; and of a reward function of yours, MODULE:FUNCTION."""
    rows = [row for one in _kinds(name, kind) for row in run_contract(one, name)]
    failed, run = [row for row in rows if row.passed is False], [row for row in rows if row.passed is not None]
    if json:
        print_json({"name": name, "checks": [row.to_json() for row in rows]})
    else:
        _print(rows)
        held = f"all {len(run)} hold" if run else "none was run"
        left = f", {len(rows) - len(run)} not run" if run and len(run) < len(rows) else ""
        out().print(f"{len(failed)} of {len(run)} fail{left}" if failed else f"{held}{left}")
    if failed:
        raise typer.Exit(FAILED)


def run_contract(kind: CheckedKind, name: str) -> list[CheckRow]:
    """Every check, whatever the others found.

    Raises: UserError if the thing is not there, or lacks packages that its checks need; PluginError.
    """
    from unittest import SkipTest

    contract = CONTRACTS[kind]
    need(f"checking {_article(kind)} {kind}", *contract.needs)
    module, _, attribute = contract.checks.partition(":")
    checks: Sequence[Check] = getattr(import_module(module), attribute)
    try:
        subject = contract.find(name)
    except SkipTest as reason:
        return [CheckRow(kind, f"all {len(checks)} checks", None, str(reason))]
    return [outcome(kind, one, subject) for one in checks]


def outcome(kind: str, one: Check, subject: Any) -> CheckRow:
    """How a check goes, whatever it raises."""
    from unittest import SkipTest

    try:
        one(subject)
    except SkipTest as reason:
        return CheckRow(kind, _words(one), None, str(reason))
    except Exception as error:  # foreign code may fail in any way; that is a finding too
        said = " ".join(str(error).split())
        own = isinstance(error, AssertionError) and said
        return CheckRow(kind, _words(one), False, said if own else f"{type(error).__name__}: {said}")
    return CheckRow(kind, _words(one), True)


def _kinds(name: str, kind: CheckedKind | None) -> list[CheckedKind]:
    """Raises: UserError with the nearest name if nothing is called so."""
    if kind is CheckedKind.reward or (kind is None and ":" in name):
        return [CheckedKind.reward]
    asked = [kind] if kind else [one for one in CheckedKind if one is not CheckedKind.reward]
    found = [one for one in asked if name in CONTRACTS[one].names()]
    if not found:
        from harness.base.registry import training_set_names

        if name in training_set_names():
            raise UserError(f"`{name}` is a training set, and training sets have no contract. `rence list benchmarks`")
        names = sorted({known for one in asked for known in CONTRACTS[one].names()})
        what = kind or "thing to check"
        lists = ", ".join(f"rence list {one}s" for one in asked)
        raise UserError(f"there is no {what} `{name}`. {nearest(name, names)} See: {lists}.")
    return found


def _print(rows: Sequence[CheckRow]) -> None:
    kinds = len({row.kind for row in rows}) > 1
    shown = table(*(["kind"] if kinds else []), "check", "result")
    for row in rows:
        result = {True: "holds", False: row.detail, None: f"not run: {row.detail}"}[row.passed]
        shown.add_row(*([row.kind] if kinds else []), row.name, result)
    out().print(shown)


def _words(one: Check) -> str:
    return one.__name__.replace("_", " ")


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"
