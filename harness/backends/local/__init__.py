"""The embedded backend: one process, any Hugging Face causal LM, deterministic. Reads in this order:

`generate.py` has responses sampled and marks them, `policies.py` keeps learner, sampler and reference in step,
`layout.py` says where every token stands, `logprobs.py` is the forward pass of training, `update.py` the optimiser
steps, `checkpoint.py` what survives a kill, and `loop.py` the loop over all. `backend.py` is how the rest of the
program sees it. Beneath, in `harness/models`: `language_model.py` loads and places a model, `flat_forward.py` and
`fused.py` are a pass over flat tokens with its gradient, `chosen_tokens.py` log-probs without the table of all,
`attention.py` attention for decoding; `harness/engines/sampler.py` draws responses.
"""
