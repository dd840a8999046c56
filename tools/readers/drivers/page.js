// What is asked of Chromium's <video>, of mediabunny and of mp4box.js, in a page.

import { ALL_FORMATS, AudioSampleSink, Input, UrlSource, VideoSampleSink } from "/library/mediabunny/dist/bundles/mediabunny.mjs";
import { createFile, DataStream } from "/library/mp4box/dist/mp4box.all.mjs";

const WIDTH = 128, HEIGHT = 96, BLOCK = 32;
const canvas = document.createElement("canvas");
[canvas.width, canvas.height] = [WIDTH, HEIGHT];
const context = canvas.getContext("2d", { willReadFrequently: true });

// The number that a picture carries, as tests/matrix/media draws it.
function numberOf(draw) {
  context.clearRect(0, 0, WIDTH, HEIGHT);
  draw();
  const { data } = context.getImageData(0, 0, WIDTH, HEIGHT);
  let number = 0;
  for (let bit = 0; bit < 12; bit++) {
    const x = (bit % 4) * BLOCK + BLOCK / 2, y = Math.floor(bit / 4) * BLOCK + BLOCK / 2;
    if (data[(y * WIDTH + x) * 4 + 1] > 130) number |= 1 << bit;
  }
  return number;
}

function joined(parts) {
  const samples = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    samples.set(part, at);
    at += part.length;
  }
  return samples;
}

const event = (target, name) =>
  new Promise((resolve, reject) => {
    target.addEventListener(name, resolve, { once: true });
    target.addEventListener("error", () => reject(target.error), { once: true });
  });

const video = {
  async opened(url) {
    const element = document.createElement("video");
    element.muted = true;
    element.src = url;
    await event(element, "loadeddata");
    return element;
  },
  // The pictures that are seen as it plays, each once, by their numbers. One that is not presented in time is not
  // seen: where there are fewer than are due, it is played again, three times at most.
  async order(job) {
    const seen = new Set();
    for (let play = 0; play < 3 && seen.size < job.count; play++)
      await this.played(job.url, (number) => seen.add(number));
    return [...seen].sort((a, b) => a - b);
  },
  async played(url, tell) {
    const element = await this.opened(url);
    const see = () => {
      tell(numberOf(() => context.drawImage(element, 0, 0)));
      element.requestVideoFrameCallback(see);
    };
    element.requestVideoFrameCallback(see);
    const ended = event(element, "ended");
    await element.play();
    await ended;
  },
  async time(job) {
    const element = await this.opened(job.url), numbers = [];
    for (const second of job.times) {
      const shown = new Promise((resolve) => element.requestVideoFrameCallback(resolve));
      element.currentTime = second;
      await event(element, "seeked");
      // A seek that ends at the picture that stands already presents none.
      await Promise.race([shown, new Promise((resolve) => setTimeout(resolve, 500))]);
      numbers.push(numberOf(() => context.drawImage(element, 0, 0)));
    }
    return numbers;
  },
  async sound(job) {
    const bytes = await (await fetch(job.url)).arrayBuffer();
    const decoded = await new OfflineAudioContext(2, 1, 44100).decodeAudioData(bytes);
    return { rate: decoded.sampleRate, samples: decoded.getChannelData(0) };
  },
};

const mediabunny = {
  input: (job) => new Input({ source: new UrlSource(new URL(job.url, location).href), formats: ALL_FORMATS }),
  async pictures(job) {
    return new VideoSampleSink(await this.input(job).getPrimaryVideoTrack());
  },
  number(sample) {
    const number = sample === null ? -1 : numberOf(() => sample.draw(context, 0, 0));
    sample?.close();
    return number;
  },
  async order(job) {
    const numbers = [];
    for await (const sample of (await this.pictures(job)).samples()) numbers.push(this.number(sample));
    return numbers;
  },
  async time(job) {
    const numbers = [], sink = await this.pictures(job);
    for (const second of job.times) numbers.push(this.number(await sink.getSample(second)));
    return numbers;
  },
  async heard(job, ...span) {
    const track = await this.input(job).getPrimaryAudioTrack(), parts = [];
    for await (const sample of new AudioSampleSink(track).samples(...span)) {
      const part = new Float32Array(sample.numberOfFrames);
      sample.copyTo(part, { planeIndex: 0, format: "f32-planar" });
      if (span.length) {
        const first = Math.max(0, Math.round((span[0] - sample.timestamp) * sample.sampleRate));
        parts.push(part.subarray(first, Math.round((span[1] - sample.timestamp) * sample.sampleRate)));
      } else parts.push(part);
      sample.close();
    }
    return { rate: await track.getSampleRate?.() ?? track.sampleRate, samples: joined(parts) };
  },
  sound(job) {
    return this.heard(job);
  },
  part(job) {
    return this.heard(job, job.start, job.start + job.seconds);
  },
};

