"""From a name to a folder, and what a model's hash covers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from harness.base.errors import USAGE, UserError
from harness.models.resolving import CONTENT, SHIPPED, file_hash, find, model_hash, resolve, short_name


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_models_are_whole(name: str) -> None:
    folder = resolve(name)
    files = {file.name for file in folder.iterdir()}
    assert files >= {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "README.md"}
    assert files >= {"chat_template.jinja", "tokenizer_config.json"}
    assert sum(file.stat().st_size for file in folder.iterdir()) < 2_000_000
    card = (folder / "README.md").read_text()
    assert file_hash(folder / "model.safetensors") in card, "the card must state the hash of these weights"


def test_a_local_folder(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert resolve(str(tmp_path)) == tmp_path


@pytest.mark.parametrize(
    "model, message",
    [
        ("quickstart-bas", "Did you mean `quickstart-base`?"),
        ("./missing", "neither shipped, nor a folder here, nor a hub id"),
        ("a/b/c", "neither shipped"),
        ("/", "folder without config.json"),
    ],
)
def test_names_that_lead_nowhere(model: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        resolve(model)
    assert message in str(error.value) and error.value.exit_code == USAGE


def test_a_hub_model_offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UserError) as error:
        resolve("nobody/nothing@main")
    lines = str(error.value).splitlines()
    assert len(lines) <= 3 and "`nobody/nothing@main` cannot be fetched" in lines[0]
    assert "`quickstart-base`" in lines[-1]


def test_finding_never_downloads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert find("nobody/nothing@main") is None
    snapshot = tmp_path / "models--nobody--nothing" / "snapshots" / "0123456789abcdef0123456789abcdef01234567"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").touch()
    revision = f"nobody/nothing@{snapshot.name}"
    assert find(revision) is None, "without weights it is not there"
    (snapshot / "model.safetensors").touch()
    assert find(revision) == snapshot
    assert find("quickstart-base") == SHIPPED["quickstart-base"]
    with pytest.raises(UserError, match="neither shipped"):
        find("./missing")


def test_model_hash_covers_weights_configuration_and_tokenizer(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SHIPPED["quickstart-base"], tmp_path / "copy"))
    original = model_hash(folder)
    assert original == model_hash(SHIPPED["quickstart-base"]) and len(original) == 64
    (folder / "README.md").write_text("another card")
    (folder / "optimizer.pt").write_bytes(b"state")
    assert model_hash(folder) == original
    seen = {original}
    for name in ("config.json", "tokenizer.json", "chat_template.jinja", "model.safetensors"):
        (folder / name).write_bytes((folder / name).read_bytes() + b" ")
        assert model_hash(folder) not in seen
        seen.add(model_hash(folder))


def test_a_folder_without_safetensors_has_no_hash(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({}))
    with pytest.raises(UserError, match="safetensors"):
        model_hash(tmp_path)
    assert "*.safetensors" in CONTENT


def test_tables_call_a_model_by_its_short_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checkpoints" / "step_40").mkdir(parents=True)
    names = ["quickstart-base", "Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B@main", "checkpoints/step_40/", "checkpoints/."]
    assert [short_name(name) for name in names] == [
        "quickstart-base", "Qwen3-0.6B", "Qwen3-0.6B", "step_40", "checkpoints"
    ]  # fmt: skip
