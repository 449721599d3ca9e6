"""The public Python, from its docstrings and the table of columns."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence

import rence
from harness.config.shape import docs
from harness.records.schema import Attempt
from reports.frames.frame_columns import FRAMES, TEXTS, FrameColumn, attempt_columns

WIDTH = 120
SHOWN: dict[str, Sequence[str]] = {
    "arms": ["arms"],
    "trials": ["trials"],
    "scores": ["scores", "scores by seed"],
    "problems": ["problems", "problems by seed"],
    "attempts": [],
    "curves": ["curves", "curves by seed"],
    "differences": ["differences"],
    "flips": ["flips"],
    "pass_at_k": ["pass_at_k"],
    "pass_at_k_differences": ["pass_at_k differences"],
    "markers": ["markers"],
    "steps": ["steps"],
    "missing": ["missing"],
    "frame": ["compared"],
}
"""method -> the tables of its columns"""
HEAD = """\
# Results in Python

*Written by `make reference` from the code's own words; a test holds the two together. Answers to common questions, ten
lines each: [how-to/python.md](../how-to/python.md).*

```python parse
import rence

run = rence.load("runs/quickstart")  # a run, finished or under way, an import, or a folder of `rence eval`
run  # prints itself: the table of scores, the verdict, what is not there yet
run.scores()  # a pandas DataFrame
run.plot_curves(x="tokens")  # matplotlib axes
rence.compare("runs/quickstart/rence", "runs/quickstart/grpo")  # what `rence compare` prints
```

What holds everywhere:

- **Numbers are the report's**, from the same code: `scores()` is `results.csv`, `differences()` the `pairs` of
  `verdict.json`. Nothing is rounded.
- **Units.** Scores, rates and differences are fractions, 0 to 1 (-1 to 1) in tables; pictures show percent and points.
  Lengths are in tokens, times in seconds. With `rence import scores --unit raw` scores are what they were.
- **What is missing is NaN** (`<NA>` in a `boolean` column), never 0: pandas leaves it out of means by itself, so look
  at `run.missing()` before you average.
- **Names.** `arm` is an arm's name in the plan; `start` is the untrained model, whose `seed` is -1. An arm with a seed
  is a trial. The headline is the evaluation at the full budget. A score is avg@k: the share of correct attempts.
- **Types.** Columns of texts are `str`, which is `object` before pandas 3. Rows come in the plan's order of arms.
- **Errors.** What is wrong with files is a `rence.DataError`; arms or evaluations that do not agree
  `rence.Unmatched`; files that are not as they were sealed `rence.BrokenSeal`; a wrong name a `ValueError`, with the
  names there are. `accept="why"` lets a mismatch or a broken seal through, and whatever is printed then says so.
- **Pictures** are drawn on the `ax` you give, or on a figure of their own, and return the axes:
  `ax.figure.savefig("curves.pdf")`. `benchmark` is a benchmark's name or `average`.

