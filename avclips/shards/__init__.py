"""The output as shards: tars for webdataset, tables for parquet, on this machine or in an object store."""
