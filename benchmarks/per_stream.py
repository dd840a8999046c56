"""video2dataset's way with a video: whole, an extraction each for sound, pictures and metadata, then a cut.

    per_stream.py PROXY '[["clip", "https://...", 10, 20], ...]'

Written after its YtDlpDownloader and ClippingSubsampler (in their defaults: cut without encoding), with the WAV
that the other ways make too.
"""

import json
import subprocess
import sys
from pathlib import Path

from yt_dlp import YoutubeDL

FFMPEG = ["ffmpeg", "-v", "error", "-y", "-nostdin", "-i"]

proxy, clips = sys.argv[1], json.loads(sys.argv[2])
network = {"quiet": True, "noprogress": True, "no_warnings": True, "proxy": proxy, "nocheckcertificate": True}
for clip, url, start, end in clips:
    with YoutubeDL({**network, "format": "wa[asr>=44100][ext=m4a]/ba[ext=m4a]", "outtmpl": "whole.m4a"}) as ydl:
        ydl.download([url])
    with YoutubeDL(
        {**network, "format": "wv*[height>=360][ext=mp4]/bv/b[ext=mp4]", "outtmpl": "whole.mp4"}
    ) as ydl:
        ydl.download([url])
    with YoutubeDL({**network, "skip_download": True, "ignoreerrors": True}) as ydl:
        ydl.extract_info(url, download=False)
    for ending in ("m4a", "mp4"):
        # It is the second piece, the one between the two times.
        cut = [
            "-map",
            "0",
            "-c",
            "copy",
            "-f",
            "segment",
            "-segment_times",
            f"{start},{end}",
            "-reset_timestamps",
            "1",
        ]
        subprocess.run([*FFMPEG, f"whole.{ending}", *cut, f"piece%d.{ending}"], check=True)
        Path(f"whole.{ending}").unlink()
        Path(f"piece1.{ending}").rename(f"{clip}.{ending}")
    subprocess.run([*FFMPEG, f"{clip}.m4a", "-c:a", "pcm_s16le", f"{clip}.wav"], check=True)
    for left in Path().glob("piece*"):
        left.unlink()
