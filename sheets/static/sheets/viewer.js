// Pictures to zoom and pan, and PDFs drawn by pdf.js, from figures with data-viewer (sheets/source.html).

const VENDOR = new URL("./vendor/pdfjs/", import.meta.url).href;
const MOST = 12;
const STEP = 1.3;
const KEPT = 10; // opened PDFs
const MOST_PIXELS = 16_000_000; // of a canvas; Safari draws nothing on larger ones
const between = (value, low, high) => Math.min(high, Math.max(low, value));

const viewers = new WeakMap();

export function bringToLife(root) {
  for (const figure of root.querySelectorAll("[data-viewer]:not(.viewer-live)")) {
    figure.classList.add("viewer-live");
    if (figure.dataset.viewer === "image") viewers.set(figure, new Picture(figure));
    if (figure.dataset.viewer === "pdf") viewers.set(figure, new Document(figure));
  }
}

// Does what a key says with the first picture or PDF in `root`; false where there is none.
export function pressFirst(root, key) {
  const first = [...root.querySelectorAll("[data-viewer]")].map((figure) => viewers.get(figure)).find(Boolean);
  return Boolean(first?.press(key));
}

const pictureOf = (root, name) => viewers.get([...root.querySelectorAll('[data-viewer="image"].viewer-live')].find((each) => each.dataset.name === name));

// Calls `act` when a picture that could not be shown is there after all.
export function onceShown(root, name, act) {
  pictureOf(root, name)?.image.addEventListener("load", act, { once: true });
}

// The living picture with a file's name, once its pixels are known; undefined where there is none.
export async function pictureNamed(root, name) {
  const picture = pictureOf(root, name);
  await picture?.image.decode().catch(() => {});
  return picture?.image.naturalWidth ? picture : undefined;
}

// Buttons and keys that both kinds share: + and - zoom, 0 fits.
class Viewer {
  constructor(figure) {
    this.figure = figure;
    this.stage = figure.querySelector(".viewer-stage");
    this.zoom = 1;
    const bar = Object.assign(document.createElement("div"), { className: "viewer-bar" });
    const name = Object.assign(document.createElement("span"), { className: "viewer-name", textContent: figure.dataset.name });
    const open = Object.assign(document.createElement("a"), { className: "button quiet", href: figure.dataset.url, target: "_blank", rel: "noopener", textContent: "↗" });
    open.setAttribute("aria-label", `Open ${figure.dataset.name} by itself`);
    bar.append(name, this.button("−", "Zoom out", () => this.by(1 / STEP)), this.button("+", "Zoom in", () => this.by(STEP)), this.button("Fit", "Fit", () => this.fit()), open);
    figure.prepend(bar);
    this.stage.addEventListener("keydown", (event) => this.key(event));
  }

