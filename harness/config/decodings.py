"""Decodings in an experiment file: whether each can be asked, has a folder of its own, and is another than the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.base import reserved
from harness.base.errors import UserError
from harness.config import limits
from harness.config.evaluation import Decoding, Evaluation
from harness.config.manifest import Key, Manifest
from harness.config.own_files import ProblemFile
from harness.records import SEPARATOR, eval_name

_AT: Key = ("evaluation", "decodings")
_MOST_LINES = 3
LEAST = 0.01
"""of temperatures above 0; below it vLLM takes this one in their place"""


def read(manifest: Manifest, written: Any, files: Mapping[str, ProblemFile]) -> Evaluation:
    """
    Args:
        written: `evaluation` as the file has it, of the right shape.
        files: the benchmarks that are files.
    Raises: UserError with a line for each of the first mistakes in its decodings.
    """
    named = written.decodings
    decodings = None if named is None else {name: Decoding(**dict(one)) for name, one in named.items()}
    made = Evaluation(**{**dict(written), "decodings": decodings}, files=files)
    lines = [f"{manifest.place((*_AT, *key))}: {said}" for key, said in _mistakes(made)]
    if lines:
        more = len(lines) - _MOST_LINES
        raise UserError("\n".join(lines[:_MOST_LINES]) + (f" (and {more} more mistakes)" if more > 0 else ""))
    return made


def _mistakes(evaluation: Evaluation) -> Iterator[tuple[Key, str]]:
    """Place below `evaluation.decodings`, and what is wrong."""
    decodings = evaluation.decodings
    if decodings is None:
        return
    if not decodings:
        yield (
            (),
            "`evaluation.decodings` names none. Name two or more, or leave it out: then there is one way to sample.",
        )
    if len(decodings) > limits.DECODINGS:
        said = f"`evaluation.decodings` names {len(decodings):,}; at most {limits.DECODINGS} are asked, each at every"
        yield (), f"{said} headline."
        return
    yield from _names(evaluation, list(decodings))
    yield from _too_cool(evaluation)
    yield from _greedy(evaluation)
    yield from _alike(evaluation)


def _names(evaluation: Evaluation, names: list[str]) -> Iterator[tuple[Key, str]]:
    """Each becomes a part of a folder's name and a word of tables."""
    for name in names:
        longest = eval_name(max(evaluation.benchmarks, key=len, default=""), name)
        wrong = reserved.mistake(name) if name else "it is empty"
        if wrong := wrong or reserved.too_long(longest):
            yield (name,), f"`{name}` cannot be a decoding's name: {wrong}."
    if found := reserved.alike(names):
        yield (found[0],), f"the decodings `{found[0]}` and `{found[1]}` differ in case alone. Rename one of them."
    for benchmark in evaluation.benchmarks:
        if SEPARATOR in benchmark:
            said = f"folders of other decodings are called BENCHMARK{SEPARATOR}DECODING, so no benchmark may have an"
            yield (), f"{said} `{SEPARATOR}` in its name, but `{benchmark}` has. Rename it."


def _too_cool(evaluation: Evaluation) -> Iterator[tuple[Key, str]]:
    """What is greedy but for rounding would be asked more than once, and the division by it overflows."""
    for name, way in evaluation.ways.items():
        if 0 < way.temperature < LEAST:
            yield (
                (name,),
                f"the decoding `{name}` has temperature {way.temperature:g}, which is greedy but for rounding. Give it "
                f"`temperature: 0, k: 1`, or {LEAST:g} or more.",
            )


def _greedy(evaluation: Evaluation) -> Iterator[tuple[Key, str]]:
    """One problem has one greedy answer: more of them would be counted as if they were draws."""
    for name, way in evaluation.ways.items():
        asks = f"the decoding `{name}` is greedy (temperature 0): every attempt is the same answer, but it asks"
        headline, curve = (
            next((f"k = {k} on `{benchmark}`" for benchmark, k in counts.items() if k > 1), "")
            for counts in (way.benchmarks, way.curve if way == evaluation.first else {})
        )
        if way.temperature == 0 and headline:
            yield (name,), f"{asks} {headline}. Give it `k: 1`."
        elif way.temperature == 0 and curve:
            yield (name,), f"{asks} {curve} in `evaluation.curve`, as the first one does. There k must be 1 too."


def _alike(evaluation: Evaluation) -> Iterator[tuple[Key, str]]:
    """What draws the same answers is no other decoding, whatever it is called and however many of them it draws."""
    seen: dict[tuple[float, float, int], str] = {}
    for name, way in evaluation.ways.items():
        # greedy decoding takes the most probable token, which every nucleus has
        sampling = (way.temperature, way.top_p if way.temperature else 1.0, way.max_tokens)
        if (first := seen.setdefault(sampling, name)) != name:
            settings = f"temperature {way.temperature:g}, top_p {way.top_p:g}, max_tokens {way.max_tokens}"
            yield (
                (name,),
                f"the decodings `{first}` and `{name}` sample alike ({settings}). Change or remove one of them.",
            )
