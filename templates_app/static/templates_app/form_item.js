// The item on a screen: its parts, and its form with what was typed and not sent.
import { bringToLife, pressFirst } from "../sheets/viewer.js";
import { draftOf, dropDraft, keepDraft } from "../workbench/screen/drafts.js";
import { parse } from "../workbench/screen/exact.js";
import { readOut } from "../workbench/screen/notices.js";
import { AnswerForm } from "./answer_form.js";

const nameOf = (choice) => choice.querySelector("legend").firstChild.textContent.trim();
const wordsOf = (radio) => radio.closest("label").querySelector("span").lastChild.textContent.trim();
const slot = (name, root = document) => root.querySelector(`[data-slot="${name}"]`);

export class FormItem {
  // `element` holds the fields and what is beside them; what is typed is kept in the browser as `draft`. `seen` is the
  // version that it is typed over. Whoever makes one calls `restore` and `draw` when it is whole.
  constructor({ element, draft, version }) {
    const { answer } = element.dataset;
    const stored = answer ? parse(answer) : undefined;
    Object.assign(this, { element, version, seen: version, stored, key: draft, current: 0 });
    for (const plain of element.querySelectorAll("[data-without-script]")) plain.remove();
    this.form = new AnswerForm(element.querySelector(".fields"), () => this.changed(), stored);
    this.controls = [...element.querySelectorAll("[data-beside] [name]")];
    this.besideBase = JSON.stringify(this.beside);
    element.querySelector("[data-beside]")?.addEventListener("input", () => this.changed());
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
    scrollTo(0, 0);
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

  // What stands beside the answer, by name: confidence, notes and the like.
  get beside() {
    return Object.fromEntries(this.controls.map((control) => [control.name, control.value]));
  }

  get isChanged() {
    return this.form.isChanged || this.#isBesideChanged;
  }

  get #isBesideChanged() {
    return JSON.stringify(this.beside) !== this.besideBase;
  }

  // What was typed, as `fill` takes it; what nobody touched is left out, as it may be another in a newer version.
  get typed() {
    return { answer: this.form.isChanged ? this.form.read() : undefined, beside: this.#isBesideChanged ? this.beside : undefined };
  }

  fill({ answer, beside = {} }) {
    for (const control of this.controls) if (control.name in beside) control.value = beside[control.name];
    if (Object.keys(beside).length) this.controls[0]?.closest("details")?.setAttribute("open", "");
    if (answer !== undefined) this.form.fill(answer);
  }

  get draft() {
    return { key: this.key, version: this.seen, value: this.typed };
  }

  keep() {
    keepDraft(this.draft);
  }

  forget() {
    dropDraft(this.key);
    this.seen = this.version;
  }

  // A decision of one's own leads to this version: what is typed over the one before stands over it from now on.
  follow(version) {
    Object.assign(this, { version, seen: this.seen === this.version ? version : this.seen });
    if (this.isChanged) this.keep();
  }

  // Labels the selected shape, else chooses the option of the marked choice and goes on to the next one; false where
  // there is neither, and for who is in the fields on uses.
  digit(number) {
    if (document.activeElement?.closest("[data-uses]")) return false;
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
    readOut(`${nameOf(choice)}: ${wordsOf(radio)}. Next: ${nameOf(choices[this.current])}.`);
    return true;
  }

  // What is lost where the item is decided or left now, in words; "" for nothing.
  get unfinished() {
    return this.form.isDrawing ? "The polygon is not closed: click its first point or press Enter, or Esc to drop it." : "";
  }

  zoom(key) {
    return pressFirst(slot("source"), key);
  }

  restore() {
    const kept = draftOf(this.key);
    if (!kept) return;
    this.seen = kept.version;
    this.fill(kept.value);
    const isOlder = this.seen !== this.version;
    const textContent = isOlder ? `This is what you had typed over version ${kept.version}; version ${this.version} stands now. Decide, and you are shown both.` : "This is what you had typed here.";
    const words = Object.assign(document.createElement("p"), { className: isOlder ? "notice notice-warning" : "notice", textContent });
    this.element.querySelector(".item-head").after(words);
  }

  changed() {
    if (this.isChanged) this.keep();
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
