// The labeling screen: shows an item, takes its label, and goes on while that is sent.
import { tell } from "../workbench/screen/connection.js";
import { askStale, inTurn } from "../workbench/screen/dialogs.js";
import { dropDraft, overtake } from "../workbench/screen/drafts.js";
import { DRAWING, Keys } from "../workbench/screen/keys.js";
import { Unreachable, page } from "../workbench/screen/net.js";
import { link, notice, quiet, say } from "../workbench/screen/notices.js";
import { Outbox, newId } from "../workbench/screen/outbox.js";
import { Progress } from "../workbench/screen/progress.js";
import { Strip } from "../workbench/screen/strip.js";
import { Ahead } from "./ahead.js";
import { Item } from "./item.js";

const WORD_OF_SERVER = 700; // a label waits this long for the server's word, as only it validates
const RENEW = 60_000;
const KEYS = {
  save: ["a", "Save"], edit: ["e", "Edit: to the first field"], skip: ["s", "Skip"], next: ["n", "Next"],
  previous: ["p", "Previous"], go: ["i", "Go to an item by its name"], ...DRAWING, help: ["?", "These keys"],
};
const setup = JSON.parse(document.getElementById("setup").textContent);
const task = `${setup.sheet}:${setup.label_type}`;
const outbox = new Outbox("label", setup.user, setup.signed_in);
const ahead = new Ahead(setup);
const progress = new Progress(`${setup.page}progress`);
const strip = new Strip(`label-strip:${task}`, { save: ["✓", "saved"] }, (ref) => leave(() => show(ref)));
const trail = [];
let item = document.querySelector(".item") ? new Item(setup) : null;
let turn = 0;
let renewed = Date.now();
const subjectOf = (ref) => `${task}:${ref}`;
const waiting = (ref) => outbox.entries.filter((entry) => entry.subject === subjectOf(ref)).at(-1);

async function show(ref, { fresh = true } = {}) {
  const mine = (turn += 1);
  if (fresh) ahead.fragments.forget(ref);
  try {
    const fragment = await ahead.fragments.item(ref);
    if (mine !== turn) return;
    if (item && item.id !== ref) letGo();
    item = Item.show(setup, fragment);
    quiet(ref);
    fillWaiting();
  } catch (error) {
    if (mine === turn) cannotShow(ref, error);
    return;
  }
  shown();
  await take(mine);
}

// One that cannot be shown keeps nobody from the others, and comes again at the end.
function cannotShow(ref, error) {
  if (error instanceof Unreachable || error.status === 401) {
    cannot(error);
    return;
  }
  if (!ahead.passed.has(ref)) ahead.pass(ref, true);
  notice(`${ref} cannot be shown now: skip it, or try again.`, "error", ref, ["Try again", () => show(ref)]);
}

// What was sent and not answered yet is what the item says.
function fillWaiting() {
  const sent = waiting(item.id)?.draft;
  if (sent) item.fill(sent.value);
}

function letGo() {
  if (item && setup.may_label && !waiting(item.id)) ahead.letGo(item.id);
}

// The item on the screen is held, what follows is fetched.
function shown() {
  if (!trail.includes(item.id)) trail.push(item.id);
  ahead.back(item.id);
  keys.draw(); // the buttons of its form have keys too
  ahead.prepare(item.id).catch(() => {});
}

async function take(mine) {
  if (!setup.may_label) return undefined;
  renewed = Date.now();
  const held = item;
  const { status, data } = await ahead.hold(held.id).catch(() => ({ status: 0 }));
  if (mine !== turn || item !== held) return undefined;
  if (status === 401) return outbox.block(data?.error?.code);
  if (status === 409) {
    if (held.isChanged || setup.order === "all") return notice(data.error.message, "warning");
    say(data.error.message);
    ahead.pass(held.id);
    await next();
  } else if (status === 200 && !held.isOpinion && data.version !== held.version && !held.isChanged && !waiting(held.id)) {
    await show(held.id);
  }
  return undefined;
}

