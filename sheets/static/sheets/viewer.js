// Pictures to zoom and pan, and PDFs drawn by pdf.js, from figures with data-viewer (sheets/source.html).

const VENDOR = new URL("./vendor/pdfjs/", import.meta.url).href;
const MOST = 12;
const STEP = 1.3;
const between = (value, low, high) => Math.min(high, Math.max(low, value));

const pictures = new WeakMap();

export function bringToLife(root) {
  for (const figure of root.querySelectorAll("[data-viewer]:not(.viewer-live)")) {
    figure.classList.add("viewer-live");
    if (figure.dataset.viewer === "image") pictures.set(figure, new Picture(figure));
    if (figure.dataset.viewer === "pdf") new Document(figure);
  }
}

// The living picture with a file's name, once its pixels are known; undefined where there is none.
export async function pictureNamed(root, name) {
  const figure = [...root.querySelectorAll('[data-viewer="image"].viewer-live')].find((each) => each.dataset.name === name);
  const picture = pictures.get(figure);
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

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const acts = { "+": () => this.by(STEP), "=": () => this.by(STEP), "-": () => this.by(1 / STEP), 0: () => this.fit(), ...this.moves };
    if (!acts[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    acts[event.key]();
  }
}

class Picture extends Viewer {
  constructor(figure) {
    super(figure);
    this.image = this.stage.querySelector("img");
    [this.x, this.y] = [0, 0];
    const fit = () => {
      this.stage.style.aspectRatio = `${this.image.naturalWidth} / ${this.image.naturalHeight}`;
    };
    if (this.image.complete && this.image.naturalWidth) fit();
    this.image.addEventListener("load", fit);
    this.image.addEventListener("error", () => this.stage.replaceChildren(Object.assign(document.createElement("p"), { className: "viewer-link", textContent: `${figure.dataset.name} cannot be shown.` })));
    this.moves = { ArrowLeft: () => this.pan(60, 0), ArrowRight: () => this.pan(-60, 0), ArrowUp: () => this.pan(0, 60), ArrowDown: () => this.pan(0, -60) };
    this.stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      const box = this.stage.getBoundingClientRect();
      this.by(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
    }, { passive: false });
    this.stage.addEventListener("pointerdown", (event) => this.grab(event));
    this.stage.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel"]) this.stage.addEventListener(name, () => this.release());
    this.stage.addEventListener("dblclick", (event) => {
      if (this.isTaken(event)) return;
      const box = this.stage.getBoundingClientRect();
      if (this.zoom > 1) this.fit();
      else this.by(2.5, event.clientX - box.left, event.clientY - box.top);
    });
  }

  // Whether something drawn on the picture wants the pointer for itself; see marking.js.
  isTaken() {
    return false;
  }

  grab(event) {
    this.grabbed = event.button === 0 && !this.isTaken(event) ? { id: event.pointerId, far: 0 } : null;
  }

  // The pointer is captured once it has moved, so that a click still reaches what is drawn on the picture.
  drag(event) {
    if (this.grabbed?.id !== event.pointerId) return;
    this.grabbed.far += Math.abs(event.movementX) + Math.abs(event.movementY);
    if (this.grabbed.far < 4) return;
    this.stage.setPointerCapture(event.pointerId);
    this.stage.classList.add("dragged");
    this.pan(event.movementX, event.movementY);
  }

  release() {
    this.grabbed = null;
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
  return library;
};
const documents = new Map();

// The opened document of an address; the latest few are kept, so that the next item's is there already.
export function opened(url) {
  if (!documents.has(url)) {
    const options = { url, cMapUrl: `${VENDOR}cmaps/`, cMapPacked: true, standardFontDataUrl: `${VENDOR}standard_fonts/`, wasmUrl: `${VENDOR}wasm/`, useWasm: false, isEvalSupported: false };
    const task = pdfjs().then((loaded) => loaded.getDocument(options).promise);
    task.catch(() => documents.delete(url));
    documents.set(url, task);
    if (documents.size > 6) {
      const [oldest, old] = documents.entries().next().value;
      documents.delete(oldest);
      old.then((pdf) => pdf.destroy(), () => {});
    }
  }
  return documents.get(url);
}

class Document extends Viewer {
  constructor(figure) {
    super(figure);
    this.turn = 0;
    this.moves = {};
    this.link = this.stage.querySelector(".viewer-link");
    this.draw();
  }

  by(factor) {
    this.zoom = between(this.zoom * factor, 0.5, 5);
    this.draw();
  }

  fit() {
    this.zoom = 1;
    this.draw();
  }

  async draw() {
    const turn = (this.turn += 1);
    try {
      const pdf = await opened(this.figure.dataset.url);
      const canvases = [];
      for (let number = 1; number <= pdf.numPages; number += 1) {
        const canvas = await this.drawn(await pdf.getPage(number));
        if (turn !== this.turn) return; // zoomed again meanwhile
        canvas.setAttribute("role", "img");
        canvas.setAttribute("aria-label", `Page ${number} of ${pdf.numPages} of ${this.figure.dataset.name}`);
        canvases.push(canvas);
        if (number === 1) this.stage.replaceChildren(canvas);
      }
      this.stage.replaceChildren(...canvases);
      this.figure.dataset.drawn = pdf.numPages;
    } catch (error) {
      this.link.prepend(`The PDF cannot be shown (${error.message}). `);
      this.stage.replaceChildren(this.link);
    }
  }

  async drawn(page) {
    const width = Math.max(200, this.stage.clientWidth - 18) * this.zoom;
    const scale = width / page.getViewport({ scale: 1 }).width;
    const sharp = Math.min(2, window.devicePixelRatio || 1);
    const viewport = page.getViewport({ scale: scale * sharp });
    const canvas = Object.assign(document.createElement("canvas"), { width: viewport.width, height: viewport.height });
    canvas.style.width = `${viewport.width / sharp}px`;
    await page.render({ canvas, canvasContext: canvas.getContext("2d"), viewport }).promise;
    return canvas;
  }
}
