"""yt-dlp as a library with download_ranges, as notebooks do it: an instance a clip, then ffmpeg for the WAV.

notebook.py PROXY '[["clip", "https://...", 10, 20], ...]'
"""

import json
import subprocess
import sys

from yt_dlp import YoutubeDL
from yt_dlp.utils import download_range_func

proxy, clips = sys.argv[1], json.loads(sys.argv[2])
for clip, url, start, end in clips:
    options = {
        "format": "bv[height<=360][vcodec^=avc1]+ba[ext=m4a]",
        "download_ranges": download_range_func(None, [(start, end)]),
        "outtmpl": f"{clip}.%(ext)s",
        "quiet": True,
        "noprogress": True,
        "proxy": proxy,
        "nocheckcertificate": True,
    }
    with YoutubeDL(options) as ydl:
        ydl.download([url])
    wav = [
        "ffmpeg",
        "-v",
        "error",
        "-y",
        "-nostdin",
        "-i",
        f"{clip}.mp4",
        "-vn",
        "-c:a",
        "pcm_s16le",
        f"{clip}.wav",
    ]
    subprocess.run(wav, check=True)
