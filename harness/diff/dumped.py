"""A dump of verl's rollouts as a batch: what `trainer.rollout_data_dir` makes it write, one `<step>.jsonl` a step.

Read beside verl 0.9.1; the lines are those of its validation dumps (`harness/importing/verl.py`). They hold texts
without special tokens, so tokens are made again with the model's tokenizer. Nothing names the problem: a group is what
has equal `input` and `gts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from harness.backends.groups import TokenRollouts
from harness.base.errors import UserError
from harness.importing.sources import ImportSource
from harness.importing.verl import DumpedAnswers, answers
from harness.models import resolving
from harness.models.reading import read_tokenizer
from harness.models.stopping import stop_tokens
from harness.records import DataError, identity

NOTES = (
    "--model is taken for the policy that sampled, for every reference, and for the policy that learns: all ratios are "
    "1, so nothing is clipped and no KL acts.",
    "verl's dumps hold texts without special tokens: tokens are made again, and what the prompt's template put around "
    "its words is lost.",
    "Whether an answer was cut off is not known: all are taken as finished, with an end-of-sequence token where the "
    "tokenizer has one. The token limit is taken to be the longest answer's length, the temperature to be 1.",
)


@dataclass(frozen=True, eq=False)
class Dumped:
    """One step's rollouts."""

    batch: TokenRollouts
    """`old_logp_BT` is zero: it is not known"""
    model: Path
    step: int
    notes: tuple[str, ...]


def read(place: Path, model: str, correct_above: float | None) -> Dumped:
    """Raises: UserError or DataError with the line."""
    if not place.is_file():
        raise UserError(f"{place} does not exist. verl writes one <step>.jsonl a step into `trainer.rollout_data_dir`.")
    folder = resolving.resolve(model)
    found = answers(ImportSource(place), correct_above)
    return Dumped(_batch(place, folder, found), folder, found.step, (*NOTES, f"Correct is {found.how}."))


def _batch(place: Path, folder: Path, found: DumpedAnswers) -> TokenRollouts:
    """The answers as B rows, those of a group adjacent, T the longest of them.

    Args:
        place: the dump, for an error.
        folder: the model, whose tokenizer makes tokens of the texts.
    Raises: DataError if a prompt is empty.
    """
    tokenizer = read_tokenizer(folder)
    # A dumped text has lost its end: see NOTES. Of several end tokens the one with the lowest id is put there.
    ends = stop_tokens(folder, tokenizer)[:1]
    keys = [identity(prompt, gold) for prompt, gold in zip(found.prompts, found.golds, strict=True)]
    problem_ids = tuple(dict.fromkeys(keys))
    prompts = {key: tuple(tokenizer.encode(text)) for key, text in dict(zip(keys, found.prompts, strict=True)).items()}
    empty = [text for key, text in zip(keys, found.prompts, strict=True) if not prompts[key]]
    if empty:
        raise DataError(f"{place}: a prompt is empty. Was it written with the tokenizer of another model?")
    rows = [
        (problem_ids.index(key), torch.tensor([*tokenizer.encode(output, add_special_tokens=False), *ends]), correct)
        for key, output, correct in zip(keys, found.outputs, found.correct, strict=True)
    ]
    # An answer without a token, where there is no end token either, has nothing to weigh. Sorted, for a dump need not
    # keep groups together and a batch must.
    rows = sorted((row for row in rows if len(row[1])), key=lambda row: row[0])
    length_B = torch.tensor([len(tokens) for _, tokens, _ in rows])
    mask_BT = torch.arange(int(length_B.max())) < length_B[:, None]
    label_B = torch.tensor([correct for _, _, correct in rows])
    return TokenRollouts(
        group_B=torch.tensor([group for group, _, _ in rows]),
        label_B=label_B,
        reward_B=label_B.float(),
        truncated_B=torch.zeros_like(label_B),
        mask_BT=mask_BT,
        # Not in the dump; filled from the model once it is loaded, with ratios of 1.
        old_logp_BT=torch.zeros(mask_BT.shape),
        problem_ids=problem_ids,
        max_tokens=int(length_B.max()),
        tokens_BT=torch.zeros(mask_BT.shape, dtype=torch.int64).masked_scatter(
            mask_BT, torch.cat([tokens for _, tokens, _ in rows])
        ),
        prompts=prompts,
        correct_B=label_B,
    )
