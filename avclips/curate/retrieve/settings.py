"""What the experiment is done with, and on which data. Needs nothing that has to be installed."""

from __future__ import annotations

# Each seed deals, clusters, draws and trains anew.
SEEDS = 5
CLUSTERS = 10
# By their names, the pairs of ``digits``.
DIGITS = ("digits", "spoken-digits")
