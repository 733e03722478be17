// What comes next: the pairs of the queue, and the parts of the screen of each, fetched ahead with their files.
import { opened } from "../../sheets/viewer.js";
import { call, page } from "./net.js";

const AHEAD = 2;
const KEPT = 16;
const SKIPPED = 50;

export class Queue {
  constructor(setup) {
    this.setup = setup;
    this.coming = [];
    this.passed = new Set(); // decided or skipped here
    this.skipped = [];
    this.items = new Map();
  }

  // The next pair's id that was not shown yet, or null where the queue has none.
  async next(shown) {
    let found = this.#candidates(shown);
    if (found.length <= AHEAD) {
      await this.refresh();
      found = this.#candidates(shown);
    }
    return found[0]?.id ?? null;
  }

  async refresh() {
    const { training_sheet: sheet, query, windowed } = this.setup;
    // What is decided leaves the queue of what waits; pairs of a filter may stay, so it is read on from the last one.
    const last = this.coming.at(-1)?.id;
    const on = windowed ? this.skipped.slice(-SKIPPED).map((id) => `&skip=${id}`).join("") : last ? `&after=${last}` : "";
    const { status: code, data } = await call("GET", `/training-sheets/${sheet}/queue?${query}&limit=30${on}`);
    if (code === 200) this.coming = windowed ? data : [...this.coming.filter((pair) => !this.passed.has(pair.id)), ...data];
    else throw Object.assign(new Error(data?.error?.message ?? `The queue answered ${code}.`), { status: code });
  }

  // Fetches what comes after `shown` without taking it.
  async prepare(shown) {
    if (this.#candidates(shown).length <= AHEAD) await this.refresh();
    for (const pair of this.#candidates(shown).slice(0, AHEAD)) {
      const fragment = await this.item(pair.id).catch(() => null);
      for (const figure of fragment?.querySelectorAll("[data-viewer]") ?? []) {
        if (figure.dataset.viewer === "image") new Image().src = figure.dataset.url;
        if (figure.dataset.viewer === "pdf") opened(figure.dataset.url).catch(() => {});
      }
    }
  }

  // The parts of the screen of a pair, as a document; fetched anew after `forget`.
  item(id) {
    if (!this.items.has(id)) {
      const fetched = page(`${this.setup.page}pairs/${id}`).then((text) => new DOMParser().parseFromString(text, "text/html"));
      fetched.catch(() => this.items.delete(id));
      this.items.set(id, fetched);
      if (this.items.size > KEPT) this.items.delete(this.items.keys().next().value);
    }
    return this.items.get(id);
  }

  forget(id) {
    this.items.delete(id);
  }

  pass(id, isSkipped = false) {
    this.passed.add(id);
    if (isSkipped) this.skipped.push(id);
  }

  back(id) {
    this.passed.delete(id);
    this.skipped = this.skipped.filter((one) => one !== id);
  }

  // Gives the skipped ones out again; returns how many.
  again() {
    const count = this.skipped.length;
    for (const id of this.skipped) this.passed.delete(id);
    this.skipped = [];
    this.coming = [];
    return count;
  }

  // The next pair is nobody's to take away, whatever one may.
  hold(id) {
    return call("POST", `/qa-pairs/${id}/hold`, { take_over: false });
  }

  letGo(id) {
    return call("POST", `/qa-pairs/${id}/let-go`, undefined, { keepalive: true }).catch(() => {});
  }

  #candidates(shown) {
    return this.coming.filter((pair) => pair.id !== shown && !this.passed.has(pair.id));
  }
}
