"""What is asked and how it is marked. No torch, nothing of ours.

`problems.py` is the data model, `registry.py` the list of benchmarks and training sets, `marking.py` the grader,
`asking.py` the words a problem is asked with, `scoring.py` scores of its marked attempts,
`maths/` the field's benchmarks and training sets, `tasks/` the same for lm-eval,
`miniature/` the embedded suite of problems made by rule. To add a benchmark: a function that returns its
problems, and a line in the registry.
"""
