"""The field's benchmarks as tasks of lm-eval 0.4.13: `lm_eval --include_path FOLDER --tasks rence_aime24_k32`, where
`rence tasks` prints FOLDER.

`rence_<benchmark>.yaml` asks once; `_k4`, `_k8` and `_k32` are the protocol's, for lm-eval takes `repeats` from YAML
alone; `_common.yaml` is what all share, `functions.py` what they call. Groups: `rence_six`, and `rence_six_2026` with
AIME 2026, HMMT and OlymMATH; each with `_protocol` behind asks with the protocol's k.

Problems, prompts and marks are those of `rence eval`, so equal responses get equal scores. Three differences remain.
lm-eval does not say how a generation ended: a response that the limit cut off before its answer counts as no_answer,
not as truncated. It draws its own random numbers. And for --apply_chat_template see `harness.prompts.templates.render`.

All but `_common.yaml` are written from the registry by `generate.py` (`make tasks`); a test compares.
"""
