"""Whether a folder's weights are those of its model, before anything is computed with them.

What a checkpoint lacks, transformers fills with random numbers and a warning; such a model answers, and its answers
have a score. A broken instrument is an error here, never a score.
"""

from __future__ import annotations

import json
import logging as standard_logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.base.errors import INCOMPLETE, UserError
from harness.models.tensor_files import FLOATS, MEND, BrokenFiles, Tensor, content, tensors

if TYPE_CHECKING:
    from transformers import PreTrainedModel

MOST_NAMES = 3
"""of tensors in a message; all are counted"""


class UnusableWeights(UserError):
    """Weights that are not, or not all, those of the model that they stand for. Exit code 3."""

    def __init__(self, message: str) -> None:
        super().__init__(message, INCOMPLETE)


def check(folder: Path, quantised: bool = True) -> None:
    """Names, shapes, types and numbers of all tensors, and whether every token has an embedding. What was looked at
    once is not looked at again while its files stay the same.

    Args:
        quantised: whether weights of fewer bits, which need a method of their own, are taken; their names are then
            the method's, and are left to it.
    Raises: UnusableWeights.
    """
    _check(folder, quantised, _stamp(folder))


@lru_cache(maxsize=32)
def _check(folder: Path, quantised: bool, stamp: tuple[tuple[str, int, int], ...]) -> None:
    """
    Args:
        stamp: of the folder's files; what is remembered is about these.
    """
    try:
        held = tensors(folder)
    except BrokenFiles as error:
        raise UnusableWeights(f"{error}.\n{MEND}") from None
    method = quantisation(folder)
    if method and not quantised:
        raise UnusableWeights(
            f"the weights of {folder} are quantised ({method}), and can be neither trained nor sampled from here.\n"
            "Give the model that they were made from; engines `hf` and `vllm` answer with quantised ones."
        )
    net = None if method else _skeleton(folder)
    wrong = [*_numbers(held), *(_names(net, held) if net else ())]
    if wrong:
        raise _not_its_models(folder, wrong)
    if net:
        _check_vocabulary(folder, _rows(net))


def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    facts = [(path.name, path.stat()) for path in sorted(folder.iterdir()) if path.is_file()]
    return tuple((name, fact.st_size, fact.st_mtime_ns) for name, fact in facts)


def quantisation(folder: Path) -> str:
    """The method by which config.json says that weights are quantised; empty: they are not, or it cannot be read."""
    try:
        config = json.loads((folder / "config.json").read_bytes())
        found = config.get("quantization_config") or config.get("compression_config") or {}
        return str(found.get("quant_method", "an unknown method")) if found else ""
    except (OSError, ValueError, AttributeError, RecursionError):
        return ""  # whoever loads the model says so


def load_net(folder: Path, **how: Any) -> PreTrainedModel:
    """A causal LM of transformers with all of its weights.

    Args:
        how: for `from_pretrained`.
    Raises: UnusableWeights if it found other weights than the model has; whatever else it raises.
    """
    from transformers import AutoModelForCausalLM

    loaded: Any = AutoModelForCausalLM.from_pretrained(
        folder, output_loading_info=True, ignore_mismatched_sizes=True, **how
    )
    net, found = loaded
    wrong = list(_in_words(found))
    if wrong:
        raise _not_its_models(folder, wrong)
    return net


def _not_its_models(folder: Path, wrong: Sequence[str]) -> UnusableWeights:
    files = sorted(folder.glob("*.safetensors"))
    where = files[0] if len(files) == 1 else f"{folder} ({len(files)} files)"
    return UnusableWeights(f"the weights of {where} are not its model's: {'; '.join(wrong)}.\n{MEND}")


def _skeleton(folder: Path) -> PreTrainedModel | None:
    """The model that config.json describes, without memory for its weights. None where transformers is not here or
    does not know it: then the names are left to the engine, and a folder that cannot be read to whoever reads it."""
    if find_spec("transformers") is None or find_spec("torch") is None:
        return None
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        with _silence(), torch.device("meta"):
            return AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))
    except Exception:  # all kinds, plain Exception too
        return None


