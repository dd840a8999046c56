#!/usr/bin/env bash
# A YoutubeDL for each clip spends its time on names of sites: each of 1,700 is looked up in a list of them all.
#
# One would guess: what is slow about a first YoutubeDL() are imports; a second one, as scripts make one for each clip
#                  of a dataset, costs next to nothing.
# What happens:    each one costs about 30 ms of CPU, the tenth as the first: the names of all extractors are made
#                  unique by looking for each in a list of those before (twice), 2 * 1,700 * 1,700 / 2 comparisons.
#                  The same sites, added one by one to a YoutubeDL(auto_init=False), take about 1 ms. With
#                  allowed_extractors=["youtube.*"] it is as fast, and other sites are not known.
# Why it matters:  57,015 clips, an instance each: half an hour of CPU; in a pool of threads it is time in which
#                  none of the others runs (the GIL is held). Keep one for each thread, or add what is needed.
# Seen:            by running and in yt_dlp/utils/_utils.py, orderedSet (yt-dlp 2026.10.26).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q yt-dlp==2026.10.26
cd "$work"
venv/bin/python - <<'PY'
import sys
import time

import yt_dlp
from yt_dlp.extractor import gen_extractor_classes


def usual():
    return yt_dlp.YoutubeDL({"quiet": True})


def one_by_one():
    ydl = yt_dlp.YoutubeDL({"quiet": True}, auto_init=False)
    for extractor in gen_extractor_classes():
        if extractor._ENABLED:
            ydl.add_info_extractor(extractor)
    return ydl


def youtube_alone():
    return yt_dlp.YoutubeDL({"quiet": True, "allowed_extractors": ["youtube.*"]})


def milliseconds(make):
    make()
    found = []
    for _ in range(10):
        began = time.process_time()
        make()
        found.append(1000 * (time.process_time() - began))
    return min(found)


print("yt-dlp", yt_dlp.version.__version__)
took = {}
for make in (usual, one_by_one, youtube_alone):
    took[make.__name__] = milliseconds(make)
    print(f"{make.__name__:14}: {len(make()._ies):5} sites, {took[make.__name__]:5.1f} ms of CPU, the best of ten")
alike = set(usual()._ies) == set(one_by_one()._ies)
print("the same sites by both:", alike)
sys.exit(not (alike and took["usual"] > 5 * max(took["one_by_one"], took["youtube_alone"])))
PY
