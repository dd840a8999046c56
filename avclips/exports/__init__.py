"""What a download holds in the forms of others: Hugging Face, lhotse, VideoFolder, WebDataset."""
