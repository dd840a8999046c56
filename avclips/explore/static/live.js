import { ask, element, number, say } from "./dom.js";

const NS = "http://www.w3.org/2000/svg";

// Returns what ends it.
export function showLive(view) {
  let timer;
  let over = false;
  document.getElementById("facets").replaceChildren();
  async function look() {
    try {
      const now = await ask("api/live");
      if (over) return;
      draw(view, now);
    } catch (error) {
      say(error.message, true);
    }
    if (!over) timer = setTimeout(look, 2000);
  }
  look();
  return () => { over = true; clearTimeout(timer); };
}

function draw(view, now) {
  if (now.done === undefined) {
    view.replaceChildren(element("p", { class: "empty" }, "A run is shown for a data folder on this machine."));
    return;
  }
  const total = now.total ?? now.done + now.failed;
  say(now.running ? `At work here: ${now.running}.` : "No run is at work here.");
  const parts = [
    element("h2", {}, "Progress"),
    element("progress", { max: String(Math.max(total, 1)), value: String(now.done + now.failed), "aria-label": "clips that are settled" }),
    element("p", {}, `${number(now.done)} of ${number(total)} clips are done, ${number(now.failed)} failed.`),
  ];
  for (const block of now.blocks) {
    const left = Math.max(0, Math.round(block.until - Date.now() / 1000));
    parts.push(element("p", { class: "wrong" }, `${block.who} is refused (${block.words}); the next try in ${clock(left)}.`));
  }
  if (now.history.length) parts.push(element("h2", {}, `Clips in each ${now.bucket / 60} minutes`), history(now));
  if (now.reasons.length) {
    const most = now.reasons[0].count;
    parts.push(element("h2", {}, "Why clips failed"), element("div", { class: "bars" }, ...now.reasons.flatMap(({ words, count }) =>
      [element("span", {}, words), element("meter", { max: String(most), value: String(count), "aria-label": words }), element("span", {}, number(count))])));
  }
  view.replaceChildren(...parts);
}

const clock = (seconds) => [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  .map((each, index) => (index ? String(each).padStart(2, "0") : each)).join(":");

function history(now) {
  const first = now.history[0][0];
  const last = now.history.at(-1)[0];
  // A run that just began is no wall.
  const count = Math.max(24, (last - first) / now.bucket + 1);
  const most = Math.max(...now.history.map(([, done, failed]) => done + failed));
  const picture = document.createElementNS(NS, "svg");
  picture.setAttribute("viewBox", `0 0 ${count} 100`);
  picture.setAttribute("preserveAspectRatio", "none");
  picture.setAttribute("class", "history");
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", `throughput from ${new Date(first * 1000).toLocaleString()} to ${new Date(last * 1000).toLocaleString()}`);
  for (const [time, done, failed] of now.history) {
    const x = (time - first) / now.bucket;
    let top = 100;
    for (const [kind, many] of [["done", done], ["failed", failed]]) {
      const height = 95 * many / most;
      top -= height;
      const bar = document.createElementNS(NS, "rect");
      for (const [name, value] of [["x", x + 0.05], ["y", top], ["width", 0.9], ["height", height], ["class", kind]]) bar.setAttribute(name, value);
      picture.append(bar);
    }
  }
  return picture;
}
