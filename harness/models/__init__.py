"""Models: how a name becomes a folder in Hugging Face layout (`resolving.py`), and the folder a model that computes
(`language_model.py`, `attention.py`, `stopping.py`). `gguf_llama.py` and `smollm.py` make the folder of one that comes
in another package.

To ship one more: a folder here with config.json, model.safetensors, the tokenizer's files with a chat template and
a README.md (model card: recipe, data, licence, what was measured, limits), and its name in `SHIPPED`.
"""
