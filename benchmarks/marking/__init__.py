"""The marker: finds the final answer in a response and decides whether it equals the gold answer.

    responses (where the answer is)  ->  answers (what it says)  ->  comparing  ->  values (in worker processes)

Texts and plain numbers decide most answers here, in microseconds and without any package (`comparing`); two expressions
are compared in processes that a deadline ends (`pool.py`, `worker.py`), where a parser of ours reads them (`latex`) and
their difference decides (`values`). Whatever a response holds, it gets one of five marks (`benchmarks/marks.py`) and a
reason: no text hangs the marker or raises out of it. Math-Verify is asked for a second opinion, and where a text
without a box has to be searched (`verifying.py`).
"""

from benchmarks.marking.marker import MARKER_VERSION, equal_all, mark, mark_all, mark_readings

__all__ = ["MARKER_VERSION", "equal_all", "mark", "mark_all", "mark_readings"]
