"""What every engine has to keep to, a plug-in too: each of `CHECKS` asks it with the quickstart's weights and raises
AssertionError with what it found, or SkipTest where this engine cannot show it. `rence check NAME` runs them all.

Prompts are token ids of the shipped tokenizer, of several lengths, and answers are short: seconds on one core.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from unittest import SkipTest

from harness.base.errors import UserError
from harness.base.seeds import derive
from harness.engines.base import Completion, Engine, Request, Sampling, calls_at_once, complete
from harness.engines.registry import ENGINES, open_engine
from harness.models import resolving

TOKENS = 12
_PROMPTS = ("1 + 1 =", "Q: 12 + 30\nA:", "What is 7 times 8?", "x")


@dataclass(frozen=True)
class EngineUnderTest:
    """An engine that holds the quickstart's weights, and the tokenizer of these."""

    name: str
    engine: Engine
    tokenizer: Any

    @cached_property
    def prompts(self) -> list[tuple[int, ...]]:
        """Token ids, of different lengths."""
        return [tuple(self.tokenizer.encode(text)) for text in _PROMPTS]

    def ask(
        self, requests: Sequence[Request], temperature: float = 1.0, tokens: int = TOKENS
    ) -> list[list[Completion]]:
        """Through `complete`, as every caller does."""
        return complete(self.engine, requests, Sampling(tokens, temperature))

    def texts(self, requests: Sequence[Request], temperature: float = 1.0) -> list[list[str]]:
        return [[one.text for one in answers] for answers in self.ask(requests, temperature)]


def opened(name: str) -> EngineUnderTest:
    """Raises: UserError for a name that is not there; PluginError; SkipTest if it cannot be opened on this machine."""
    ENGINES.check(name)
    from transformers import AutoTokenizer

    folder = resolving.resolve("quickstart-base")
    try:
        engine = open_engine(name, folder)
    except UserError as error:
        raise SkipTest(str(error).partition("\n")[0]) from None
    return EngineUnderTest(name, engine, AutoTokenizer.from_pretrained(folder))


def requests(of: EngineUnderTest, samples: int = 3) -> list[Request]:
    """One for each prompt, all seeds different."""
    return [
        Request(prompt, tuple(derive("contract", i, k) for k in range(samples))) for i, prompt in enumerate(of.prompts)
    ]


def it_says_what_it_is(of: EngineUnderTest) -> None:
    """Name and version are part of every evaluation's identity, and positions decide what fits. `calls_at_once`, where
    an engine has it, is a number of calls."""
    engine = of.engine
    calls_at_once(engine)
    _require(isinstance(engine.name, str) and bool(engine.name), "`name` must be a word")
    _require(isinstance(engine.version, str) and bool(engine.version), "`version` must be a word")
    whole = engine.positions is None or (isinstance(engine.positions, int) and engine.positions > 0)
    _require(whole, f"`positions` must be None or a count of tokens, but is {engine.positions!r}")


def every_seed_has_its_completion(of: EngineUnderTest) -> None:
    """As many lists as requests, in their order, as many completions as seeds."""
    asked = [Request(prompt, tuple(range(count))) for prompt, count in zip(of.prompts, (2, 1, 3, 1), strict=True)]
    # not by `complete`, which refuses what we are looking for
    found = [len(answers) for answers in of.engine.generate(asked, Sampling(TOKENS))]
    _require(found == [2, 1, 3, 1], f"requests with 2, 1, 3 and 1 seeds got {found} completions")


def seeds_identify_samples(of: EngineUnderTest) -> None:
    """An equal seed gives an equal answer, here and in a second call; eight seeds do not all give one."""
    prompt = of.prompts[1]
    (first,) = of.texts([Request(prompt, (5, 9, 5))])
    (second,) = of.texts([Request(prompt, (5, 9, 5))])
    _require(first == second, "a second call with the same seeds gives other answers")
    _require(first[0] == first[2], "the same seed twice in a request gives two answers")
    (many,) = of.texts([Request(prompt, tuple(range(8)))])
    _require(len(set(many)) > 1, "eight seeds give one answer at temperature 1")