The package has its types (`py.typed`). `import rence` imports neither pandas nor matplotlib; asking for a table or a
picture does. The other half of the public names is for who builds on rence:
[how-to/plugins.md](../how-to/plugins.md).
"""


def page() -> str:
    """The whole page."""
    results = list(_methods(rence.Results))
    tables = [name for name, _ in results if not name.startswith(("plot", "compare"))]
    rest = [name for name, _ in results if name.startswith(("plot", "compare"))]
    members = dict(results)
    parts = [
        HEAD,
        *_function("rence.load", rence.load),
        *_class("Results", rence.Results),
        "## Tables of `Results`\n",
        *(part for name in tables for part in _method(name, members[name])),
        "## Comparisons and pictures of `Results`\n",
        *(part for name in rest for part in _method(name, members[name])),
        *_function("rence.compare", rence.compare),
        *_class("PairResults", rence.PairResults),
        *(part for name, member in _methods(rence.PairResults) for part in _method(name, member)),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _methods(cls: type) -> Iterator[tuple[str, Callable[..., object]]]:
    """The public methods of a class itself, in their order; of its base those that it is said to have."""
    for name, member in vars(cls).items():
        if name[0] != "_" and inspect.isfunction(member):
            yield name, member


def _class(name: str, cls: type) -> list[str]:
    """What it is, and its attributes, with the strings below fields and the docstrings of properties."""
    fields = docs(cls)
    told = {field: words for field, words in fields.items() if field in ("root", "kind", "a", "b")}
    for one, member in inspect.getmembers(cls, lambda member: isinstance(member, property)):
        if one[0] != "_":
            told[one] = inspect.cleandoc(member.__doc__ or "").replace("\n", " ")
    order = [*(one for one in ("root", "kind", "name", "benchmarks", "decodings", "verdict", "notes") if one in told)]
    listed = [*order, *(one for one in told if one not in order)]
    attributes = [_item(f"`{one}`: {told[one]}") for one in listed if told[one]]
    return [f"## `rence.{name}`\n", *_words(cls), *(["Attributes:\n", *attributes, ""] if attributes else [])]


def _function(name: str, function: Callable[..., object]) -> list[str]:
    return [f"## `{name}`\n", _signature(name, function), *_words(function)]


def _method(name: str, method: Callable[..., object]) -> list[str]:
    parts = [f"### `{name}`\n", _signature(name, method), *_words(method)]
    if name == "attempts":
        return [*parts, _table(_attempts(False)), "With `text=True` also:\n", _table(_attempts(True))]
    for place, frame in enumerate(SHOWN.get(name, ())):
        parts += ["With `by_seed=True`:\n"] if place else []
        parts.append(_table(FRAMES[frame]))
    return parts


def _attempts(text: bool) -> list[FrameColumn]:
    """Columns of attempts that are always there, or those that come with the texts, with the schema's own words."""
    told = docs(Attempt)
    return [
        one if one.meaning else FrameColumn(one.name, one.type, one.unit, told.get(one.name, ""))
        for one in attempt_columns(True)
        if (one.name in TEXTS) == text
    ]


def _signature(name: str, function: Callable[..., object]) -> str:
    asked = inspect.signature(function)
    plain = [one.replace(annotation=_Bare(one.annotation)) for one in asked.parameters.values() if one.name != "self"]
    bare = asked.replace(parameters=plain, return_annotation=_Bare(asked.return_annotation))
    line = f"def {name.rpartition('.')[2]}{bare}".replace("'", '"')
    if len(line) > WIDTH:
        head, inner, tail = re.match(r"([^(]*\()(.*)(\).*)", line).groups()  # type: ignore[union-attr]
        line = f"{head}\n    " + ",\n    ".join(re.split(r", (?![^\[]*\])", inner)) + f",\n{tail}"
    return f"```python parse\n{line}: ...\n```\n"


class _Bare:
    """An annotation that prints without quotes."""

    def __init__(self, words: str) -> None:
        self.words = words

    def __repr__(self) -> str:
        return self.words


def _words(thing: object) -> list[str]:
    """A docstring as Markdown: its sections `Args:` and `Raises:` as lists."""
    found = []
    for part in re.split(r"\n\n|\n(?=Raises:)", inspect.cleandoc(thing.__doc__ or "")):
        head, _, below = part.partition("\n")
        if head == "Args:":
            entries = re.split(r"\n(?=\w)", textwrap.dedent(below))
            items = [_item(re.sub(r"^([\w, ]+):", _code, " ".join(entry.split()))) for entry in entries]
            found += ["Arguments:\n", *items, ""]
        else:
            found.append(_fill(" ".join(part.split())) + "\n")
    return found


def _code(names: re.Match[str]) -> str:
    return ", ".join(f"`{name.strip()}`" for name in names[1].split(",")) + ":"


def _item(words: str) -> str:
    return textwrap.fill(words, WIDTH, initial_indent="- ", subsequent_indent="  ", break_long_words=False)


def _fill(words: str) -> str:
    return textwrap.fill(words, WIDTH, break_long_words=False, break_on_hyphens=False)


def _table(columns: Sequence[FrameColumn]) -> str:
    rows = [f"| `{c.name}` | {c.type} | {c.unit} | {c.meaning.replace('<NA>', '`<NA>`')} |" for c in columns]
    return "\n".join(["| column | type | unit | |", "|---|---|---|---|", *rows]) + "\n"
