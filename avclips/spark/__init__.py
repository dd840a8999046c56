"""Shards on many machines, by Apache Spark."""
