"""Whether two expressions are equal, by their difference: `symbolic.same`, for the workers alone.

symbolic (sets, equations ...)  >  scalars (two values)  >  difference (numbers), sampling (identities)
"""
