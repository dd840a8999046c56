#!/usr/bin/env bash
# CLAP's embedding of a clip depends on the batch it is in, and on chance: one clip of each batch is called "longer".
#
# One would guess: a feature extractor treats each sound by itself: the same ten seconds have the same features alone, in
#                  a batch, and the next time.
# What happens:    by default (truncation="fusion") a batch in which no sound is longer than 10 s has one drawn by
#                  numpy's global generator and marked is_longer, and a model with fusion sends that one through its
#                  other branch. A clip alone is always the one. With truncation="rand_trunc" a clip of 480,256 samples,
#                  which is what AAC makes of ten seconds, has other features at each call, of 480,000 the same.
# Why it matters:  embeddings that were stored clip by clip are not those of batches; of a batch of 64 one clip is off,
#                  another one in each run; scores for retrieval and filtering do not repeat. numpy.random.seed()
#                  makes them repeat, not agree.
# Source:          transformers/models/clap/feature_extraction_clap.py, __call__: `rand_idx = np.random.randint(...)`.
# Seen:            by running (transformers 5.24.0, torch 2.13.0), with a small model of random weights.
#                  torch: the CPU build is enough (pip's --index-url of pytorch.org's cpu wheels).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q transformers==5.24.0 torch==2.13.0 numpy==2.4.6
cd "$work"
HF_HUB_OFFLINE=1 venv/bin/python -W ignore - <<'PY'
import sys

import numpy
import torch
from transformers import ClapAudioConfig, ClapAudioModelWithProjection, ClapFeatureExtractor

sounds = [numpy.random.default_rng(i).normal(size=480_000).astype("float32") / 10 for i in range(4)]
extract = ClapFeatureExtractor()
torch.manual_seed(0)
small = {"depths": [1] * 4, "num_attention_heads": [2] * 4, "patch_embeds_hidden_size": 32, "hidden_size": 256}
model = ClapAudioModelWithProjection(ClapAudioConfig(enable_fusion=True, projection_dim=64, **small)).eval()


def embed(batch):
    features = extract(batch, sampling_rate=48_000, return_tensors="pt")
    with torch.no_grad():
        vectors = model(**features).audio_embeds.numpy()
    return features["is_longer"].flatten().tolist(), vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)


alone = [embed([sound]) for sound in sounds]
numpy.random.seed(0)
same, marked = [], set()
for _ in range(8):
    longer, vectors = embed(sounds)
    marked.add(longer.index(True))
    cosines = [float(vectors[i] @ alone[i][1][0]) for i in range(4)]
    same.append([cosine > 0.999 for cosine in cosines] == longer and sum(longer) == 1)
    print("is_longer", longer, "cosine with the same clip alone", [round(cosine, 2) for cosine in cosines])

cut = ClapFeatureExtractor(truncation="rand_trunc")
change = {}
for samples in (480_000, 480_256):
    sound = numpy.resize(sounds[0], samples)
    one, *others = (cut(sound, sampling_rate=48_000, return_tensors="np")["input_features"] for _ in range(4))
    change[samples] = max(float(abs(one - other).max()) for other in others)
print("rand_trunc: greatest change between calls, in decibels, by the number of samples", change)
ok = all(longer == [True] for longer, _ in alone) and all(same) and len(marked) > 1
sys.exit(not (ok and change[480_000] == 0 and change[480_256] > 1))
PY
