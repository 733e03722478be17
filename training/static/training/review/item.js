// The pair on the screen: its parts, its form with what was typed and not sent, and which verbs lead on from its status.
import { bringToLife } from "../../sheets/viewer.js";
import { AnswerForm } from "../../templates_app/answer_form.js";

const slot = (name, root = document) => root.querySelector(`[data-slot="${name}"]`);

export class Item {
  constructor(setup, element = document.querySelector(".item")) {
    this.setup = setup;
    this.element = element;
    const { pair, itemRef, version, status, answer, misfits } = element.dataset;
    Object.assign(this, { id: pair, itemRef, version: Number(version), status });
    this.stored = answer ? JSON.parse(answer) : undefined;
    this.misfits = Number(misfits);
    for (const plain of element.querySelectorAll("[data-without-script]")) plain.remove();
    this.form = new AnswerForm(element.querySelector(".fields"), () => this.#changed());
    this.current = 0;
    this.#restore();
    bringToLife(slot("source"));
    this.#draw();
  }

  // Puts the parts of a fetched document in place and returns the item; focus stays out of the fields.
  static show(setup, fragment) {
    for (const name of ["source", "answer", "prompt"]) {
      const place = slot(name);
      place.replaceChildren(...[...slot(name, fragment).childNodes].map((node) => document.importNode(node, true)));
      place.scrollTop = 0;
    }
    document.getElementById("panes").hidden = false;
    document.getElementById("empty").hidden = true;
    const focused = document.activeElement;
    if (!focused || focused === document.body || focused.closest("#review-form")) slot("answer").querySelector("h2").focus({ preventScroll: true });
    return new Item(setup);
  }

  get notes() {
    return this.element.querySelector("[name=notes]")?.value.trim() || null;
  }

  get confidence() {
    return this.element.querySelector("[name=confidence]")?.value ?? "";
  }

  // What the fields on uses say, undefined where the reader may not change them.
  get uses() {
    const editor = this.element.querySelector("[data-uses]");
    if (!editor) return undefined;
    const those = (words) => [...editor.querySelectorAll(`input[value="${words}"]:checked`)].map((radio) => radio.name.replace("use.", ""));
    const [classification, reason] = ["data_classification", "reason"].map((name) => editor.querySelector(`[name=${name}]`).value.trim());
    return { allowed_uses: those("allowed"), prohibited_uses: those("prohibited"), data_classification: classification, reason };
  }

  focusUses(what) {
    const editor = this.element.querySelector("[data-uses]");
    this.element.querySelector(".uses").open = true;
    editor?.querySelector(what)?.focus();
  }

  may(verb) {
    return this.setup.may_review && (this.setup.transitions[verb] ?? []).includes(this.status);
  }

  // Why the answer cannot be approved as it stands, or "".
  get standsAgainst() {
    if (this.form.isChanged) return "";
    if (this.stored === undefined || this.stored === "") return "There is no answer yet: fill in the form, reject the pair or flag it.";
    return this.misfits ? "The draft does not fit its schema: correct the marked fields first." : "";
  }

  forget() {
    localStorage.removeItem(this.#key);
  }

  keep(value) {
    localStorage.setItem(this.#key, JSON.stringify({ version: this.version, value }));
  }

  // Chooses the option of the marked choice and goes on to the next one; false where there is none.
  digit(number) {
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
    this.#mark();
    return true;
  }

  get #key() {
    return `review-draft:${this.setup.user}:${this.id}`;
  }

  #restore() {
    const kept = JSON.parse(localStorage.getItem(this.#key) ?? "null");
    if (!kept) return;
    this.form.fill(kept.value);
    const words = Object.assign(document.createElement("p"), { className: "notice", textContent: "This is what you had typed here." });
    this.element.querySelector(".item-head").after(words);
  }

  #changed() {
    if (this.form.isChanged) this.keep(this.form.read());
    else this.forget();
    this.#draw();
  }

  #draw() {
    for (const button of document.querySelectorAll(".verbs [data-do]")) {
      const verb = button.dataset.do;
      if (verb === "reopen") button.hidden = !this.may("reopen");
      else if (verb === "approve") {
        button.disabled = !(this.form.isChanged ? this.may("edit") : this.may("approve"));
        button.querySelector("[data-words]").textContent = this.form.isChanged ? "Approve edit" : "Approve";
      } else if (verb === "reject" || verb === "flag") button.disabled = !this.may(verb);
    }
    this.#mark();
  }

  #mark() {
    this.form.choices.forEach((choice, at) => choice.classList.toggle("current", at === this.current));
  }
}
