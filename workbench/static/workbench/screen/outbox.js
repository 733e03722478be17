// Decisions on their way: kept in the browser until the server has them, sent one after the other, in order.
// A decision has an action_id, so that sending it twice, from two tabs or after a lost answer, does it once.
import { draftOf, keepDraft } from "./drafts.js";
import { parse } from "./exact.js";
import { Unreachable, call, page } from "./net.js";

const RETRY = [1000, 2000, 5000, 10000, 20000];
const PATIENCE = 3; // failures of the server on one decision until others go before it

// randomUUID is missing where the page came by plain http from another machine.
export const newId = () => crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const keepEntry = (entry) => localStorage.setItem(entry.key, JSON.stringify(entry));
const unanswered = (error) => {
  if (error instanceof Unreachable) return { status: 0 };
  throw error;
};

export class Outbox extends EventTarget {
  // Events: "state"; "taken-back" with detail {entry}; "done" and "refused" with detail {entry, status, code, data};
  // "stuck" with detail {entry}, each time when the server failed on it again; "signed-in"; "another-user" with detail
  // {user}. `name` is the screen's: its entries are no other screen's.
  constructor(name, user, signedInPage) {
    super();
    this.prefix = `${name}-outbox:${user}:`;
    this.user = user;
    this.signedInPage = signedInPage;
    this.state = "";
    this.failures = 0;
    this.failed = new Map();
    this.last = 0;
    addEventListener("online", () => this.flush());
    addEventListener("offline", () => this.#say("offline"));
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.resume());
    new BroadcastChannel("workbench-signed-in").addEventListener("message", () => this.resume());
  }

  get entries() {
    return Object.keys(localStorage).filter((key) => key.startsWith(this.prefix)).sort().map((key) => parse(localStorage.getItem(key)));
  }

  get words() {
    const waiting = this.entries.length;
    const count = waiting ? `: ${waiting} waiting` : "";
    return { saved: "Saved", saving: "Saving…", offline: `Offline${count}`, failing: `Server error${count}`, "signed-out": `Signed out${count}`, refused: "Not saved", "": "" }[this.state];
  }

  // An entry has the `path` that it is posted to, its `body`, the `subject` within which the order counts, the `draft` that
  // what was typed becomes where it is refused, and what the screen wants to know again.
  add(entry) {
    this.last = Math.max(Date.now(), this.last + 1);
    const kept = { ...entry, key: `${this.prefix}${String(this.last).padStart(15, "0")}` };
    keepEntry(kept);
    if (!this.blocked) this.#say(navigator.onLine ? "saving" : "offline");
    else this.#say(this.state);
    this.flush();
    return kept;
  }

  // Takes back what was not sent yet, or what the server fails on again and again; false where it is on its way or gone.
  takeBack(actionId) {
    const entry = this.entries.find((one) => one.body.action_id === actionId);
    if (!entry || this.sending === entry.key || (entry.tried && !this.#isGivenUp(entry))) return false;
    this.failed.delete(entry.key);
    this.#keepTyped(entry);
    localStorage.removeItem(entry.key);
    this.#say(this.entries.length || this.blocked ? this.state : "saved");
    this.#tell("taken-back", { entry });
    return true;
  }

  // Changes what waits and is not on its way: `change(entry)` returns the entry as it shall be.
  amend(change) {
    for (const entry of this.entries) if (entry.key !== this.sending) keepEntry(change(entry));
  }

  // Resolves with the event's detail when the server has answered, or with null after `most` milliseconds.
  answered(entry, most) {
    return new Promise((resolve) => {
      const heard = (event) => event.detail.entry.key === entry.key && finish(event.detail);
      const finish = (detail) => {
        clearTimeout(timer);
        for (const name of ["done", "refused"]) this.removeEventListener(name, heard);
        resolve(detail);
      };
      const timer = setTimeout(finish, most, null);
      for (const name of ["done", "refused"]) this.addEventListener(name, heard);
    });
  }

  // Sends again after signing in, if it is the same person: nobody's decisions are sent as another's.
  async resume() {
    if (this.state !== "signed-out") return this.flush();
    try {
      const user = new DOMParser().parseFromString(await page(this.signedInPage), "text/html").querySelector("[data-user]")?.dataset.user;
      if (user !== this.user) return this.#tell("another-user", { user });
    } catch {
      return undefined;
    }
    this.blocked = false;
    this.#tell("signed-in", {});
    return this.flush();
  }

  // Nothing is sent until the same person has signed in again: the session ended, or is another's now, by the API's `code`.
  block(code) {
    this.blocked = true;
    this.#say("signed-out");
    if (code === "another_user") this.resume(); // which says whose
  }

  // What was refused stands already: nothing is lost.
  settle() {
    if (this.state === "refused") this.#say("saved");
  }

  async flush() {
    if (this.sending || this.blocked) return;
    clearTimeout(this.timer);
    const held = new Set(); // subjects whose first decision the server fails on
    for (let entry = this.#next(held); entry && !this.blocked; entry = this.#next(held)) {
      this.sending = entry.key;
      if (!["offline", "failing"].includes(this.state)) this.#say("saving");
      keepEntry({ ...entry, tried: true });
      const wait = this.#heard(entry, await call("POST", entry.path, entry.body).catch(unanswered), held);
      this.sending = null;
      if (wait) return this.#wait(wait);
    }
    if (held.size && !this.blocked) return this.#wait("failing");
    if (["saving", "offline", "failing"].includes(this.state) && !this.entries.length) this.#say("saved");
    return undefined;
  }

  // Takes an answer in; returns the state in which to wait before anything else is sent, or "".
  #heard(entry, answer, held) {
    if (answer.status === 0 || answer.status === 429) return "offline";
    if (answer.status < 500) {
      this.#take(entry, answer);
      return "";
    }
    held.add(entry.subject);
    this.failed.set(entry.key, (this.failed.get(entry.key) ?? 0) + 1);
    if (!this.#isGivenUp(entry)) return "failing";
    this.#tell("stuck", { entry });
    return "";
  }

  // The first entry that nothing earlier about the same subject stands before.
  #next(held) {
    return this.entries.find((entry) => !held.has(entry.subject));
  }

  // Whether the server failed on the entry so often that those about other subjects go before it.
  #isGivenUp({ key }) {
    return (this.failed.get(key) ?? 0) >= PATIENCE;
  }

  #take(entry, { status, data }) {
    const code = data?.error?.code;
    const forged = status === 403 && /csrf/i.test(data?.error?.message ?? "");
    if (status === 401 || forged) {
      keepEntry(entry); // as it was before it was tried: the server has not taken it
      return this.block(code);
    }
    this.failures = 0;
    this.failed.delete(entry.key);
    if (status >= 400) this.#keepTyped(entry);
    localStorage.removeItem(entry.key);
    this.#say(this.entries.length ? "saving" : status < 400 ? "saved" : "refused");
    this.#tell(status < 400 ? "done" : "refused", { entry, status, code, data });
    return undefined;
  }

  // What was typed outlives its decision, as the draft of its item; a newer draft stays.
  #keepTyped({ draft }) {
    if (draft && !draftOf(draft.key)) keepDraft(draft);
  }

  #wait(state) {
    this.#say(state);
    this.timer = setTimeout(() => this.flush(), RETRY[Math.min(this.failures, RETRY.length - 1)]);
    this.failures += 1;
  }

  #say(state) {
    this.state = state;
    this.#tell("state", {});
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
