#!/usr/bin/env bash
# audioset-download cuts AudioSet's strongly labelled clips at a wrong place, and ids at their first underscore.
#
# One would guess: download_strong() gives the ten seconds that the labels of AudioSet Strong are about.
# What happens:    a line of that list is "s9d-2nhuJCQ_30000, 2.627, 7.237, /m/053hz1": a cheer from 2.627 to 7.237 s of the
#                  clip that begins at 30,000 ms. The package takes the two times of a clip's first label for places in
#                  the whole video and never reads the 30000: it asks for the seconds 2.627 to 7.237 of the video.
#                  Of the id it keeps what stands before the first underscore, and about one id in six has one of its
#                  own: "ab_de-fghij_30000" is asked for as the video "ab". Its own list then has each label of a
#                  clip with that file.
# Why it matters:  the file is there, has a plausible length and labels, and holds something else: the video's first
#                  seconds. The clips of cut ids are missing like deleted ones. download(), for whole clips, is right.
# Source:          research.google.com/audioset/download_strong.html, which explains this very example;
#                  audioset_download/Downloader.py, download_strong and download_strong_segment.
# Seen:            by running (audioset-download 1.1, pandas 3.1.1) with two stand-ins: lists of that form in place of the
#                  site's, and a yt-dlp that writes down what it is asked for and makes a file. Needs ffprobe.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q audioset-download==1.1 pandas==3.1.1 numpy==2.4.6 joblib==1.6.0
cd "$work"
mkdir bin
cat > bin/yt-dlp <<'SH'
#!/usr/bin/env bash
echo "$@" >> "$ASKED"
while [ "$1" != "--output" ]; do shift; done
cp "$SOUND" "$2"
SH
chmod +x bin/yt-dlp
export ASKED="$work/asked" SOUND="$work/sound.wav" PATH="$work/bin:$PATH"
venv/bin/python -W ignore - <<'PY'
import os
import re
import sys
import wave

import pandas

with wave.open(os.environ["SOUND"], "wb") as file:  # a second of silence
    file.setnchannels(1)
    file.setsampwidth(2)
    file.setframerate(16000)
    file.writeframes(bytes(32000))
NAMES = "index,mid,display_name\n0,/m/053hz1,Cheering\n1,/m/09x0r,Speech\n"
STRONG = "segment_id\tstart_time_seconds\tend_time_seconds\tlabel\n"
STRONG += "s9d-2nhuJCQ_30000\t2.627\t7.237\t/m/053hz1\ns9d-2nhuJCQ_30000\t8.5\t10.0\t/m/09x0r\n"
STRONG += "ab_de-fghij_30000\t0.0\t10.0\t/m/09x0r\n"
WHOLE = '# one\n# two\n# three\ns9d-2nhuJCQ, 30.000, 40.000, "/m/053hz1,/m/09x0r"\n'
LISTS = {"class_labels_indices.csv": NAMES, "audioset_eval_strong.tsv": STRONG, "eval_segments.csv": WHOLE}
read = pandas.read_csv


def stand_in(url, **options):
    """What pandas reads, with the lists of the site from here."""
    name = url.rsplit("/", 1)[1]
    with open(name, "w") as file:
        file.write(LISTS[name])
    return read(name, **options)


pandas.read_csv = stand_in
from audioset_download import Downloader  # noqa: E402  it reads the lists by pandas.read_csv


def asked():
    """The seconds and the video of each request since the last call."""
    with open(os.environ["ASKED"]) as file:
        lines = file.read().splitlines()
    os.remove(os.environ["ASKED"])
    return sorted(re.search(r"-ss (\S+) -to (\S+) .*watch\?v=(\S+)", line).groups() for line in lines)


Downloader(root_path="whole", download_type="eval").download(format="wav")
whole = asked()
Downloader(root_path="strong").download_strong(root_path="strong", format="wav", download_sets=["eval"])
strong = asked()
with open("strong/eval_strong.tsv") as file:
    rows = [line.split("\t")[0::2] for line in file.read().splitlines()[1:]]
print("whole clips, asked for:", whole)
print("strong, asked for:", strong)
print("strong, its list:", rows)
sys.exit(
    whole != [("30.0", "40.0", "s9d-2nhuJCQ")]
    or strong != [("0.0", "10.0", "ab"), ("2.627", "7.237", "s9d-2nhuJCQ")]
    or ["eval_audio/s9d-2nhuJCQ_30000.wav", "Speech"] not in rows
)
PY
