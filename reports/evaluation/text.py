"""An evaluation as a terminal shows it: the table, and under it what its numbers rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reports.data.scores import AVERAGE
from reports.document import Cell, Column, Row, Table, text
from reports.evaluation.result import COVERS, SHOWN, EvaluatedModel, Result
from reports.render import plain
from reports.statistics import Estimate
from reports.words import count, extent, percent, plural

_NAME, _AVG, _INTERVAL, _DISAGREE = "benchmark", "avg@k", "95 % interval", "markers disagree"
_SCORES = (_NAME, "problems", "k", _AVG, _INTERVAL, "pass@k", "maj@k")
_SHARES = {mark: mark.replace("_", " ") for mark in SHOWN}


def render(found: EvaluatedModel, width: int) -> str:
    """
    Args:
        width: columns there are; where one table would not fit, what became of the answers is a second one.
    """
    fates = (*_SHARES.values(), "tokens", *([_DISAGREE] if found.header.second_marker else []))
    tables = [_table(found, (*_SCORES, *fates))]
    if max(map(len, tables[0].splitlines())) > width:
        tables = [_table(found, _SCORES), _table(found, (_NAME, *fates))]
    return "\n\n".join([*tables, "\n".join([*_basis(found), *found.notes, *found.checked.sentences])])


def _table(found: EvaluatedModel, titles: Sequence[str]) -> str:
    cells = [_cells(result) for result in found.results]
    if found.average and len(cells) > 1 and _AVG in titles:
        cells.append({_NAME: text(AVERAGE), **_score(found.average)})
    rows = [Row([row.get(title, Cell("")) for title in titles]) for row in cells]
    return plain.table(Table("evaluation", [Column(title, numeric=title != _NAME) for title in titles], rows))


def _cells(result: Result) -> Mapping[str, Cell]:
    return {
        _NAME: text(result.title),
        "problems": Cell(count(result.header.problems)),
        "k": Cell(str(result.header.k)),
        **_score(result.avg_at_k),
        "pass@k": Cell(percent(result.pass_at_k)),
        "maj@k": Cell(percent(result.maj_at_k)),
        **{title: Cell(percent(result.share(mark))) for mark, title in _SHARES.items()},
        "tokens": Cell(count(result.mean_tokens)),
        **({_DISAGREE: Cell(count(result.second.disagree))} if result.second else {}),
    }


def _score(estimate: Estimate) -> Mapping[str, Cell]:
    return {_AVG: Cell(percent(estimate.value)), _INTERVAL: Cell(extent(estimate.interval))}


def _basis(found: EvaluatedModel) -> list[str]:
    header, sampling = found.header, found.sampling
    limit = f", the first {plural(header.limit, 'problem')} of each benchmark only" if header.limit else ""
    second = " beside a second, Math-Verify alone, on which no score depends" if header.second_marker else ""
    return [
        "Percent; tokens are a mean. Intervals: over problems, exact at the edges;",
        f"they are about {COVERS}.",
        f"Answers are {_rules(found.results)}.",
        f"Model {header.arm}, template {header.template}{limit}.",
        f"Temperature {sampling['temperature']:g}, top_p {sampling['top_p']:g}, at most {sampling['max_tokens']:,} "
        f"tokens, seed {sampling['seed']}.",
        f"Engine {header.engine} {header.engine_version}; marker {header.grader_version}{second}.",
    ]


def _rules(results: Sequence[Result]) -> str:
    """What counts as equal to a gold: once if it is one for all benchmarks, else with each one's title."""
    titles: dict[str, list[str]] = {}
    for result in results:
        titles.setdefault(result.header.rule or "compared by a rule that was not recorded", []).append(result.title)
    if len(titles) == 1:
        return next(iter(titles))
    return "; ".join(f"{rule} ({', '.join(several)})" for rule, several in titles.items())
