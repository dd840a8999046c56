#!/usr/bin/env bash
# WebDataset(shardshuffle=100): the shards are shuffled once; each epoch reads them in the same order.
#
# One would guess: shardshuffle gives the shards a new order in each epoch, as .shuffle() gives the samples.
# What happens:    the dataset draws a seed when it is made and starts its shard shuffle from that seed in every epoch.
#                  Sample shuffling differs from epoch to epoch, within its buffer, so no two epochs look alike. webdataset
#                  0.2.86 gave a new order each time; a DataPipeline of shuffle() stages does so today.
# Why it matters:  a batch mixes clips of shards that are read close together, and those are the same ones in all epochs.
#                  Contrastive training takes its negatives from the batch: after 20 epochs three pairs of shards in four
#                  never had a clip in one batch, where an order that is new each time leaves about none. The loss says
#                  nothing. detshuffle=True counts epochs, but DataLoader workers that end with the epoch forget the count.
# Source:          webdataset/compat.py, WebDataset.__init__: filters.shuffle(args.shardshuffle, seed=self.seed).
# Seen:            by running (webdataset 1.0.2, and 0.2.86 for the change).
#                  Cure: a shard list and a shuffle of one's own, as in NEW below; or persistent workers and detshuffle.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q webdataset==1.0.2 numpy==2.4.6
"$work/venv/bin/pip" install -q --no-deps --target "$work/old" webdataset==0.2.86
cd "$work"
cat > epochs.py <<'PY'
import glob
import importlib.metadata
import itertools
import sys

import webdataset as wds

SHARDS, CLIPS, EPOCHS, BATCH = 60, 100, 20, 64
for number in range(SHARDS):
    with wds.TarWriter(f"{number:03d}.tar") as shard:
        for clip in range(CLIPS):
            shard.write({"__key__": f"{number:03d}_{clip:02d}", "cls": number})
urls = sorted(glob.glob("*.tar"))


def epochs(data):
    """The number of its shard for each sample, in the order read, by epoch."""
    return [[int(sample["__key__"][:3]) for sample in data] for _ in range(EPOCHS)]


def shard_order(epoch):
    return list(dict.fromkeys(epoch))


def never_met(read):
    """The share of the pairs of shards that had no clip in one batch, in all epochs together."""
    pairs = set()
    for epoch in read:
        for start in range(0, len(epoch), BATCH):
            pairs.update(itertools.combinations(sorted(set(epoch[start : start + BATCH])), 2))
    return 1 - len(pairs) / (SHARDS * (SHARDS - 1) / 2)


def usual():
    return wds.WebDataset(urls, shardshuffle=100)


# In DataLoader workers one more stage, wds.split_by_worker, comes before the first shuffle.
NEW = wds.DataPipeline(wds.SimpleShardList(urls), wds.shuffle(100), wds.tarfile_to_samples(), wds.shuffle(100))
orders = len({tuple(shard_order(epoch)) for epoch in epochs(usual())})
with_samples = epochs(usual().shuffle(100))
different = len({tuple(epoch) for epoch in with_samples})
print("webdataset", importlib.metadata.version("webdataset"), f"{orders} orders of shards in {EPOCHS} epochs,")
print(f"   with samples shuffled too: {different} orders of samples,", end=" ")
print(f"{never_met(with_samples):.0%} of the pairs of shards never in one batch")
new = epochs(NEW)
print(f"   by a pipeline: {len({tuple(epoch) for epoch in new})} orders of samples, {never_met(new):.0%} of the pairs never")
if sys.argv[1:] == ["old"]:
    sys.exit(not (orders == EPOCHS and never_met(with_samples) < 0.1))
sys.exit(not (orders == 1 and different == EPOCHS and never_met(with_samples) > 0.5 and never_met(new) < 0.1))
PY
venv/bin/python -W ignore epochs.py
PYTHONPATH="$work/old" venv/bin/python -W ignore epochs.py old
