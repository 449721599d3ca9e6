"""What `rence exploit` and `rence grade --suite` say: rates by group and by kind, and what fooled a marker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.adversarial import NAME, SuiteRow, version
from benchmarks.adversarial.rates import Rates, by, rates
from rence.cli.console import table

if TYPE_CHECKING:
    from benchmarks.adversarial.calling import Judged

WORST, EXAMPLES = 8, 2
"""kinds in the list of the worst, and examples of each"""
_MOST_SHOWN = 60
"""characters of a text, from its end"""

Print = Callable[..., None]


def document(
    name: str, rows: Sequence[SuiteRow], verdicts: Sequence[bool | None], judged: Sequence[Judged] = ()
) -> dict[str, Any]:
    """Rates and examples as one JSON document.

    Args:
        judged: what a function made of each row, for its failures; empty: nothing is known of them.
    """
    examples = _examples(rows, verdicts)
    kinds = [
        {**one.to_json(), "group": group, "examples": examples.get(one.name, {})}
        for one, group in zip(by(_kind, rows, verdicts), _groups(rows), strict=True)
    ]
    return {
        "suite": NAME,
        "version": version(),
        "function": name,
        "cases": len(rows),
        "all": rates(rows, verdicts).to_json(),
        "groups": [one.to_json() for one in by(_group, rows, verdicts)],
        "kinds": kinds,
        "failures": _failures(rows, judged),
    }


def _failures(rows: Sequence[SuiteRow], judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """By kind of failure, the most frequent first, with whole messages of the first."""
    kinds: dict[str, list[tuple[SuiteRow, str]]] = {}
    for row, one in zip(rows, judged, strict=bool(judged)):
        if one.failure:
            kinds.setdefault(one.failure.partition(":")[0], []).append((row, one.failure))
    return [
        {
            "failure": kind,
            "cases": len(several),
            "examples": [
                {"id": row.id, "gold": row.gold, "pred": row.pred, "message": said} for row, said in several[:EXAMPLES]
            ],
        }
        for kind, several in sorted(kinds.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    ]


def _examples(rows: Sequence[SuiteRow], verdicts: Sequence[bool | None]) -> dict[str, dict[str, list[dict[str, str]]]]:
    """Kind -> accepted, refused -> a few errors, each for another reason where there are so many."""
    errors: dict[tuple[str, str], list[SuiteRow]] = {}
    for row, verdict in zip(rows, verdicts, strict=True):
        if (verdict is True) is not row.expected:
            errors.setdefault((row.kind, "refused" if row.expected else "accepted"), []).append(row)
    found: dict[str, dict[str, list[dict[str, str]]]] = {}
    for (kind, what), several in errors.items():
        first = {row.reason: row for row in reversed(several)}.values()
        chosen = sorted({row.id: row for row in (*first, *several)}.values(), key=lambda row: row not in first)
        found.setdefault(kind, {})[what] = [
            {"id": row.id, "gold": row.gold, "pred": row.pred, "reason": row.reason} for row in chosen[:EXAMPLES]
        ]
    return found


def show(found: Mapping[str, Any], write: Print) -> None:
    """For people: by group, then the kinds on which it errs most with examples."""
    shown = table("cases", "wrong", "accepted", "right", "refused", "failed", numbers=("wrong", "right", "failed"))
    for one in (*found["groups"], {**found["all"], "name": "all"}):
        shown.add_row(one["name"], *_cells(one), f"{one['failed']:,}")
    write(f"{found['function']} on {NAME} {found['version']}, {found['cases']:,} cases")
    write(_called(found))
    write(shown)
    for one in found["failures"]:
        write(f"It failed on {one['cases']:,}: {one['failure']}. Failures count as refusals.")
        for example in one["examples"]:
            write(f"    gold {_end(example['gold'])}   response {_end(example['pred'])}")
            if example["message"] != one["failure"]:
                write(f"      {example['message']}")
    for hint in found["hints"]:
        write(hint)
    _worst(
        found["kinds"], "accepted", "false_positives", "Fooled: kinds of wrong responses that it accepts most", write
    )
    _worst(
        found["kinds"], "refused", "false_negatives", "Too strict: kinds of right responses that it refuses most", write
    )


def kinds(rows: Sequence[SuiteRow]) -> list[dict[str, Any]]:
    """Name, group, and numbers of cases, in the order of the suite."""
    nothing = [None] * len(rows)
    return [
        {"name": one.name, "group": group, "wrong": one.wrong, "right": one.right}
        for one, group in zip(by(_kind, rows, nothing), _groups(rows), strict=True)
    ]


def show_kinds(rows: Sequence[SuiteRow], write: Print) -> None:
    """For people."""
    shown = table("kind", "group", "wrong", "right", numbers=("wrong", "right"))
    for one in kinds(rows):
        shown.add_row(one["name"], one["group"], str(one["wrong"]), str(one["right"]))
    write(shown)


def _called(found: Mapping[str, Any]) -> str:
    return (
        f"Called as {found['call']}; a score above {found['correct_above']:g} says correct; at most "
        f"{found['seconds']:g} s a case."
    )


def hints(found: Mapping[str, Any], call: str, messages: bool) -> list[str]:
    """What may be wrong with the call where a function says the same of nearly everything, in sentences.

    Args:
        found: the document, without its hints.
        call: as the child writes it.
    """
    refused, accepted = found["all"]["false_negatives"], found["all"]["false_positives"]
    said = []
    if refused is not None and refused > _NEARLY and not accepted:
        said.append(
            f"It refuses nearly everything ({refused:.1%} of the right): were response and gold swapped? It is called "
            f"as {call}. A score of correct must be above --correct-above."
        )
    if accepted is not None and accepted > _NEARLY and not refused:
        said.append(
            f"It accepts nearly everything ({accepted:.1%} of the wrong): were response and gold swapped? It is called "
            f"as {call}. A score of wrong must not be above --correct-above."
        )
    if "completions" in call and not messages and (said or found["all"]["failed"] > _NEARLY * found["cases"]):
        said.append(MESSAGES)
    return said


MESSAGES = "If it reads messages, as TRL gives them for conversations, say --messages."
_NEARLY = 0.95
"""share of cases that is nearly all: the strictest comparison of texts that was measured refuses 92 % of the right"""


def _worst(kinds: Sequence[Mapping[str, Any]], what: str, rate: str, title: str, write: Print) -> None:
    worst = sorted((kind for kind in kinds if kind[rate]), key=lambda kind: (-kind[rate], -kind[what]))
    if not worst:
        return
    write(f"{title} ({len(worst)} of {sum(kind[rate] is not None for kind in kinds)} kinds):")
    for kind in worst[:WORST]:
        total = kind["wrong"] if what == "accepted" else kind["right"]
        write(f"  {kind['name']}: {kind[what]} of {total} {what}")
        for example in kind["examples"][what]:
            write(f"    gold {_end(example['gold'])}   response {_end(example['pred'])}")
            write(f"      {example['reason']}")


def show_side_by_side(rows: Sequence[SuiteRow], found: Mapping[str, Sequence[bool | None]], write: Print) -> None:
    """For people: false positives and false negatives of several markers, kind by kind, then by group."""
    columns = [f"{what} {letter}" for letter in _LETTERS[: len(found)] for what in ("FP", "FN")]
    shown = table("kind", "wrong", "right", *columns, numbers=("wrong", "right", *columns))
    by_kind, by_group = ([by(key, rows, verdicts) for verdicts in found.values()] for key in (_kind, _group))
    for several in (*zip(*by_kind, strict=True), *zip(*by_group, strict=True)):
        shown.add_row(*_row(several))
    shown.add_row(*_row([rates(rows, verdicts) for verdicts in found.values()]))
    write(f"{NAME} {version()}, {len(rows):,} cases")
    for letter, (name, verdicts) in zip(_LETTERS, found.items(), strict=False):
        write(f"{letter}: {name}; it failed on {sum(one is None for one in verdicts):,}")
    write("FP: wrong responses accepted, FN: right responses refused; failures count as refusals.")
    write(shown)


_LETTERS = "ABC"


def _row(several: Sequence[Rates]) -> list[str]:
    first = several[0]
    cells = [_share(share) for one in several for share in (one.false_positives, one.false_negatives)]
    return [first.name, f"{first.wrong:,}", f"{first.right:,}", *cells]


def _cells(one: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return (
        f"{one['wrong']:,}",
        f"{one['accepted']:,} ({_share(one['false_positives'])})" if one["wrong"] else "–",
        f"{one['right']:,}",
        f"{one['refused']:,} ({_share(one['false_negatives'])})" if one["right"] else "–",
    )


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _kind(row: SuiteRow) -> str:
    return row.kind


def _group(row: SuiteRow) -> str:
    return row.group


def _groups(rows: Sequence[SuiteRow]) -> list[str]:
    """Of each kind, in their order."""
    return list({row.kind: row.group for row in rows}.values())


def _end(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _MOST_SHOWN else f"…{flat[-_MOST_SHOWN:]}"
