"""From the files of a run to what sections read: rows, scores, paired differences, the analysis."""