def order_changes_nothing(of: EngineUnderTest) -> None:
    """Requests in another order get the answers that they had."""
    asked = requests(of)
    backwards = of.texts(asked[::-1])[::-1]
    _same(backwards, of.texts(asked), "in another order")


def company_changes_nothing(of: EngineUnderTest) -> None:
    """A request alone, and each of its seeds alone, gets the answers that it has among others."""
    asked = requests(of)
    together = of.texts(asked)
    _same([answers for one in asked for answers in of.texts([one])], together, "asked alone")
    one = asked[0]
    apart = [text for seed in one.seeds for (text,) in of.texts([Request(one.prompt, (seed,))])]
    _same([apart], together[:1], "asked for one sample at a time")


def greedy_repeats(of: EngineUnderTest) -> None:
    """At temperature 0 seeds do not matter."""
    (answers,) = of.texts([Request(of.prompts[1], (1, 2, 3))], temperature=0)
    _require(len(set(answers)) == 1, "temperature 0 gives different answers to different seeds")


def truncation_is_flagged(of: EngineUnderTest) -> None:
    """An answer that was cut at `max_tokens` says `length`; one that says `stop` ended before."""
    answers = [one for each in of.ask(requests(of, 8), tokens=1) for one in each]
    odd = {one.finish_reason for one in answers} - {"stop", "length"}
    _require(not odd, f"answers of one token end by {odd}, and not by `stop` or `length`")
    _require(any(one.finish_reason == "length" for one in answers), "32 answers of one token, and none says `length`")
    longer = [one for each in of.ask(requests(of)) for one in each]
    early = [one for one in longer if one.finish_reason == "length" and one.tokens != TOKENS]
    _require(not early, "an answer says `length` and has not as many tokens as it may")


def a_full_context_is_flagged(of: EngineUnderTest) -> None:
    """Where prompt and answer fill the model's positions before `max_tokens`, the answer ends by `context`."""
    if of.engine.positions is None:
        raise SkipTest("this engine says that its model has no limit of positions")
    longest = (of.prompts[0] * of.engine.positions)[: of.engine.positions - 2]
    answers = of.ask([Request(longest, tuple(range(16))), Request(longest[:8], (0,))])
    ends = {one.finish_reason for one in answers[0]}
    _require(ends <= {"stop", "context"}, f"with room for two tokens answers end by {ends}")
    _require("context" in ends, "16 answers with room for two tokens, and none says `context`")
    _require(max(one.tokens for one in answers[0]) <= 2, "an answer is longer than the model's positions")


def token_counts_fit(of: EngineUnderTest) -> None:
    """Between 1 and `max_tokens`, with the token that ends an answer; no fewer than its text has words."""
    for each in of.ask(requests(of)):
        for one in each:
            _require(1 <= one.tokens <= TOKENS, f"an answer has {one.tokens} tokens, where 1 to {TOKENS} may be")
            words = len(one.text.split())
            _require(words <= one.tokens, f"an answer of {words} words says that it has {one.tokens} tokens")


CHECKS: tuple[Callable[[EngineUnderTest], None], ...] = (
    it_says_what_it_is,
    every_seed_has_its_completion,
    seeds_identify_samples,
    order_changes_nothing,
    company_changes_nothing,
    greedy_repeats,
    truncation_is_flagged,
    a_full_context_is_flagged,
    token_counts_fit,
)


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise AssertionError(otherwise)


def _same(found: list[list[str]], expected: list[list[str]], how: str) -> None:
    pairs = [(a, b) for these, those in zip(found, expected, strict=True) for a, b in zip(these, those, strict=True)]
    other = [(a, b) for a, b in pairs if a != b]
    _require(not other, f"{len(other)} of {len(pairs)} answers differ {how}; the first is {other[:1]}")
