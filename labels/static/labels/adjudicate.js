// The adjudication screen: chooses by keys, and goes from one field that differs to the next.
import { bringToLife, pressFirst } from "../sheets/viewer.js";
import { Keys } from "../workbench/screen/keys.js";
import { readOut, say } from "../workbench/screen/notices.js";
import { drawBoth } from "./both.js";

const KEYS = {
  save: ["a", "Decide"], left: ["l", "All from the left"], right: ["r", "All from the right"], own: ["e", "Another answer for the marked field"],
  next: ["n", "Next field"], previous: ["p", "Previous field"], skip: ["s", "Skip"], help: ["?", "These keys"],
};
const source = document.querySelector("[data-slot=source]");
const form = document.querySelector("form.answer");
const fields = [...document.querySelectorAll("[data-difference]")];
const choice = (field, value) => field.querySelector(`input[type=radio][value=${value}]:not(:disabled)`);
const open = (field) => !field.querySelector("input[type=radio]:checked");
let current = Math.max(0, fields.findIndex(open));

function mark(at) {
  if (fields.length) current = (at + fields.length) % fields.length;
  fields.forEach((field, place) => field.classList.toggle("current", place === current));
  fields[current]?.scrollIntoView({ block: "nearest" });
}

// Marks a field and puts the focus into it, so that a screen reader says which it is.
function go(at) {
  mark(at);
  const field = fields[current];
  if (!field) return;
  const radio = field.querySelector("input:checked:not(:disabled)") ?? field.querySelector("input[type=radio]:not(:disabled)");
  if (!radio) field.tabIndex = -1;
  (radio ?? field).focus({ preventScroll: true });
}

const wordsOf = (radio) => [".hidden", ".said"].map((part) => radio.closest("label").querySelector(part).textContent).join(" ").replace(/\s+/g, " ").trim();

// Chooses for the marked field and goes on to the next one that is open.
function choose(value) {
  const radio = fields[current] && choice(fields[current], value);
  if (!radio) return false;
  radio.checked = true;
  readOut(`${fields[current].querySelector("legend").textContent}: ${wordsOf(radio)}`);
  const later = [...fields.slice(current + 1), ...fields.slice(0, current)].find(open);
  go(later ? fields.indexOf(later) : current);
  return true;
}

function all(value) {
  for (const field of fields) if (choice(field, value)) choice(field, value).checked = true;
}

const VERBS = {
  save: () => {
    const left = fields.findIndex(open);
    if (left < 0) return form.requestSubmit(form.querySelector("[value=save]"));
    go(left);
    return say("Choose an answer for each field first: 1, 2, or E for another.");
  },
  left: () => all("first"),
  right: () => all("second"),
  own: () => {
    const field = fields[current];
    if (!field || !choice(field, "other")) return;
    choice(field, "other").checked = true;
    const own = field.querySelector("[data-own]");
    own.closest("details")?.setAttribute("open", "");
    own.focus();
  },
  next: () => go(current + 1),
  previous: () => go(current - 1),
  skip: () => form.requestSubmit(form.querySelector("[value=skip]")),
  help: () => keys.show(),
};

const keys = new Keys("adjudicate", KEYS, (verb) => VERBS[verb](), (number) => number <= 2 && choose(["first", "second"][number - 1]), (key) => pressFirst(source, key));
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (!button) return;
  event.preventDefault();
  VERBS[button.dataset.do]();
});
for (const field of fields) {
  field.addEventListener("focusin", () => mark(fields.indexOf(field)));
  field.querySelector("[data-own]")?.addEventListener("input", () => (choice(field, "other").checked = true));
}
for (const hint of document.querySelectorAll(".difference kbd[hidden]")) hint.hidden = !keys.on;
for (const button of document.querySelectorAll("[data-do][hidden]")) button.hidden = false;
bringToLife(source);
mark(current);
document.documentElement.dataset.ready = "yes";
drawBoth(source);
