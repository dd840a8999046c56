"""PyTorch datasets of what was downloaded; they need torch, numpy and PyAV: pip install '.[torch]'."""
