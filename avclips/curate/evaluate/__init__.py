"""Are features any good, and is a selection better than chance? Linear probes on features of labelled clips."""
