"""The embedded suite: small-number problems made by rule, so that a real experiment fits a laptop.

`expressions.py` is the computation behind a problem, `kinds.py` the kinds that are taught, `unseen.py` those that
never are, `solutions.py` what the base model learns to write, `suite.py` the split and the sets made from it.
Every problem belongs to the split of its canonical computation, whatever its wording: what one split asks, no
other asks in other words. Standard library only; the same problems on every machine.
To add a kind: a function in `kinds.py` or `unseen.py` and a line in its table.
"""
