"""What `rence same` prints."""

from __future__ import annotations

from reports.data.scores import AVERAGE
from reports.document import Cell, Column, Row, Table, text
from reports.questions.same import SameCell, SameModel
from reports.render import plain
from reports.words import GAP, capital, listing, p_text, percent, plural, signed

NOTHING = 1 / 3
"""of the scale: a test that finds no less than this cannot detect anything"""


def render(found: SameModel) -> str:
    """The two names, a table in percent and points, the finding, what it could have seen, the notes."""
    level = f"{100 * (1 - found.alpha / 2):g}"
    columns = ["", "problems", "k", "A", "B", "A − B", f"{level} % interval", "p mean", "p pattern", "could see"]
    table = Table(
        "same", [Column(c, numeric=i > 0) for i, c in enumerate(columns)], [_row(found, c) for c in found.cells]
    )
    head = f"A  {found.a}\nB  {found.b}"
    about = (
        "Raw p-values, of the means and of the problems one by one, by exchanging answers within each problem; the "
        "interval covers new answers of these checkpoints to these problems, and is by another method (Newcombe's): "
        "the tests decide, also where it leaves out 0. Could see: 80 % power."
    )
    left = f"Not compared: {listing(found.left_out)}." if found.left_out else ""
    said = [_finding(found), *found.checked.sentences, _power(found)]
    parts = [head, left, plain.table(table), about, *_texts(found), *said, *_basis(found), *found.notes]
    return "\n\n".join(part for part in parts if part)


def _row(found: SameModel, cell: SameCell) -> Row:
    name = AVERAGE if cell.benchmark == AVERAGE else found.titles.get(cell.benchmark, cell.benchmark)
    k = cell.k[0] if cell.k[0] == cell.k[1] else f"{cell.k[0]} and {cell.k[1]}"
    return Row(
        [
            text(name),
            Cell(f"{cell.problems:,}"),
            Cell(k),
            Cell(percent(cell.a)),
            Cell(percent(cell.b)),
            Cell(signed(cell.a - cell.b)),
            Cell(f"{signed(cell.low)} to {signed(cell.high)}"),
            Cell(p_text(cell.mean.p_value)),
            Cell(p_text(cell.pattern.p_value if cell.pattern else None)),
            Cell(GAP if cell.mde is None else percent(cell.mde)),
        ]
    )


def _texts(found: SameModel) -> list[str]:
    texts = found.texts
    if texts is None:
        return ["Whether the texts are equal is not known: a side's files do not hold them all."]
    if texts.identical and not found.same_marks:
        marked = "but they are not all marked alike: another marker, or other golds"
        return [f"All {texts.answers:,} texts are equal, answer by answer, {marked}."]
    if texts.identical:
        return [f"Identical answers: all {texts.answers:,} texts are equal, answer by answer."]
    more = f"; {texts.unpaired:,} answers are on one side only" if texts.unpaired else ""
    return [f"{texts.equal:,} of {plural(texts.answers, 'answer')} are equal text by text{more}."]


def _finding(found: SameModel) -> str:
    on = "these problems"
    if found.left_out:
        named = [found.titles.get(cell.benchmark, cell.benchmark) for cell in found.cells[1:]]
        on = f"the problems of {listing(named)} alone"
    if found.identical:
        return f"The same model, as far as {on} tell: nothing differs, not even the texts."
    tests = "mean and pattern" if found.average.pattern else "mean"
    p = f"p {p_text(found.p_value)} ({tests}; the smaller of two, doubled)"
    if found.too_few:
        level = p_text(found.alpha).rstrip("0")
        return (
            f"Cannot tell (so few answers cannot reach p {level}): p {p_text(found.p_value)}; were all of one side's "
            f"answers correct and none of the other's, it would be {p_text(found.least_p)}."
        )
    if found.differs:
        return f"A and B differ on {on}: {p}."
    return f"No difference found between A and B on {on}: {p}."


def _basis(found: SameModel) -> list[str]:
    """What differs and may, and what was made before files had seals."""
    told = [f"Differs, which is not refused: {'; '.join(found.listed)}."] if found.listed else []
    return [*told, *(f"{capital(words)}." for words in found.checked.unsealed)]


def _power(found: SameModel) -> str:
    if found.identical:
        return ""
    cell = found.average
    blind = "" if cell.pattern else (
        " Changes that cancel out in the mean cannot be seen: with one answer to a problem on each side, or nothing "
        "that varies, which problems differ tells nothing."
    )  # fmt: skip
    if cell.mde is None or cell.mde > NOTHING:
        return (
            "This comparison cannot detect anything: more answers a problem, or more problems, are needed before "
            f"`no difference` means something.{blind}"
        )
    return (
        f"It could have seen a difference of {percent(cell.mde)} points of the average (80 % power); smaller ones may "
        f"be there.{blind}"
    )
