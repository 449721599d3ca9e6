"""The embedded backend: one process, any Hugging Face causal LM, deterministic. Reads in this order:

`model.py` loads and places a model (`attention.py`: its decoding attention), `sampler.py` draws responses,
`generate.py` marks them, `policies.py` keeps learner, sampler and reference in step, `logprobs.py` is the forward pass
of training, `update.py` the optimiser steps, `checkpoint.py` what survives a kill, and `loop.py` the loop over all.
`backend.py` is how the rest of the program sees it.
"""