  button(words, label, act) {
    const made = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: words, title: label });
    made.setAttribute("aria-label", label);
    made.addEventListener("click", act);
    return made;
  }

  // Says that the file is not there, and does `again` by hand or when the connection is back.
  missing(words, again, ...more) {
    const place = Object.assign(document.createElement("p"), { className: "viewer-link", textContent: `${words} ` });
    place.append(Object.assign(this.button("Try again", "Try again", again), { className: "" }));
    this.stage.replaceChildren(place, ...more);
    addEventListener("online", () => place.isConnected && again(), { once: true });
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.press(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  // Does what a key says; false for one that says nothing here.
  press(key) {
    const acts = { "+": () => this.by(STEP), "=": () => this.by(STEP), "-": () => this.by(1 / STEP), 0: () => this.fit(), ...this.moves };
    acts[key]?.();
    return key in acts;
  }
}

class Picture extends Viewer {
  constructor(figure) {
    super(figure);
    this.image = this.stage.querySelector("img");
    [this.x, this.y] = [0, 0];
    this.pointers = new Map(); // where each finger, or the mouse, was last
    const fit = () => {
      this.stage.style.aspectRatio = `${this.image.naturalWidth} / ${this.image.naturalHeight}`;
    };
    this.image.addEventListener("load", fit);
    this.image.addEventListener("error", () => this.failed());
    if (this.image.complete && this.image.naturalWidth) fit();
    else if (this.image.complete) this.failed();
    this.moves = { ArrowLeft: () => this.pan(60, 0), ArrowRight: () => this.pan(-60, 0), ArrowUp: () => this.pan(0, 60), ArrowDown: () => this.pan(0, -60) };
    this.stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      const box = this.stage.getBoundingClientRect();
      this.by(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
    }, { passive: false });
    this.stage.addEventListener("pointerdown", (event) => this.grab(event));
    this.stage.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel"]) this.stage.addEventListener(name, (event) => this.release(event));
    this.stage.addEventListener("dblclick", (event) => {
      if (this.wasTaken) return;
      const box = this.stage.getBoundingClientRect();
      if (this.zoom > 1) this.fit();
      else this.by(2.5, event.clientX - box.left, event.clientY - box.top);
    });
  }

  failed() {
    this.missing(`${this.figure.dataset.name} cannot be shown.`, () => {
      this.stage.replaceChildren(this.image);
      this.image.src = this.figure.dataset.url;
    });
  }

  // Whether something drawn on the picture wants the pointer for itself; see marking.js.
  isTaken() {
    return false;
  }

  // A double click is of what its last press was of: the one that ends a polygon is none of the picture.
  grab(event) {
    this.wasTaken = this.isTaken(event);
    if (event.isPrimary) this.pointers.clear();
    if (event.button === 0 && !this.wasTaken) this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, far: 0 });
  }

  // The pointer is captured once it has moved, so that a click still reaches what is drawn on the picture.
  drag(event) {
    const pointer = this.pointers.get(event.pointerId);
    if (!pointer) return;
    const { x, y } = pointer;
    Object.assign(pointer, { x: event.clientX, y: event.clientY, far: pointer.far + Math.abs(event.clientX - x) + Math.abs(event.clientY - y) });
    const other = [...this.pointers.values()].find((one) => one !== pointer);
    if (other) this.pinch(other, { x, y }, pointer);
    if (other || pointer.far < 4) return;
    this.stage.setPointerCapture(event.pointerId);
    this.stage.classList.add("dragged");
    this.pan(pointer.x - x, pointer.y - y);
  }

  // One of two fingers moves: what lies between them is zoomed about their middle, and goes along with it.
  pinch(other, before, now) {
    const far = ({ x, y }) => Math.max(1, Math.hypot(x - other.x, y - other.y));
    const box = this.stage.getBoundingClientRect();
    this.by(far(now) / far(before), (before.x + other.x) / 2 - box.left, (before.y + other.y) / 2 - box.top);
    this.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
  }

  release({ pointerId }) {
    this.pointers.delete(pointerId);
    this.stage.classList.remove("dragged");
  }

  // Moves `frame`, which holds the picture and what is drawn on it, instead of the picture alone. It is sized and not
  // scaled, so that lines and handles on it keep theirs.
  carry(frame) {
    this.frame = frame;
    new ResizeObserver(() => this.draw()).observe(this.stage);
    this.draw();
  }

  // Zoom about a point of the stage, the middle by default.
  by(factor, x = this.stage.clientWidth / 2, y = this.stage.clientHeight / 2) {
    const zoom = between(this.zoom * factor, 1, MOST);
    this.x = x - ((x - this.x) * zoom) / this.zoom;
    this.y = y - ((y - this.y) * zoom) / this.zoom;
    this.zoom = zoom;
    this.draw();
  }

  pan(x, y) {
    this.x += x;
    this.y += y;
    this.draw();
  }

  fit() {
    [this.zoom, this.x, this.y] = [1, 0, 0];
    this.draw();
  }

  draw() {
    this.x = between(this.x, this.stage.clientWidth * (1 - this.zoom), 0);
    this.y = between(this.y, this.stage.clientHeight * (1 - this.zoom), 0);
    if (this.frame) this.place();
    else this.image.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.zoom})`;
  }

  place() {
    const { clientWidth, clientHeight } = this.stage;
    const { naturalWidth, naturalHeight } = this.image;
    const fitted = Math.min(clientWidth / naturalWidth, clientHeight / naturalHeight);
    const [width, height] = [naturalWidth * fitted * this.zoom, naturalHeight * fitted * this.zoom];
    Object.assign(this.frame.style, {
      left: `${this.x + (clientWidth * this.zoom - width) / 2}px`,
      top: `${this.y + (clientHeight * this.zoom - height) / 2}px`,
      width: `${width}px`,
      height: `${height}px`,
    });
  }
}

let library;
const pdfjs = () => {
  library ??= import(`${VENDOR}pdf.min.mjs`).then((loaded) => {
    loaded.GlobalWorkerOptions.workerSrc = `${VENDOR}pdf.worker.min.mjs`;
    return loaded;
  });
  library.catch(() => (library = undefined));
  return library;
};
const documents = new Map();

// Closes what nobody looks at once there are many; the one on the screen stays, and `latest`, which is about to be shown.
function forgetOldest(latest) {
  const shown = [...document.querySelectorAll('[data-viewer="pdf"]')].map((figure) => figure.dataset.url);
  const others = [...documents.keys()].filter((url) => url !== latest && !shown.includes(url));
  for (const url of others.slice(0, Math.max(0, documents.size - KEPT))) {
    documents.get(url).then((pdf) => pdf.destroy(), () => {});
    documents.delete(url);
  }
}

// The opened document of an address; the latest few are kept, so that the next item's is there already.
export function opened(url) {
  if (!documents.has(url)) {
    const options = { url, cMapUrl: `${VENDOR}cmaps/`, cMapPacked: true, standardFontDataUrl: `${VENDOR}standard_fonts/`, wasmUrl: `${VENDOR}wasm/`, useWasm: false, isEvalSupported: false };
    const task = pdfjs().then((loaded) => loaded.getDocument(options).promise);
    task.catch(() => documents.delete(url));
    documents.set(url, task);
    forgetOldest(url);
  }
  return documents.get(url);
}

// Each page has its room; drawn are those near the view, as a drawn page takes some megabytes.
class Document extends Viewer {
  constructor(figure) {
    super(figure);
    this.turn = 0;
    this.moves = {};
    this.link = this.stage.querySelector(".viewer-link");
    this.near = new Set();
    this.drawing = Promise.resolve();
    this.watch = new IntersectionObserver((entries) => this.moved(entries), { root: this.stage, rootMargin: "100% 0px" });
    this.open();
  }

  by(factor) {
    this.zoom = between(this.zoom * factor, 0.5, 5);
    this.draw();
  }

  fit() {
    this.zoom = 1;
    this.draw();
  }

  open() {
    return this.pages().catch((error) => this.failed(error));
  }

  async pages() {
    this.pdf = await opened(this.figure.dataset.url);
    // The first page tells the room of all until they are near: to ask each would fetch the whole file.
    const first = await this.pdf.getPage(1);
    this.rooms = Array.from({ length: this.pdf.numPages }, (_, at) => this.room(at + 1));
    for (const room of this.rooms) this.fitted(room, first);
    this.stage.replaceChildren(...this.rooms);
    for (const room of this.rooms) this.watch.observe(room);
  }

  room(number) {
    const made = Object.assign(document.createElement("div"), { className: "viewer-page" });
    made.dataset.page = number;
    made.setAttribute("role", "img");
    made.setAttribute("aria-label", `Page ${number} of ${this.pdf.numPages} of ${this.figure.dataset.name}`);
    return made;
  }

  get width() {
    return Math.max(200, this.stage.clientWidth - 18) * this.zoom;
  }

  // Gives a room the size of its page, and returns that.
  fitted(room, page) {
    const { width, height } = page.getViewport({ scale: this.width / page.getViewport({ scale: 1 }).width });
    Object.assign(room.style, { width: `${width}px`, aspectRatio: `${width} / ${height}` });
    return { width, height };
  }

  // Draws what came near, and frees what went away; a figure that has left the page takes all of its pages along.
  moved(entries) {
    if (!this.figure.isConnected) this.watch.disconnect();
    for (const { target: room, isIntersecting } of entries) {
      if (isIntersecting) {
        this.near.add(room);
        this.soon(room);
      } else if (this.near.delete(room)) this.free(room);
    }
  }

  draw() {
    this.turn += 1;
    for (const room of this.rooms ?? []) room.style.width = `${this.width}px`;
    for (const room of this.near) this.soon(room);
  }

  // One page after the other: who scrolls through many waits for none of those that are far again.
  soon(room) {
    const { turn } = this;
    const isWanted = () => turn === this.turn && this.near.has(room) && this.figure.isConnected;
    this.drawing = this.drawing.then(() => isWanted() && this.drawn(room, isWanted)).catch((error) => {
      room.textContent = `This page cannot be shown (${error.message}).`;
    });
  }

  async drawn(room, isWanted) {
    const page = await this.pdf.getPage(Number(room.dataset.page));
    const { width, height } = this.fitted(room, page);
    const sharp = Math.min(2, window.devicePixelRatio || 1, Math.sqrt(MOST_PIXELS / (width * height)));
    const viewport = page.getViewport({ scale: (width / page.getViewport({ scale: 1 }).width) * sharp });
    const canvas = Object.assign(document.createElement("canvas"), { width: viewport.width, height: viewport.height });
    await page.render({ canvas, canvasContext: canvas.getContext("2d"), viewport }).promise;
    if (!isWanted()) return;
    room.replaceChildren(canvas);
    this.figure.dataset.drawn = this.pdf.numPages;
  }

  free(room) {
    for (const canvas of room.children) canvas.width = 0; // frees it now, and not when garbage is collected
    room.replaceChildren();
    this.pdf.getPage(Number(room.dataset.page)).then((page) => page.cleanup(), () => {});
  }

  failed(error) {
    if (!this.figure.isConnected) return;
    this.missing(`The PDF cannot be shown (${error.message}).`, () => this.open(), this.link);
  }
}
