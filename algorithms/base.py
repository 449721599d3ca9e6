"""The one abstraction: an algorithm is its objective, as a frozen dataclass of hyper-parameters and pure functions.

Optimiser, group size, updates per rollout batch, syncs, lengths and budget are not here: they are the
experiment's recipe, which all arms share. An algorithm that is one only with some of them names those in `recipe`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from algorithms.hyperparameters import check_types
from algorithms.rollouts import Loss, Rng, Rollouts, Totals

if TYPE_CHECKING:
    from torch import Tensor

Reference = Literal["init", "synced"]
"""which policy `ref_logp_BT` comes from: the initial model, or a copy refreshed every `reference_sync_steps`"""


SPEC = ("baseline", "scale", "trust region", "aggregation", "KL", "filter", "refill", "reference")
"""the rows every spec has; an algorithm may add more. The recipe adds `updates per rollout batch` and `sync`"""


@dataclass(frozen=True)
class Activity:
    """A logged metric that describes the objective's special part."""

    metric: str
    """a key of `Loss.metrics`; an arm that never logs it does not have this part"""
    label: str
    """what a report calls it, such as "share of tokens clipped" """
    inactive_below: float
    """nothing judges by it: such metrics have a scale. It stays because the locks of plans hash it"""


@dataclass(frozen=True)
class Algorithm(ABC):
    """Subclass, add hyper-parameters as fields with the paper's defaults, and write `loss`.

    The order of calls for one rollout batch: `keep` on each freshly generated batch, `shape` and `credit` once
    on the kept groups together, then for every mini-batch `measure` (if `measures`), `adapt` and `loss`.

    Raises: ValueError on construction, naming the hyper-parameter and what is allowed. Subclasses add their
    ranges in `__post_init__` after calling this one's.
    """

    title: ClassVar[str]
    """the name tables print; a reconstruction says so here"""
    source: ClassVar[str]
    """paper and equation"""
    recipe: ClassVar[Mapping[str, Any]] = {}
    """settings of the recipe that make it this algorithm, such as `{"generator_sync_steps": 10}`. What an arm says in
    its own `recipe` goes before them; they go before the recipe's defaults, and an experiment whose shared recipe says
    otherwise is refused"""

    rewards_alone: ClassVar[bool] = False
    """whether this very class learns from `reward_B` alone, and so from any number; not inherited, for a subclass may
    look at labels. It is always right to leave it out"""

    def __post_init__(self) -> None:
        check_types(self)

    @property
    def activity(self) -> tuple[Activity, ...]:
        """Which metrics describe the objective's special part, for these hyper-parameters."""
        return ()

    @property
    def parts(self) -> Mapping[str, Mapping[str, Any]]:
        """What of the objective can be turned off: a part's name in the field's words, such as `clip` -> the
        hyper-parameters that this same algorithm has without it. Trials record how far the gradient is from the one
        without the part. A filter (`keep`) need not be named: without it the batch is learnt from unfiltered."""
        return {}

    @property
    def reference(self) -> Reference | None:
        """Which reference policy the objective needs, if any."""
        return None

    @property
    def refill(self) -> bool:
        """Whether groups that `keep` drops are replaced by freshly generated ones (up to the recipe's cap)."""
        return False

    @property
    def stop_gradient(self) -> bool:
        """Whether the gradient is deliberately not the derivative of the loss's value, as in CISPO."""
        return False

    @property
    def wants_entropy(self) -> bool:
        """Whether `loss` reads `batch.entropy_BT`, which costs a pass over the vocabulary."""
        return False

    @property
    def separable(self) -> bool:
        """Whether `loss` also adds up over parts of groups, given the credit and the totals of the whole: then a
        backend may take rollouts apart. A loss that compares what theta says of one rollout with what it says of
        another does not; it is always right to say False, and costs a pass without gradient where a group is too long
        to be learnt from at once."""
        return False

    @property
    def contrastive(self) -> bool:
        """Whether a group of one rollout can teach nothing, so that K must be at least 2."""
        return True

    @property
    def reads_labels(self) -> bool:
        """Whether anything here asks which rollouts are right (`label_B`, and what is counted by it), be it only the
        filter: then a reward that is a number needs a threshold. True unless the class says `rewards_alone`."""
        return not vars(type(self)).get("rewards_alone", False)

    def keep(self, batch: Rollouts) -> Tensor:
        """bool_G: the groups that may be learnt from. Here all but those left without a single rollout."""
        return batch.size_G > 0

    def keeps(self, correct: int, size: int) -> bool | None:
        """What `keep` says of a group of so many rollouts, of which so many are right: plans work out by it, without
        torch, what refill will cost. None: not known, or no function of these."""
        return None

    def shape(self, batch: Rollouts) -> Tensor:
        """float_B: the rewards to learn from; the marker's labels stay what they are."""
        return batch.reward_B

    def credit(self, batch: Rollouts, rng: Rng) -> Mapping[str, Tensor]:
        """Per-sequence quantities of shape B that do not depend on theta, computed once with the whole rollout
        batch in sight: advantages, pairs, margins."""
        return {}

    def measure(self, batch: Rollouts, logp_BT: Tensor) -> Mapping[str, Tensor]:
        """Scalar sums over the response tokens of the batch. The backend adds them over micro-batches and ranks,
        divides by the tokens and hands the means to `loss` in `Totals.means`; gates read them as constants.
        A backend that takes the mini-batch in one forward pass may measure on that pass's log-probs."""
        return {}

    @property
    def measures(self) -> bool:
        """Whether `measure` returns anything, which may cost a pass without gradient."""
        return False

    def adapt(self, state: Mapping[str, float], means: Mapping[str, float]) -> Mapping[str, float]:
        """What is carried from one optimiser step to the next, such as an adaptive coefficient.

        The backend starts a trial with an empty state, calls this before the `loss` of each mini-batch, hands
        the result over in `Totals.state`, and keeps it in its checkpoints.
        """
        return state

    @abstractmethod
    def loss(self, batch: Rollouts, logp_BT: Tensor, totals: Totals) -> Loss:
        """The objective on some whole groups of a mini-batch whose denominators are `totals`; if it is `separable`, on
        any of its rollouts.

        Args:
            logp_BT: log-probs under theta at the sampling temperature; padding may hold anything finite.
        """

    @abstractmethod
    def spec(self) -> dict[str, str]:
        """What exactly this arm does, a row of the spec sheet: the keys of `SPEC` and, if there is more to say,
        others. Two algorithms with equal specs do the same: fingerprints of arms are made of it."""
