"""What is asked and how it is marked. No torch, nothing of ours.

`problems.py` is the data model, `registry.py` the list of benchmarks and training sets, `marking.py` the grader,
`maths/` the field's benchmarks and training sets,
`miniature/` the embedded suite of problems made by rule. To add a benchmark: a function that returns its
problems, and a line in the registry.
"""
