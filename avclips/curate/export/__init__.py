"""A selection as others take it: output.csv, a list of clips, ids; its clusters by the words of their clips."""
