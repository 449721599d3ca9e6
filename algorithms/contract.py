"""What every algorithm has to keep to, a plug-in too: each of `CHECKS` works on small batches and raises AssertionError
with what it found. `rence check NAME` runs them all.

Batches are ragged, in no order, with padding, groups without a contrast and a group of one; double precision."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from algorithms._torch import torch
from algorithms.base import SPEC, Algorithm
from algorithms.example import (
    added,
    differentiated,
    example,
    keyed,
    learn,
    map_tokens,
    neighbours,
    numbered,
    prepared,
    totals_of,
    widened,
)
from algorithms.rollouts import Loss

if TYPE_CHECKING:
    from torch import Tensor

TOLERANCE = 1e-9
"""for equal quantities computed in another order, relative to their size"""
STEP = 1e-5
"""of central differences: their error is of the order of its square"""


def hyperparameters_are_checked(algorithm: Algorithm) -> None:
    """An object of the wrong type, and NaN or infinity for a float, raise ValueError on construction."""
    for field in fields(algorithm):
        wrong: list[Any] = [object()]
        if isinstance(getattr(algorithm, field.name), float):
            wrong += [math.nan, math.inf]
        for value in wrong:
            try:
                replace(algorithm, **{field.name: value})
            except ValueError:
                continue
            raise AssertionError(f"`{field.name}` may be {value!r}; call super().__post_init__() and check ranges")


def spec_is_complete(algorithm: Algorithm) -> None:
    """Every row of `SPEC` is there, and all that is there is text."""
    spec = algorithm.spec()
    missing = [key for key in SPEC if not spec.get(key)]
    _require(not missing, f"`spec` lacks {', '.join(missing)}")
    wrong = [key for key, value in spec.items() if not isinstance(value, str)]
    _require(not wrong, f"`spec` must hold text, but {', '.join(wrong)} is not")


def what_changes_the_loss_shows_in_the_spec(algorithm: Algorithm) -> None:
    """Two arms with one spec would be one arm to every report and fingerprint."""
    batch, logp_BT = example()
    keep_G, (loss, gradient_BT) = algorithm.keep(batch), learn(algorithm, batch, logp_BT)
    for name, other in neighbours(algorithm):
        if other.spec() != algorithm.spec():
            continue
        found, found_BT = learn(other, batch, logp_BT)
        same = torch.equal(found.value, loss.value) and torch.equal(found_BT, gradient_BT)
        _require(same and torch.equal(other.keep(batch), keep_G), f"`{name}` changes the loss and not `spec`")


def pickles(algorithm: Algorithm) -> None:
    """A pickled copy is equal: an algorithm is handed to worker processes whole."""
    copy = pickle.loads(pickle.dumps(algorithm))
    _require(copy == algorithm and copy.spec() == algorithm.spec(), "a pickled copy differs")


def shapes_are_right(algorithm: Algorithm) -> None:
    """`keep` gives bool_G and `shape` reward_B; credit has a number for each rollout, and no gradient."""
    batch, _ = example()
    keep_G, reward_B = algorithm.keep(batch), algorithm.shape(batch)
    _require(keep_G.dtype == torch.bool and keep_G.shape == (batch.groups,), "`keep` must give a bool for each group")
    _require(reward_B.shape == (len(batch),), "`shape` must give a reward for each rollout")
    for name, value_B in prepared(algorithm, batch).credit.items():
        _require(value_B.shape == (len(batch),), f"credit `{name}` must have one number for each rollout")
        _require(not value_B.requires_grad, f"credit `{name}` must not depend on theta")


def loss_is_finite(algorithm: Algorithm) -> None:
    """A finite scalar, with a finite gradient_BT and finite metrics; those of `activity` are among them."""
    loss, gradient_BT = learn(algorithm, *example())
    _require(loss.value.dim() == 0, f"the loss must be a scalar, but has shape {tuple(loss.value.shape)}")
    _require(bool(loss.value.isfinite()), f"the loss is {loss.value.item()}")
    _require(bool(gradient_BT.isfinite().all()), "the gradient is not finite")
    odd = [name for name, mean in loss.metrics.items() if not math.isfinite(mean.total + mean.count)]
    _require(not odd, f"metrics are not finite: {', '.join(odd)}")
    absent = [activity.metric for activity in algorithm.activity if activity.metric not in loss.metrics]
    _require(not absent, f"activity is declared but not logged: {', '.join(absent)}")


def order_in_a_group_is_irrelevant(algorithm: Algorithm) -> None:
    """With the rows in another order the loss is the same, and gradient_BT in that order."""
    batch, logp_BT = example()
    order = torch.randperm(len(batch), generator=keyed("rows"))
    loss, gradient_BT = learn(algorithm, batch, logp_BT)
    _same(learn(algorithm, batch.rows(order), logp_BT[order]), (loss, gradient_BT[order]))


def order_of_groups_is_irrelevant(algorithm: Algorithm) -> None:
    """With the groups numbered otherwise the loss and the gradient are the same."""
    batch, logp_BT = example()
    order = torch.randperm(batch.groups, generator=keyed("groups"))
    problem_ids = tuple(batch.problem_ids[group] for group in order.tolist())
    moved = replace(batch, group_B=order.argsort()[batch.group_B], problem_ids=problem_ids)
    _same(learn(algorithm, moved, logp_BT), learn(algorithm, batch, logp_BT))


def padding_is_irrelevant(algorithm: Algorithm) -> None:
    """With five more columns of padding the loss and the gradient are the same."""
    batch, logp_BT = example()
    loss, gradient_BT = learn(algorithm, batch, logp_BT)
    wider = map_tokens(batch, lambda value_BT: widened(value_BT, 5))
    _same(learn(algorithm, wider, widened(logp_BT, 5)), (loss, widened(gradient_BT, 5)))


def masked_values_are_irrelevant(algorithm: Algorithm) -> None:
    """What stands on padding has no gradient and changes nothing."""
    batch, logp_BT = example()

    def spoilt(value_BT: Tensor) -> Tensor:
        return value_BT if value_BT.dtype == torch.bool else torch.where(batch.mask_BT, value_BT, 1e3)

    loss, gradient_BT = learn(algorithm, batch, logp_BT)
    _require(not gradient_BT[~batch.mask_BT].any(), "padding has a gradient")
    _same(learn(algorithm, map_tokens(batch, spoilt), spoilt(logp_BT)), (loss, gradient_BT))


def microbatches_add_up(algorithm: Algorithm) -> None:
    """Losses, gradients and measures of micro-batches add up to the mini-batch's, whose `Totals` they share."""
    batch, logp_BT, totals = numbered(algorithm)
    micros = [batch.select(torch.tensor(groups)) for groups in ([4], [2, 0, 6], [1, 5], [3])]
    _same(added(algorithm, micros, logp_BT, totals), differentiated(algorithm, batch, logp_BT, totals))
    for name, mean in totals.means.items():
        parts = [algorithm.measure(micro, logp_BT[micro.credit["row"]])[name] for micro in micros]
        gap = abs(float(sum(parts)) / totals.tokens - mean)
        _require(gap <= TOLERANCE, f"measure `{name}` does not add up over micro-batches")


