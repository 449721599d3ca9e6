"""What a learner computes: frozen dataclasses and pure tensor functions. Imports torch (lazily), nothing of ours.

    rollouts.py          what an algorithm sees: a batch, its denominators, a loss with metrics
    base.py              what an algorithm is
    registry.py          the list, and plug-ins
    contract.py          what every algorithm has to keep to
    rence.py grpo.py dapo.py online_dpo.py rejection.py      one algorithm each, to be read beside its paper
    groups.py            statistics of a group, keyed draws, the padded (G, K) table
    ratios.py            token ratios and their clip, sequence scores
    aggregation.py       from tokens to a number
    kl.py                estimators and gates
    contrast.py margins.py reward.py            pairs and NCE, margins, the overlong penalty
    metrics.py           what is logged
    hyperparameters.py   types and ranges

To add one: write the file, add a line to the registry; `rence check NAME` runs the contract.
"""
