// The item on a screen: its parts, and its form with what was typed and not sent.
import { bringToLife } from "../sheets/viewer.js";
import { parse } from "../workbench/screen/exact.js";
import { AnswerForm } from "./answer_form.js";

const slot = (name, root = document) => root.querySelector(`[data-slot="${name}"]`);

export class FormItem {
  // `element` holds the fields and what is beside them; what is typed is kept in the browser as `draft`. Whoever makes
  // one calls `restore` and `draw` when it is whole.
  constructor({ element, draft, version }) {
    const { answer } = element.dataset;
    const stored = answer ? parse(answer) : undefined;
    Object.assign(this, { element, version, stored, key: draft, current: 0 });
    for (const plain of element.querySelectorAll("[data-without-script]")) plain.remove();
    this.form = new AnswerForm(element.querySelector(".fields"), () => this.changed(), stored);
    bringToLife(slot("source"));
    this.form.drawOn(slot("source"));
  }

  // Puts the parts of a fetched document in place; focus stays out of the fields.
  static place(fragment, names) {
    for (const name of names) {
      const place = slot(name);
      place.replaceChildren(...[...slot(name, fragment).childNodes].map((node) => document.importNode(node, true)));
      place.scrollTop = 0;
    }
    document.getElementById("panes").hidden = false;
    document.getElementById("empty").hidden = true;
    const focused = document.activeElement;
    if (!focused || focused === document.body || focused.closest(".answer")) slot("answer").querySelector("h2").focus({ preventScroll: true });
  }

  get notes() {
    return this.element.querySelector("[name=notes]")?.value.trim() || null;
  }

  get confidence() {
    return this.element.querySelector("[name=confidence]")?.value ?? "";
  }

  get isChanged() {
    return this.form.isChanged;
  }

  // What was typed, as `fill` takes it.
  get typed() {
    return this.form.read();
  }

  fill(typed) {
    this.form.fill(typed);
  }

  forget() {
    localStorage.removeItem(this.key);
  }

  keep(value) {
    localStorage.setItem(this.key, JSON.stringify({ version: this.version, value }));
  }

  // Labels the selected shape, else chooses the option of the marked choice and goes on to the next one; false where
  // there is neither.
  digit(number) {
    if (this.form.digit(number)) return true;
    const { choices } = this.form;
    const focused = choices.indexOf(document.activeElement?.closest('[data-kind="choice"]'));
    if (focused >= 0) this.current = focused;
    const choice = choices[this.current];
    const radio = choice?.querySelector(`[data-digit="${number}"]:not(:disabled)`);
    if (!radio) return false;
    radio.checked = true;
    radio.dispatchEvent(new Event("input", { bubbles: true }));
    this.current = (this.current + 1) % choices.length;
    if (focused >= 0) choices[this.current].querySelector("input:checked, input")?.focus();
    choices[this.current].scrollIntoView({ block: "nearest" });
    this.mark();
    return true;
  }

  restore() {
    const kept = JSON.parse(localStorage.getItem(this.key) ?? "null");
    if (!kept) return;
    this.fill(kept.value);
    const words = Object.assign(document.createElement("p"), { className: "notice", textContent: "This is what you had typed here." });
    this.element.querySelector(".item-head").after(words);
  }

  changed() {
    if (this.isChanged) this.keep(this.typed);
    else this.forget();
    this.draw();
  }

  draw() {
    this.mark();
  }

  mark() {
    this.form.choices.forEach((choice, at) => choice.classList.toggle("current", at === this.current));
  }
}