def separable_losses_add_up(algorithm: Algorithm) -> None:
    """Where it says `separable`, losses, gradients and metrics of parts of groups add up, too."""
    if not algorithm.separable:
        return
    batch, logp_BT, totals = numbered(algorithm)
    rows = torch.randperm(len(batch), generator=keyed("parts"))
    parts = [batch.rows(part) for part in rows.tensor_split([1, 2, 9, 20])]
    found, expected = added(algorithm, parts, logp_BT, totals), differentiated(algorithm, batch, logp_BT, totals)
    try:
        _same(found, expected)
    except AssertionError as error:
        raise AssertionError(f"`separable` is true, but in parts of groups {error}") from None
    for name, mean in expected[0].metrics.items():
        gap = max(abs(found[0].metrics[name].total - mean.total), abs(found[0].metrics[name].count - mean.count))
        _require(gap <= TOLERANCE * (1 + abs(mean.total)), f"metric `{name}` does not add up over parts of groups")


def gradient_matches_finite_differences(algorithm: Algorithm) -> None:
    """Autograd against central differences in four random directions; not where `stop_gradient` says otherwise."""
    if algorithm.stop_gradient:
        return
    batch, logp_BT = example()
    # importance weights act on gradients alone in scores of whole sequences
    batch = prepared(algorithm, replace(batch, weight_BT=None))
    totals = totals_of(algorithm, batch, logp_BT)
    _, gradient_BT = differentiated(algorithm, batch, logp_BT, totals)
    for direction in range(4):
        step_BT = STEP * torch.randn(logp_BT.shape, generator=keyed(str(direction)), dtype=logp_BT.dtype)
        ahead, behind = (algorithm.loss(batch, logp_BT + sign * step_BT, totals).value for sign in (1, -1))
        measured, expected = float((ahead - behind).detach()) / 2 / STEP, float((gradient_BT * step_BT).sum()) / STEP
        _require(
            math.isclose(measured, expected, rel_tol=1e-6, abs_tol=1e-8),
            f"a central difference is {measured:.9g}, the gradient says {expected:.9g}",
        )


def unit_weights_change_nothing(algorithm: Algorithm) -> None:
    """Importance weights of 1 are as none at all."""
    batch, logp_BT = example()
    ones = replace(batch, weight_BT=torch.ones_like(logp_BT))
    _same(learn(algorithm, ones, logp_BT), learn(algorithm, replace(batch, weight_BT=None), logp_BT))


