"""What is asked and how it is marked. No torch, nothing of ours.

`problems.py` is the data model, `registry.py` the list of benchmarks and training sets, `marking/` the marker,
`asking.py` the words a problem is asked with, `scoring.py` scores of its marked attempts, `contract.py` what every
benchmark keeps to. `maths/` has the field's benchmarks, one file a family, and the training sets, `errata/` what is
wrong in them, `miniature/` the embedded suite of problems made by rule, `files/` and `loading/` what reads them,
`tasks/` the same for lm-eval.

To add a benchmark: nothing, where a file of JSON lines is enough (`files/jsonl.py`); otherwise one file and its line
in the registry.
"""