async function next() {
  const mine = (turn += 1);
  try {
    const ref = await ahead.next(item?.id);
    if (mine !== turn) return undefined;
    if (ref) return await show(ref, { fresh: false });
    const again = ahead.again();
    if (again) {
      notice(`Nothing else is left: these are the ${again} you skipped.`, "info");
      return await next();
    }
    return await end();
  } catch (error) {
    return cannot(error);
  }
}

// Nothing more comes: the page says why, as the server sees it once all labels are there.
async function end() {
  const latest = outbox.entries.at(-1);
  if (latest) await outbox.answered(latest, 10 * WORD_OF_SERVER);
  const query = new URLSearchParams(setup.chosen);
  if (item && setup.order === "all") query.set("after", item.id);
  await page(`${setup.page}?${query}`); // not left while the connection is away
  letGo();
  location.assign(`${setup.page}?${query}`);
}

function cannot(error) {
  if (error instanceof Unreachable) notice("The next item cannot be fetched while the connection is away; it comes when that is back.", "warning", "offline");
  else if (error.status === 401) outbox.block();
  else notice(error.message);
}

async function save() {
  if (!item || !setup.may_label) return undefined;
  const saved = item;
  if (!saved.version && !saved.isChanged) return say("There is no label yet: fill in the form, or skip the item.");
  quiet();
  const earlier = waiting(saved.id);
  if (earlier) outbox.takeBack(earlier.body.action_id);
  const draft = saved.isChanged ? saved.draft : undefined;
  const address = `${setup.page}?${new URLSearchParams({ item: saved.id, template: setup.template })}`;
  const entry = outbox.add({ task, ref: saved.id, subject: subjectOf(saved.id), page: address, path: saved.path, base: saved.stored ?? null, draft, body: { ...saved.body, action_id: newId() } });
  strip.drop(earlier?.body.action_id);
  strip.push({ id: saved.id, itemRef: saved.itemRef, verb: "save", actionId: entry.body.action_id });
  ahead.pass(saved.id);
  const answer = await outbox.answered(entry, navigator.onLine ? WORD_OF_SERVER : 0);
  if (item !== saved || (answer && answer.status >= 400)) return undefined;
  saved.forget();
  return next();
}

// What was taken back is typed and not saved: the draft of its item.
function again(entry) {
  strip.drop(entry.body.action_id);
  if (entry.task === task) return show(entry.ref);
  return notice(`${entry.ref} is not saved. `, "info", entry.ref, link(entry.page));
}

// Verbs that leave the item as it is drawn; the others wait for a polygon that is begun.
const STAY = ["edit", "box", "polygon", "go", "help"];
const leave = (on) => (item?.unfinished ? say(item.unfinished) : on());
const act = (verb) => (STAY.includes(verb) ? VERBS[verb]() : leave(VERBS[verb]));
const VERBS = {
  save,
  edit: () => item?.form.focusFirst(),
  box: () => item?.form.draw("box"),
  polygon: () => item?.form.draw("polygon"),
  skip: () => {
    if (!item) return undefined;
    quiet();
    ahead.pass(item.id, true);
    return next();
  },
  next: () => {
    const at = trail.indexOf(item?.id);
    return at >= 0 && at < trail.length - 1 ? show(trail[at + 1], { fresh: false }) : VERBS.skip();
  },
  previous: () => {
    const at = trail.indexOf(item?.id);
    const ref = at > 0 ? trail[at - 1] : item?.previous;
    if (!ref) return say("This is the first item.");
    if (!trail.includes(ref)) trail.unshift(ref);
    return show(ref, { fresh: false });
  },
  go: () => document.querySelector("[data-go]").focus(),
  help: () => keys.show(),
};

