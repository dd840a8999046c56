"""Contrastive training of two small networks on a selection and on as many clips at random: which is worth more?

Sound and picture of a clip are to be told from those of others (symmetric InfoNCE), as ACAV100M (Lee et al., ICCV
2021) was evaluated; there with ResNet-50s on 32 frames of 224 pixels, here with networks that a CPU can train.
``settings`` and ``subsets`` say what is trained on what, ``tensors`` decodes it once, ``batches``, ``model`` and
``training`` need torch, ``measures`` and ``report`` say what came of it, ``stage`` does all of it.
"""
