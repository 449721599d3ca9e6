"""From files, the hub and worked answers to problems.

`source.py` says where a set comes from and reads it, from a file or from the hub (`hub.py`); `jsonl.py` reads a file of
your own; `cleaning.py` turns raw answers into golds; `selection.py` makes a training set: no duplicates, no
contradictions, nothing of a benchmark. Nothing is loaded before it is asked for.
"""
