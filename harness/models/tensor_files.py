"""The weights' files of a model as they lie there: headers and index of safetensors, and whether the numbers are
numbers. No torch: a file is read by its format's own description, https://github.com/huggingface/safetensors#format.

Engines differ in what they do with a folder whose files do not agree: one reads `model.safetensors` and another the
index, one takes a shard that no index names and another leaves it. So such a folder is refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
MOST_HEADER_BYTES = 100_000_000
"""what the format allows"""
MEND = (
    "Copy or download it again whole, with the config.json and the tokenizer that belong to it; nothing was computed "
    "with it."
)
LFS = b"version https://git-lfs"
BITS: Mapping[str, int] = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64, "C64": 64,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip
"""type of a tensor, as a header has it -> bits of a number"""
LARGEST: Mapping[str, tuple[int, int, int]] = {
    "F16": (2, 0x7FFF, 0x7BFF),
    "BF16": (2, 0x7FFF, 0x7F7F),
    "F32": (4, 0x7FFF_FFFF, 0x7F7F_FFFF),
    "F64": (8, 0x7FFF_FFFF_FFFF_FFFF, 0x7FEF_FFFF_FFFF_FFFF),
    "F8_E4M3": (1, 0x7F, 0x7E),
    "F8_E5M2": (1, 0x7F, 0x7B),
}
"""type -> bytes of a number, the mask that takes its sign off, and the bits of the largest finite one: without a sign,
floats are ordered as their bits are"""
FLOATS = ("F16", "BF16", "F32", "F64")
"""types that a weight may have where nothing is quantised"""
_PIECE = 2**24
"""numbers looked at together"""


class BrokenFiles(Exception):
    """Files that cannot be read as one model's weights; says which and why."""