// Never goes on over a refusal: the item comes back with what was typed, which the outbox has made its draft.
async function refused({ entry, code, data }) {
  const message = data?.error?.message ?? "The server refused it.";
  const back = (way = ["Open it", () => show(entry.ref)]) => notice(`${entry.ref}: ${message} `, "error", entry.ref, way);
  if (entry.task !== task) return back(link(entry.page));
  if (code === "stale_version") return stale(entry, data.error);
  if (item?.id !== entry.ref && item?.isChanged) return back();
  if (item?.id !== entry.ref) await show(entry.ref);
  if (item?.id !== entry.ref) return back();
  const { label_data: faults = [], ...others } = data?.error?.fields ?? {};
  const left = item.form.showFaults(faults);
  const isPlaced = faults.length && !left.length && !Object.keys(others).length;
  if (Object.keys(others).some((name) => name !== "item_ref")) item.element.querySelector(".uses").open = true;
  return notice(`${entry.ref}: ${isPlaced ? "Correct the marked fields." : message}`, "error", entry.ref);
}

async function stale(entry, { message, details }) {
  const { base, theirs, mine } = details;
  const more = [["Confidence", "", theirs.confidence, entry.body.confidence], ["Notes", "", theirs.notes, entry.body.notes]];
  const choice = await askStale(`${entry.ref}: ${message}`, { base: base ?? entry.base ?? undefined, theirs: theirs.label_data, mine }, more);
  ahead.fragments.forget(entry.ref);
  if (choice === "open") {
    overtake(entry.draft, theirs.version);
    return show(entry.ref);
  }
  if (entry.draft) dropDraft(entry.draft.key);
  if (choice === "mine") sendAgain(entry, theirs.version);
  ahead.pass(entry.ref);
  return item?.id === entry.ref ? next() : undefined;
}

function sendAgain({ key, tried, ...entry }, version) {
  const again = outbox.add({ ...entry, body: { ...entry.body, version, action_id: newId() } });
  strip.push({ id: entry.ref, itemRef: entry.ref, verb: "save", actionId: again.body.action_id });
}

// What waits for the same item was typed over the label that the server has just acknowledged.
function done({ detail: { entry, data } }) {
  if (entry.task !== task) return;
  if (entry.path === "/canonical-labels") outbox.amend((later) => (later.subject === entry.subject ? { ...later, body: { ...later.body, version: data.version } } : later));
  quiet(entry.ref);
  ahead.fragments.forget(entry.ref);
  if (item?.id !== entry.ref) ahead.letGo(entry.ref);
  else {
    item.follow(data.version);
    // Somebody went back to it before it was saved: it is shown as what it has become.
    const isAsSent = !waiting(entry.ref) && JSON.stringify(item.typed) === JSON.stringify(entry.draft?.value ?? {});
    if (isAsSent) item.forget();
    if (isAsSent && !ahead.passed.has(entry.ref)) show(entry.ref);
  }
  progress.soon();
}

outbox.addEventListener("done", done);
const answerRefusal = inTurn(refused, cannot);
outbox.addEventListener("refused", ({ detail }) => {
  const { entry } = detail;
  strip.drop(entry.body.action_id);
  if (entry.task === task) ahead.back(entry.ref);
  if (entry.task === task && item?.id === entry.ref) {
    turn += 1; // what was about to come does not
    if (item.isChanged) item.keep();
  }
  answerRefusal(detail);
});
tell(outbox, setup, ["One label", "labels"], () => (!item || ahead.passed.has(item.id)) && next(), again);

document.querySelector("form.answer").addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (!button) return;
  event.preventDefault();
  act(button.dataset.do);
});
for (const name of ["keydown", "pointerdown", "wheel"]) {
  addEventListener(name, () => item && Date.now() - renewed > RENEW && take(turn), { passive: true });
}
addEventListener("pagehide", letGo);
for (const select of document.querySelectorAll(".filters select")) select.addEventListener("change", () => select.form.submit());
for (const button of document.querySelectorAll("[data-do][hidden]")) button.hidden = false;

const keys = new Keys("label", KEYS, act, (number) => item?.digit(number) ?? false, (key) => item?.zoom(key));
if (item) {
  fillWaiting();
  shown();
  take(turn);
}
outbox.flush();
document.documentElement.dataset.ready = "yes";
