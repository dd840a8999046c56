import { ask, element, number, say } from "./dom.js";
import { change } from "./state.js";
import { mark } from "./app.js";

const box = document.getElementById("clip");
const nonce = document.querySelector("meta[name=csp-nonce]").content;
let open = null;
let wave = null;
let current = null;

export async function openClip(named) {
  if (named === open) return;
  open = named;
  empty();
  if (named === null) {
    if (box.open) box.close();
    return;
  }
  try {
    current = await ask(`api/clip?id=${encodeURIComponent(named)}`);
  } catch (error) {
    say(error.message, true);
    return;
  }
  if (open !== named) return;
  draw(current);
  if (!box.open) box.showModal();
  // The first button would take the keys.
  box.querySelector("h1").focus();
}

function empty() {
  wave?.destroy();
  wave = null;
  current = null;
  box.replaceChildren();
}

// By Escape or the button: the address follows.
box.addEventListener("close", () => {
  if (open !== null) change((state) => state.delete("clip"));
});

function draw(clip) {
  const title = clip.meta.title || clip.labels.join(", ") || clip.captions[0] || clip.id;
  const parts = [element("button", { class: "close", onclick: () => box.close(), "aria-label": "Close" }, "✕"), element("h1", { tabindex: "-1" }, title)];
  if (clip.files.video || clip.files.audio) parts.push(...player(clip));
  else parts.push(failure(clip));
  parts.push(...words(clip), facts(clip));
  box.replaceChildren(...parts);
  if (clip.files.video || clip.files.audio) waveform(clip);
  if (clip.near?.length) box.append(...near(clip));
}

function player(clip) {
  const fps = clip.facts.fps || 25;
  const kind = clip.files.video ? "video" : "audio";
  const media = element(kind, { src: `media/${clip.n}/${kind}`, controls: true, id: "media", preload: "metadata" });
  media.addEventListener("error", () => say("The browser cannot play this file.", true));
  for (const name of Object.keys(clip.files).filter((each) => each.startsWith("subtitles."))) {
    media.append(element("track", { src: `media/${clip.n}/${name}`, kind: "subtitles", srclang: name.slice(10), label: name.slice(10) }));
  }
  const step = (by) => { media.pause(); media.currentTime = Math.max(0, media.currentTime + by / fps); };
  const loop = element("button", { id: "loop", "aria-pressed": "false", onclick: () => {
    media.loop = !media.loop;
    loop.setAttribute("aria-pressed", String(media.loop));
  } }, "Loop");
  const marks = [["good", "Good"], ["bad", "Bad"], ["", "No mark"]].map(([said, text]) =>
    element("button", { "aria-pressed": String((clip.mark || "") === said), onclick: () => setMark(clip, said) }, text));
  return [media, element("div", { class: "tools" },
    element("button", { id: "back", onclick: () => step(-1) }, "◀ frame"),
    element("button", { id: "forward", onclick: () => step(1) }, "frame ▶"), loop, ...marks),
  element("div", { id: "wave" })];
}

function setMark(clip, said) {
  clip.mark = said;
  mark(clip.id, said);
  const buttons = box.querySelectorAll(".tools button[aria-pressed]:not(#loop)");
  ["good", "bad", ""].forEach((each, index) => buttons[index].setAttribute("aria-pressed", String(each === said)));
}

function waveform(clip) {
  const media = document.getElementById("media");
  const sound = clip.files.audio ? `media/${clip.n}/audio` : `media/${clip.n}/video`;
  const style = getComputedStyle(document.body);
  wave = WaveSurfer.create({
    container: "#wave", height: 64, cspNonce: nonce, waveColor: style.getPropertyValue("color"), progressColor: "#0b62b8",
    media: clip.files.audio && clip.files.video ? undefined : media, url: sound,
  });
  wave.on("error", () => document.getElementById("wave").replaceChildren("The sound cannot be drawn."));
  wave.registerPlugin(WaveSurfer.Spectrogram.create({ height: 96, labels: false, fftSamples: 512, useWebWorker: false }));
  if (clip.files.audio && clip.files.video) {
    // The picture's own sound is heard; the waveform follows it, and leads where it is clicked.
    wave.setMuted(true);
    wave.on("interaction", (seconds) => { media.currentTime = seconds; });
    media.addEventListener("timeupdate", () => wave && wave.getDuration() && wave.setTime(media.currentTime));
  }
}

