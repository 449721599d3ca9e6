"""The verl backend: verl's own trainer, engines and rollout servers, extended through their public seams.

`platform.py` says what a process of a CPU run needs in its environment, and checks that a worker has it; `cpu.py` is
verl's CPU platform, which verl loads by itself through the entry-point group `verl.plugins`.

Importing this package imports neither torch nor Ray nor verl.
"""
