"""A download in the forms of others: Hugging Face, lhotse, VideoFolder, webdataset."""
