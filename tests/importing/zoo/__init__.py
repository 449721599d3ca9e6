"""The zoo: shapes of result files as public tools have them, made anew with one truth.

`SHAPES` holds them by name; each writes its files into a folder. One more is a function with `@shape` in a module here.
"""

from . import evaluators, leaderboards, tables, trainers
from .truth import ARMS, SHAPES, Shape, share

__all__ = ["ARMS", "SHAPES", "Shape", "evaluators", "leaderboards", "share", "tables", "trainers"]
