// A textarea with line numbers and marks: the text lies on a copy of itself that is wrapped alike and shows both.
"use strict";
window.codeFields = (() => {
  const fields = new Map();

  class CodeField {
    constructor(place) {
      this.name = place.dataset.code;
      this.input = place.querySelector("textarea");
      this.faults = place.querySelector("[data-faults]");
      this.backdrop = document.createElement("div");
      this.backdrop.className = "wb-backdrop";
      this.backdrop.setAttribute("aria-hidden", "true");
      this.marks = [];
      const editor = this.input.parentElement;
      editor.prepend(this.backdrop);
      editor.classList.add("wb-live");
      this.input.addEventListener("input", () => this.draw());
      this.draw();
    }

    draw() {
      const marked = new Map(this.marks.map((mark) => [mark.line, mark]));
      const lines = this.input.value.split("\n").map((text, at) => {
        const line = document.createElement("div");
        line.dataset.number = String(at + 1);
        const mark = marked.get(at + 1);
        if (mark) line.className = "wb-line-bad";
        line.append(...(mark && mark.variable ? marking(text, mark.variable) : [text || "\u200b"]));
        return line;
      });
      this.backdrop.replaceChildren(...lines);
      this.input.style.height = "auto";
      this.input.style.height = `${this.input.scrollHeight}px`;
    }

    show(marks) {
      this.marks = marks;
      this.input.setAttribute("aria-invalid", String(marks.length > 0));
      this.draw();
    }

    goTo(line) {
      const before = this.input.value.split("\n").slice(0, Math.max(line - 1, 0));
      const start = before.reduce((length, text) => length + text.length + 1, 0);
      const end = this.input.value.indexOf("\n", start);
      this.input.closest("details")?.setAttribute("open", "");
      this.input.focus();
      this.input.setSelectionRange(start, end < 0 ? this.input.value.length : end);
      this.backdrop.children[Math.max(line - 1, 0)]?.scrollIntoView({ block: "center" });
    }

    insert(text) {
      this.input.focus();
      this.input.setRangeText(text, this.input.selectionStart, this.input.selectionEnd, "end");
      this.input.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }

  const marking = (text, variable) => {
    const parts = [];
    let rest = text;
    const word = new RegExp(`(?<![\\w.])${variable.replace(/[^\w]/g, "\\$&")}(?!\\w)`);
    for (let hit = word.exec(rest); hit; hit = word.exec(rest)) {
      const mark = document.createElement("mark");
      mark.textContent = variable;
      parts.push(rest.slice(0, hit.index), mark);
      rest = rest.slice(hit.index + variable.length);
    }
    return [...parts, rest || "\u200b"];
  };

  for (const place of document.querySelectorAll("[data-code]")) {
    const field = new CodeField(place);
    fields.set(field.name, field);
    // A closed section has no height to measure.
    place.closest("details")?.addEventListener("toggle", () => field.draw());
  }
  addEventListener("resize", () => fields.forEach((field) => field.draw()));
  return fields;
})();
