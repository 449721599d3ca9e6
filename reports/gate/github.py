"""What GitHub Actions shows: annotations on the run's page, and a step summary in Markdown.

Limits are GitHub's: ten annotations of a kind a step are shown, and a summary above 1 MiB is dropped whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.records.foreign import visible, without_commands
from reports.data.scores import AVERAGE
from reports.document import Bullets, Text
from reports.gate.decide import GateOutcome
from reports.gate.verdict import Gate, bounds, sentences, table, verdict
from reports.render import markdown
from reports.words import signed

MOST_ANNOTATIONS = 10
MOST_SUMMARY = 2**20
"""bytes of a step's summary, whoever wrote them"""
TITLE = "rence gate"


@dataclass(frozen=True)
class Annotation:
    kind: str
    """error or warning"""
    title: str
    message: str

    def command(self) -> str:
        """The line that GitHub reads, escaped as its toolkit does (actions/toolkit, packages/core/src/command.ts)."""
        return f"::{self.kind} title={_property(self.title)}::{_data(self.message)}"


def commands(gate: Gate) -> list[str]:
    """Annotations, at most ten lines; none for a pass for which nothing was let through."""
    found = list(_annotations(gate))
    if len(found) > MOST_ANNOTATIONS:
        left = len(found) - MOST_ANNOTATIONS + 1
        more = Annotation(found[0].kind, TITLE, f"{left} more; the step's summary and the table name all.")
        found = [*found[: MOST_ANNOTATIONS - 1], more]
    return [one.command() for one in found]


def _annotations(gate: Gate) -> Iterator[Annotation]:
    kind = "warning" if gate.warned else "error"
    if gate.outcome in (GateOutcome.REGRESSION, GateOutcome.INCONCLUSIVE):
        yield Annotation(kind, f"{TITLE}: {gate.outcome.value}", verdict(gate))
    for name, change, failed in gate.columns:
        if failed and name != AVERAGE:
            lost = f"{signed(change.estimate.value)} points, {bounds(change)}: lost more than {gate.points}."
            yield Annotation("error", f"{TITLE}: {name}", lost)
    for sentence in gate.checked.sentences:
        yield Annotation("warning", f"{TITLE}: accepted", sentence)


def refused(message: str) -> str:
    """Of a gate that could not be decided."""
    return Annotation("error", f"{TITLE}: not decided", message).command()


def summary(gate: Gate) -> list[str]:
    """The same in Markdown, from the longest form to the shortest: the first that fits is taken."""
    first, *rest = sentences(gate)
    blocks = [_heading(gate.outcome.value, first), markdown.table(table(gate)), *map(_text, rest)]
    whole = [*blocks, markdown.block(Bullets(gate.remarks))] if gate.remarks else blocks
    return ["\n\n".join(form) for form in (whole, blocks, blocks[:1])]


def refused_summary(message: str) -> list[str]:
    """The step summary of a gate that could not be decided; it has one form alone."""
    return [_heading("not decided", message)]


def append(path: Path, forms: list[str]) -> bool:
    """Add the first form that keeps the file within GitHub's limit; False if none does.

    Raises: OSError.
    """
    there = path.stat().st_size if path.exists() else 0
    for form in forms:
        block = f"\n{form}\n".encode() if there else f"{form}\n".encode()
        if there + len(block) < MOST_SUMMARY:
            with path.open("ab") as file:
                file.write(block)
            return True
    return False


def _heading(outcome: str, words: str) -> str:
    return f"## {TITLE}: {outcome}\n\n**{_text(words)}**"


def _text(words: str) -> str:
    return markdown.block(Text(words))


def _data(words: str) -> str:
    return without_commands(visible(words)).replace("%", "%25").replace("\n", "%0A")


def _property(words: str) -> str:
    return _data(words).replace(":", "%3A").replace(",", "%2C")