function failure(clip) {
  const said = { failed: `It failed: ${clip.reason_words || clip.reason}.`, missing: "No run has fetched it yet, or its files are gone." };
  const parts = [element("p", { class: clip.status === "failed" ? "wrong" : "" }, said[clip.status] || clip.status)];
  if (clip.error) parts.push(element("h2", {}, "What the site said"), element("pre", {}, clip.error));
  if (clip.again) parts.push(element("h2", {}, "To ask again"), element("pre", {}, clip.again));
  return element("section", {}, ...parts);
}

function words(clip) {
  const parts = [];
  if (clip.captions.length) parts.push(element("h2", {}, "Captions"), element("ul", {}, ...clip.captions.map((each) => element("li", {}, each))));
  for (const question of clip.questions) {
    const right = question.answer;
    const choices = (question.choices || []).map((each) => element("li", { class: each === right ? "right" : "" }, each === right ? `${each} ✓` : `${each}`));
    parts.push(element("h2", {}, "Question"), element("p", {}, question.question));
    parts.push(choices.length ? element("ul", {}, ...choices) : element("p", { class: "right" }, `${right}`));
  }
  return parts;
}

function facts(clip) {
  const list = element("dl", {});
  const add = (name, value) => value !== undefined && value !== null && value !== "" && list.append(element("dt", {}, name), element("dd", {}, value));
  const facts = clip.facts;
  add("id", clip.id);
  add("video", /^[\w-]{11}$/.test(clip.video)
    ? element("a", { href: `https://www.youtube.com/watch?v=${clip.video}&t=${Math.floor(clip.start)}`, rel: "noreferrer", target: "_blank" }, clip.video)
    : clip.video);
  add("seconds", `${clip.start} to ${clip.end ?? "the end"}`);
  add("really", facts.duration === undefined ? "" : `${facts.duration} s`);
  add("picture", facts.width ? `${facts.width} × ${facts.height}, ${facts.fps} frames a second` : "");
  add("sound", facts.sample_rate ? `${number(facts.sample_rate)} Hz` : "");
  add("labels", clip.labels.join(", "));
  add("splits", clip.splits.join(", "));
  if (clip.selected) {
    add("selected", `as number ${number(clip.selected.rank + 1)}: it changed the mutual information by ${clip.selected.gain.toPrecision(3)} nats`);
  }
  add("score", clip.score === null ? "" : `${clip.score.toPrecision(4)} nats: how much its sound says of its picture, within the selection`);
  add("flags", facts.flags ? Object.entries(facts.flags).map(([name, value]) => `${name} ${value}`).join(", ") : "");
  for (const [layer, cluster] of Object.entries(clip.clusters || {})) add(`cluster in ${layer}`, `${cluster}`);
  for (const [name, value] of Object.entries(clip.meta)) add(name, typeof value === "string" ? value : JSON.stringify(value));
  const rest = element("details", {}, element("summary", {}, "All facts"), element("pre", {}, JSON.stringify({ ...facts, files: clip.files }, null, 1)));
  return element("section", {}, element("h2", {}, "Facts"), list, rest);
}

function near(clip) {
  return [element("h2", {}, "Nearest by features"), element("div", { class: "near" }, ...clip.near.map((each) =>
    element("button", { onclick: () => change((state) => state.set("clip", each.id)) },
      element("img", { src: `thumbnail/${each.n}`, alt: `A frame of ${each.id}`, loading: "lazy" }), each.id)))];
}

document.addEventListener("keydown", (event) => {
  const media = document.getElementById("media");
  if (!box.open || !current || event.ctrlKey || event.metaKey || event.altKey) return;
  const said = { g: "good", b: "bad", u: "" }[event.key];
  if (said !== undefined && media) setMark(current, said);
  else if (event.key === "," && media) document.getElementById("back").click();
  else if (event.key === "." && media) document.getElementById("forward").click();
  else if (event.key === "l" && media) document.getElementById("loop").click();
  else if (event.key === " " && media && event.target !== media && !event.target.matches("button, summary, a")) {
    event.preventDefault();
    if (media.paused) media.play();
    else media.pause();
  }
});
