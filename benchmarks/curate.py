"""What the stages `features` and `cluster` cost, each beside what it is to be compared with.

    python -m benchmarks.curate [--section features|cluster] [--rows 200000] [--threads 1]

Features: seconds of a core for decoding a clip of ten seconds and for `classic`. Cluster: the whole of our stage's
work on a layer, against faiss with its defaults on the same rows. One thread unless told otherwise: what other
processes do then changes less. Some two minutes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIZES = ((640, 360), (854, 480))
DIMS, CLUSTERS, SHARD = 512, 32, 10_000


def main() -> int:
    """Print a table a section."""
    parser = argparse.ArgumentParser(prog="benchmarks.curate", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--section", choices=("features", "cluster"), help="one alone")
    parser.add_argument("--rows", type=int, default=200_000, help="rows of 512 numbers (%(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="of each library (%(default)s)")
    options = parser.parse_args()
    if os.environ.get("OMP_NUM_THREADS") != str(options.threads):
        # Libraries read these when they are loaded.
        limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(options.threads))
        words = [sys.executable, "-m", "benchmarks.curate", *sys.argv[1:]]
        return subprocess.run(words, env=os.environ | limits, check=False).returncode
    with tempfile.TemporaryDirectory(prefix="avclips-bench-") as folder:
        if options.section in (None, "features"):
            features(Path(folder))
        if options.section in (None, "cluster"):
            cluster(Path(folder), options.rows)
    return 0


def timed(work: Callable[[], Any], rounds: int) -> tuple[float, float, Any]:
    """Least CPU seconds and least seconds of some rounds, and what came out."""
    cpu, wall, found = [], [], None
    for _ in range(rounds):
        began, began_cpu = time.perf_counter(), time.process_time()
        found = work()
        cpu.append(time.process_time() - began_cpu)
        wall.append(time.perf_counter() - began)
    return min(cpu), min(wall), found


def features(folder: Path) -> None:
    """Decode and `classic`, of clips as YouTube has them: H.264 of 500 to 900 kbit/s, AAC."""
    import imageio_ffmpeg

    from avclips.catalog.sample import Place
    from avclips.curate.features.classic import Classic
    from avclips.curate.features.decode import decode

    extractor = Classic()
    print(
        "features: a clip of 10 s\n\n| picture | decode, CPU s | classic, CPU s | clips a second and core |",
        "|---|---|---|---|",
        sep="\n",
    )
    for width, height in SIZES:
        path = folder / f"{height}.mp4"
        picture = f"testsrc2=size={width}x{height}:rate=25:duration=10,noise=alls=6:allf=t,gblur=1,format=yuv420p"
        sound = "aevalsrc=0.3*sin(900*t*t)|0.3*cos(700*t*t):s=44100:d=10"
        kilobits = "500k" if height < 400 else "900k"
        words = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, "-c:v", "libx264", "-b:v", kilobits]
        ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *words, "-c:a", "aac", str(path)]
        subprocess.run(ffmpeg, check=True)
        files = {"video": Place(str(path))}
        decoding, _, media = timed(lambda files=files: decode(files, extractor.wants), 5)  # type: ignore[misc]
        computing, _, _ = timed(lambda media=media: extractor.extract([media]), 5)  # type: ignore[misc]
        print(f"| {width} x {height} | {decoding:.3f} | {computing:.3f} | {1 / (decoding + computing):.1f} |")
    print()


def cluster(folder: Path, count: int) -> None:
    """Our stage's work on one layer of float16 in shards, and faiss's defaults on the same files."""
    import faiss
    import numpy as np

    from avclips.curate.cluster.kmeans import train
    from avclips.curate.cluster.stage import Job, sampled
    from avclips.curate.features.extractor import Shape
    from avclips.curate.features.parts import Features, layer_of, write_part

    random = np.random.default_rng(0)
    middle = random.normal(size=(2 * CLUSTERS, DIMS)).astype(np.float32)
    counts = {}
    for number, first in enumerate(range(0, count, SHARD)):
        size = min(SHARD, count - first)
        rows = middle[random.integers(0, len(middle), size)] + 2 * random.normal(size=(size, DIMS)).astype(
            np.float32
        )
        said = [{"id": "", "kept": True, "reason": "", "detail": ""}] * size
        write_part(folder, number, {"x": rows.astype(np.float16)}, said)
        counts[number] = size
    features = Features(folder, (Shape("x", "audio", DIMS),), counts)
    job = Job(folder, folder, CLUSTERS)

    def ours() -> Any:
        centres = train(sampled(features, "x", job.sample_rows, 0), CLUSTERS, 0, False, "faiss")
        # As the stage does of more than 100,000 clips.
        for number in counts:
            centres.assign(layer_of(folder, number, "x"), 8)
        return centres

    def read() -> Any:
        return np.concatenate([layer_of(folder, number, "x") for number in counts]).astype(np.float32)

    def theirs(rows: Any) -> Any:
        means = faiss.Kmeans(DIMS, CLUSTERS)
        means.train(rows)
        distances, _ = means.index.search(rows, 1)
        return float(distances.sum(dtype=np.float64))

    ours_cpu, ours_wall, centres = timed(ours, 3)
    ours_inertia = sum(centres.assign(layer_of(folder, number, "x"))[1] for number in counts)
    whole_cpu, whole_wall, inertia = timed(lambda: theirs(read()), 3)
    rows = read()
    faiss_cpu, faiss_wall, _ = timed(lambda: theirs(rows), 3)
    print(f"cluster: {count:,} x {DIMS} float16 in shards, k = {CLUSTERS}; centres, and the nearest of each row\n")
    print("| | CPU s | s | inertia |\n|---|---|---|---|")
    print(f"| ours, from the shards | {ours_cpu:.2f} | {ours_wall:.2f} | {ours_inertia:.6g} |")
    print(f"| faiss.Kmeans's defaults, from the shards | {whole_cpu:.2f} | {whole_wall:.2f} | {inertia:.6g} |")
    print(f"| the same, rows in memory as float32 | {faiss_cpu:.2f} | {faiss_wall:.2f} | {inertia:.6g} |")
    print(f"\nours / theirs: {ours_cpu / whole_cpu:.2f} of CPU, inertia {ours_inertia / inertia:.4f}")


if __name__ == "__main__":
    sys.exit(main())
