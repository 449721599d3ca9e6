"""How a model's name becomes a folder in Hugging Face layout."""

from __future__ import annotations

import hashlib
from collections import deque
from pathlib import Path

from harness.base.errors import INCOMPLETE, UserError, nearest
from harness.models import folder_files, smollm, tensor_files
from harness.records.files import real_path
from harness.records.seals import file_hash

SHIPPED = {"quickstart-base": Path(__file__).parent / "quickstart-base"}

CONTENT = (
    "config.json",
    "generation_config.json",
    "*.safetensors",
    "*.safetensors.index.json",
    "tokenizer*.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "*.model",
    "chat_template.*",
)
"""the files that make a model what it is"""


def resolve(model: str) -> Path:
    """The folder of a shipped model, of SmolLM2's package (converted to the cache once), of a local one, or of a hub id
    (`owner/name` or `owner/name@revision`), which is downloaded to the hub's cache once.

    Raises: UserError.
    """
    if model == smollm.NAME:
        return smollm.resolve()
    return _here(model) or _download(model)


def short_name(model: str) -> str:
    """What tables call it: the name of a shipped model or a hub id without owner and revision, of a folder the last
    part of its path."""
    folder = Path(model).expanduser()
    if model not in (*SHIPPED, smollm.NAME) and folder.is_dir():
        return real_path(folder).name
    return model.partition("@")[0].rpartition("/")[2]


def find(model: str) -> Path | None:
    """Like `resolve`, but nothing is downloaded or converted: None for a model whose weights are not in its cache.

    Raises: UserError.
    """
    if model == smollm.NAME:
        return smollm.find()
    return _here(model) or _cached(model)


def _here(model: str) -> Path | None:
    """None for a hub id."""
    if model in SHIPPED:
        return SHIPPED[model]
    folder = Path(model).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").exists():
            raise UserError(f"`{model}` is a folder without config.json, so not a model in Hugging Face layout.")
        folder_files.check(folder, CONTENT)
        _check_headers(folder)
        return folder
    owner_and_name = model.split("@")[0].split("/")
    if model.startswith((".", "~", "/")) or len(owner_and_name) != 2 or not all(owner_and_name):
        raise UserError(
            f"model `{model}` is neither shipped, nor a folder here, nor a hub id of the form owner/name. "
            f"{nearest(model, (*SHIPPED, smollm.NAME))}"
        )
    return None


def _check_headers(folder: Path) -> None:
    """Before gigabytes are hashed that are no weights. Raises: UserError."""
    try:
        for file in folder.glob("*.safetensors"):
            deque(tensor_files.header(file), maxlen=0)
    except tensor_files.BrokenFiles as error:
        raise UserError(f"{error}.\n{tensor_files.MEND}", INCOMPLETE) from None


def _content(folder: Path) -> list[Path]:
    return sorted({file for pattern in CONTENT for file in folder.glob(pattern)})


def model_hash(folder: Path) -> str:
    """SHA-256 in hex over the names and bytes of weights, configuration and tokenizer.

    Raises: UserError if there are no weights.
    """
    files = _content(folder)
    if not any(file.suffix == ".safetensors" for file in files):
        raise UserError(f"{folder} has no *.safetensors: weights must be in that format.", INCOMPLETE)
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0{file_hash(file)}\n".encode())
    return digest.hexdigest()


def _cached(model: str) -> Path | None:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError
    except ImportError:
        return None
    name, _, revision = model.partition("@")
    try:
        folder = Path(snapshot_download(name, revision=revision or None, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError):
        return None
    return folder if any(folder.glob("*.safetensors")) else None


def _download(model: str) -> Path:
    shipped = f"Shipped with rence-bench: {', '.join(f'`{name}`' for name in SHIPPED)}."
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError
    except ImportError:
        raise UserError(
            f"model `{model}` is on the hub, which needs `pip install 'rence-bench[local]'`. {shipped}"
        ) from None
    name, _, revision = model.partition("@")
    try:
        return Path(snapshot_download(name, revision=revision or None, allow_patterns=list(CONTENT)))
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(
            f"model `{model}` cannot be fetched from the hub: {reason}\n"
            f"Check name and connection (HF_HUB_OFFLINE, HF_HOME), or give the folder of a download. {shipped}"
        ) from None
