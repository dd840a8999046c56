"""Does a selection find true pairs? The experiment of ACAV100M's paper, on data of which the pairs are known."""
