"""From files, the hub and worked answers to sets of problems.

`source.py` says where a set comes from and reads it (`benchmarks/files/`), `selection.py` makes a training set: no
duplicates, no contradictions, nothing of a benchmark. Nothing is loaded before it is asked for.
"""
