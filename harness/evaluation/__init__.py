"""Asking a model a benchmark: a trial's checkpoints (`evaluator.py`), any model for `rence eval` (`standalone.py`), the
rows of their answers (`attempts.py`), and what is seen of it meanwhile (`display.py`).
"""
