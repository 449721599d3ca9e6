"""Backends train one trial. `base.py` is the whole seam; `local/` is the embedded one, `verl/` the one for many GPUs.

What they share: `groups.py` holds rollouts as they are generated, `collect.py` which of them a step keeps,
`metrics.py` what is logged of it, `checkpoints.py` what survives a kill, `diverged.py` the way training ends early.

To add one: a subclass of `Backend`, and a line in `harness/base/registry.py`. What it has to keep to is in
`backend_contract.py`, with the trial of `example_trial.py`.
"""
