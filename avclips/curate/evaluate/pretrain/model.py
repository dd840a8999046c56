"""Two small networks: one of pictures in time, (2+1)-dimensional, one of log-mel; each with a projection head."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

# Channels of the four blocks, each of which halves what is seen; the pictures' last two halve time as well.
WIDTHS = (16, 32, 64, 128)
# Of features that are probed: mean and maximum of the last block.
FEATURES = 2 * WIDTHS[-1]
# The logits' scale does not grow beyond this, as in CLIP (Radford et al. 2021).
MOST_SCALE = 100.0
# A log-mel of 64 bands is about this far from 0, and so wide (natural logarithm of magnitude + 0.01).
_MIDDLE, _SPREAD = -1.0, 2.0


def _norm(channels: int) -> nn.Module:
    # Not of the batch: its statistics would tell which clips are in it together, and halving it would change them.
    return nn.GroupNorm(8, channels)


class _Space(nn.Sequential):
    """A convolution over height and width of every picture, then one over time."""

    def __init__(self, before: int, after: int, in_time: int) -> None:
        super().__init__(
            nn.Conv3d(before, after, (1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1), bias=False),
            _norm(after),
            nn.ReLU(inplace=True),
            nn.Conv3d(after, after, (3, 1, 1), stride=(in_time, 1, 1), padding=(1, 0, 0), bias=False),
            _norm(after),
            nn.ReLU(inplace=True),
        )


class _Plane(nn.Sequential):
    """A convolution over time and frequency."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__(
            nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False),
            _norm(after),
            nn.ReLU(inplace=True),
        )


class Encoder(nn.Module):
    """``blocks``, the mean and the maximum of what they give (FEATURES numbers), and ``head``: the embedding."""

    def __init__(self, blocks: nn.Sequential, embedding_dim: int) -> None:
        super().__init__()
        self.blocks = blocks
        self.head = nn.Sequential(
            nn.Linear(FEATURES, FEATURES), nn.ReLU(inplace=True), nn.Linear(FEATURES, embedding_dim)
        )

    def features(self, inputs: torch.Tensor) -> torch.Tensor:
        """(clips, FEATURES)."""
        found = self.blocks(inputs).flatten(2)
        return torch.cat([found.mean(dim=2), found.amax(dim=2)], dim=1)


class TwoStreams(nn.Module):
    """Both encoders, and the scale of the logits, which is learned: 1 / temperature."""

    def __init__(self, embedding_dim: int, temperature: float) -> None:
        super().__init__()
        seen = (3, *WIDTHS)
        heard = (1, *WIDTHS)
        blocks = [_Space(seen[at], seen[at + 1], 2 if at >= 2 else 1) for at in range(len(WIDTHS))]
        self.video = Encoder(nn.Sequential(*blocks), embedding_dim)
        self.audio = Encoder(
            nn.Sequential(*(_Plane(heard[at], heard[at + 1]) for at in range(len(WIDTHS)))), embedding_dim
        )
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / temperature)))

    def features(self, frames: torch.Tensor, mel: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Of pictures and of sound, (clips, FEATURES) each. ``frames``: as Tensors has them, uint8."""
        pictures = frames.permute(0, 4, 1, 2, 3).float().div(127.5).sub(1.0)
        sounds = mel.float()[:, None].sub(_MIDDLE).div(_SPREAD)
        return self.video.features(pictures), self.audio.features(sounds)

    def embed(self, video: torch.Tensor, audio: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Of features: the embeddings, (clips, embedding_dim), of length 1."""
        return functional.normalize(self.video.head(video).float()), functional.normalize(
            self.audio.head(audio).float()
        )

    def loss(self, frames: torch.Tensor, mel: torch.Tensor) -> torch.Tensor:
        """Symmetric InfoNCE: which sound of the batch is a picture's, and which picture a sound's."""
        video, audio = self.embed(*self.features(frames, mel))
        logits = self.log_scale.exp().clamp(max=MOST_SCALE) * video @ audio.T
        own = torch.arange(len(logits), device=logits.device)
        return (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)) / 2
