// The last ten decisions, each a way back to its item; kept for the tab, so that a reload does not lose them.
import { parse } from "./exact.js";

const MOST = 10;

export class Strip {
  // `shown` has the mark and the words of each verb; `open(id)` goes back to one.
  constructor(key, shown, open) {
    Object.assign(this, { key, shown, open });
    this.place = document.getElementById("strip");
    this.decisions = parse(sessionStorage.getItem(this.key) ?? "[]");
    this.draw();
  }

  get latest() {
    return this.decisions.at(-1);
  }

  push(decision) {
    this.decisions = [...this.decisions, decision].slice(-MOST);
    this.draw();
  }

  drop(actionId) {
    this.decisions = this.decisions.filter((one) => one.actionId !== actionId);
    this.draw();
  }

  draw() {
    sessionStorage.setItem(this.key, JSON.stringify(this.decisions));
    this.place.hidden = !this.decisions.length;
    const list = document.createElement("ol");
    for (const { id, itemRef, verb } of [...this.decisions].reverse()) {
      const [sign, done] = this.shown[verb];
      const button = Object.assign(document.createElement("button"), { type: "button", className: `quiet done-${verb}`, title: `${itemRef}: ${done}` });
      const words = Object.assign(document.createElement("span"), { className: "strip-words", textContent: itemRef });
      const told = Object.assign(document.createElement("span"), { className: "hidden", textContent: ` ${done}, open again` });
      const mark = Object.assign(document.createElement("span"), { textContent: sign });
      mark.setAttribute("aria-hidden", "true");
      button.append(mark, words, told);
      button.addEventListener("click", () => this.open(id));
      list.append(Object.assign(document.createElement("li"), {}));
      list.lastElementChild.append(button);
    }
    this.place.replaceChildren(Object.assign(document.createElement("span"), { className: "soft", textContent: "Latest" }), list);
  }
}
