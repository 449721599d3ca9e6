"""Asking a model a benchmark.

A trial's checkpoints (`evaluator.py`), problems in a random order with looks in between (`by_looks.py`), any model for
`rence eval` (`standalone.py`); what an evaluation is (`headers.py`), calls that are under way at once (`ahead.py`), the
rows of answers (`attempts.py`), marks made again (`remarking.py`), and what is seen of it meanwhile (`display.py`).
"""