@dataclass(frozen=True)
class Tensor:
    """Where one tensor lies."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: Path
    start: int
    """byte of the file"""
    end: int

    def bytes(self) -> bytes:
        """Its part of the file."""
        with self.file.open("rb") as stream:
            stream.seek(self.start)
            return stream.read(self.end - self.start)


def tensors(folder: Path) -> dict[str, Tensor]:
    """All that the folder's weights hold, by name, from the headers alone.

    Raises: BrokenFiles if a file is missing, cut short or no safetensors, or if files contradict each other.
    """
    files = _indexed(folder) if (folder / INDEX).exists() else _single(folder)
    found: dict[str, Tensor] = {}
    for file in files:
        for tensor in header(folder / file):
            if tensor.name in found:
                raise BrokenFiles(f"{folder / file} and {found[tensor.name].file.name} both hold `{tensor.name}`")
            found[tensor.name] = tensor
    if (folder / INDEX).exists():
        _check_index(folder, found)
    return found


def _single(folder: Path) -> list[str]:
    others = sorted(path.name for path in folder.glob("*.safetensors") if path.name != SINGLE)
    if not (folder / SINGLE).exists():
        if others:
            raise BrokenFiles(f"{folder} has {others[0]}, but neither {SINGLE} nor {INDEX}, which says what is its")
        raise BrokenFiles(f"{folder} has no *.safetensors: weights must be in that format")
    own = {tensor.name for tensor in header(folder / SINGLE)}
    for other in others:
        twice = next((tensor.name for tensor in header(folder / other) if tensor.name in own), None)
        if twice:
            raise BrokenFiles(f"{folder / SINGLE} and {other} both hold `{twice}`, and no {INDEX} says which is meant")
    return [SINGLE]


def _indexed(folder: Path) -> list[str]:
    """The files that the index names, in their order."""
    weight_map = _weight_map(folder / INDEX)
    files = sorted(set(weight_map.values()))
    for file in files:
        if Path(file).name != file or not file.endswith(".safetensors"):
            raise BrokenFiles(f"{folder / INDEX} names `{file}`, which is no *.safetensors of this folder")
    if (folder / SINGLE).exists() and SINGLE not in files:
        raise BrokenFiles(f"{folder} has {SINGLE}, and {INDEX} that names other files: one of them is not meant")
    missing = [file for file in files if not (folder / file).is_file()]
    if missing:
        raise BrokenFiles(f"{_named(missing, len(files), 'files')} that {folder / INDEX} names are not there")
    return files


def _weight_map(index: Path) -> Mapping[str, str]:
    try:
        data = json.loads(index.read_bytes())
        weight_map = data["weight_map"]
        if not all(isinstance(file, str) for file in weight_map.values()) or not weight_map:
            raise TypeError
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise BrokenFiles(f"{index} must be JSON with `weight_map`, from names of tensors to files") from None
    return weight_map


def _check_index(folder: Path, found: Mapping[str, Tensor]) -> None:
    weight_map = _weight_map(folder / INDEX)
    elsewhere = [name for name in weight_map if name not in found or found[name].file.name != weight_map[name]]
    if elsewhere:
        raise BrokenFiles(
            f"{_named(elsewhere, len(weight_map), 'tensors')} of {folder / INDEX} are not in the files that it says"
        )
    unlisted = [name for name in found if name not in weight_map]
    if unlisted:
        raise BrokenFiles(f"{_named(unlisted, len(found), 'tensors')} of the files are not in {folder / INDEX}")


def _named(names: list[str], of: int, what: str) -> str:
    """`2 of 7 tensors (`a`, ...)`"""
    return f"{len(names)} of {of} {what} (`{names[0]}`{', ...' if len(names) > 1 else ''})"


def header(file: Path) -> Iterator[Tensor]:
    """The tensors of one file.

    Raises: BrokenFiles.
    """
    if not file.is_file():
        raise BrokenFiles(f"{file} is no file")
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(head := stream.read(8), "little")
        if LFS.startswith(head) and head:
            raise BrokenFiles(f"{file} is a pointer of Git LFS, not the weights: `git lfs pull` fetches them")
        if size < 8 or length > MOST_HEADER_BYTES or length + 8 > size:
            raise BrokenFiles(f"{file} is no safetensors, or was cut short: it has {size:,} bytes")
        text = stream.read(length)
    try:
        entries = json.loads(text, object_pairs_hook=_once)
        entries.pop("__metadata__", None)
        found = [_tensor(file, 8 + length, name, entry) for name, entry in entries.items()]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise BrokenFiles(f"{file} is no safetensors: its header cannot be read") from None
    end = max((tensor.end for tensor in found), default=8 + length)
    if end != size:
        said = "was cut short" if end > size else "has bytes that belong to no tensor"
        raise BrokenFiles(f"{file} {said}: it has {size:,} bytes, and its header tells of {end:,}")
    yield from found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


def _tensor(file: Path, data: int, name: str, entry: Mapping[str, Any]) -> Tensor:
    """Raises: ValueError, TypeError, KeyError for an entry that contradicts itself."""
    shape, (start, end) = tuple(entry["shape"]), entry["data_offsets"]
    if not all(type(n) is int and n >= 0 for n in (*shape, start, end)):
        raise ValueError(name)
    if (end - start) * 8 != math.prod(shape) * BITS[entry["dtype"]]:
        raise ValueError(name)
    return Tensor(name, entry["dtype"], shape, file, data + start, data + end)


@dataclass(frozen=True)
class Content:
    """What a tensor's numbers are."""

    finite: bool
    zero: bool
    """all of them"""


def content(tensor: Tensor) -> Content:
    """Of a tensor of floats; what is no float counts as finite. A file is mapped, not read as a whole."""
    import numpy as np

    if tensor.dtype not in LARGEST or tensor.start == tensor.end:
        return Content(finite=True, zero=False)
    size, mask, largest = LARGEST[tensor.dtype]
    mapped = np.memmap(tensor.file, np.uint8, "r", tensor.start, (tensor.end - tensor.start,))
    top = 0
    for at in range(0, len(mapped), size * _PIECE):
        bits: np.ndarray = np.frombuffer(mapped[at : at + size * _PIECE], f"<u{size}")
        top = max(top, int((bits & bits.dtype.type(mask)).max()))
        if top > largest:
            break
    return Content(top <= largest, top == 0)
