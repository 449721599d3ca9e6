"""Questions about these checkpoints on these problems: is it the same model (`same`), is a published cell reproduced
(`reproduce`)?"""
