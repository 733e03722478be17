// Boxes and polygons on a picture of the viewer, drawn by Annotorious: shapes go in and come out in pixels.
import { pictureNamed } from "./viewer.js";

const VENDOR = new URL("./vendor/annotorious/", import.meta.url).href;
const SVG = "http://www.w3.org/2000/svg";
const TOOLS = { box: ["rectangle", "drag"], polygon: ["polygon", "click"] };
const CLICK = [300, 15]; // milliseconds and pixels: what takes longer or goes farther is no point to Annotorious
const LETTERS = 13; // pixels of the screen
const typing = (target) => target.matches?.("textarea, select, input:not([type=radio], [type=checkbox])");
const between = (value, low, high) => Math.min(high, Math.max(low, value));

// Gives a part of the page the colour of a label, by its number in viewer.css; none takes it away.
export function dye(node, colour) {
  if (colour) node.dataset.colour = colour;
  else delete node.dataset.colour;
}

let library;
const annotorious = () => {
  if (!library) {
    document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: `${VENDOR}annotorious.css` }));
    library = import(`${VENDOR}annotorious.js`).then(() => globalThis.Annotorious);
  }
  return library;
};

// Events, with detail {id, shape}: "drawn", "moved"; {id}: "selected" (null for none), "deleted"; "grabbed", "undo", "tool".
export class Marking extends EventTarget {
  // Marks the picture called `name` in `root`, whose pixels are counted as `size` says; undefined where there is none.
  static async on(root, name, size, { readOnly }) {
    const [picture, loaded] = await Promise.all([pictureNamed(root, name), annotorious()]);
    return picture && new Marking(picture, loaded, size, readOnly);
  }

