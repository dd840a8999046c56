import { ask, element, number, say } from "./dom.js";
import { FACETS, change, filter, onChange, read } from "./state.js";
import { Grid } from "./grid.js";
import { openClip } from "./clip.js";
import { showMap } from "./map.js";
import { showLive } from "./live.js";

const TITLES = { status: "Status", split: "Split", label: "Label", reason: "Why it is missing", flag: "Flags",
  length: "Length" };
const view = document.getElementById("view");
const grid = new Grid(view);
let shown = "";
let leave = () => {};

async function show(state) {
  const name = state.get("view") || "grid";
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.getElementById("q").value = state.get("q") || "";
  document.getElementById("order").value = state.get("order") || "list";
  document.getElementById("ids").href = `api/ids?${filter(state)}`;
  const wanted = `${name}?${filter(state)}`;
  if (wanted !== shown) {
    shown = wanted;
    leave();
    leave = () => {};
    view.replaceChildren();
    if (name === "live") leave = showLive(view);
    else if (name === "map") leave = showMap(view, filter(state));
    else await showGrid(state);
  }
  // Somebody may have opened another one while the grid was asked for.
  await openClip(read().get("clip"));
}

async function showGrid(state) {
  try {
    await grid.show(filter(state));
    await facets(state);
  } catch (error) {
    say(error.message, true);
  }
}

async function facets(state) {
  const counts = await ask(`api/facets?${filter(state)}`);
  const boxes = FACETS.filter((kind) => counts[kind].length > 1 || state.getAll(kind).length).map((kind) => {
    const chosen = new Set(state.getAll(kind));
    const there = new Map(counts[kind]);
    for (const value of chosen) if (!there.has(value)) there.set(value, 0);
    const items = [...there].map(([value, count]) =>
      element("li", {}, element("label", {},
        element("input", { type: "checkbox", checked: chosen.has(value), onchange: () => toggle(kind, value) }),
        element("span", {}, value), element("span", { class: "count" }, number(count)))));
    return element("section", { "data-facet": kind }, element("h2", {}, TITLES[kind]), element("ul", {}, ...items));
  });
  document.getElementById("facets").replaceChildren(...boxes);
}

function toggle(kind, value) {
  change((state) => {
    const chosen = state.getAll(kind);
    state.delete(kind);
    for (const each of chosen) if (each !== value) state.append(kind, each);
    if (!chosen.includes(value)) state.append(kind, value);
  });
}

let waiting;
document.getElementById("q").addEventListener("input", (event) => {
  clearTimeout(waiting);
  waiting = setTimeout(() => change((state) => {
    if (event.target.value) state.set("q", event.target.value);
    else state.delete("q");
  }, true), 150);
});
document.getElementById("search").addEventListener("submit", (event) => event.preventDefault());
document.getElementById("order").addEventListener("change", (event) =>
  change((state) => state.set("order", event.target.value)));
for (const link of document.querySelectorAll("nav a, #home")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    change((state) => {
      if (!link.dataset.view) for (const name of [...state.keys()]) state.delete(name);
      else state.set("view", link.dataset.view);
      state.delete("clip");
    });
  });
}
const button = document.getElementById("filters-button");
button.addEventListener("click", () => {
  const open = document.getElementById("facets").classList.toggle("open");
  button.setAttribute("aria-expanded", String(open));
});

export async function mark(id, said) {
  const answer = await fetch("api/mark", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ id, mark: said }),
  });
  if (!answer.ok) say("the mark could not be written", true);
  else grid.marked(id, said);
}

document.addEventListener("keydown", (event) => {
  if (event.target.matches("input[type=search], select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    event.preventDefault();
    document.getElementById("q").focus();
  } else if (!document.getElementById("clip").open) {
    const card = grid.focused();
    const said = { g: "good", b: "bad", u: "" }[event.key];
    if (card && said !== undefined) mark(card.dataset.id, said);
    else grid.key(event);
  }
});

// While the index is made, and while a run writes, the page follows.
let version = -1;
async function follow() {
  try {
    const now = await ask("api/summary");
    document.title = `avclips: ${now.source}`;
    if (now.error) say(`The folder cannot be read: ${now.error}`, true);
    else if (now.building && !now.total) say(`Reading the list: ${number(now.seen)} clips …`);
    if (now.version !== version && !now.building) {
      version = now.version;
      shown = shown.startsWith("live") ? shown : "";
      await show(read());
    }
  } catch (error) {
    say(`The server does not answer: ${error.message}`, true);
  }
  setTimeout(follow, version < 0 ? 300 : 3000);
}
onChange((state) => show(state));
follow();
