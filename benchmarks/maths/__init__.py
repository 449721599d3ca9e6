"""The benchmarks of the field and the sets that are trained on, one file a family: where the problems come from,
pinned, how their answers are cleaned, what is corrected, and title, rule and k.

None of the problems is shipped: AIME and AMC belong to the MAA, Minerva's to MIT OCW. They come from
- the folder that RENCE_DATA_DIR names: JSON lines with `problem` and `answer`, one file a set, named as `Source.file`
  says, in the folder itself or in its subfolders `benchmarks` and `train`; checked against the content pinned here;
- or, for a set that has no file there, the hub at a pinned commit, with its count checked.

Commits of the hub are those that other public projects pin. A problem whose gold lists several answers asks for one
box, see `cleaning.several`.

Golds that are wrong stay, and are put right in `<name>_errata`: `benchmarks/errata/<name>.jsonl`.

To add one: a file like its neighbours, and its line in `benchmarks/registry.py`.
"""
