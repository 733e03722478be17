// The parts of the screen of items that come next, fetched ahead with their files.
import { page } from "../workbench/screen/net.js";
import { opened } from "./viewer.js";

const KEPT = 16;

export class Fragments {
  // `address(id)` is where the parts of an item are.
  constructor(address) {
    this.address = address;
    this.items = new Map();
  }

  // The parts of the screen of an item, as a document; fetched anew after `forget`.
  item(id) {
    if (!this.items.has(id)) {
      const fetched = page(this.address(id)).then((text) => new DOMParser().parseFromString(text, "text/html"));
      fetched.catch(() => this.items.delete(id));
      this.items.set(id, fetched);
      if (this.items.size > KEPT) this.items.delete(this.items.keys().next().value);
    }
    return this.items.get(id);
  }

  forget(id) {
    this.items.delete(id);
  }

  async prepare(id) {
    const fragment = await this.item(id).catch(() => null);
    for (const figure of fragment?.querySelectorAll("[data-viewer]") ?? []) {
      if (figure.dataset.viewer === "image") new Image().src = figure.dataset.url;
      if (figure.dataset.viewer === "pdf") opened(figure.dataset.url).catch(() => {});
    }
  }
}
