#!/bin/bash
# A list into shards by a Spark cluster: spark.sh LIST OUTPUT spark://HEAD:7077
set -eu
list=$1 output=$2 master=$3
python download_acav100m.py "$list" --data-dir /local/acav --output "$output" --samples-per-shard 200 \
    --engine spark --spark-master "$master" --state-dir /local/avclips-state