  constructor(picture, { createImageAnnotator, UserSelectAction }, size, readOnly) {
    super();
    Object.assign(this, { picture, size, tool: null, clicks: [], shapes: [], selected: null });
    picture.image.style.transform = "";
    // Without its `style`, which would be inline attributes; the page's policy refuses those.
    this.annotator = createImageAnnotator(picture.image, { drawingEnabled: false, userSelectAction: readOnly ? UserSelectAction.SELECT : UserSelectAction.EDIT });
    this.frame = this.annotator.element;
    this.frame.classList.add("viewer-marked");
    const layer = this.frame.querySelector(".a9s-annotationlayer");
    this.layer = layer;
    layer.setAttribute("tabindex", "-1");
    layer.setAttribute("aria-label", `Shapes on ${picture.figure.dataset.name}`);
    // Its handles are buttons without names; the keyboard has the numbers in the form instead.
    new MutationObserver(() => {
      for (const handle of layer.querySelectorAll("[role=button]:not([aria-label])")) {
        handle.setAttribute("aria-label", "Handle");
        handle.setAttribute("tabindex", "-1");
      }
      this.#colour();
    }).observe(layer, { childList: true, subtree: true });
    // A press on a shape would select that, and end what is being drawn inside it.
    layer.addEventListener("pointerup", (event) => this.tool && event.stopPropagation(), true);
    this.numbers = this.frame.appendChild(document.createElementNS(SVG, "svg"));
    this.numbers.setAttribute("class", "viewer-numbers");
    this.numbers.setAttribute("aria-hidden", "true");
    this.numbers.setAttribute("viewBox", `0 0 ${picture.image.naturalWidth} ${picture.image.naturalHeight}`);
    picture.isTaken = (event) => this.tool !== null || Boolean(event.target.closest?.(".a9s-annotation.selected"));
    picture.carry(this.frame);
    this.resized = new ResizeObserver(() => this.#number());
    this.resized.observe(this.frame);
    this.annotator.state.store.observe((event) => event.origin === "LOCAL" && this.#heard(event.changes));
    this.annotator.on("selectionChanged", ([one]) => this.#chosen(one?.id ?? null));
    this.ended = new AbortController();
    const { signal } = this.ended;
    picture.stage.addEventListener("pointerdown", (event) => this.#grabbed(event), { capture: true, signal });
    picture.stage.addEventListener("pointerup", (event) => this.#clicked(event), { capture: true, signal });
    // Before Annotorious, which would undo on its own, also while somebody types.
    addEventListener("keydown", (event) => this.#pressed(event), { capture: true, signal });
  }

  // Shows [{id, words, colour, shape}], the one called `selected` as such.
  show(shapes, selected = this.selected) {
    this.shapes = shapes;
    this.selected = selected;
    this.quiet = true;
    this.annotator.setAnnotations(shapes.map(({ id, shape }) => ({ id, bodies: [], target: { annotation: id, selector: this.#selector(shape) } })), true);
    const still = shapes.some(({ id }) => id === this.selected);
    this.annotator.setSelected(still ? this.selected : undefined);
    this.quiet = false;
    this.#number();
  }

  // The same shapes with other words, without drawing them anew.
  name(shapes) {
    this.shapes = shapes;
    this.#number();
  }

  select(id) {
    this.selected = id;
    this.quiet = true;
    this.annotator.setSelected(id ?? undefined);
    this.quiet = false;
    this.#number();
  }

  // Draws with a tool, or with none.
  draw(tool) {
    this.tool = tool;
    this.clicks = [];
    this.picture.figure.classList.toggle("viewer-drawing", tool !== null);
    this.annotator.cancelDrawing();
    if (tool) {
      this.select(null);
      this.#tell("selected", { id: null });
      const [name, mode] = TOOLS[tool];
      this.annotator.setDrawingMode(mode);
      this.annotator.setDrawingTool(name);
      this.picture.stage.focus({ preventScroll: true });
    }
    this.annotator.setDrawingEnabled(tool !== null);
    this.#tell("tool", { tool });
  }

  end() {
    this.ended.abort();
    this.resized.disconnect();
    this.annotator.destroy();
    this.picture.frame = null;
    this.picture.isTaken = () => false;
    this.picture.draw();
  }

  // Whether a polygon has points and is not closed, by which it would be a shape.
  get isBegun() {
    return this.clicks.length > 0;
  }

  #grabbed(event) {
    this.pressed = event;
    this.#tell("grabbed");
  }

  // Where a polygon gets its points, as shares of the picture.
  #clicked({ target, clientX, clientY, timeStamp }) {
    if (this.tool !== "polygon" || !this.frame.contains(target) || !this.pressed) return;
    const [most, far] = CLICK;
    if (timeStamp - this.pressed.timeStamp > most || Math.hypot(clientX - this.pressed.clientX, clientY - this.pressed.clientY) > far) return;
    const { left, top, width, height } = this.frame.getBoundingClientRect();
    this.clicks.push([(clientX - left) / width, (clientY - top) / height]);
  }

  // A click on its first point closes the polygon.
  #close() {
    if (this.clicks.length < 3) return;
    const { left, top, width, height } = this.frame.getBoundingClientRect();
    const [[x, y]] = this.clicks;
    const at = { bubbles: true, pointerId: 1, isPrimary: true, clientX: left + x * width, clientY: top + y * height };
    for (const name of ["pointermove", "pointerdown", "pointerup"]) this.layer.dispatchEvent(new PointerEvent(name, at));
  }

  #heard({ created = [], updated = [] }) {
    for (const { id, target } of created) {
      this.selected = id;
      this.#tell("drawn", { id, shape: this.#shape(target.selector) });
      this.draw(null);
      this.annotator.setSelected(id);
    }
    for (const { newValue } of updated) this.#tell("moved", { id: newValue.id, shape: this.#shape(newValue.target.selector) });
  }

  #chosen(id) {
    if (this.quiet || this.tool) return;
    this.selected = id;
    this.#number();
    this.#tell("selected", { id });
  }

  #pressed(event) {
    if (!this.frame.isConnected) return this.ended.abort();
    if (typing(event.target) || document.querySelector("dialog[open]")) return this.#isUndo(event) && event.stopImmediatePropagation();
    if (this.#isUndo(event)) this.#tell("undo");
    else if (event.key === "Delete" && this.selected) this.#tell("deleted", { id: this.selected });
    else if (event.key === "Escape" && this.tool) this.draw(null);
    else if (this.isBegun && this.#isClosing(event)) this.#close();
    else return undefined;
    event.preventDefault();
    return event.stopImmediatePropagation();
  }

  #isUndo(event) {
    return (event.ctrlKey || event.metaKey) && ["z", "y"].includes(event.key.toLowerCase());
  }

  #isClosing({ key, ctrlKey, metaKey, target }) {
    return key === "Enter" && !ctrlKey && !metaKey && !target.closest?.("button, summary, a");
  }

  // How many pixels of the file, as the browser sees it, one of `size` is.
  get #factors() {
    const { naturalWidth, naturalHeight } = this.picture.image;
    return [naturalWidth / (this.size.width || naturalWidth), naturalHeight / (this.size.height || naturalHeight)];
  }

  #selector({ box, polygon }) {
    const [across, down] = this.#factors;
    const points = (polygon ?? [[box.x, box.y], [box.x + box.width, box.y + box.height]]).map(([x, y]) => [x * across, y * down]);
    const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
    const bounds = { minX: Math.min(...xs), minY: Math.min(...ys), maxX: Math.max(...xs), maxY: Math.max(...ys) };
    if (polygon) return { type: "POLYGON", geometry: { bounds, points } };
    return { type: "RECTANGLE", geometry: { bounds, rot: 0, x: bounds.minX, y: bounds.minY, w: bounds.maxX - bounds.minX, h: bounds.maxY - bounds.minY } };
  }

  // Whole pixels inside the picture: a hand is not more exact.
  #shape({ type, geometry }) {
    const [across, down] = this.#factors;
    const { naturalWidth, naturalHeight } = this.picture.image;
    const [width, height] = [Math.round(naturalWidth / across), Math.round(naturalHeight / down)];
    const point = ([x, y]) => [between(Math.round(x / across), 0, width), between(Math.round(y / down), 0, height)];
    if (type === "POLYGON") return { polygon: geometry.points.map(point) };
    const [left, top] = point([geometry.x, geometry.y]);
    const [right, bottom] = point([geometry.x + geometry.w, geometry.y + geometry.h]);
    const [x, y] = [Math.min(left, width - 1), Math.min(top, height - 1)];
    return { box: { x, y, width: Math.max(1, right - x), height: Math.max(1, bottom - y) } };
  }

  // Annotorious draws a shape anew when it is selected or let go; the one that is selected has no name there.
  #colour() {
    const colours = new Map(this.shapes.map(({ id, colour }) => [id, colour]));
    for (const drawn of this.frame.querySelectorAll(".a9s-annotation:not(.a9s-rubberband)")) dye(drawn, colours.get(drawn.dataset.id ?? this.selected));
  }

  // Writes at each shape its number and label, of one size whatever the zoom.
  #number() {
    this.#colour();
    const size = (LETTERS * this.picture.image.naturalWidth) / (this.frame.clientWidth || 1);
    this.numbers.replaceChildren(...this.shapes.map(({ id, words, colour, shape }) => {
      const { bounds } = this.#selector(shape).geometry;
      const text = document.createElementNS(SVG, "text");
      text.setAttribute("x", bounds.minX);
      text.setAttribute("y", bounds.minY > size * 1.4 ? bounds.minY - size * 0.4 : bounds.minY + size * 1.2);
      text.setAttribute("font-size", size);
      text.setAttribute("class", id === this.selected ? "selected" : "");
      text.textContent = words;
      dye(text, colour);
      return text;
    }));
  }

  #tell(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
