import { ask, element, number, say } from "./dom.js";
import { change } from "./state.js";

const VERTEX = `attribute vec2 at; attribute vec3 ink; uniform vec2 scale, shift; uniform float size; varying vec3 color;
void main() { gl_Position = vec4(at * scale + shift, 0.0, 1.0); gl_PointSize = size; color = ink; }`;
const FRAGMENT = `precision mediump float; varying vec3 color;
void main() { vec2 d = gl_PointCoord - 0.5; if (dot(d, d) > 0.25) discard; gl_FragColor = vec4(color, 0.9); }`;

const LOOK_EVERY = 3000;

// Points of a plane in WebGL: drag moves, the wheel zooms, shift and drag draws a line around clips.
export function showMap(view, filter) {
  let over = false, timer = 0;
  document.getElementById("facets").replaceChildren();
  const colors = element("select", { "aria-label": "Color" }, ...["cluster", "label", "score"].map((name) => element("option", { value: name }, name)));
  const chosen = element("span", {}, "");
  const save = element("a", { download: "ids.txt", hidden: true }, "Ids of the chosen clips");
  const box = element("div", { class: "map" }, element("canvas", { "aria-label": "map of clips" }), element("canvas", { class: "over" }));
  view.replaceChildren(element("div", { class: "tools" }, element("label", {}, "Color by ", colors),
    element("span", {}, "Drag to move, wheel to zoom, Shift and drag around clips to choose them."), chosen, save), box);
  ask(`api/map?${filter}`).then((points) => {
    if (over) return;
    if (!points.id.length) {
      view.replaceChildren(element("p", { class: "empty" }, points.why));
      return;
    }
    const how = points.projection === "umap" ? ", by UMAP" : points.making ? ", by PCA until UMAP is computed" : "";
    say(`${number(points.id.length)} clips by their features${how}`);
    new Scatter(box, points, colors, chosen, save);
    if (points.making) timer = setTimeout(again, LOOK_EVERY);
  }, (error) => say(error.message, true));
  // The map is drawn anew once its better layout is there: the points are many, and asked for once more only.
  const again = () => ask("api/summary").then((summary) => {
    if (over) return;
    if (summary.laying_out) timer = setTimeout(again, LOOK_EVERY);
    else leave = showMap(view, filter);
  }, () => { timer = setTimeout(again, LOOK_EVERY); });
  let leave = () => { over = true; clearTimeout(timer); };
  return () => leave();
}

