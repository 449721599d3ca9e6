"""The whole comparison as one document of plain data; docs/how-to/diff.md says what each key holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import torch

from harness.backends.local.gradients import Layers, cosines, gradients, layers, norms, values
from harness.backends.local.token_weights import ENTROPY, LOGP, ObjectiveOutcome, outcome
from harness.base.errors import UserError
from harness.diff.asked import NamedAlgorithm
from harness.diff.frozen import Frozen
from harness.diff.summary import summary
from harness.models.language_model import load
from harness.models.reading import reading
from harness.records import SCHEMA, DataError


def compare(asked: Sequence[NamedAlgorithm], frozen: Frozen) -> dict[str, Any]:
    """Raises: UserError if the model cannot be used, or an algorithm refuses the batch."""
    with reading("model", frozen.model):
        model = load(frozen.model)
    _check_tokens(frozen, model.net.get_input_embeddings().num_embeddings)  # type: ignore[union-attr,arg-type]
    wanted = [LOGP, ENTROPY] if any(one.algorithm.wants_entropy for one in asked) else [LOGP]
    found = values(model, frozen.batch, frozen.temperature, wanted)
    if frozen.on_policy:
        frozen = replace(frozen, batch=replace(frozen.batch, old_logp_BT=found[LOGP]))
    outcomes = [_outcome(one, frozen, found) for one in asked]
    of = layers(model)
    flat = gradients(model, frozen.batch, frozen.temperature, [one.weights for one in outcomes], of)
    spans = of.spans()
    return {
        "schema": SCHEMA,
        "batch": _batch(frozen, found[LOGP], [*frozen.notes, *_unsynced(asked, frozen), *_by_recipe(asked)]),
        "layers": [{"name": name, "parameters": spans[name].stop - spans[name].start} for name in of.names],
        "algorithms": _algorithms(asked, outcomes, frozen, flat, of),
        "differences": differences(asked),
        "cosine": {
            "overall": cosines(flat),
            "layers": {name: cosines(flat[:, spans[name]]) for name in of.names},
        },
    }


def _check_tokens(frozen: Frozen, vocabulary: int) -> None:
    """Raises: DataError for a token that the model does not have."""
    batch = frozen.batch
    largest = max(int(batch.tokens_BT.max()), *(max(prompt, default=0) for prompt in batch.prompts.values()))
    if largest >= vocabulary or int(batch.tokens_BT.min()) < 0:
        raise DataError(
            f"the batch holds the token {largest}, and its model, {frozen.model}, has {vocabulary}: they do not belong "
            "together. Record the step again."
        )


def differences(asked: Sequence[NamedAlgorithm]) -> dict[str, list[str | None]]:
    """The rows of the spec sheets that differ: a text for each algorithm in their order, None where one lacks it."""
    specs = [one.algorithm.spec() for one in asked]
    keys = dict.fromkeys(key for spec in specs for key in spec)
    rows = {key: [spec.get(key) for spec in specs] for key in keys}
    return {key: row for key, row in rows.items() if len(set(row)) > 1}


def _unsynced(asked: Sequence[NamedAlgorithm], frozen: Frozen) -> Iterator[str]:
    labels = [one.label for one in asked if one.algorithm.reference == "synced"]
    if labels and frozen.synced_logp_BT is None and not frozen.on_policy:
        yield (
            f"The arm that was recorded kept no synced reference: to {', '.join(labels)} it is as right after a sync, "
            "the policy that sampled."
        )


def _by_recipe(asked: Sequence[NamedAlgorithm]) -> Iterator[str]:
    """Of algorithms that set the recipe: two that differ in it alone would look like one."""
    for one in asked:
        if sets := ", ".join(f"{key} {value}" for key, value in one.algorithm.recipe.items()):
            yield f"{one.label} is trained with a recipe of its own ({sets}), which does not act on a given batch."


def _batch(frozen: Frozen, logp_BT: torch.Tensor, notes: list[str]) -> dict[str, Any]:
    batch = frozen.batch
    moved_N = (logp_BT - batch.old_logp_BT)[batch.mask_BT].double()
    return {
        "source": frozen.source,
        "origin": dict(frozen.origin),
        "notes": notes,
        "groups": batch.groups,
        "rollouts": len(batch),
        "tokens": int(batch.mask_BT.sum()),
        "correct": int(batch.label_B.sum()),
        "truncated": int(batch.truncated_B.sum()),
        "on_policy": frozen.on_policy,
        "log_ratio": {"mean": float(moved_N.mean()), "rms": float(moved_N.square().mean().sqrt())},
        "group": batch.group_B.tolist(),
        "problem": [batch.problem_ids[group] for group in batch.group_B.tolist()],
        "length": batch.length_B.tolist(),
        "label": batch.label_B.tolist(),
    }


def _outcome(one: NamedAlgorithm, frozen: Frozen, found: Mapping[str, torch.Tensor]) -> ObjectiveOutcome:
    """Raises: UserError if the algorithm refuses the batch."""
    try:
        return outcome(one.algorithm, frozen, found)
    except ValueError as error:
        raise UserError(f"`{one.label}` cannot learn from this batch: {error}") from error


def _algorithms(
    asked: Sequence[NamedAlgorithm],
    outcomes: Sequence[ObjectiveOutcome],
    frozen: Frozen,
    flat: torch.Tensor,
    of: Layers,
) -> list[dict[str, Any]]:
    """What the document says of each algorithm: its spec, the weights it gives, the length of its gradient.

    Args:
        flat: algorithms x parameters, their gradients; `of` says where each layer's are.
    """
    spans = of.spans()
    whole = norms(flat)
    by_layer = {name: norms(flat[:, spans[name]]) for name in of.names}
    return [
        {
            "label": one.label,
            "algorithm": one.name,
            "title": one.algorithm.title,
            "hyperparameters": asdict(one.algorithm),
            "spec": one.algorithm.spec(),
            **summary(found, frozen.batch),
            "gradient_norm": whole[place],
            "gradient_norm_by_layer": {name: by_layer[name][place] for name in of.names},
        }
        for place, (one, found) in enumerate(zip(asked, outcomes, strict=True))
    ]
