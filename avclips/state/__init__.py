"""One data folder: what is done, what failed, who holds it, and which part of the work it is."""
