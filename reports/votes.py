"""maj@k: what a majority vote over a problem's attempts would have scored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable


def majority(attempts: Iterable[tuple[bool, str | None]]) -> float:
    """Whether the most frequent answer of one problem is correct; where several are, the share of them that is.

    An attempt without an answer does not vote. Two answers are the same if both are correct, or neither is and their
    texts are equal but for blanks. 0 if nobody votes.

    Args:
        attempts: (marked correct, answer or None) of each.
    """
    votes = Counter(
        (correct, "" if correct else "".join(answer.split())) for correct, answer in attempts if answer is not None
    )
    most = max(votes.values(), default=0)
    largest = [correct for (correct, _), count in votes.items() if count == most]
    return sum(largest) / len(largest) if largest else 0.0
