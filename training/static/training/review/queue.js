// What comes next: the pairs of the queue, and the parts of the screen of each, fetched ahead with their files.
import { Fragments } from "../../sheets/fragments.js";
import { call } from "../../workbench/screen/net.js";

export const DECIDES = ["approve", "edit", "reject", "flag"];
const AHEAD = 6; // shown while the connection is away
const FEW = 2;
const FETCHED = 30;
const SKIPPED = 50; // a server takes addresses of 4,000 characters

export class Queue {
  constructor(setup) {
    this.setup = setup;
    this.coming = [];
    this.passed = new Set(); // decided or skipped here
    this.skipped = [];
    this.fragments = new Fragments((id) => `${setup.page}pairs/${id}`);
  }

  // The next pair's id that was not shown yet, or null where the queue has none.
  async next(shown) {
    let found = this.#candidates(shown);
    if (found.length <= FEW) {
      await this.refresh(shown).catch((error) => {
        if (!found.length) throw error;
      });
      found = this.#candidates(shown);
    }
    return found[0]?.id ?? null;
  }

  async refresh(shown) {
    const { windowed } = this.setup;
    // What is decided leaves the queue of what waits; pairs of a filter may stay, so it is read on from the last one.
    let last = windowed ? undefined : this.coming.at(-1)?.id;
    let found = await this.#fetched(last);
    while (found.length === FETCHED && found.at(-1).id !== last && !this.#candidates(shown, found).length) {
      last = found.at(-1).id;
      found = await this.#fetched(last);
    }
    this.coming = windowed ? found : [...this.coming.filter((pair) => !this.passed.has(pair.id)), ...found];
  }

  // The pairs behind `last`, from the start where there is none.
  async #fetched(last) {
    const { training_sheet: sheet, query, windowed } = this.setup;
    const skipped = windowed ? this.skipped.slice(-SKIPPED).map((id) => `&skip=${id}`) : [];
    const on = [...skipped, last ? `&after=${last}` : ""].join("");
    const { status: code, data } = await call("GET", `/training-sheets/${sheet}/queue?${query}&limit=${FETCHED}${on}`);
    if (code === 200) return data;
    throw Object.assign(new Error(data?.error?.message ?? `The queue answered ${code}.`), { status: code });
  }

  // Fetches what comes after `shown` without taking it.
  async prepare(shown) {
    if (this.#candidates(shown).length <= AHEAD) await this.refresh(shown);
    for (const pair of this.#candidates(shown).slice(0, AHEAD)) await this.fragments.prepare(pair.id);
  }

  nameOf(id) {
    return this.coming.find((pair) => pair.id === id)?.item_ref ?? "This pair";
  }

  // The parts of the screen of a pair, as a document; fetched anew after `forget`.
  item(id) {
    return this.fragments.item(id);
  }

  forget(id) {
    this.fragments.forget(id);
  }

  pass(id, isSkipped = false) {
    this.passed.add(id);
    this.skipped = this.skipped.filter((one) => one !== id);
    if (isSkipped) this.skipped.push(id);
  }

  // What was decided before the page was loaded, and is not sent yet, is not asked for once more.
  passDecided(entries) {
    for (const { subject, verb } of entries) {
      if (DECIDES.includes(verb)) this.pass(subject);
      else if (verb !== "uses") this.back(subject);
    }
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

  // The next pair is nobody's to take away, whatever one may; `takeOver` is for one that the reader asked for.
  hold(id, { takeOver = false } = {}) {
    return call("POST", `/qa-pairs/${id}/hold`, { take_over: takeOver });
  }

  letGo(id) {
    return call("POST", `/qa-pairs/${id}/let-go`, undefined, { keepalive: true }).catch(() => {});
  }

  #candidates(shown, pairs = this.coming) {
    return pairs.filter((pair) => pair.id !== shown && !this.passed.has(pair.id));
  }
}
