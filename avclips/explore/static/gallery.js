// A page of clips that needs no server: clips.json beside it says which.
const view = document.getElementById("view");
const clips = await (await fetch("clips.json")).json();

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const figures = clips.map((clip) => {
  const words = [clip.labels.join(", "), ...clip.captions, ...clip.questions.map((each) => `${each.question} ${each.answer}`)].filter(Boolean);
  const media = element(clip.kind || "video", { src: clip.media || "", controls: "", preload: "none", "aria-label": clip.id });
  if (clip.picture) media.setAttribute("poster", clip.picture);
  const figure = element("figure", {}, media, element("figcaption", {}, words[0] || "", element("span", { class: "id" }, clip.id)));
  return { figure, text: [clip.id, ...words].join(" ").toLowerCase() };
});
view.append(...figures.map(({ figure }) => figure));

function search() {
  const words = document.getElementById("q").value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const { figure, text } of figures) {
    figure.hidden = !words.every((word) => text.includes(word));
    shown += !figure.hidden;
  }
  document.getElementById("status").textContent = `${shown} of ${figures.length} clips`;
}
document.getElementById("q").addEventListener("input", search);
document.getElementById("search").addEventListener("submit", (event) => event.preventDefault());
search();