// As the demuxer of the W3C's WebCodecs samples does it: a sample's time is its composition time.
const mp4box = {
  async demuxed(job, kind) {
    const file = createFile(), samples = [];
    const bytes = await (await fetch(job.url)).arrayBuffer();
    bytes.fileStart = 0;
    let track = null, wrong = null;
    file.onError = (error) => (wrong = error);
    file.onReady = (info) => {
      track = kind === "video" ? info.videoTracks[0] : info.audioTracks[0];
      file.setExtractionOptions(track.id);
      file.start();
    };
    file.onSamples = (id, user, more) => samples.push(...more);
    file.appendBuffer(bytes);
    file.flush();
    if (!track) throw new Error(wrong ?? "onReady was never called");
    return { file, track, samples };
  },
  async decoded(job, Decoder, Chunk, kind) {
    const { file, track, samples } = await this.demuxed(job, kind);
    const config = { codec: track.codec }, frames = [];
    if (kind === "video") Object.assign(config, { codedWidth: WIDTH, codedHeight: HEIGHT, description: avcc(file, track) });
    else {
      const { sample_rate, channel_count } = track.audio;
      Object.assign(config, { sampleRate: sample_rate, numberOfChannels: channel_count, description: esds(file, track) });
    }
    let wrong = null;
    const decoder = new Decoder({ output: (frame) => frames.push(frame), error: (error) => (wrong = error) });
    decoder.configure(config);
    for (const { is_sync, cts, timescale, duration, data } of samples) {
      const times = { timestamp: (1e6 * cts) / timescale, duration: (1e6 * duration) / timescale };
      decoder.decode(new Chunk({ type: is_sync ? "key" : "delta", ...times, data }));
      // A decoder holds but a few pictures that nobody closed.
      if (kind === "video") while (decoder.decodeQueueSize > 4) await new Promise((resolve) => setTimeout(resolve, 1));
      if (kind === "video") this.number(frames);
    }
    await decoder.flush();
    if (wrong) throw wrong;
    return frames;
  },
  // Every picture that came is drawn and let go: its number and its time are kept.
  number(frames) {
    frames.forEach((frame, at) => {
      if (frame.close === undefined) return;
      frames[at] = { time: frame.timestamp / 1e6, number: numberOf(() => context.drawImage(frame, 0, 0)) };
      frame.close();
    });
    return frames;
  },
  async pictures(job) {
    return this.number(await this.decoded(job, VideoDecoder, EncodedVideoChunk, "video"));
  },
  async order(job) {
    return (await this.pictures(job)).map((picture) => picture.number);
  },
  async time(job) {
    const pictures = await this.pictures(job);
    return job.times.map((second) => (pictures.filter((picture) => picture.time <= second).at(-1) ?? pictures[0]).number);
  },
  async sound(job) {
    const parts = (await this.decoded(job, AudioDecoder, EncodedAudioChunk, "audio")).map((data) => {
      const part = new Float32Array(data.numberOfFrames);
      data.copyTo(part, { planeIndex: 0, format: "f32-planar" });
      data.close();
      return part;
    });
    return { rate: 44100, samples: joined(parts) };
  },
};

const entry = (file, track) => file.getTrackById(track.id).mdia.minf.stbl.stsd.entries[0];

function avcc(file, track) {
  const stream = new DataStream();
  entry(file, track).avcC.write(stream);
  return new Uint8Array(stream.buffer, 8, stream.getPosition?.() - 8 || undefined);
}

function esds(file, track) {
  return entry(file, track).esds.esd.descs[0].descs[0].data;
}

const readers = { "Chromium <video>": video, mediabunny, "mp4box.js": mp4box };

function base64(samples) {
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}

window.ask = async (job) => {
  const reader = readers[job.reader];
  if (reader[job.ask] === undefined) return { none: true };
  try {
    const got = await reader[job.ask](job);
    return Array.isArray(got) ? { got } : { got: got.rate, samples: base64(got.samples) };
  } catch (error) {
    return { refused: `${error.name ?? "MediaError"}: ${error.message}`.slice(0, 200) };
  }
};
