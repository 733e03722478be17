// How far the work is; asked again shortly after decisions, not after each.
import { page } from "./net.js";

export class Progress {
  constructor(address) {
    this.address = address;
  }

  soon() {
    this.timer ??= setTimeout(() => this.refresh(), 400);
  }

  async refresh() {
    this.timer = null;
    const text = await page(this.address).catch(() => null);
    if (text === null) return;
    const fetched = new DOMParser().parseFromString(text, "text/html");
    document.getElementById("progress").replaceChildren(...fetched.body.childNodes);
  }
}
