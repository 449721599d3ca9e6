"""The quickstart's tokenizer: whole numbers and whole words of the miniature suite, bytes for everything else.

An explicit vocabulary without merges: a piece that is in it is one token, any other is spelt in bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import TYPE_CHECKING

from benchmarks.miniature.solutions import direct, worked
from benchmarks.miniature.suite import NEW, TAUGHT, Split, draws
from harness.prompts.templates import PLAIN_TURNS

if TYPE_CHECKING:
    from tokenizers.pre_tokenizers import PreTokenizer
    from transformers import PreTrainedTokenizerFast

PAD, EOS = "<pad>", "<eos>"
PIECES = r"[. ]*\\boxed\{|[0-9]+| ?[A-Za-z]+|[,.?:]?[ \n]|[^0-9A-Za-z]"
"""an answer's opening, a number, a word with its space, a stop with what follows it, or one other character"""
LARGEST_NUMBER = 99
DRAWS = 200
"""of each kind, in which every word of the suite occurs"""


def build_tokenizer(context: int) -> PreTrainedTokenizerFast:
    """Deterministic: the same files on every machine.

    Args:
        context: the longest text in tokens.
    """
    from tokenizers import Tokenizer, decoders
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import PreTrainedTokenizerFast

    split = _pre_tokenizer()
    numbers = [str(number) for number in range(10, LARGEST_NUMBER + 1)]
    tokens = [PAD, EOS, *sorted(ByteLevel.alphabet()), *numbers, *_words(split)]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=[], ignore_merges=True))
    tokenizer.pre_tokenizer = split
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([PAD, EOS])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=EOS,
        model_max_length=context,
        chat_template=PLAIN_TURNS,
        clean_up_tokenization_spaces=False,
    )


def _pre_tokenizer() -> PreTokenizer:
    from tokenizers import Regex
    from tokenizers.pre_tokenizers import ByteLevel, Sequence
    from tokenizers.pre_tokenizers import Split as Pieces

    return Sequence([Pieces(Regex(PIECES), "isolated"), ByteLevel(add_prefix_space=False, use_regex=False)])


def _words(split: PreTokenizer) -> list[str]:
    """What the suite's questions and solutions hold besides numbers and single characters."""
    pieces = {piece for text in _texts() for piece, _ in split.pre_tokenize_str(text)}
    return sorted(piece for piece in pieces if len(piece) > 1 and not piece.isdigit())


def _texts() -> Iterator[str]:
    for kind, levels in {**TAUGHT, **NEW}.items():
        for _, exercise in islice(draws(Split.SFT, kind, levels, Random(kind)), DRAWS):
            yield f"{exercise.question}\n"
            yield worked(exercise.expression)
            yield direct(exercise.expression)