def parts_can_be_turned_off(algorithm: Algorithm) -> None:
    """Each of `parts` names settings that the algorithm can have and does not have, with a finite gradient."""
    for part, off in algorithm.parts.items():
        try:
            without = replace(algorithm, **off)
        except (TypeError, ValueError) as error:
            raise AssertionError(f"part `{part}` cannot be turned off: {error}") from None
        _require(without != algorithm, f"part `{part}` is turned off by settings that the algorithm has anyway")
        _, gradient_BT = learn(without, *example())
        _require(bool(gradient_BT.isfinite().all()), f"without its part `{part}` the gradient is not finite")


def equal_labels_teach_nothing(algorithm: Algorithm) -> None:
    """All correct and all wrong have the same gradient, where the objective is `contrastive`."""
    if not algorithm.contrastive:
        return
    # what is left is the pull to the reference, the same whatever the labels
    _, correct_BT = learn(algorithm, *example(label=True))
    _, wrong_BT = learn(algorithm, *example(label=False))
    gap = float((correct_BT - wrong_BT).abs().max())
    _require(gap <= TOLERANCE, f"all correct and all wrong differ in the gradient by {gap:.3g}")


def labels_are_read_as_said(algorithm: Algorithm) -> None:
    """Where it says that it does not read labels, other ones under the same real rewards change nothing."""
    if algorithm.reads_labels:
        return
    batch, logp_BT = example()
    batch = replace(batch, reward_B=torch.rand(len(batch), generator=keyed("rewards"), dtype=torch.float64))
    other = replace(batch, label_B=~batch.label_B)
    _same(learn(algorithm, other, logp_BT), learn(algorithm, batch, logp_BT))
    _require(torch.equal(algorithm.keep(other), algorithm.keep(batch)), "`keep` reads labels")


def empty_batches_are_harmless(algorithm: Algorithm) -> None:
    """No rollouts, or no groups, give a loss of exactly 0, and no error."""
    batch, logp_BT = example()
    nobody = torch.zeros(len(batch), dtype=torch.bool)
    loss, _ = learn(algorithm, batch.rows(nobody), logp_BT[nobody])
    _require(loss.value.item() == 0, f"the loss of no rollouts is {loss.value.item()}")
    no_groups = batch.select(torch.zeros(0, dtype=torch.int64))
    loss, _ = learn(algorithm, no_groups, logp_BT[nobody])
    _require(loss.value.item() == 0, f"the loss of no groups is {loss.value.item()}")


def bad_batches_are_refused(algorithm: Algorithm) -> None:
    """ValueError for log-probs of another shape, and where entropy or reference are needed and not there."""
    batch, logp_BT = example()
    _refuses(lambda: learn(algorithm, batch, logp_BT[:, :1]), "log-probs of another shape")
    if algorithm.wants_entropy:
        _refuses(lambda: learn(algorithm, replace(batch, entropy_BT=None), logp_BT), "a batch without its entropy")
    if algorithm.reference:
        _refuses(lambda: learn(algorithm, replace(batch, ref_logp_BT=None), logp_BT), "a batch without its reference")


def calls_leave_the_batch_alone(algorithm: Algorithm) -> None:
    """No call changes its batch, and a second one gives what the first gave."""
    batch, logp_BT = example()
    before = pickle.dumps((batch, logp_BT))
    first = learn(algorithm, batch, logp_BT)
    algorithm.keep(batch)
    _require(pickle.dumps((batch, logp_BT)) == before, "a call changed the batch")
    _same(learn(algorithm, batch, logp_BT), first)


CHECKS: tuple[Callable[[Algorithm], None], ...] = (
    hyperparameters_are_checked,
    spec_is_complete,
    what_changes_the_loss_shows_in_the_spec,
    pickles,
    shapes_are_right,
    loss_is_finite,
    order_in_a_group_is_irrelevant,
    order_of_groups_is_irrelevant,
    padding_is_irrelevant,
    masked_values_are_irrelevant,
    microbatches_add_up,
    separable_losses_add_up,
    gradient_matches_finite_differences,
    unit_weights_change_nothing,
    equal_labels_teach_nothing,
    parts_can_be_turned_off,
    labels_are_read_as_said,
    empty_batches_are_harmless,
    bad_batches_are_refused,
    calls_leave_the_batch_alone,
)


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise AssertionError(otherwise)


def _same(found: tuple[Loss, Tensor], expected: tuple[Loss, Tensor]) -> None:
    for what, a, b in (("loss", found[0].value, expected[0].value), ("gradient", found[1], expected[1])):
        gap = float((a - b).detach().abs().max())
        _require(gap <= TOLERANCE * (1 + float(b.detach().abs().max())), f"the {what} changes by {gap:.3g}")


def _refuses(call: Callable[[], object], what: str) -> None:
    try:
        call()
    except ValueError:
        return
    raise AssertionError(f"{what} must raise ValueError")
