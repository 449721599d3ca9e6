"""What a learner computes: frozen dataclasses and pure tensor functions. Imports torch (lazily), nothing of ours.

    base.py              what an algorithm is
    rollouts.py          what it sees: a batch, its denominators, a loss with metrics
    policy_gradient.py   what those have in common that weigh log-probs by advantages
    objectives/          the algorithms, a file each, to be read beside its paper
    ops/                 what they share
        groups.py        statistics of a group, keyed draws, the padded (G, K) table
        advantages.py    rewards less a baseline, over a scale
        ratios.py        token ratios and their clip, sequence scores
        aggregation.py   from tokens to a number
        kl.py            estimators and gates
        contrast.py margins.py reward.py            pairs and NCE, margins, the overlong penalty
        metrics.py       what is logged
    registry.py          the list
    contract.py          what every algorithm has to keep to
    example.py           a small batch to try them on
    hyperparameters.py   types and ranges

To add one: write the file, add a line to the registry; `rence check NAME` runs the contract.
"""
