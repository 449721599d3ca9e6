"""The algorithms, one file each, to be read beside its paper; `algorithms.registry` lists them by name.

What is left out, and why: docs/algorithms.md.
"""
