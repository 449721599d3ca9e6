"""Pure functions of result files: scores, statistics, tables, figures, HTML. Imports `harness.records` and nothing
else of ours. Same files, same bytes.
"""
