// One key for each verb: shown on its button, dead while typing or while a dialog is open, kept as the reader chose.
const STANDARD = { approve: "a", edit: "e", reject: "r", flag: "f", skip: "s", undo: "u", reopen: "o", uses: "w", next: "n", previous: "p", help: "?" };
const WORDS = { approve: "Approve", edit: "Edit: to the first field", reject: "Reject", flag: "Flag", skip: "Skip", undo: "Undo the latest decision", reopen: "Reopen", uses: "What it may be used for", next: "Next", previous: "Previous", help: "These keys" };
const FIXED = [["Ctrl + Enter", "Approve, also while typing"], ["Esc", "Leave a field"], ["1 – 9", "Choose an option of the marked field"], ["+ − 0, arrows", "Zoom, fit and pan the picture in focus"]];
const KEPT = "review-keys";
const OFF = "review-keys-off";
const typing = (target) => target.matches?.("textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])");

export class Keys {
  // `act(verb)` does a verb, `digit(number)` picks an option.
  constructor(act, digit) {
    Object.assign(this, { act, digit });
    this.map = { ...STANDARD, ...JSON.parse(localStorage.getItem(KEPT) ?? "{}") };
    document.addEventListener("keydown", (event) => this.#pressed(event));
    this.dialog = document.getElementById("help-dialog");
    this.#dialog();
    this.draw();
  }

  get on() {
    return localStorage.getItem(OFF) === null;
  }

  draw() {
    document.body.classList.toggle("keys-on", this.on);
    this.drawWithin(document);
    for (const button of document.querySelectorAll("[data-do]")) {
      const shown = button.querySelector("kbd");
      const key = this.map[button.dataset.do];
      if (!shown || !key) continue;
      shown.hidden = !this.on;
      shown.textContent = key.toUpperCase();
      if (this.on) button.setAttribute("aria-keyshortcuts", key);
      else button.removeAttribute("aria-keyshortcuts");
    }
  }

  // The keys that stand beside parts of the pair, drawn anew with each pair.
  drawWithin(root) {
    for (const shown of root.querySelectorAll("[data-key-of]")) {
      shown.hidden = !this.on;
      shown.textContent = this.map[shown.dataset.keyOf].toUpperCase();
    }
  }

  show() {
    this.#table();
    this.dialog.showModal();
  }

  #pressed(event) {
    if (document.querySelector("dialog[open]") || event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.act("approve");
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
    if (!verb) return;
    event.preventDefault();
    this.act(verb);
  }

  #dialog() {
    const { dialog } = this;
    const on = dialog.querySelector("[data-keys-on]");
    on.checked = this.on;
    on.addEventListener("change", () => {
      if (on.checked) localStorage.removeItem(OFF);
      else localStorage.setItem(OFF, "1");
      this.draw();
    });
    dialog.querySelector("[data-keys-reset]").addEventListener("click", () => {
      localStorage.removeItem(KEPT);
      this.map = { ...STANDARD };
      this.#table();
      this.draw();
    });
  }

  #table() {
    const rows = Object.entries(WORDS).map(([verb, words]) => {
      const input = Object.assign(document.createElement("input"), { value: this.map[verb].toUpperCase(), maxLength: 1, size: 2, className: "key", autocomplete: "off" });
      input.setAttribute("aria-label", `Key for ${words}`);
      input.addEventListener("focus", () => input.select());
      input.addEventListener("input", () => this.#rebind(verb, input));
      return this.#row(input, words);
    });
    const fixed = FIXED.map(([key, words]) => this.#row(Object.assign(document.createElement("kbd"), { textContent: key }), words));
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
      this.#fault(`${key.toUpperCase()} is the key of “${other ? WORDS[other] : "options and zoom"}”: choose another one.`);
      input.value = this.map[verb].toUpperCase();
      return;
    }
    this.map[verb] = key;
    input.value = key.toUpperCase();
    localStorage.setItem(KEPT, JSON.stringify(this.map));
    this.#fault("");
    this.draw();
  }

  #fault(words) {
    this.dialog.querySelector("[data-keys-fault]").textContent = words;
  }
}
