"""Engines answer prompts: many samples of each, every sample with a seed of its own.

`base.py` has the protocol. To add one: a class with `name`, `version` and `generate`, and a line in `registry.py`.
"""
