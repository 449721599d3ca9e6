"""What a learner computes: frozen dataclasses and pure tensor functions. Imports torch (lazily), nothing of ours.

`rollouts.py` is what an algorithm sees, `base.py` what it is, `registry.py` the list; the other modules are the
shared pieces and one file for each algorithm. To add one: write the file, add a line to the registry.
"""
