"""Names that MLflow accepts, and the way back.

MLflow takes letters, digits, `_ - . : /` and spaces, in a form that is also a normal relative path; names of the
field such as `val-core/aime24/acc/mean@32` or `exact_match,none` fail. Whatever it refuses, and the colon itself,
becomes a word between colons: `mean:at:32`. `metric_names.json` among a run's artifacts lists the originals.
"""

from __future__ import annotations

import hashlib
import re

MAX_LENGTH = 250
"""characters, MLflow's limit"""

_WORDS = {"@": "at", ",": "comma", "%": "percent", "[": "open", "]": "close", ":": "colon", ".": "dot"}
_CHARACTERS = {word: character for character, word in _WORDS.items()} | {"empty": ""}
_REFUSED = re.compile(r"[^A-Za-z0-9_\-. ]")
_SHORTENED = ":sha256:"
_ESCAPE = re.compile(r":([a-z0-9]+):")


def encode(name: str) -> str:
    """A name MLflow accepts. `decode` gives the original back unless it had to be shortened to MLflow's limit."""
    encoded = "/".join(_encode_segment(segment) for segment in name.split("/"))
    if len(encoded) <= MAX_LENGTH:
        return encoded
    shortened = f"{_SHORTENED}{hashlib.sha256(name.encode()).hexdigest()[:16]}:{encoded}"
    return shortened[:MAX_LENGTH].rstrip("/")


def decode(encoded: str) -> str:
    """The original of an encoded name. Raises: ValueError for one that was shortened."""
    if encoded.startswith(_SHORTENED):
        raise ValueError(f"`{encoded}` was shortened; metric_names.json has its original.")
    return _ESCAPE.sub(lambda match: _character(match[1]), encoded)


def _encode_segment(segment: str) -> str:
    if not segment:
        return ":empty:"  # `/a`, `a//b` and `a/` are no normal paths
    encoded = _REFUSED.sub(lambda match: f":{_word(match[0])}:", segment)
    return f":dot:{encoded[1:]}" if encoded.startswith(".") else encoded  # nor are `.` and `..`


def _word(character: str) -> str:
    return _WORDS.get(character) or f"x{ord(character):x}"


def _character(word: str) -> str:
    return _CHARACTERS[word] if word in _CHARACTERS else chr(int(word[1:], 16))