class Scatter {
  constructor(box, points, colors, chosen, save) {
    Object.assign(this, { box, points, colors, chosen, save, scale: 0.9, shift: [0, 0], lasso: null });
    [this.canvas, this.over] = box.querySelectorAll("canvas");
    this.gl = this.canvas.getContext("webgl", { antialias: true, preserveDrawingBuffer: true });
    if (!this.gl) {
      box.replaceChildren(element("p", { class: "empty" }, "This browser has no WebGL, which the map is drawn with."));
      return;
    }
    this.program();
    this.paint();
    colors.addEventListener("change", () => this.paint());
    addEventListener("resize", () => this.draw());
    this.over.addEventListener("pointerdown", (event) => this.down(event));
    this.over.addEventListener("pointermove", (event) => this.move(event));
    this.over.addEventListener("pointerup", (event) => this.up(event));
    this.over.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.scale = Math.min(200, Math.max(0.2, this.scale * Math.exp(-event.deltaY / 500)));
      this.draw();
    }, { passive: false });
  }

  program() {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    gl.useProgram(program);
    this.at = (name) => gl.getUniformLocation(program, name);
    const flat = new Float32Array(this.points.x.length * 2);
    this.points.x.forEach((x, index) => { flat[2 * index] = x; flat[2 * index + 1] = this.points.y[index]; });
    this.attribute(program, "at", flat, 2);
    this.ink = gl.getAttribLocation(program, "ink");
  }

  attribute(program, name, values, size) {
    const { gl } = this;
    const place = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, size, gl.FLOAT, false, 0, 0);
  }

  paint() {
    const { gl, points } = this;
    const by = points[this.colors.value];
    const kinds = [...new Set(by)].sort();
    const flat = new Float32Array(by.length * 3);
    by.forEach((value, index) => {
      const share = this.colors.value === "score" ? value ?? 0 : kinds.indexOf(value) / Math.max(kinds.length, 1);
      flat.set(hue(this.colors.value === "score" ? 0.66 - 0.66 * share : (share * 0.97)), 3 * index);
    });
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, flat, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(this.ink);
    gl.vertexAttribPointer(this.ink, 3, gl.FLOAT, false, 0, 0);
    this.draw();
  }

  draw() {
    const { gl, canvas } = this;
    for (const each of [canvas, this.over]) {
      each.width = each.clientWidth * devicePixelRatio;
      each.height = each.clientHeight * devicePixelRatio;
    }
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.uniform2fv(this.at("scale"), this.scales());
    gl.uniform2fv(this.at("shift"), this.shift);
    gl.uniform1f(this.at("size"), 5 * devicePixelRatio);
    gl.drawArrays(gl.POINTS, 0, this.points.x.length);
  }

  scales() {
    const side = Math.min(this.canvas.width, this.canvas.height);
    return [this.scale * side / this.canvas.width, this.scale * side / this.canvas.height];
  }

  // From the screen to the plane.
  plane(event) {
    const box = this.over.getBoundingClientRect();
    const [sx, sy] = this.scales();
    const x = 2 * (event.clientX - box.left) / box.width - 1;
    const y = 1 - 2 * (event.clientY - box.top) / box.height;
    return [(x - this.shift[0]) / sx, (y - this.shift[1]) / sy];
  }

  down(event) {
    this.over.setPointerCapture(event.pointerId);
    this.from = [event.clientX, event.clientY];
    this.lasso = event.shiftKey ? [this.plane(event)] : null;
    this.drawn = event.shiftKey ? [[event.offsetX, event.offsetY]] : null;
    this.before = [...this.shift];
  }

  move(event) {
    if (!this.from) return;
    if (this.lasso) {
      this.lasso.push(this.plane(event));
      this.drawn.push([event.offsetX, event.offsetY]);
      const pen = this.over.getContext("2d");
      pen.clearRect(0, 0, this.over.width, this.over.height);
      pen.strokeStyle = "#e33";
      pen.lineWidth = 2 * devicePixelRatio;
      pen.beginPath();
      this.drawn.forEach(([x, y]) => pen.lineTo(x * devicePixelRatio, y * devicePixelRatio));
      pen.closePath();
      pen.stroke();
    } else {
      const box = this.over.getBoundingClientRect();
      this.shift = [this.before[0] + 2 * (event.clientX - this.from[0]) / box.width, this.before[1] - 2 * (event.clientY - this.from[1]) / box.height];
      this.draw();
    }
  }

  up(event) {
    const [x, y] = this.from ?? [0, 0];
    const still = Math.hypot(event.clientX - x, event.clientY - y) < 4;
    this.from = null;
    if (this.lasso && this.lasso.length > 2) this.choose();
    else if (still) this.open(this.plane(event));
    this.lasso = null;
  }

  choose() {
    const found = this.points.id.filter((_, index) => inside([this.points.x[index], this.points.y[index]], this.lasso));
    this.chosen.textContent = `${number(found.length)} clips are chosen.`;
    this.save.hidden = !found.length;
    if (this.save.href) URL.revokeObjectURL(this.save.href);
    this.save.href = URL.createObjectURL(new Blob([found.map((id) => `${id}\n`).join("")], { type: "text/plain" }));
  }

  open([x, y]) {
    let best = -1;
    let least = (12 / this.scale / Math.min(this.over.clientWidth, this.over.clientHeight)) ** 2 * 4;
    this.points.x.forEach((px, index) => {
      const far = (px - x) ** 2 + (this.points.y[index] - y) ** 2;
      if (far < least) [best, least] = [index, far];
    });
    if (best >= 0) change((state) => state.set("clip", this.points.id[best]));
  }
}

function inside([x, y], line) {
  let within = false;
  for (let i = 0, j = line.length - 1; i < line.length; j = i++) {
    const [ax, ay] = line[i];
    const [bx, by] = line[j];
    if ((ay > y) !== (by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax) within = !within;
  }
  return within;
}

// A color of the wheel, bright enough on light and on dark.
function hue(share) {
  const part = (shift) => {
    const k = (shift + share * 12) % 12;
    return 0.5 - 0.35 * Math.max(-1, Math.min(k - 3, 9 - k, 1));
  };
  return [part(0), part(8), part(4)];
}
