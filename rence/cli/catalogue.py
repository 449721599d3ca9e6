"""`rence list`, `rence show`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.base.errors import UserError
from harness.base.plugins import PluginError, Plugins
from rence.cli import completion, sections
from rence.cli.console import Json, command, out, print_json, table, titled
from rence.cli.shipped import configs, first_sentence

if TYPE_CHECKING:
    from algorithms.base import Algorithm
    from harness.base.named import Named

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="An algorithm, see `rence list algorithms`; or a run folder: ./x is always one.",
        autocompletion=completion.algorithms,
        show_default=False,
    ),
]

_UNUSABLE = "cannot be used"
_WIDE, _WHERE_WIDE = 120, ("licence", "origin")
"""columns of a terminal, and what a narrower one does not show; `--json` has all"""


class Kind(StrEnum):
    algorithms = "algorithms"
    benchmarks = "benchmarks"
    backends = "backends"
    engines = "engines"
    sections = "sections"
    configs = "configs"
    runs = "runs"


def add_to(app: typer.Typer) -> None:
    command(app, "list")(list_)
    command(app)(show)


def list_(kind: Annotated[Kind, typer.Argument(show_default=False)], json: Json = False) -> None:
    """What there is: algorithms, benchmarks (and training sets), backends, engines, sections of a
    report, experiments that ship, or the runs of this folder."""
    rows = _LISTS[kind]()
    if json:
        print_json(rows)
        return
    if not rows:
        out().print(f"No {kind} here.")
        return
    left_out = () if out().width >= _WIDE else _WHERE_WIDE
    columns = [column for column in rows[0] if column not in left_out]
    shown = table(*columns, numbers=tuple(c for c in columns if isinstance(rows[0][c], int)))
    shown.columns[0].no_wrap = True  # a name is there to be copied
    shown.columns[0].min_width = max(len(str(row[columns[0]])) for row in rows)
    for row in rows:
        shown.add_row(*("-" if row[column] is None else str(row[column]) for column in columns))
    out().print(shown)


def show(algorithm: Name, json: Json = False) -> None:
    """The spec sheet of an algorithm: what exactly it does, its hyper-parameters, its source and equation; or, of a run
    folder, its scores and its verdict."""
    if _is_run(algorithm):
        _show_run(Path(algorithm), json)
        return
    found = _algorithm(algorithm)
    sheet = _sheet(algorithm, found)
    if json:
        print_json(sheet)
        return
    console = out()
    setting = f"\na preset of {sheet['preset_of']}: {sheet['setting']}" if sheet["preset_of"] else ""
    # Rows with a star already have these values; a reader must know that not every arm does.
    of_recipe = ", ".join(f"{key} {value}" for key, value in sheet["recipe_settings"].items())
    console.print(titled(sheet["title"], f"  ({algorithm}){setting}\n{sheet['source']}\n\n{sheet['summary']}\n"))
    semantics = table("what it does", "")
    for key, value in sheet["spec"].items():
        semantics.add_row(key, value)
    for key, value in sheet["recipe"].items():
        semantics.add_row(f"{key} *", value)
    console.print(semantics)
    own = f"; {algorithm} sets {of_recipe}, unless the arm says otherwise" if of_recipe else ""
    console.print(f"* by default: the recipe's, which all arms share{own}\n")
    settings = table("hyper-parameter", "default", "meaning")
    for row in sheet["hyperparameters"]:
        settings.add_row(row["name"], str(row["default"]), row["meaning"])
    console.print(settings)
    for part in sheet["activity"]:
        console.print(f"Logs {part['metric']}: {part['label']}")
    for part, off in sheet["parts"].items():
        settings = ", ".join(f"{name}={value}" for name, value in off.items())
        console.print(f"Trials measure the gradient without its {part} ({settings})")
    if sheet["page"]:
        console.print()
        console.print(sheet["page"])


def _is_run(name: str) -> bool:
    """A path is a run; so is a folder that no algorithm is called like."""
    if "/" in name or name in (".", ".."):
        return True
    from harness.base.registry import algorithm_names

    return name not in algorithm_names() and any((Path(name) / file).exists() for file in ("plan.json", "scores.json"))


def _show_run(run: Path, json: bool) -> None:
    import reports

    if json:
        raise UserError(f"--json is of algorithms: `rence report {run} --format json` writes verdict.json.")
    try:
        out().print(reports.summary(run), markup=False, highlight=False)
    except reports.Unmatched as error:
        raise UserError(str(error)) from None


def _algorithm(name: str) -> Algorithm:
    from harness.base.registry import UnknownAlgorithm, algorithm

    try:
        return algorithm(name)
    except (UnknownAlgorithm, PluginError) as error:
        raise UserError(str(error)) from None


def _sheet(name: str, algorithm: Algorithm) -> dict[str, Any]:
    """What `rence show` says of an algorithm or a preset, as JSON: its page, what it does, settings with their
    meanings."""
    from harness.config.algorithm_recipe import by_default
    from harness.config.shape import docs

    meanings = docs(type(algorithm))
    return {
        "name": name,
        "title": algorithm.title,
        "source": algorithm.source,
        "summary": inspect.cleandoc(type(algorithm).__doc__ or ""),
        "page": inspect.cleandoc(sys.modules[type(algorithm).__module__].__doc__ or ""),
        **_preset(name, algorithm),
        "spec": algorithm.spec(),
        "recipe": by_default(name, algorithm).spec(algorithm),
        "recipe_settings": dict(algorithm.recipe),
        "hyperparameters": [
            {"name": f.name, "default": getattr(algorithm, f.name), "meaning": meanings.get(f.name, "")}
            for f in fields(algorithm)
        ],
        "activity": [{"metric": one.metric, "label": one.label} for one in algorithm.activity],
        "parts": {part: dict(off) for part, off in algorithm.parts.items()},
        "refill": algorithm.refill,
        "reference": algorithm.reference,
        "contrastive": algorithm.contrastive,
        "separable": algorithm.separable,
    }


def _algorithms() -> list[dict[str, Any]]:
    from harness.base.registry import ALGORITHM_PLUGINS, algorithms

    rows = [
        {"name": name, "title": found.title, **_preset(name, found), "source": found.source}
        for name, found in algorithms().items()
    ]
    return [*rows, *_broken(ALGORITHM_PLUGINS, title=_UNUSABLE, preset_of=None, setting="", source="{error}")]


def _preset(name: str, algorithm: Algorithm) -> dict[str, str | None]:
    """The algorithm that a name is a preset of, and where it leaves that one's defaults and the recipe's."""
    from algorithms.registry import preset_of, settings

    changed = settings(name, algorithm) | {f"recipe.{key}": value for key, value in algorithm.recipe.items()}
    setting = ", ".join(f"{key} {value}" for key, value in changed.items())
    return {"preset_of": preset_of(name, algorithm), "setting": setting}


def _benchmarks() -> list[dict[str, Any]]:
    """Benchmarks, then training sets, then plug-ins that cannot be used, in rows with the same columns."""
    from harness.base.registry import BENCHMARK_PLUGINS, benchmarks, training_sets

    kinds = {"benchmark": benchmarks().values(), "training set": training_sets().values()}
    rows = [
        {
            "name": one.name,
            "title": getattr(one, "title", None),
            "kind": kind,
            "problems": one.count,
            "k": getattr(one, "k", None),
            "rule": rule.label if (rule := getattr(one, "rule", None)) else None,
            "description": one.description,
            "licence": one.licence,
            "origin": one.origin,
        }
        for kind, listed in kinds.items()
        for one in listed
    ]
    empty = {"title": None, "problems": None, "k": None, "rule": None, "licence": "", "origin": ""}
    return [*rows, *_broken(BENCHMARK_PLUGINS, kind=_UNUSABLE, description="{error}", **empty)]


def _backends() -> list[dict[str, Any]]:
    from harness.base.registry import BACKENDS

    return _named(BACKENDS)


def _engines() -> list[dict[str, Any]]:
    from harness.engines.registry import ENGINES

    return _named(ENGINES)


def _named(things: Named[Any]) -> list[dict[str, Any]]:
    rows = [{"name": name, "description": description} for name, description in things.descriptions().items()]
    return [*rows, *_broken(things.plugins, description=f"{_UNUSABLE}: {{error}}")]


def _sections() -> list[dict[str, Any]]:
    from reports.sections.registry import descriptions

    listed = descriptions(sections.others().sections)
    rows = [{"name": name, "description": description} for name, description in listed.items()]
    return [*rows, *_broken(sections.PLUGINS, description=f"{_UNUSABLE}: {{error}}")]


def _broken(plugins: Plugins[Any], **row: str | None) -> list[dict[str, Any]]:
    """A row for each plug-in that cannot be used, with the columns of the others."""
    return [
        {"name": name, **{key: value and value.format(error=error) for key, value in row.items()}}
        for name, error in plugins.broken().items()
    ]


def _configs() -> list[dict[str, Any]]:
    return [{"name": name, "description": first_sentence(file)} for name, file in configs().items()]


def _runs() -> list[dict[str, Any]]:
    from harness.run.progress import run_row

    roots = {path.parent for name in ("plan.json", "scores.json") for path in Path("runs").glob(f"*/{name}")}
    return [run_row(root) for root in sorted(roots)]


_LISTS: dict[Kind, Callable[[], list[dict[str, Any]]]] = {
    Kind.algorithms: _algorithms,
    Kind.benchmarks: _benchmarks,
    Kind.backends: _backends,
    Kind.engines: _engines,
    Kind.sections: _sections,
    Kind.configs: _configs,
    Kind.runs: _runs,
}
