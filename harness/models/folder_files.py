"""Whether a model's folder can be opened at all: no FIFO waits in it, nothing in it is read without end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.base.errors import UserError
from harness.records import user_files

MOST_BYTES = 500_000_000
"""of a file that is no weights: the largest tokenizers have 40 million"""
MOST_LAYERS = 10_000
"""a model is built layer by layer before anything is loaded"""
_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".gguf", ".h5", ".msgpack", ".onnx", ".ot", ".tflite")
"""of which some are large, and those that are not in safetensors are never read"""
_SMALL, _SMALL_BYTES = ("config.json", "generation_config.json"), 10_000_000
"""which some packages leave unread, without a word, if they are broken"""
_MEND = "Try the model's files again, or another model."
_LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")


def check(folder: Path, wanted: Sequence[str]) -> None:
    """
    Args:
        wanted: patterns of the files that make the model what it is.
    Raises: UserError with the first file that is not one, or is too large.
    """
    for file in sorted(folder.iterdir()):
        most = None if file.suffix in _WEIGHTS else MOST_BYTES
        # Some packages read what we do not need, if it is there; a folder, or a link to nothing, is read by none.
        read = any(map(file.match, wanted)) or (file.exists() and not file.is_dir())
        if read and (wrong := user_files.mistake(file, most)):
            raise UserError(f"{file} {wrong}. {_MEND}")
    for name in _SMALL:
        if (folder / name).exists():
            _check_layers(folder / name, _json(folder / name))


def _json(file: Path) -> Any:
    try:
        return json.loads(user_files.text_of(file, _SMALL_BYTES))
    except RecursionError:
        reason = f"{file} is nested too deep."
    except json.JSONDecodeError as error:
        reason = f"{file}:{error.lineno}:{error.colno} is not JSON: {error.msg}."
    except ValueError as error:  # of the file, or a number of thousands of digits
        reason = str(error) if str(error).startswith(str(file)) else f"{file} is not JSON: {error}."
    raise UserError(f"{reason} {_MEND}")


def _check_layers(config: Path, found: Any) -> None:
    inside = [found, *found.values()] if isinstance(found, dict) else []
    for part in inside:
        for name in _LAYERS if isinstance(part, dict) else ():
            layers = part.get(name)
            if isinstance(layers, int | float) and not 0 <= layers <= MOST_LAYERS:
                raise UserError(f"{config}: `{name}` must be from 0 to {MOST_LAYERS:,}, but is {layers:.6g} instead.")
