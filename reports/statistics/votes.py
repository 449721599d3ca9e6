"""maj@k: what a majority vote over a problem's attempts would have scored."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from reports.statistics.satterthwaite import Floats


def majority(problems: NDArray[np.int64], correct: NDArray[np.bool_], answers: pa.Array, count: int) -> Floats:
    """Of each problem, whether its most frequent answer is correct; where several are, the share of them that is.

    An attempt without an answer does not vote. Two answers are the same if both are correct, or neither is and their
    texts are equal but for blanks. 0 if nobody votes.

    Args:
        problems, correct, answers: of each attempt: its problem's number in 0..count-1, whether it was marked correct,
            and its answer, null if there is none.
    """
    said = answers.is_valid().to_numpy(zero_copy_only=False)
    problems, correct = problems[said], correct[said]
    text, classes = _without_blanks(answers.drop_null())
    classes += 1
    answer = np.where(correct, 0, text)  # one class for all that are correct
    vote, votes = np.unique(problems * classes + answer, return_counts=True)
    of, right = vote // classes, vote % classes == 0
    most = np.zeros(count, np.int64)
    np.maximum.at(most, of, votes)
    top = votes == most[of]
    tied = np.bincount(of[top], minlength=count)
    return np.bincount(of[top & right], minlength=count) / np.maximum(tied, 1)


def _without_blanks(answers: pa.Array) -> tuple[NDArray[np.int64], int]:
    """A number from 1 for each text, equal for texts that differ in blanks only; and how many numbers there are."""
    encoded = answers.cast(pa.string()).dictionary_encode()
    numbers: dict[str, int] = {}
    plain = [numbers.setdefault("".join(text.split()), len(numbers) + 1) for text in encoded.dictionary.to_pylist()]
    return np.array(plain, np.int64)[encoded.indices.to_numpy(zero_copy_only=False)], len(numbers)
