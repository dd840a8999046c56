"""Readers that need torch: torchcodec, and Hugging Face datasets, whose Video and Audio are torchcodec's."""

from __future__ import annotations

import datasets
from answering import Reader, answer
from torchcodec.decoders import AudioDecoder, VideoDecoder

datasets.disable_progress_bars()


class TorchCodec(Reader):
    def __init__(self, mode):
        self.mode = mode

    def video(self, path):
        return VideoDecoder(path, dimension_order="NHWC", seek_mode=self.mode)

    def audio(self, path):
        return AudioDecoder(path)

    def order(self, path):
        for picture in self.video(path):
            yield picture.numpy()

    def index(self, path, indexes):
        video = self.video(path)
        for index in indexes:
            try:
                yield video.get_frame_at(index).data.numpy()
            except (IndexError, RuntimeError):
                yield None

    def time(self, path, times):
        video = self.video(path)
        for second in times:
            try:
                yield video.get_frame_played_at(second).data.numpy()
            except (IndexError, RuntimeError):  # One that it refuses costs no other.
                yield None

    def sound(self, path):
        samples = self.audio(path).get_all_samples()
        return samples.sample_rate, samples.data[0].numpy()

    def part(self, path, start, seconds):
        samples = self.audio(path).get_samples_played_in_range(start, start + seconds)
        return samples.sample_rate, samples.data[0].numpy()


class Datasets(TorchCodec):
    def __init__(self):
        super().__init__("exact")

    def video(self, path):
        feature = datasets.Video(dimension_order="NHWC")
        return datasets.Dataset.from_dict({"video": [path]}).cast_column("video", feature)[0]["video"]

    def audio(self, path):
        return datasets.Dataset.from_dict({"audio": [path]}).cast_column("audio", datasets.Audio())[0]["audio"]


answer(
    {
        "torchcodec, exact": TorchCodec("exact"),
        "torchcodec, approximate": TorchCodec("approximate"),
        "datasets": Datasets(),
    }
)
