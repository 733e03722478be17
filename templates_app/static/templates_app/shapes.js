// The boxes and polygons of an answer: rows of numbers in the form, and the same shapes on the picture beside it.
import { Marking, dye } from "../sheets/marking.js";
import { onceShown } from "../sheets/viewer.js";

const NUMBERS = /^[\s,;()[\]]*(-?\d+(\.\d+)?[\s,;()[\]]+)*-?\d+(\.\d+)?[\s,;()[\]]*$/;
const NUMBER = /-?\d+(?:\.\d+)?/g;
const MOST = 50; // steps to take back
const json = (text) => JSON.parse(text || "{}");
const text = ({ label, box, polygon }) => `${label ?? "no label"}: ${box ? `box ${box.x},${box.y} ${box.width}×${box.height}` : `polygon ${polygon.map((point) => point.join(",")).join(" ")}`}`;

// The value in words, a line for each shape, as its changes are shown.
export const inWords = (value) => (value?.shapes ? [`${value.image} ${value.width}×${value.height}`, ...value.shapes.map(text)].join("\n") : value);

export class Shapes {
  // `node` is the fieldset of answer_shapes.html; `changed` is called after every change by hand.
  constructor(node, changed) {
    Object.assign(this, { node, changed, past: [], selected: null, counter: 0, latest: "" });
    [this.place, this.picture, this.nothing, this.bar] = ["shapes", "picture", "nothing", "draw"].map((name) => node.querySelector(`[data-${name}]`));
    this.readOnly = !this.bar;
    this.drawn = Promise.resolve();
    for (const row of this.rows) this.#prepare(row);
    for (const hidden of node.querySelectorAll("[data-by-number]")) hidden.hidden = !this.picture;
    node.addEventListener("focusin", (event) => this.#focused(event));
    node.addEventListener("input", (event) => this.#typed(event));
    node.addEventListener("click", (event) => this.#clicked(event));
    this.#draw();
  }

  get rows() {
    return [...this.place.children].filter((row) => row.matches("[data-shape]"));
  }

  // The value that the rows hold, or undefined; as templates_app.shape_fields reads it.
  get value() {
    const shapes = this.rows.map((row) => this.#read(row)).filter(Boolean);
    if (!shapes.length && !this.nothing.checked) return undefined;
    return { ...json(this.picture?.value), shapes };
  }

  fill(value) {
    const { shapes = [], ...picture } = value ?? {};
    this.place.replaceChildren();
    for (const shape of shapes) this.#add(shape);
    this.nothing.checked = Boolean(value) && !shapes.length;
    if (Object.keys(picture).length && this.picture) this.picture.value = JSON.stringify(picture);
    this.#draw();
    this.marking?.show(this.#shown());
  }

  // Shows the shapes on the picture that is in `root` from now on; again where another picture is chosen.
  drawOn(root) {
    this.root = root;
    this.drawn = this.drawn.then(() => this.#mark());
  }

  draw(tool) {
    if (this.readOnly || !this.marking || !this.bar.querySelector(`[data-tool="${tool}"]`)) return false;
    this.marking.draw(this.marking.tool === tool ? null : tool);
    return true;
  }

  // Whether a polygon is begun and not closed.
  get isBegun() {
    return Boolean(this.marking?.isBegun);
  }

  // Gives the selected shape the label of a digit; false where there is none.
  digit(number) {
    const option = this.#row(this.selected)?.querySelector(`[data-digit="${number}"]`);
    if (!option || this.readOnly) return false;
    this.#remember();
    option.selected = true;
    this.latest = option.value;
    this.#altered();
    return true;
  }

  async #mark() {
    this.marking?.end();
    const size = json(this.picture?.value);
    this.marking = this.picture && (await Marking.on(this.root, size.image, size, this));
    if (!this.marking) return onceShown(this.root, size.image, () => this.drawOn(this.root));
    if (this.bar) this.bar.hidden = false;
    const on = (name, act) => this.marking.addEventListener(name, ({ detail }) => act(detail));
    on("grabbed", () => this.#remember());
    on("drawn", ({ id, shape }) => {
      this.#add({ label: this.latest, ...shape }, id);
      this.#select(id);
      this.#altered();
      this.marking.show(this.#shown());
    });
    on("moved", ({ id, shape }) => {
      this.#write(this.#row(id), shape);
      this.soon ??= requestAnimationFrame(() => this.#altered());
    });
    on("selected", ({ id }) => this.#select(id));
    on("deleted", ({ id }) => this.#remove(this.#row(id)));
    on("undo", () => this.takeBack());
    on("tool", ({ tool }) => {
      for (const button of this.bar?.querySelectorAll("[data-tool]") ?? []) button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
    });
    this.marking.show(this.#shown());
  }

  // Undoes the latest change of a shape; what was decided about the pair has an undo of its own.
  takeBack() {
    const now = JSON.stringify(this.value) ?? "";
    let before = this.past.pop();
    while (before === now) before = this.past.pop();
    if (before === undefined) return;
    this.fill(before === "" ? undefined : JSON.parse(before));
    this.changed();
  }

  #remember() {
    const now = JSON.stringify(this.value) ?? "";
    if (this.past.at(-1) !== now) this.past = [...this.past, now].slice(-MOST);
  }

  #row(id) {
    return id && this.rows.find((row) => row.dataset.id === id);
  }

  #add(shape, id) {
    const kind = shape.box ? "box" : "polygon";
    const row = this.node.querySelector(`template[data-of="${kind}"]`).content.firstElementChild.cloneNode(true);
    this.place.append(row);
    this.#prepare(row, id);
    const label = row.querySelector("[data-label]");
    if (shape.label && ![...label.options].some(({ value }) => value === shape.label)) label.add(new Option(shape.label));
    if (shape.label) label.value = shape.label;
    this.#write(row, shape);
    return row;
  }

  #prepare(row, id = `shape-${(this.counter += 1)}`) {
    row.dataset.id = id;
    for (const button of row.querySelectorAll("[data-delete]")) button.hidden = false;
  }

  #read(row) {
    const label = row.querySelector("[data-label]").value;
    const named = label ? { label } : {};
    if (row.dataset.shape === "box") {
      const sides = [...row.querySelectorAll("[data-side]")].filter((input) => input.value.trim()).map((input) => [input.dataset.side, Number(input.value)]);
      return sides.length ? { ...named, box: Object.fromEntries(sides) } : null;
    }
    const typed = row.querySelector("[data-points]").value;
    if (!typed.trim()) return null;
    const numbers = NUMBERS.test(typed) ? typed.match(NUMBER).map(Number) : [];
    if (!numbers.length || numbers.length % 2) return { ...named, polygon: typed };
    return { ...named, polygon: numbers.flatMap((x, at) => (at % 2 ? [] : [[x, numbers[at + 1]]])) };
  }

  #write(row, { box, polygon }) {
    for (const input of row.querySelectorAll("[data-side]")) input.value = box?.[input.dataset.side] ?? "";
    const points = row.querySelector("[data-points]");
    if (points) points.value = (polygon ?? []).map((point) => point.join(",")).join(" ");
  }

  #remove(row) {
    if (!row || this.readOnly) return;
    this.#remember();
    const near = row.nextElementSibling ?? row.previousElementSibling;
    const focused = row.contains(document.activeElement);
    row.remove();
    if (row.dataset.id === this.selected) this.#select(null);
    if (focused) (near?.querySelector("[data-delete]") ?? this.nothing).focus();
    this.#altered();
    this.marking?.show(this.#shown());
  }

  // What can be drawn: rows that are not filled in yet cannot.
  #shown() {
    return this.rows.flatMap((row, at) => {
      const shape = this.#read(row);
      const { colour } = row.dataset;
      const label = shape?.label ? row.querySelector("[data-label]").selectedOptions[0].textContent : "";
      const whole = shape?.box ? Object.keys(shape.box).length === 4 && shape.box.width > 0 && shape.box.height > 0 : Array.isArray(shape?.polygon) && shape.polygon.length > 2;
      return whole ? [{ id: row.dataset.id, words: `${at + 1} ${label}`, colour, shape }] : [];
    });
  }

  #select(id) {
    this.selected = id;
    for (const row of this.rows) row.classList.toggle("selected", row.dataset.id === id);
    this.#row(id)?.scrollIntoView({ block: "nearest" });
  }

  #altered() {
    this.soon = null;
    this.#draw();
    this.marking?.name(this.#shown());
    this.changed();
  }

  #draw() {
    for (const [at, row] of this.rows.entries()) {
      row.querySelector("[data-number]").textContent = at + 1;
      dye(row, row.querySelector("[data-label]").selectedOptions[0]?.dataset.colour);
      const name = `${row.dataset.shape === "box" ? "Box" : "Polygon"} ${at + 1}`;
      row.setAttribute("aria-label", name);
      row.querySelector("[data-delete]")?.setAttribute("aria-label", `Delete ${name.toLowerCase()}`);
    }
    if (this.rows.length) this.nothing.checked = false;
    this.nothing.closest("label").hidden = this.rows.length > 0;
    for (const button of this.node.querySelectorAll("[data-take-back]")) button.disabled = !this.past.length;
  }

  #focused({ target }) {
    const row = target.closest("[data-shape]");
    if (!row || target.matches("[data-delete]")) return;
    this.#remember();
    if (row.dataset.id === this.selected) return;
    this.#select(row.dataset.id);
    this.marking?.select(this.#shown().some(({ id }) => id === this.selected) ? this.selected : null);
  }

  #typed({ target }) {
    if (target.matches("[data-picture]")) this.#otherPicture();
    if (target.matches("[data-label]")) this.latest = target.value;
    this.#draw();
    if (target.matches("[data-side], [data-points]")) this.marking?.show(this.#shown(), this.selected);
    else this.marking?.name(this.#shown());
  }

  // The same picture in another size keeps its shapes where they are seen.
  #otherPicture() {
    const [before, now] = [this.marking?.size ?? {}, json(this.picture.value)];
    if (before.image === now.image && before.width && before.height) {
      const scaled = ([x, y]) => [Math.round((x * now.width) / before.width), Math.round((y * now.height) / before.height)];
      for (const row of this.rows) {
        const { box, polygon } = this.#read(row) ?? {};
        if (box) {
          const [[x, y], [width, height]] = [scaled([box.x, box.y]), scaled([box.width, box.height])];
          this.#write(row, { box: { x, y, width, height } });
        } else if (Array.isArray(polygon)) this.#write(row, { polygon: polygon.map(scaled) });
      }
    }
    if (this.root) this.drawOn(this.root);
  }

  #clicked({ target }) {
    const button = target.closest("button");
    if (!button) return;
    if ("tool" in button.dataset) this.draw(button.dataset.tool);
    else if ("takeBack" in button.dataset) this.takeBack();
    else if ("delete" in button.dataset) this.#remove(button.closest("[data-shape]"));
    else if ("new" in button.dataset) {
      this.#remember();
      const row = this.#add({ label: this.latest, [button.dataset.new]: undefined, ...(button.dataset.new === "box" ? { box: {} } : {}) });
      row.querySelector("[data-side], [data-points]").focus();
      this.#altered();
    }
  }
}
