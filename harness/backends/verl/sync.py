"""Which weights the samplers and the reference have: the newest, or a copy that is refreshed every so many steps.

verl's samplers forget their weights while they sleep, and take what the actor holds when they wake. A sampler that
lags behind the learner is given the copy that each rank keeps for it (`PolicyWorker.held`): the two are exchanged
while weights are sent, and while log-probs of the policy that sampled are computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from harness.backends.verl.checkpoint import REFERENCE, SAMPLER
from harness.backends.verl.timeout import timeout
from harness.base.errors import FAILED, UserError
from harness.config.experiment import Trial


class Sync:
    """Of one trial. Steps count from 1; a copy is refreshed before steps 1, 1 + n, 1 + 2n, ..."""

    def __init__(self, trial: Trial, stall_seconds: float) -> None:
        """
        Args:
            stall_seconds: that weights may take to be sent.
        """
        self._trial, self._stall_seconds = trial, stall_seconds
        self._every = trial.arm.recipe.generator_sync_steps
        self._reference_every = trial.arm.recipe.reference_sync_steps
        self._follows = trial.arm.algorithm.reference == "synced"
        self._newest_sent = True

    def connect(self, actors: Any, references: Any, sleep: Callable[[], None], send: Callable[[], None]) -> None:
        """
        Args:
            actors, references: verl's worker groups, of `PolicyWorker`s. The samplers have the actors' weights.
            sleep: puts the samplers to sleep.
            send: wakes them with the weights that the actors hold.
        """
        self._actors, self._references, self._sleep, self._wake = actors, references, sleep, send

    def lags(self, step: int) -> bool:
        """Whether what is sampled in this step comes from older weights than the learner's."""
        return (step - 1) % self._every != 0

    def before(self, step: int) -> None:
        """The sampler takes the learner's weights, then the reference the sampler's, each if it is its turn. At step 1
        the reference holds the initial weights as it is. Samplers that hold others, for an evaluation, get their own
        back."""
        if self._every > 1 and not self.lags(step):
            self._actors.sync_sampler()
        if self._follows and step > 1 and (step - 1) % self._reference_every == 0:
            self._references.sync_reference()
        if self.lags(step) and self._newest_sent:
            self.sleep()  # they take weights when they wake, and no other way
            self.send(newest=False)

    def sleep(self) -> None:
        """The samplers give their memory to the learner. Raises: UserError, as `send`."""
        with self._answering("go to sleep"):
            self._sleep()

    def after(self, step: int, evaluated: bool) -> None:
        """Send what is needed next: the learner's weights for an evaluation, or for samplers that are refreshed before
        the next step anyway; else those that the samplers had.

        Args:
            evaluated: whether an evaluation follows this step.
        """
        self.send(newest=evaluated or not self.lags(step + 1))

    def send(self, newest: bool) -> None:
        """As verl does, but not for ever: a sampler that has died since its last answer would be waited for.

        Args:
            newest: the learner's weights; if not, the copy.
        Raises: UserError
        """
        with self._answering("take the weights"), nullcontext() if newest else self._exchanged():
            self._wake()
        self._newest_sent = newest

    def _answering(self, what: str) -> AbstractContextManager[None]:
        return timeout(
            self._stall_seconds,
            UserError(
                f"{self._trial.name}: the samplers did not {what} within {self._stall_seconds:g} s: one may have "
                "died.\n"
                "`verl.stall_seconds` is the limit. Run the same again to go on from the newest checkpoint.",
                FAILED,
            ),
        )

    @contextmanager
    def as_sampled(self, step: int) -> Iterator[None]:
        """Inside, the actors hold the weights that this step was sampled from."""
        with self._exchanged() if self.lags(step) else nullcontext():
            yield

    def save(self, checkpoint: Path) -> None:
        """What a resumed trial cannot get from the learner."""
        if self._every > 1:
            self._actors.save_sampler(str(checkpoint / SAMPLER))
        if self._follows:
            self._references.save_reference(str(checkpoint / REFERENCE))

    def load(self, checkpoint: Path) -> None:
        """What `save` wrote."""
        if self._every > 1:
            self._actors.load_sampler(str(checkpoint / SAMPLER))
        if self._follows:
            self._references.load_reference(str(checkpoint / REFERENCE))

    @contextmanager
    def _exchanged(self) -> Iterator[None]:
        """Not exchanged back after an error, which ends the trial: the actors may be what did not answer."""
        self._actors.exchange_sampler()
        yield
        self._actors.exchange_sampler()
