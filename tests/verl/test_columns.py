"""What is written for each row comes back for the valid rows of a micro-batch, and for no others."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from tensordict import TensorDict
from torch import Tensor

from algorithms.rollouts import Rollouts, Totals
from benchmarks.problems import Problem
from harness.backends.groups import Group, Rollout, as_batch
from harness.backends.labels import labelled
from harness.backends.verl import columns
from harness.prompts.stream import Prompt
from harness.records import Mark

LENGTHS = [2, 1, 3, 4, 2]
ROWS = torch.tensor([5, 1, 0, 7, 6])
"""rollout -> row of verl's batch; rows 2, 3 and 4 are not valid"""


def nested(values: Sequence[Tensor]) -> Tensor:
    return torch.nested.as_nested_tensor(list(values), layout=torch.jagged)


@pytest.fixture
def rollouts() -> Rollouts:
    """Groups of 2, 1 and 2."""
    mask_BT = torch.arange(4) < torch.tensor(LENGTHS)[:, None]
    return Rollouts(
        group_B=torch.tensor([0, 0, 1, 2, 2]),
        label_B=torch.tensor([True, False, True, False, True]),
        reward_B=torch.tensor([1.0, 0.0, 0.5, -0.25, 1.0]),
        truncated_B=torch.tensor([False, False, False, True, False]),
        mask_BT=mask_BT,
        old_logp_BT=-torch.arange(1.0, 21).view(5, 4) * mask_BT,
        problem_ids=("a", "b", "c"),
        max_tokens=4,
        credit={"advantage": torch.arange(5.0), "pair": torch.tensor([True, False, False, True, True])},
    )


@pytest.fixture
def batch(rollouts: Rollouts) -> TensorDict:
    """Eight rows as verl hands them to a worker; those that are not valid have 6 tokens and NaN for numbers."""
    response, old = [torch.ones(6, dtype=torch.int64)] * 8, [torch.full((6,), torch.nan)] * 8
    for i, row in enumerate(ROWS.tolist()):
        response[row] = torch.ones(LENGTHS[i], dtype=torch.int64)
        old[row] = rollouts.old_logp_BT[i, : LENGTHS[i]]
    fields = {"response_mask": nested(response), "old_log_probs": nested(old), **columns.write(rollouts, ROWS, 8)}
    return TensorDict(fields, batch_size=[8])


def micro_batch(batch: TensorDict, rows: range) -> TensorDict:
    """Some rows, which TensorDict cannot take of nested tensors by itself."""
    fields = {
        name: nested([value.unbind()[row] for row in rows]) if value.is_nested else value[list(rows)]
        for name, value in batch.items()
    }
    return TensorDict(fields, batch_size=[len(rows)])


def test_the_learners_columns_are_cut_to_the_rollouts() -> None:
    data = TensorDict({"old_log_probs": torch.arange(48.0).view(8, 6)}, batch_size=[8])
    found = columns.of_learner(data, ROWS, 4)
    assert found["old_logp_BT"].tolist() == [[6.0 * row + t for t in range(4)] for row in ROWS.tolist()]
    assert (found["ref_logp_BT"], found["weight_BT"]) == (None, None)


def test_columns_are_dense_and_name_their_credit(rollouts: Rollouts) -> None:
    written = columns.write(rollouts, ROWS, 8)
    assert {name: (value.dtype, tuple(value.shape)) for name, value in written.items()} == {
        "rence_group": (torch.int64, (8,)),
        "rence_label": (torch.bool, (8,)),
        "rence_reward": (torch.float32, (8,)),
        "rence_truncated": (torch.bool, (8,)),
        "rence_valid": (torch.bool, (8,)),
        "rence_credit_advantage": (torch.float32, (8,)),
        "rence_credit_pair": (torch.bool, (8,)),
    }
    assert written["rence_group"].tolist() == [1, 0, -1, -1, -1, 0, 2, 2]
    assert written["rence_reward"].tolist() == [0.5, 0, 0, 0, 0, 1, 1, -0.25]


def test_the_label_of_a_control_is_what_workers_learn_from() -> None:
    """`collect` gives verl's groups their labels, as it does the local backend's; workers never see a mark."""
    marks = (Mark.WRONG, Mark.NO_ANSWER, Mark.GRADER_FAILED, Mark.CORRECT)
    rollouts = tuple(Rollout(torch.ones(1, dtype=torch.int64), torch.zeros(1), False, mark) for mark in marks)
    group = Group(Prompt(Problem("one", "1"), 0), (1,), rollouts)
    batch = as_batch(labelled([group], "format", seed=0), max_tokens=4)
    written = columns.write(batch, torch.tensor([0, 1, 3]), 4)
    assert written["rence_label"].tolist() == [True, False, False, True]
    assert written["rence_reward"].tolist() == [1, 0, 0, 1]
    assert written["rence_valid"].tolist() == [True, True, False, True]


def test_valid_rows_come_back_in_the_order_of_rows(rollouts: Rollouts, batch: TensorDict) -> None:
    read, rows = columns.as_rollouts(batch, max_tokens=4)
    order = torch.argsort(ROWS)  # rollouts 2, 1, 0, 4, 3
    assert rows.tolist() == [0, 1, 5, 6, 7]
    expected = rollouts.rows(order)
    for name in ("group_B", "label_B", "reward_B", "truncated_B"):
        assert torch.equal(getattr(read, name), getattr(expected, name)), name
    assert {name: value.tolist() for name, value in read.credit.items()} == {
        name: value.tolist() for name, value in expected.credit.items()
    }
    assert read.mask_BT.shape == (5, 6)
    assert torch.equal(read.mask_BT[:, :4], expected.mask_BT)
    assert not read.mask_BT[:, 4:].any()
    assert torch.equal(read.old_logp_BT[:, :4], expected.old_logp_BT)
    assert read.max_tokens == 4
    assert Totals.of(read) == Totals.of(rollouts)


def test_groups_of_a_micro_batch_are_numbered_from_0(batch: TensorDict) -> None:
    read, rows = columns.as_rollouts(micro_batch(batch, range(4, 8)), max_tokens=4)
    assert rows.tolist() == [1, 2, 3]
    assert read.group_B.tolist() == [0, 1, 1]
    assert read.problem_ids == ("0", "2")


def test_a_micro_batch_without_valid_rows_is_empty(batch: TensorDict) -> None:
    read, rows = columns.as_rollouts(micro_batch(batch, range(2, 4)), max_tokens=4)
    assert len(read) == len(rows) == read.groups == 0
    assert Totals.of(read) == Totals(groups=0, contrast_groups=0, rollouts=0, tokens=0)


def test_reference_and_weights_are_read_where_there_are_any(batch: TensorDict) -> None:
    read, _ = columns.as_rollouts(batch, max_tokens=4)
    assert read.ref_logp_BT is None and read.weight_BT is None
    batch["ref_log_prob"] = 2 * batch["old_log_probs"]
    batch["rollout_is_weights"] = 3 * batch["old_log_probs"].double()
    read, _ = columns.as_rollouts(batch, max_tokens=4)
    assert torch.equal(read.ref_logp_BT, 2 * read.old_logp_BT)  # type: ignore[arg-type]
    assert read.weight_BT is not None and read.weight_BT.dtype == torch.float32
    assert torch.equal(read.weight_BT, 3 * read.old_logp_BT)
