"""The benchmarks of the field and the sets that are trained on, from files or from the hub.

`sources.py` is where every set comes from, pinned; `loading.py` reads one and checks it; `cleaning.py` turns raw
answers into golds; `errata.py` corrects some of them; `selection.py` makes a training set: no duplicates, no
contradictions, nothing of a benchmark; `suite.py` the benchmarks and training sets made from them. Nothing is loaded
before it is asked for.

None of the problems is shipped: AIME and AMC belong to the MAA, Minerva's to MIT OCW. They come from
- the folder that RENCE_DATA_DIR names: JSON lines with `problem` and `answer`, one file a set, named as `Source.file`
  says, in the folder itself or in its subfolders `benchmarks` and `train`; checked against the content pinned here;
- or, for a set that has no file there, the hub at a pinned commit, with its count checked.

To add a set: a line in `sources.py`, its cleaning if none fits, its rule if decimals have a tolerance, and a line in
`suite.py`. A problem whose gold lists several answers asks for one box, see `cleaning.several`.
"""
