"""Backends train one trial. `base.py` has the protocol; `local/` is the embedded one, `verl/` the one for many GPUs.

What they share: `groups.py` holds rollouts as they are generated, `collect.py` which of them a step keeps,
`metrics.py` what is logged of it, `checkpoints.py` what survives a kill, `diverged.py` the way training ends early.

To add one: a class with `train`, and a line in `registry.py`.
"""