def _names(net: PreTrainedModel, held: Mapping[str, Tensor]) -> Iterator[str]:
    """What is wrong with names, shapes and types. transformers itself compares them, so that names of before and
    weights that a model ties, fuses or leaves out are as it takes them."""
    import torch

    tied = {one: other for one, other in net.all_tied_weights_keys.items() if one in held and other in held}
    meta = {name: torch.empty(one.shape, device="meta") for name, one in held.items() if name not in tied}
    how = {"state_dict": meta, "device_map": "meta", "output_loading_info": True, "ignore_mismatched_sizes": True}
    try:
        with _silence():
            loaded: Any = type(net).from_pretrained(None, config=net.config, **how)
    except Exception as error:  # weights that it would fuse and cannot: all kinds
        yield f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
        return
    yield from _in_words(loaded[1])
    differ = [one for one, other in tied.items() if held[one].bytes() != held[other].bytes()]
    if differ:
        yield f"`{differ[0]}` differs from `{tied[differ[0]]}`, to which config.json ties it"
    state = net.state_dict()
    takes = {name: state.get(name, state.get(f"{net.base_model_prefix}.{name}")) for name in held}
    typed = [
        f"{name} ({held[name].dtype})"
        for name, own in takes.items()
        if own is not None and own.is_floating_point() and held[name].dtype not in FLOATS
    ]
    if typed:
        yield _counted("of a type that no weight has", typed)


def _in_words(found: Mapping[str, Any]) -> Iterator[str]:
    """What transformers says about loading."""
    if found["missing_keys"]:
        yield _counted("missing", found["missing_keys"])
    if found["unexpected_keys"]:
        yield _counted("unknown to it", found["unexpected_keys"])
    if found["mismatched_keys"]:
        shapes = [f"{name} ({list(has)}, not {list(wants)})" for name, has, wants in found["mismatched_keys"]]
        yield _counted("of another shape", shapes)
    yield from map(str, found.get("error_msgs", ()))


def _numbers(held: Mapping[str, Tensor]) -> Iterator[str]:
    """What is wrong with the numbers themselves."""
    looked = {name: content(one) for name, one in held.items()}
    broken = [name for name, one in looked.items() if not one.finite]
    if broken:
        yield _counted("not finite (NaN or infinity)", broken)
    for file in sorted({one.file for one in held.values()}):
        backwards = sorted((one for one in held.values() if one.file == file), key=lambda one: -one.start)
        tail = list(takewhile(lambda one: looked[one.name].zero, backwards))
        # A model may have matrices of zeros, and does not end in one; of nothing but zeros it was meant to be.
        if len(tail) < len(held) and any(len(one.shape) > 1 for one in tail):
            names = [one.name for one in tail]
            yield _counted(f"all zeros at the end of {file.name}, as if it was not written to its end", names)


def _rows(net: PreTrainedModel) -> int | None:
    """Tokens that the embedding has."""
    weight = getattr(net.get_input_embeddings(), "weight", None)
    return None if weight is None else weight.shape[0]


def _check_vocabulary(folder: Path, rows: int | None) -> None:
    """Raises: UnusableWeights if the tokenizer knows tokens that the model does not. Special ones may be beyond the
    embedding, as in Gemma 3's smallest, which shares the tokenizer of those that see pictures: no text becomes them."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        known = tokenizer.get_vocab()
        special = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
    except Exception:  # no tokenizer, or a broken one: whoever needs it says so
        return
    beyond = sorted(token for token, id in known.items() if id >= (rows or len(known)) and token not in special)
    if rows and beyond:
        raise UnusableWeights(
            f"the tokenizer of {folder} has {_counted('beyond the embedding', beyond, 'token')}: it has {len(known)} "
            f"tokens, and the model {rows}.\n{MEND}"
        )


def _counted(what: str, names: Sequence[str] | set[str], thing: str = "tensor") -> str:
    """`2 tensors missing (a, b)`"""
    first = sorted(names)[:MOST_NAMES]
    more = f", and {len(names) - len(first)} more" if len(names) > len(first) else ""
    return f"{len(names)} {thing}{'' if len(names) == 1 else 's'} {what} ({', '.join(first)}{more})"


@contextmanager
def _silence() -> Iterator[None]:
    """What transformers would say of weights that are looked at and not loaded."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    bars = logging.is_progress_bar_enabled()
    logging.set_verbosity(standard_logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()
