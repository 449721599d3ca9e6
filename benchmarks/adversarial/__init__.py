"""An adversarial suite for markers and reward functions of mathematics: cases made by rule, each with the reason why
its verdict is certain. docs/how-to/exploit.md says what it is and how to cite it.

    rules (equal_*, near_*, responses, exploits, hostile) -> build -> suite.jsonl -> suite.load()

Verdicts hold by construction: both sides of an equal pair are built from one exact value or from an identity, a near
miss by a change that is known not to be nothing. No marker is asked, and nothing here imports one.
"""

from benchmarks.adversarial.suite import FILE, NAME, SuiteRow, load, version

__all__ = ["FILE", "NAME", "SuiteRow", "load", "version"]
