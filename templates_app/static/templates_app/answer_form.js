// The form of an answer as a person fills it in: read as JSON, filled from JSON, rows added, faults and changes shown.
// The fields are drawn by the server (templates_app.answer_form); a field is an element with data-field and data-kind.
import { isObject, parse, typedNumber } from "../workbench/screen/exact.js";
import { wordDiff } from "./diff.js";
import { Shapes, inWords } from "./shapes.js";

const MISSING = Symbol("missing");
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const SHORT = 80;
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
// A fault without the path of the field at which it stands; what lies inside that keeps its own.
const inside = (fault, name) => [`${name}: `, `${name}.`].reduce((text, path) => (text.startsWith(path) ? text.slice(path.length) : text), fault);
const describing = (control) => (control.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean);
const describe = (control, ids) => (ids.length ? control.setAttribute("aria-describedby", ids.join(" ")) : control.removeAttribute("aria-describedby"));
const json = (text) => {
  try {
    return parse(text);
  } catch {
    return text; // the server says what is wrong with it
  }
};

// `now` with what nobody touched as it is stored: fields read 120.0 as 120, null as "" and every end of a line alike.
function untouched(now, start, stored) {
  if (same(now, start)) return stored;
  if ([now, start, stored].every(Array.isArray) && start.length === stored.length) {
    return now.map((row, at) => {
      const from = same(row, start[at]) ? at : start.findIndex((one) => same(row, one));
      return from < 0 ? untouched(row, start[at], stored[at]) : stored[from];
    });
  }
  if (![now, start, stored].every(isObject)) return now;
  const names = [...new Set([...Object.keys(now), ...Object.keys(stored)])];
  const members = names.map((name) => [name, untouched(now[name], start[name], stored[name])]);
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

export class AnswerForm {
  // `root` holds the drawn fields; `changed` is called after every change by hand; `stored` is the answer that they show,
  // undefined where there is none.
  constructor(root, changed = () => {}, stored = undefined) {
    Object.assign(this, { root, changed, stored });
    this.counter = 0;
    this.top = root.querySelector("[data-field]");
    for (const blank of root.querySelectorAll("[data-blank]")) blank.remove();
    for (const hidden of root.querySelectorAll("[data-add], .af-row-buttons")) hidden.hidden = false;
    this.shapes = new Map([...root.querySelectorAll('[data-kind="shapes"]')].map((node) => [node, new Shapes(node, () => this.#touched())]));
    root.addEventListener("input", () => this.#touched());
    root.addEventListener("click", (event) => this.#clicked(event));
    root.addEventListener("keydown", (event) => this.#entered(event));
    this.start = this.#reading();
  }

  // The answer as it was before anybody typed.
  get base() {
    return this.stored ?? this.start;
  }

  read() {
    const now = this.#reading();
    return this.stored === undefined ? now : untouched(now, this.start, this.stored);
  }

  #reading() {
    const value = this.#value(this.top);
    return value === MISSING ? "" : value;
  }

  get isChanged() {
    return !same(this.#reading(), this.start);
  }

  fill(value) {
    this.#fill(this.top, value);
    this.#touched();
  }

  // The fields of choices in order, for keys.
  get choices() {
    return [...this.root.querySelectorAll('[data-kind="choice"]:not(div)')];
  }

  // Shows boxes and polygons on the pictures in `root` as well.
  drawOn(root) {
    for (const shapes of this.shapes.values()) shapes.drawOn(root);
  }

  // Begins to draw a shape, or stops; false where the answer has none of this kind.
  draw(tool) {
    return [...this.shapes.values()].some((shapes) => shapes.draw(tool));
  }

  // Whether a shape is begun that is no part of the answer yet.
  get isDrawing() {
    return [...this.shapes.values()].some((shapes) => shapes.isBegun);
  }

  // Gives the selected shape the label of a digit; false where none is selected.
  digit(number) {
    return [...this.shapes.values()].some((shapes) => shapes.digit(number));
  }

  focusFirst() {
    const first = this.root.querySelector("input:checked, textarea, select, input:not([type=hidden])");
    first?.focus();
    if (first?.select && first.type !== "radio") first.select();
  }

  // Each fault, "answer.codes[0]: found …", stands at its field; those that have none are returned.
  showFaults(faults) {
    this.clearFaults();
    const left = [];
    for (const fault of faults) {
      const path = [...this.#paths()].filter(([, name]) => fault.startsWith(name) && ":.[".includes(fault[name.length])).at(-1);
      if (!path) {
        left.push(fault);
        continue;
      }
      const [node, name] = path;
      node.classList.add("faulty");
      const words = Object.assign(document.createElement("p"), { className: "af-fault", textContent: inside(fault, name) });
      const place = this.#faultsOf(node);
      place?.append(words);
      this.#blame(node, place);
    }
    this.root.querySelector(".faulty :is(input:not([type=hidden]), textarea, select)")?.focus();
    return left;
  }

  // A screen reader says what stands in `place` with the control that has the focus, or with the choice that it is of.
  #blame(node, place) {
    const control = node.matches("[role=radiogroup]") ? node : node.querySelector("input:not([type=hidden]), textarea, select");
    control?.setAttribute("aria-invalid", "true");
    if (!control || !place) return;
    place.id ||= `faults-${(this.counter += 1)}`;
    describe(control, [...new Set([...describing(control), place.id])]);
  }

  clearFaults() {
    const places = [...this.root.querySelectorAll("[data-faults]")];
    const ids = places.map(({ id }) => id);
    for (const place of places) place.replaceChildren();
    for (const control of this.root.querySelectorAll("[aria-describedby]")) describe(control, describing(control).filter((id) => !ids.includes(id)));
    for (const node of this.root.querySelectorAll(".faulty")) node.classList.remove("faulty");
    for (const control of this.root.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
  }

  // Shows at each changed field what it was, word by word in long text, with a way back.
  showChanges() {
    for (const old of this.root.querySelectorAll(".af-diff")) old.remove();
    for (const node of this.root.querySelectorAll(".changed")) node.classList.remove("changed");
    this.#mark(this.top, this.start);
  }

  #mark(node, base) {
    const now = this.#value(node);
    const was = base === undefined ? MISSING : base;
    if (now === was || (now !== MISSING && was !== MISSING && same(now, was))) return;
    if (node.dataset.kind === "object" && isObject(base)) {
      for (const child of this.#children(node)) {
        if (child.dataset.kind !== "other") this.#mark(child, base[child.dataset.field]);
      }
      return;
    }
    node.classList.add("changed");
    const box = Object.assign(document.createElement("div"), { className: "af-diff" });
    const told = node.dataset.kind === "shapes" ? inWords : (value) => value;
    box.append(wordDiff(was === MISSING ? "" : told(was), now === MISSING ? "" : told(now)));
    const back = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Revert" });
    back.setAttribute("aria-label", `Revert ${node.querySelector("label, legend, summary")?.firstChild.textContent.trim() ?? "field"}`);
    back.addEventListener("click", () => {
      this.#fill(node, was === MISSING ? undefined : base);
      this.#touched();
      node.querySelector("input:checked, input, textarea, select")?.focus();
    });
    box.append(back);
    node.append(box);
  }

  #touched() {
    this.showChanges();
    this.changed();
  }

  #children(node) {
    return [...node.querySelectorAll("[data-field]")].filter((child) => child.parentElement.closest("[data-field]") === node);
  }

  #rows(node) {
    return [...node.querySelector(":scope > [data-rows]").children].filter((row) => row.matches("[data-row]"));
  }

  *#paths(node = this.top, name = "answer") {
    yield [node, name];
    if (node.dataset.kind === "object") for (const child of this.#children(node)) yield* this.#paths(child, `${name}.${child.dataset.field}`);
    if (node.dataset.kind === "shapes") for (const [at, row] of this.shapes.get(node).rows.entries()) yield [row, `${name}.shapes[${at}]`];
    if (node.dataset.kind === "array") {
      for (const [at, row] of this.#rows(node).entries()) yield* this.#paths(row.querySelector("[data-field]"), `${name}[${at}]`);
    }
  }

  #faultsOf(node) {
    return [...node.querySelectorAll("[data-faults]")].find((place) => place.closest("[data-field], [data-shape]") === node);
  }

  #value(node) {
    const { kind, required, nullable, mayBeEmpty } = node.dataset;
    const needed = required !== undefined;
    if (kind === "object") return this.#object(node, needed);
    if (kind === "shapes") return this.shapes.get(node).value ?? (nullable === undefined ? MISSING : null);
    if (kind === "array") {
      const rows = this.#rows(node).map((row) => this.#value(row.querySelector("[data-field]"))).filter((value) => value !== MISSING);
      return rows.length || needed ? rows : MISSING;
    }
    const control = node.querySelector("input:checked") ?? node.querySelector("textarea, select, input:not([type=radio])");
    const text = control?.value ?? "";
    if (!text.trim()) {
      if (nullable !== undefined) return null;
      return needed && mayBeEmpty !== undefined ? "" : MISSING;
    }
    if (kind === "integer" || kind === "number") return NUMBER.test(text.trim()) ? typedNumber(text.trim()) : text;
    return ["choice", "json", "other"].includes(kind) ? json(text) : text;
  }

  #object(node, needed) {
    const found = {};
    for (const child of this.#children(node)) {
      const value = this.#value(child);
      if (value === MISSING) continue;
      if (child.dataset.kind !== "other") found[child.dataset.field] = value;
      else if (isObject(value)) Object.assign(found, value);
      else found["*"] = value;
    }
    const said = Object.values(found).some((value) => !["", null].includes(value) && !(Array.isArray(value) && !value.length));
    return needed || said ? found : MISSING;
  }

  #fill(node, value) {
    const { kind } = node.dataset;
    if (kind === "object") {
      const values = isObject(value) ? value : {};
      const named = this.#children(node).filter((child) => child.dataset.kind !== "other");
      for (const child of named) this.#fill(child, values[child.dataset.field]);
      const others = this.#children(node).find((child) => child.dataset.kind === "other");
      const names = named.map((child) => child.dataset.field);
      const more = Object.fromEntries(Object.entries(values).filter(([key]) => !names.includes(key)));
      if (others) this.#fill(others, Object.keys(more).length ? more : undefined);
    } else if (kind === "array") {
      const values = Array.isArray(value) ? value : [];
      for (const row of this.#rows(node).slice(values.length)) row.remove();
      while (this.#rows(node).length < values.length) this.#add(node);
      this.#rows(node).forEach((row, at) => this.#fill(row.querySelector("[data-field]"), values[at]));
    } else if (kind === "shapes") {
      this.shapes.get(node).fill(value ? JSON.parse(JSON.stringify(value)) : undefined); // plain numbers, to draw with
    } else if (node.querySelector("input[type=radio]")) {
      const wanted = value === undefined || value === null ? "" : JSON.stringify(value);
      for (const radio of node.querySelectorAll("input[type=radio]")) radio.checked = radio.value === wanted;
    } else {
      const control = node.querySelector("textarea, select, input");
      const asJson = ["choice", "json", "other"].includes(kind);
      control.value = value === undefined || value === null ? "" : typeof value === "string" && !asJson ? value : JSON.stringify(value, null, kind === "choice" ? 0 : 2);
    }
  }

  #add(node) {
    const made = node.querySelector(":scope > template").content.firstElementChild.cloneNode(true);
    const mark = `[row-${(this.counter += 1)}]`;
    for (const part of made.querySelectorAll("[name], [id], [for], [aria-describedby]")) {
      if (part.hasAttribute("name")) part.setAttribute("name", part.getAttribute("name").replaceAll("[new]", mark));
      for (const attribute of ["id", "for", "aria-describedby"]) {
        if (part.hasAttribute(attribute)) part.setAttribute(attribute, part.getAttribute(attribute).replaceAll(/\S+/g, `$&-${this.counter}`));
      }
    }
    for (const hidden of made.querySelectorAll("[hidden]")) hidden.hidden = false;
    node.querySelector(":scope > [data-rows]").append(made);
    return made;
  }

  #clicked(event) {
    const button = event.target.closest("button");
    if (!button || !this.root.contains(button)) return;
    const row = button.closest("[data-row]");
    if ("add" in button.dataset) {
      this.#add(button.closest('[data-kind="array"]')).querySelector("input, textarea, select")?.focus();
    } else if ("remove" in button.dataset) {
      const near = row.nextElementSibling ?? row.previousElementSibling;
      const list = row.closest('[data-kind="array"]');
      row.remove();
      (near ?? list).querySelector("textarea, input, select, [data-add]")?.focus();
    } else if (button.dataset.move === "-1") {
      row.previousElementSibling?.before(row);
      button.focus();
    } else if (button.dataset.move === "1") {
      row.nextElementSibling?.after(row);
      button.focus();
    } else {
      return;
    }
    this.#touched();
  }

  // In a short text Enter goes on to the next field; with Shift, or in a long text, it is a new line.
  #entered(event) {
    const { target } = event;
    if (event.key !== "Enter" || event.shiftKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    if (!target.matches("input, textarea") || target.matches(".af-code")) return;
    if (target.matches("textarea") && (target.value.length > SHORT || target.value.includes("\n"))) return;
    event.preventDefault();
    const controls = [...this.root.querySelectorAll("textarea, select, input:not([type=radio]), input[type=radio]:checked")];
    controls[controls.indexOf(target) + 1]?.focus();
  }
}
