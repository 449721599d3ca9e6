"""The marker: finds the final answer in a response and decides whether it equals the gold answer.

    extraction -> canonical text -> plain numbers, lists -> Math-Verify in worker processes

Texts and plain numbers decide most answers here, in microseconds and without any package (`comparison.py`); the rest
is asked of Math-Verify in processes that a deadline ends (`pool.py`, `worker.py`, `symbolic.py`). Whatever a response
holds, it gets one of five marks (`benchmarks/marks.py`): no text hangs the marker or raises out of it.
"""

from benchmarks.marking.marker import MARKER_VERSION, equal_all, mark, mark_all

__all__ = ["MARKER_VERSION", "equal_all", "mark", "mark_all"]
