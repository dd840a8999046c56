"""A tiny audio-visual classifier of VGG-Sound, on the CPU: python examples/train_tiny.py data/vggsound"""

import sys

import torch
from torch import nn
from torch.utils.data import DataLoader

from avclips.loaders import VGGSoundDataset


def main(folder: str, epochs: int = 20) -> float:
    """Train, and return the share of the clips that are known then."""
    torch.manual_seed(0)
    data = VGGSoundDataset(folder, "train", num_frames=4, size=(32, 32), sample_rate=8000, seconds=4)
    loader = DataLoader(data, batch_size=8, shuffle=True, num_workers=2, collate_fn=data.collate)
    model = nn.Sequential(nn.LazyLinear(64), nn.ReLU(), nn.Linear(64, len(data.classes)))
    optimizer = None
    for epoch in range(epochs):
        known = 0
        for batch in loader:
            pictures = batch["video"].float().div(255).mean(dim=1).flatten(1)
            spectrum = torch.stft(batch["audio"], 256, window=torch.hann_window(256), return_complex=True)
            scores = model(torch.cat([pictures, spectrum.abs().mean(dim=-1)], dim=1))
            optimizer = optimizer or torch.optim.AdamW(model.parameters(), 1e-3)
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(scores, batch["label_index"])
            loss.backward()
            optimizer.step()
            known += int((scores.argmax(dim=1) == batch["label_index"]).sum())
        print(f"epoch {epoch}: loss {loss.item():.3f}, {known} of {len(data)} known")
    return known / len(data)


if __name__ == "__main__":
    main(sys.argv[1])
