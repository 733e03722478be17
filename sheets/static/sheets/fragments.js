// The parts of the screen of items that come next, fetched ahead with their files.
import { page } from "../workbench/screen/net.js";
import { opened } from "./viewer.js";

const KEPT = 16;

export class Fragments {
  // `address(id)` is where the parts of an item are.
  constructor(address) {
    this.address = address;
    this.items = new Map();
    this.pictures = new Map(); // a picture that nobody holds is asked for again, in vain while the connection is away
  }

  // The parts of the screen of an item, as a document; fetched anew after `forget`.
  item(id) {
    if (!this.items.has(id)) {
      const fetched = page(this.address(id)).then((text) => new DOMParser().parseFromString(text, "text/html"));
      fetched.catch(() => this.items.delete(id));
      this.items.set(id, fetched);
      if (this.items.size > KEPT) this.forget(this.items.keys().next().value);
    }
    return this.items.get(id);
  }

  forget(id) {
    this.items.delete(id);
    this.pictures.delete(id);
  }

  async prepare(id) {
    const fragment = await this.item(id).catch(() => null);
    const files = (kind) => [...(fragment?.querySelectorAll(`[data-viewer="${kind}"]`) ?? [])].map((figure) => figure.dataset.url);
    for (const url of files("pdf")) opened(url).catch(() => {});
    if (fragment && !this.pictures.has(id)) this.pictures.set(id, files("image").map((src) => this.#picture(id, src)));
  }

  // One that did not come is fetched the next time.
  #picture(id, src) {
    const picture = new Image();
    picture.addEventListener("error", () => this.pictures.delete(id));
    picture.src = src;
    return picture;
  }
}
