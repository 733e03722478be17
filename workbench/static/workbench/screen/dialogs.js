// The questions of a screen: why something is decided, and which of two answers stands.
import { isObject } from "./exact.js";

for (const dialog of document.querySelectorAll("dialog")) {
  for (const button of dialog.querySelectorAll("[data-close]")) button.addEventListener("click", () => dialog.close(""));
}

// Returns a function that does `act` for one after the other: two questions at once would be answered by one click.
export function inTurn(act, failed) {
  let last = Promise.resolve();
  return (...given) => {
    last = last.then(() => act(...given)).catch(failed);
  };
}

// Resolves with the reason, which begins as `given`, or with null where the reader thought better of it.
export function askReason(title, reasons, given = "") {
  const dialog = document.getElementById("reason-dialog");
  const [input, ok, chips] = ["input", "[data-ok]", "[data-chips]"].map((what) => dialog.querySelector(what));
  dialog.querySelector("h2").textContent = title;
  input.value = given;
  const choose = (words) => {
    input.value = words;
    draw();
    input.focus();
  };
  const draw = () => {
    ok.disabled = !input.value.trim();
    for (const chip of chips.children) chip.setAttribute("aria-pressed", String(chip.dataset.words === input.value));
  };
  chips.replaceChildren(...reasons.map((words, at) => {
    const chip = Object.assign(document.createElement("button"), { type: "button" });
    chip.dataset.words = words;
    chip.append(Object.assign(document.createElement("kbd"), { textContent: at + 1 }), words);
    chip.addEventListener("click", () => choose(words));
    return chip;
  }));
  const picked = () => !input.value || reasons.includes(input.value);
  const key = (event) => {
    const words = /^[1-9]$/.test(event.key) && picked() && reasons[Number(event.key) - 1];
    if (!words) return;
    event.preventDefault();
    choose(words);
  };
  draw();
  input.oninput = draw;
  dialog.onkeydown = key;
  dialog.returnValue = "";
  dialog.showModal();
  input.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "ok" && input.value.trim() ? input.value.trim() : null), { once: true });
  });
}

// A question may come up while somebody types: its keys are live, and shown, once there is a pause.
const PAUSE = 600;
function liveKeys(dialog) {
  const hints = [...dialog.querySelectorAll(".actions kbd")];
  const isOn = document.body.classList.contains("keys-on");
  let timer = 0;
  const show = (isShown) => hints.forEach((hint) => (hint.hidden = !isShown));
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(show, PAUSE, isOn);
  };
  show(false);
  later();
  dialog.onkeydown = (event) => {
    const hint = hints.find((one) => !one.hidden && one.textContent === event.key.toUpperCase());
    if (hint && !event.ctrlKey && !event.metaKey && !event.altKey) hint.closest("button").click();
    else if (hints.some((one) => one.hidden)) later();
  };
}

const text = (value) => (value === undefined ? "—" : typeof value === "string" ? value : JSON.stringify(value));

// Resolves with "theirs", "mine" or "open"; Esc keeps theirs out and opens the item. The answers are `base` as it was
// seen, `theirs` and `mine`; `more` are further rows, [name, base, theirs, mine] in words.
export function askStale(words, { base, theirs, mine }, more) {
  const dialog = document.getElementById("stale-dialog");
  dialog.querySelector("[data-stale-words]").textContent = words;
  const names = [...new Set([base, theirs, mine].filter(isObject).flatMap(Object.keys))];
  const rows = names.map((name) => [name, ...[base, theirs, mine].map((value) => text(isObject(value) ? value[name] : value))]);
  if (!names.length) rows.push(["Answer", text(base), text(theirs), text(mine)]);
  rows.push(...more);
  dialog.querySelector("[data-stale-rows]").replaceChildren(...rows.map(([name, ...cells]) => {
    const row = document.createElement("tr");
    row.append(Object.assign(document.createElement("th"), { scope: "row", textContent: name }));
    for (const cell of cells) row.insertCell().textContent = cell;
    row.classList.toggle("differs", cells[1] !== cells[2]);
    return row;
  }));
  for (const button of dialog.querySelectorAll("[data-choose]")) button.onclick = () => dialog.close(button.dataset.choose);
  dialog.returnValue = "";
  dialog.showModal();
  liveKeys(dialog);
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue || "open"), { once: true }));
}
