// One key for each verb: shown on its button, dead while typing or while a dialog is open, kept as the reader chose.
const FIXED = [["Esc", "Leave a field"], ["1 – 9", "Choose an option of the marked field, or the selected shape’s label"], ["Delete", "Delete the selected shape"], ["Ctrl + Z", "Take back the latest change of a shape"], ["+ − 0", "Zoom and fit the first picture or PDF, or the one in focus"], ["Arrows", "Pan the picture in focus"]];
// The verbs of every screen whose forms may have boxes and polygons.
export const DRAWING = { box: ["b", "Draw a box, where the answer has shapes"], polygon: ["g", "Draw a polygon"] };
const typing = (target) => target.matches?.("textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])");

export class Keys {
  // `verbs` has the key and the words of each verb, the main one first; `act(verb)` does it, `digit(number)` picks an
  // option, `zoom(key)` does what + - = 0 say. `name` is the screen's, under which chosen keys are kept.
  constructor(name, verbs, act, digit, zoom) {
    Object.assign(this, { act, digit, zoom, kept: `${name}-keys`, off: `${name}-keys-off`, verbs: Object.entries(verbs) });
    this.standard = Object.fromEntries(this.verbs.map(([verb, [key]]) => [verb, key]));
    this.words = Object.fromEntries(this.verbs.map(([verb, [, words]]) => [verb, words]));
    this.map = { ...this.standard, ...JSON.parse(localStorage.getItem(this.kept) ?? "{}") };
    document.addEventListener("keydown", (event) => this.#pressed(event));
    this.dialog = document.getElementById("help-dialog");
    this.#dialog();
    this.draw();
  }

  get on() {
    return localStorage.getItem(this.off) === null;
  }

  draw() {
    document.body.classList.toggle("keys-on", this.on);
    for (const shown of document.querySelectorAll("[data-key-of]")) {
      shown.hidden = !this.on;
      shown.textContent = this.map[shown.dataset.keyOf].toUpperCase();
    }
    for (const button of document.querySelectorAll("[data-do], [data-tool]")) {
      const shown = button.querySelector("kbd");
      const key = this.map[button.dataset.do ?? button.dataset.tool];
      if (!shown || !key) continue;
      shown.hidden = !this.on;
      shown.textContent = key.toUpperCase();
      if (this.on) button.setAttribute("aria-keyshortcuts", key);
      else button.removeAttribute("aria-keyshortcuts");
    }
  }

  show() {
    this.#table();
    this.dialog.showModal();
  }

  #pressed(event) {
    if (document.querySelector("dialog[open]") || event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      this.#confirmed(event);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      document.activeElement?.blur();
      return;
    }
    if (!this.on || typing(event.target) || event.repeat) return;
    if (/^[1-9]$/.test(event.key)) {
      if (this.digit(Number(event.key))) event.preventDefault();
      return;
    }
    const verb = Object.keys(this.map).find((name) => this.map[name] === event.key.toLowerCase());
    if (verb) this.act(verb);
    else if (!/^[-+=0]$/.test(event.key) || !this.zoom(event.key)) return;
    event.preventDefault();
  }

  // Does the main verb, or what the place of the focus names instead; in a form other than the answer's nothing.
  #confirmed(event) {
    event.preventDefault();
    const verb = event.target.closest?.("[data-confirm]")?.dataset.confirm ?? this.verbs[0][0];
    const isElsewhere = event.target.closest?.("form:not(.answer)");
    if (!event.repeat && !isElsewhere) this.act(verb);
  }

  #dialog() {
    const { dialog } = this;
    const on = dialog.querySelector("[data-keys-on]");
    on.checked = this.on;
    on.addEventListener("change", () => {
      if (on.checked) localStorage.removeItem(this.off);
      else localStorage.setItem(this.off, "1");
      this.draw();
    });
    dialog.querySelector("[data-keys-reset]").addEventListener("click", () => {
      localStorage.removeItem(this.kept);
      this.map = { ...this.standard };
      this.#table();
      this.draw();
    });
  }

  #table() {
    const rows = this.verbs.map(([verb, [, words]]) => {
      const input = Object.assign(document.createElement("input"), { value: this.map[verb].toUpperCase(), maxLength: 1, size: 2, className: "key", autocomplete: "off" });
      input.setAttribute("aria-label", `Key for ${words}`);
      input.addEventListener("focus", () => input.select());
      input.addEventListener("input", () => this.#rebind(verb, input));
      return this.#row(input, words);
    });
    const fixed = [["Ctrl + Enter", `${this.verbs[0][1][1]}, also while typing`], ...FIXED].map(([key, words]) => this.#row(Object.assign(document.createElement("kbd"), { textContent: key }), words));
    this.dialog.querySelector("[data-keys]").replaceChildren(...rows, ...fixed);
    this.#fault("");
  }

  #row(first, words) {
    const row = document.createElement("tr");
    row.insertCell().append(first);
    row.insertCell().textContent = words;
    return row;
  }

  #rebind(verb, input) {
    const key = input.value.trim().toLowerCase();
    if (!key) return;
    const other = Object.keys(this.map).find((name) => name !== verb && this.map[name] === key);
    if (other || /[0-9+\-]/.test(key)) {
      this.#fault(`${key.toUpperCase()} is the key of “${other ? this.words[other] : "options and zoom"}”: choose another one.`);
      input.value = this.map[verb].toUpperCase();
      return;
    }
    this.map[verb] = key;
    input.value = key.toUpperCase();
    localStorage.setItem(this.kept, JSON.stringify(this.map));
    this.#fault("");
    this.draw();
  }

  #fault(words) {
    this.dialog.querySelector("[data-keys-fault]").textContent = words;
  }
}
