"""Backends train one trial. `base.py` has the protocol, `local/` the embedded one.

To add one: a class with `train`, and a line in `registry.py`.
"""
