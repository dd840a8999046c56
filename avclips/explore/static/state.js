// The state of the page is its address: view, words, facets, order, the clip that is open.
export const FACETS = ["status", "split", "label", "reason", "flag", "length"];

export function read() {
  return new URLSearchParams(location.search);
}

// Only what chooses clips.
export function filter(state = read()) {
  const chosen = new URLSearchParams();
  for (const [name, value] of state) {
    if (["q", "order", "least", ...FACETS].includes(name) && value) chosen.append(name, value);
  }
  return chosen;
}

const listeners = [];
export const onChange = (listener) => listeners.push(listener);
const tell = () => listeners.forEach((listener) => listener(read()));
addEventListener("popstate", tell);

export function change(edit, replace = false) {
  const state = read();
  state.delete("token");
  edit(state);
  const said = state.toString();
  history[replace ? "replaceState" : "pushState"](null, "", said ? `?${said}` : location.pathname);
  tell();
}
