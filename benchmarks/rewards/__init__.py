"""Rewards of your own: a function of (text, gold, problem) that says what a rollout is worth in training, a number or
a mark word. Evaluations are marked by `benchmarks.marking`, whatever training pays for.

`locating.py` finds the function's source without running it, and hashes it. `serving.py` is the process that calls it:
one of the killable workers of `marking/pool.py`. `scoring.py` asks those workers. `reward_contract.py` is what `rence
check module:function` tries.
"""

from benchmarks.rewards.locating import FunctionSource, RewardMistake, is_function, locate
from benchmarks.rewards.scoring import OwnReward, Rated, Rewarded, rate

__all__ = ["FunctionSource", "OwnReward", "Rated", "RewardMistake", "Rewarded", "is_function", "locate", "rate"]
