"""A rollout batch on disk, frozen with the weights that were learning from it: what `rence diff` is run on.

    step_<n>/  batch.json          where it comes from, the prompts, and the hash of everything else
               batch.safetensors   the rollouts, laid end to end
               model/              the learner before the last update of the step, in Hugging Face layout

All groups that the step generated are there, before any filter: every algorithm applies its own. The folder is written
under another name and renamed, so its existence means that it is complete.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, TypedDict

import torch
from torch import Tensor

from harness.backends.groups import TokenRollouts
from harness.base.errors import UserError, naming
from harness.models.resolving import model_hash
from harness.records import SCHEMA, DataError, Mark, read_json, to_disk, write_json
from harness.records.allowed import FILLED, Count, MarkWord, NonNegative, Positive, Whole
from harness.records.seals import file_hash

HEADER, TENSORS, MODEL = "batch.json", "batch.safetensors", "model"
_MARKS = [mark.value for mark in Mark]
_MEND = "The folder is not whole: record the step again."
_FLOATS, _INTS, _BOOLS = {torch.float32, torch.float64}, {torch.uint8, torch.int32, torch.int64}, {torch.bool}
_PER_ROLLOUT = {
    **dict.fromkeys(("group_B", "length_B", "mark_B"), _INTS),
    **dict.fromkeys(("label_B", "correct_B", "truncated_B"), _BOOLS),
}
_PER_TOKEN = {"token_N": _INTS, "old_logp_N": _FLOATS, "init_logp_N": _FLOATS}
"""name -> types that it may have"""
REWARD = "reward_B"
"""there where rewards are not the labels as 0 and 1"""
_OPTIONAL = {"synced_logp_N": _FLOATS}


@dataclass(frozen=True)
class Origin:
    """Where a batch comes from, and how it was sampled."""

    experiment: str
    arm: str
    algorithm: str
    seed: Whole
    step: Whole
    progress: NonNegative
    """share of the trial's budget that had been generated, this step's rollouts included"""
    temperature: Positive
    max_tokens: Count
    """the response limit"""
    start_hash: str
    """of the model that training started from"""
    environment: dict[str, str]
    """versions and commit"""


@dataclass(frozen=True, eq=False)
class Recorded:
    """Everything of one step that an objective may ask for, but the weights."""

    origin: Origin
    batch: TokenRollouts
    """all groups with a marked rollout; rewards are labels, or the numbers of a function of the user's, and there is
    neither reference nor credit"""
    marks: tuple[Mark, ...]
    """of each rollout"""
    init_logp_BT: Tensor
    """log-probs under the model that training started from"""
    synced_logp_BT: Tensor | None
    """log-probs under the copy of the sampler's weights that the arm kept as its reference, if it kept one"""


class PromptRecord(TypedDict):
    """A problem of the batch."""

    id: str
    prompt: Annotated[list[Whole], FILLED]
    """token ids"""


@dataclass(frozen=True)
class _Header(Origin):
    """batch.json."""

    problems: Annotated[list[PromptRecord], FILLED]
    """in the order that `group_B` counts by"""
    marks: Annotated[list[MarkWord], FILLED]
    """the words that `mark_B` counts by"""
    tensors_sha256: str
    model_hash: str


def write(folder: Path, recorded: Recorded, save_model: Callable[[Path], None]) -> None:
    """Whole or not at all, in the place of an older one.

    Args:
        save_model: writes weights and tokenizer into a folder, in Hugging Face layout.
    """
    from safetensors.torch import save_file

    new = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    with naming(folder):
        save_model(new / MODEL)
        save_file(_tensors(recorded), new / TENSORS)
    batch = recorded.batch
    header = {
        "schema": SCHEMA,
        **asdict(recorded.origin),
        "rollouts": len(batch),
        "groups": batch.groups,
        "tokens": int(batch.mask_BT.sum()),
        "marks": _MARKS,
        "tensors_sha256": file_hash(new / TENSORS),
        "model_hash": model_hash(new / MODEL),
        "problems": [{"id": problem, "prompt": list(batch.prompts[problem])} for problem in batch.problem_ids],
    }
    # last of the files, and on disk before the folder has its name: a folder of that name is whole
    write_json(new / HEADER, header)
    for path in [*new.rglob("*"), new]:
        to_disk(path)
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)


