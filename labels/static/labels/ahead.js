// Which items come next: fetched from the API some at a time, with the parts of the screen of the first ones.
import { Fragments } from "../sheets/fragments.js";
import { call } from "../workbench/screen/net.js";

const READY = 2;
const FETCHED = 30;

export class Ahead {
  constructor(setup) {
    this.setup = setup;
    this.coming = [];
    this.passed = new Set(); // saved or skipped here
    this.skipped = [];
    this.after = undefined; // behind which item to go on; null at the end of the sheet
    this.turned = setup.order === "all"; // gaps before the first item come when the end is reached
    this.fragments = new Fragments((ref) => `${setup.page}item?${new URLSearchParams({ ref, template: setup.template })}`);
  }

  // The next item_ref that was not passed yet, or null where there is none.
  async next(shown) {
    while (this.#candidates(shown).length <= READY && !this.ended) {
      const known = this.#candidates(shown).length;
      try {
        await this.#fetch(shown);
      } catch (error) {
        if (known) break;
        throw error;
      }
    }
    return this.#candidates(shown)[0] ?? null;
  }

  get ended() {
    return this.after === null && this.turned;
  }

  async prepare(shown) {
    await this.next(shown);
    for (const ref of this.#candidates(shown).slice(0, READY)) await this.fragments.prepare(ref);
  }

  pass(ref, isSkipped = false) {
    this.passed.add(ref);
    if (isSkipped) this.skipped.push(ref);
  }

  back(ref) {
    this.passed.delete(ref);
    this.skipped = this.skipped.filter((one) => one !== ref);
  }

  // Gives the skipped ones out again; returns how many.
  again() {
    const again = this.setup.order === "all" ? [] : this.skipped.filter((ref) => this.passed.delete(ref));
    this.coming.push(...again.filter((ref) => !this.coming.includes(ref)));
    this.skipped = [];
    return again.length;
  }

  hold(ref) {
    return call("POST", "/canonical-labels/hold", this.#task(ref));
  }

  letGo(ref) {
    return call("POST", "/canonical-labels/let-go", this.#task(ref), { keepalive: true }).catch(() => {});
  }

  #task(ref) {
    return { sheet_id: this.setup.sheet, label_type: this.setup.label_type, item_ref: ref };
  }

  async #fetch(shown) {
    const { sheet, label_type, order, text } = this.setup;
    if (this.after === undefined) this.after = shown ?? null;
    else if (this.after === null) this.turned = true;
    const query = new URLSearchParams({ sheet, label_type, order, limit: FETCHED });
    if (text) query.set("text", text);
    if (this.after !== null) query.set("after", this.after);
    const { status, data } = await call("GET", `/canonical-labels/ahead?${query}`);
    if (status !== 200) throw Object.assign(new Error(data?.error?.message ?? `The list of items answered ${status}.`), { status });
    this.coming.push(...data.stops.map((stop) => stop.item_ref).filter((ref) => !this.coming.includes(ref)));
    this.after = data.after;
  }

  #candidates(shown) {
    return this.coming.filter((ref) => ref !== shown && !this.passed.has(ref));
  }
}
