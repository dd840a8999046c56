#!/usr/bin/env bash
# mediabunny plays Ogg Vorbis 21 ms and Opus 6.5 ms early after a jump, and MP3 late from the start.
#
# One would guess: the samples of the second from 3.0 s on are the ones that a read of the whole has there.
# What happens:    AudioSampleSink.samples(3, 4) starts a decoder at 3 s. What such a decoder leaves out at its
#                  beginning (Vorbis' first packet, Opus' 312 samples) is missing again, and what follows is
#                  given the times of what is missing: 1,024 and 312 samples early. Of MP3, the 1,105 samples
#                  that an encoder and a decoder add are in front, also in a read of the whole. Nothing says so; WAV,
#                  FLAC and AAC in MP4 are right.
# Why it matters:  data sets are looked at, labelled and trained on in browsers now; marks made after a jump
#                  sit elsewhere than in Python, and differ between two looks at one file.
# Seen:            by running (mediabunny 1.61.0 in Debian's Chromium 156.0.8078.114, ffmpeg 9.0.2). It needs
#                  node, npm and chromium.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v chromium >/dev/null || { echo "chromium is needed (Debian: apt-get install chromium)"; exit 2; }
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q imageio-ffmpeg==0.8.1
cd "$work"
npm install --silent --prefix . mediabunny@1.61.0 playwright-core@1.65.1
ffmpeg=$(venv/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')
"$ffmpeg" -v error -f lavfi -i anoisesrc=color=pink:duration=8:sample_rate=48000:seed=1 tone.wav
for codec in "flac flac" "m4a aac" "ogg libvorbis" "opus libopus" "mp3 libmp3lame"; do
    "$ffmpeg" -v error -i tone.wav -c:a "${codec#* }" "tone.${codec% *}"
done
cat >look.mjs <<'JS'
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { chromium } from "playwright-core";

const server = createServer((request, response) => {
  const file = request.url === "/" ? null : `.${request.url}`;
  if (file && !existsSync(file)) return response.writeHead(404).end();
  response.writeHead(200, { "Content-Type": file ? "text/javascript" : "text/html" });
  return response.end(file ? readFileSync(file) : "<!doctype html>");
}).listen(0, "127.0.0.1");
const browser = await chromium.launch({ executablePath: process.argv[2], chromiumSandbox: process.getuid() !== 0 });
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${server.address().port}/`);
const found = await page.evaluate(async () => {
  const { ALL_FORMATS, AudioSampleSink, BlobSource, Input } = await import("/node_modules/mediabunny/dist/bundles/mediabunny.mjs");
  // The samples by their own times: place 0 is second 0.
  async function read(blob, ...span) {
    const input = new Input({ source: new BlobSource(blob), formats: ALL_FORMATS });
    const sound = new Float32Array(48000 * 9);
    for await (const sample of new AudioSampleSink(await input.getPrimaryAudioTrack()).samples(...span)) {
      const part = new Float32Array(sample.numberOfFrames);
      sample.copyTo(part, { planeIndex: 0, format: "f32-planar" });
      const place = Math.round(sample.timestamp * 48000);
      sound.set(part.subarray(Math.max(0, -place)), Math.max(0, place));
      sample.close();
    }
    return sound;
  }
  // By how many samples two seconds of sound lie apart, judged by a stretch at 3.5 s.
  function early(sound, other) {
    let best = [Infinity, 0];
    for (let shift = -3000; shift <= 3000; shift++) {
      let off = 0;
      for (let at = 168000; at < 168400; at++) off += (sound[at] - other[at + shift]) ** 2;
      if (off < best[0]) best = [off, shift];
    }
    return best[1];
  }
  const tone = await read(await (await fetch("/tone.wav")).blob());
  const result = {};
  for (const name of ["wav", "flac", "m4a", "ogg", "opus", "mp3"]) {
    const blob = await (await fetch(`/tone.${name}`)).blob();
    result[name] = [early(await read(blob), tone), early(await read(blob, 3, 4), tone)];
  }
  return result;
});
console.log(browser.version(), "| samples early, of the whole and after a jump:", JSON.stringify(found));
await browser.close();
server.close();
const due = { wav: [0, 0], flac: [0, 0], m4a: [0, 0], ogg: [0, 1024], opus: [0, 312], mp3: [-1105, -1105] };
process.exit(JSON.stringify(found) === JSON.stringify(due) ? 0 : 1);
JS
node look.mjs "$(command -v chromium)"