def read(folder: Path) -> Recorded:
    """Raises: DataError if something is missing, broken, or not what was written."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    header = read_json(folder / HEADER, _Header, _MEND)
    _check(folder, header)
    try:
        tensors = load_file(folder / TENSORS)
    except SafetensorError as error:
        raise DataError(f"{folder / TENSORS} cannot be read: {error}. {_MEND}") from None
    said = _mistake(tensors, header)
    if said:
        raise DataError(f"{folder}: {TENSORS} and {HEADER} are not of one batch: {said}. {_MEND}")
    return _recorded(Origin(**{f.name: getattr(header, f.name) for f in fields(Origin)}), tensors, header)


def _mistake(tensors: dict[str, Tensor], header: _Header) -> str:
    """Why a batch cannot be made of these; empty if it can. All of one rollout are of length B, of one token N."""
    missing = sorted(_PER_ROLLOUT.keys() - tensors.keys()) + sorted(_PER_TOKEN.keys() - tensors.keys())
    if missing:
        return f"`{missing[0]}` is missing"
    length_B = tensors["length_B"]
    if length_B.dim() != 1 or not len(length_B) or int(length_B.min()) < 0:
        return "`length_B` is not one length for each rollout"
    sizes = [(_PER_ROLLOUT | {REWARD: _FLOATS}, len(length_B)), (_PER_TOKEN | _OPTIONAL, int(length_B.long().sum()))]
    for name, types, size in ((name, types, size) for each, size in sizes for name, types in each.items()):
        found = tensors.get(name)
        if found is not None and (tuple(found.shape) != (size,) or found.dtype not in types):
            return f"`{name}` is {found.dtype} of shape {tuple(found.shape)}, and cannot be {size} such values"
    for name, words in (("group_B", header.problems), ("mark_B", header.marks)):
        if int(tensors[name].min()) < 0 or int(tensors[name].max()) >= len(words):
            return f"`{name}` counts further than the {len(words)} that there are"
    return ""


def _check(folder: Path, header: _Header) -> None:
    """Raises: DataError."""
    try:
        found = {TENSORS: file_hash(folder / TENSORS), MODEL: model_hash(folder / MODEL)}
    except FileNotFoundError as error:
        raise DataError(f"{error.filename} does not exist. {_MEND}") from None
    except UserError as error:
        raise DataError(str(error)) from None
    written = {TENSORS: header.tensors_sha256, MODEL: header.model_hash}
    for what, digest in found.items():
        if digest != written[what]:
            raise DataError(f"{folder}: {what} is not what {HEADER} says (by its hash). {_MEND}")


def _tensors(recorded: Recorded) -> dict[str, Tensor]:
    """Of B rollouts with N tokens in all, in their order."""
    batch, mask_BT = recorded.batch, recorded.batch.mask_BT
    tensors = {
        "group_B": batch.group_B.int(),
        "length_B": batch.length_B.int(),
        "label_B": batch.label_B,
        "correct_B": batch.correct_B,
        "truncated_B": batch.truncated_B,
        "mark_B": torch.tensor([_MARKS.index(mark.value) for mark in recorded.marks], dtype=torch.uint8),
        "token_N": batch.tokens_BT[mask_BT].int(),
        "old_logp_N": batch.old_logp_BT[mask_BT],
        "init_logp_N": recorded.init_logp_BT[mask_BT],
    }
    if not torch.equal(batch.reward_B, batch.label_B.float()):
        tensors[REWARD] = batch.reward_B
    if recorded.synced_logp_BT is not None:
        tensors["synced_logp_N"] = recorded.synced_logp_BT[mask_BT]
    return tensors


def _recorded(origin: Origin, tensors: dict[str, Tensor], header: _Header) -> Recorded:
    """Inverse of `_tensors`: rollouts laid end to end, N tokens in all, become B rows of T tokens, 0 after the end."""
    length_B = tensors["length_B"].long()
    mask_BT = torch.arange(int(length_B.max())) < length_B[:, None]

    def padded(value_N: Tensor) -> Tensor:
        return torch.zeros(mask_BT.shape, dtype=value_N.dtype).masked_scatter(mask_BT, value_N)

    batch = TokenRollouts(
        group_B=tensors["group_B"].long(),
        label_B=tensors["label_B"],
        # Before any shaping, which each algorithm that reads it does by itself.
        reward_B=tensors.get(REWARD, tensors["label_B"].float()),
        truncated_B=tensors["truncated_B"],
        mask_BT=mask_BT,
        old_logp_BT=padded(tensors["old_logp_N"]),
        problem_ids=tuple(problem["id"] for problem in header.problems),
        max_tokens=origin.max_tokens,
        tokens_BT=padded(tensors["token_N"].long()),
        prompts={problem["id"]: tuple(problem["prompt"]) for problem in header.problems},
        correct_B=tensors["correct_B"],
    )
    # Not every arm keeps such a reference.
    synced_N = tensors.get("synced_logp_N")
    return Recorded(
        origin,
        batch,
        tuple(Mark(header.marks[mark]) for mark in tensors["mark_B"].tolist()),
        padded(tensors["init_logp_N"]),
        None if synced_N is None else padded(synced_N),
    )
