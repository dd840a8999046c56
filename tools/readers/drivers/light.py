"""Readers in Python that need no torch: PyAV, OpenCV, imageio, MoviePy, ffmpeg, librosa, soundfile.

Each is used as its documentation shows: no seeking by hand, no repair of what comes.
"""

from __future__ import annotations

import subprocess

import av
import cv2
import imageio.v3 as iio
import imageio_ffmpeg
import librosa
import moviepy
import numpy as np
import soundfile
from answering import Reader, answer

WIDTH, HEIGHT = 128, 96


class PyAV(Reader):
    def order(self, path):
        with av.open(path) as file:
            for frame in file.decode(video=0):
                yield frame.to_ndarray(format="gray")

    def time(self, path, times):
        with av.open(path) as file:
            stream = file.streams.video[0]
            for second in times:
                file.seek(int(second / stream.time_base), stream=stream)
                shown = None
                for frame in file.decode(stream):
                    if shown is not None and frame.time > second:
                        break
                    shown = frame
                yield shown.to_ndarray(format="gray")

    def sound(self, path):
        with av.open(path) as file:
            rate = file.streams.audio[0].rate
            return rate, np.concatenate([_channel(frame) for frame in file.decode(audio=0)])

    def part(self, path, start, seconds):
        # By the frames' times, as the documentation's example for pictures does it.
        with av.open(path) as file:
            stream = file.streams.audio[0]
            file.seek(int(start / stream.time_base), stream=stream)
            found = []
            for frame in file.decode(stream):
                if frame.time >= start + seconds:
                    break
                first = round((start - frame.time) * frame.sample_rate)
                last = round((start + seconds - frame.time) * frame.sample_rate)
                found.append(_channel(frame)[max(0, first) : last])
            return stream.rate, np.concatenate(found)


def _channel(frame):
    values = frame.to_ndarray()
    values = values[0] if frame.format.is_planar else values.reshape(-1, len(frame.layout.channels))[:, 0]
    return values / 32768 if values.dtype == np.int16 else values


class OpenCV(Reader):
    def order(self, path):
        capture = _opened(path)
        while True:
            came, picture = capture.read()
            if not came:
                return
            yield picture

    def index(self, path, indexes):
        yield from self._after(path, cv2.CAP_PROP_POS_FRAMES, indexes)

    def time(self, path, times):
        yield from self._after(path, cv2.CAP_PROP_POS_MSEC, [second * 1000 for second in times])

    def _after(self, path, what, values):
        capture = _opened(path)
        for value in values:
            capture.set(what, value)
            came, picture = capture.read()
            yield picture if came else None


def _opened(path):
    capture = cv2.VideoCapture(path)
    if not capture.isOpened():
        raise OSError("VideoCapture does not open it")
    return capture


class Imageio(Reader):
    def __init__(self, plugin):
        self.plugin = plugin

    def order(self, path):
        return iio.imiter(path, plugin=self.plugin)

    def index(self, path, indexes):
        for index in indexes:
            try:
                yield iio.imread(path, plugin=self.plugin, index=index)
            except IndexError:  # One that it has not costs no other.
                yield None


class MoviePy(Reader):
    def order(self, path):
        with moviepy.VideoFileClip(path, audio=False) as clip:
            yield from clip.iter_frames()

    def time(self, path, times):
        with moviepy.VideoFileClip(path, audio=False) as clip:
            for second in times:
                yield clip.get_frame(second)

    def sound(self, path):
        with moviepy.AudioFileClip(path) as clip:
            return clip.fps, clip.to_soundarray(nbytes=4)[:, 0]

    def part(self, path, start, seconds):
        with moviepy.AudioFileClip(path) as clip:
            return clip.fps, clip.subclipped(start, start + seconds).to_soundarray(nbytes=4)[:, 0]


class Ffmpeg(Reader):
    """The command line, at its defaults: pictures at a constant rate, where a file's are not."""

    def __init__(self, program):
        self.program = program

    def order(self, path):
        return self._pictures("-i", path)

    def index(self, path, indexes):
        for index in indexes:
            yield from self._pictures("-i", path, "-vf", f"select=eq(n\\,{index})", "-frames:v", "1")

    def time(self, path, times):
        for second in times:
            found = self._pictures("-ss", str(second), "-i", path, "-frames:v", "1")
            yield found[0] if len(found) else None

    def sound(self, path):
        return self._sound(path)

    def part(self, path, start, seconds):
        return self._sound(path, "-ss", str(start), "-t", str(seconds))

    def _pictures(self, *words):
        raw = self._run(*words, "-map", "0:v:0", "-f", "rawvideo", "-pix_fmt", "gray", "-")
        return np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT, WIDTH)

    def _sound(self, path, *before):
        # The rate is the source's; that a file has another shows in the number of samples.
        raw = self._run(*before, "-i", path, "-map", "0:a:0", "-f", "f32le", "-")
        return 44100, np.frombuffer(raw, np.float32).reshape(-1, 2)[:, 0]

    def _run(self, *words):
        done = subprocess.run([self.program, "-nostdin", "-v", "error", *words], capture_output=True)
        if done.returncode:
            raise OSError(done.stderr.decode().strip().splitlines()[-1])
        return done.stdout


class Librosa(Reader):
    def sound(self, path):
        samples, rate = librosa.load(path, sr=None, mono=False)
        return rate, samples[0]

    def part(self, path, start, seconds):
        samples, rate = librosa.load(path, sr=None, mono=False, offset=start, duration=seconds)
        return rate, samples[0]


class Soundfile(Reader):
    def sound(self, path):
        samples, rate = soundfile.read(path)
        return rate, samples[:, 0]

    def part(self, path, start, seconds):
        rate = soundfile.info(path).samplerate
        samples, rate = soundfile.read(path, start=round(start * rate), frames=round(seconds * rate))
        return rate, samples[:, 0]


answer(
    {
        "PyAV": PyAV(),
        "OpenCV": OpenCV(),
        "imageio, FFMPEG": Imageio("FFMPEG"),
        "imageio, pyav": Imageio("pyav"),
        "MoviePy": MoviePy(),
        "ffmpeg, system": Ffmpeg("ffmpeg"),
        "ffmpeg, wheel": Ffmpeg(imageio_ffmpeg.get_ffmpeg_exe()),
        "librosa": Librosa(),
        "soundfile": Soundfile(),
    }
)
