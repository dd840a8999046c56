import { ask, element, number, say } from "./dom.js";
import { change } from "./state.js";

const PAGE = 60;
// Browsers draw nothing that lies deeper than some 33 million pixels.
const MOST_ROWS = 100000;
const WIDTH = 240;
const GAP = 12;

// Only the cards that are seen are in the page, whatever the list is long.
export class Grid {
  constructor(view) {
    this.view = view;
    this.total = 0;
    addEventListener("scroll", () => this.draw(), { passive: true });
    // The filters come and go beside it.
    new ResizeObserver(() => this.draw()).observe(view);
  }

  async show(filter) {
    this.filter = filter;
    this.pages = new Map();
    this.cards = new Map();
    this.total = 0;
    this.box = element("div", { class: "grid", role: "list" });
    const first = await this.page(0);
    this.total = first.total;
    const rows = this.layout().rows;
    say(`${number(this.total)} ${this.total === 1 ? "clip" : "clips"}`
      + (rows > MOST_ROWS ? ", of which the first are shown: search, or filter" : ""));
    if (!this.total) {
      this.view.replaceChildren(element("p", { class: "empty" }, "No clip is like that. Take a filter away, or search for fewer words."));
      return;
    }
    this.view.replaceChildren(this.box);
    this.draw();
  }

  page(index) {
    if (!this.pages.has(index)) {
      const query = new URLSearchParams(this.filter);
      query.set("offset", index * PAGE);
      query.set("limit", PAGE);
      const asked = ask(`api/clips?${query}`);
      asked.catch(() => this.pages.delete(index));
      this.pages.set(index, asked);
    }
    return this.pages.get(index);
  }

  layout() {
    const style = getComputedStyle(this.view);
    const width = this.view.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const columns = Math.max(1, Math.floor((width + GAP) / (WIDTH + GAP)));
    const side = (width - GAP * (columns - 1)) / columns;
    const height = side * 9 / 16 + 48 + GAP;
    return { columns, side, height, rows: Math.ceil(this.total / columns) };
  }

  draw() {
    if (!this.box || !this.box.isConnected) return;
    const { columns, side, height, rows } = this.layout();
    this.columns = columns;
    this.box.style.height = `${Math.min(rows, MOST_ROWS) * height}px`;
    const top = -this.box.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(top / height) - 2);
    const last = Math.min(rows, MOST_ROWS, Math.ceil((top + innerHeight) / height) + 2);
    const wanted = new Set();
    for (let index = first * columns; index < Math.min(last * columns, this.total); index++) wanted.add(index);
    for (const [index, card] of this.cards) {
      if (!wanted.has(index) && card !== document.activeElement) {
        card.remove();
        this.cards.delete(index);
      }
    }
    for (const index of wanted) {
      const card = this.cards.get(index) || this.make(index);
      card.style.width = `${side}px`;
      card.style.left = `${(index % columns) * (side + GAP)}px`;
      card.style.top = `${Math.floor(index / columns) * height}px`;
    }
  }

  make(index) {
    const card = element("button", { class: "card", role: "listitem", type: "button", "data-index": String(index) });
    card.style.height = "auto";
    this.cards.set(index, card);
    this.box.append(card);
    const filter = this.filter;
    this.page(Math.floor(index / PAGE)).then(({ clips }) => {
      const clip = clips[index % PAGE];
      if (clip && this.filter === filter) this.fill(card, clip);
    }, (error) => say(error.message, true));
    return card;
  }

  fill(card, clip) {
    card.dataset.id = clip.id;
    card.dataset.mark = clip.mark || "";
    const named = clip.labels.join(", ") || clip.captions.join(" ") || clip.reason;
    card.setAttribute("aria-label", `${clip.id}, ${named || clip.status}`);
    const picture = element("span", { class: "picture" });
    if (clip.files.length) {
      const image = element("img", { src: `thumbnail/${clip.n}`, alt: `A frame of ${named || clip.id}`, loading: "lazy" });
      image.addEventListener("error", () => picture.replaceChildren(element("span", { class: "none" }, "no picture")));
      picture.append(image);
    } else {
      picture.append(element("span", { class: "none" }, clip.status === "failed" ? `failed: ${clip.reason}` : clip.status));
    }
    const score = clip.score === null ? "" : ` · ${clip.score.toPrecision(3)}`;
    card.replaceChildren(picture, element("span", { class: "said" }, element("b", {}, named), element("span", { class: "id" }, clip.id + score)));
    card.addEventListener("click", () => change((state) => state.set("clip", clip.id)));
    if (clip.files.includes("video")) this.plays(card, picture, clip);
  }

  plays(card, picture, clip) {
    let waiting;
    card.addEventListener("pointerenter", () => {
      waiting = setTimeout(() => {
        const video = element("video", { src: `media/${clip.n}/video`, muted: true, loop: true, playsInline: true, autoplay: true });
        video.addEventListener("playing", () => picture.firstChild !== video && picture.replaceChildren(video), { once: true });
        picture.append(video);
      }, 250);
    });
    card.addEventListener("pointerleave", () => {
      clearTimeout(waiting);
      const video = picture.querySelector("video");
      if (video) this.fill(card, clip);
    }, { once: true });
  }

  marked(id, said) {
    for (const card of this.cards.values()) if (card.dataset.id === id) card.dataset.mark = said;
    for (const page of this.pages?.values() ?? []) {
      page.then(({ clips }) => clips.forEach((clip) => { if (clip.id === id) clip.mark = said; }), () => {});
    }
  }

  focused() {
    return document.activeElement?.closest?.(".card");
  }

  key(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns, ArrowUp: -this.columns }[event.key];
    if (!step || !this.box?.isConnected) return;
    event.preventDefault();
    const card = this.focused();
    const index = card ? Number(card.dataset.index) + step : 0;
    const next = this.cards.get(Math.max(0, Math.min(this.total - 1, index)));
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }
}
