"""The one way training ends early by itself."""


class Diverged(Exception):
    """Something that must be finite is not; says what. Nothing is learnt from it."""
