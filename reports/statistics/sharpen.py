"""What would sharpen a comparison: more seeds, samples or problems, what each could detect, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reports.statistics.design import AS_IT_IS, DesignChange


@dataclass(frozen=True)
class Effort:
    """What a comparison of some arms is made of."""

    arms: int
    seeds: int
    """an arm"""
    rollouts: int
    """a trial"""
    headline: int
    """attempts of a checkpoint at the headline, by the decoding that is compared"""
    earlier: int
    """attempts of a trial at the earlier points of the grid"""
    beside: int = 0
    """attempts of a checkpoint at the headline, by the other decodings"""


@dataclass(frozen=True)
class Route:
    """One way on from a design, and what it takes beyond it."""

    words: str
    change: DesignChange
    trials: int = 0
    rollouts: int = 0
    attempts: int = 0
    beside: int = 0
    """of the attempts, those by other decodings than the one that is compared"""


TIMES = {2: "twice", 4: "four times"}


def routes(now: Effort, seeds: bool = True, samples: bool = True) -> list[Route]:
    """The design as it is, then what could be more of.

    Args:
        seeds: whether anything is known of the variation between seeds.
        samples: whether anything is known of the variation between answers.
    """
    found = [Route("as it is", AS_IT_IS)]
    if seeds:
        found += [_seeds(now, times) for times in TIMES]
    checkpoints = now.arms * now.seeds
    if samples:
        found += [
            Route(
                f"{words} the samples a problem",
                DesignChange(samples=(times,)),
                attempts=(times - 1) * checkpoints * now.headline,
            )
            for times, words in TIMES.items()
        ]
    beside = checkpoints * now.beside
    more = checkpoints * now.headline + beside
    return [*found, Route("twice the problems", DesignChange(problems=(2,)), attempts=more, beside=beside)]


def _seeds(now: Effort, times: int) -> Route:
    trials = (times - 1) * now.arms * now.seeds
    return Route(
        f"{TIMES[times]} the seeds ({times * now.seeds} an arm)",
        DesignChange(seeds=times),
        trials=trials,
        rollouts=trials * now.rollouts,
        attempts=trials * (now.headline + now.beside + now.earlier),
        beside=trials * now.beside,
    )


def effort(
    arms: int,
    seeds: int,
    rollouts: int,
    points: int,
    sizes: Mapping[str, tuple[int, int]],
    curve: Mapping[str, tuple[int, int]],
    beside: int = 0,
) -> Effort:
    """
    Args:
        points: of the grid at which a trial is evaluated.
        sizes, curve: benchmark -> problems and samples a problem, at the headline and at the earlier points.
        beside: attempts of a checkpoint by the other decodings.
    """
    asked = [sum(problems * k for problems, k in part.values()) for part in (sizes, curve)]
    return Effort(arms, seeds, rollouts, asked[0], asked[1] * (points - 1), beside)
