"""Numbers of each clip's picture and sound, layer by layer, of one extractor or several, shard by shard."""
