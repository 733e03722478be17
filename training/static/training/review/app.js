// The review screen: shows a pair, takes a decision, and goes on while it is sent.
import { tell } from "../../workbench/screen/connection.js";
import { askReason, askStale, inTurn } from "../../workbench/screen/dialogs.js";
import { bringBack, draftOf, dropDraft, overtake } from "../../workbench/screen/drafts.js";
import { DRAWING, Keys } from "../../workbench/screen/keys.js";
import { Unreachable, page } from "../../workbench/screen/net.js";
import { link, notice, quiet, say } from "../../workbench/screen/notices.js";
import { Outbox, newId } from "../../workbench/screen/outbox.js";
import { Progress } from "../../workbench/screen/progress.js";
import { Strip } from "../../workbench/screen/strip.js";
import { answersOf, decidedAlready } from "./conflict.js";
import { Item } from "./item.js";
import { DECIDES, Queue } from "./queue.js";

const WORD_OF_SERVER = 2000; // an edit waits this long for the server's word, as only it validates
const KEYS = {
  approve: ["a", "Approve"], edit: ["e", "Edit: to the first field"], reject: ["r", "Reject"], flag: ["f", "Flag"],
  skip: ["s", "Skip"], undo: ["u", "Undo the latest decision"], reopen: ["o", "Reopen"], uses: ["w", "What it may be used for"], next: ["n", "Next"],
  previous: ["p", "Previous"], ...DRAWING, help: ["?", "These keys"],
};
const DONE = { approve: ["✓", "approved"], edit: ["✎", "edited"], reject: ["✕", "rejected"], flag: ["⚑", "flagged"], reopen: ["↺", "reopened"], uses: ["⚖", "uses changed"] };
const RENEW = 60_000;
const WORD_OF_HOLD = 250; // the next pair is shown after this long even if it is not known yet whether it is free
const pause = (most) => new Promise((resolve) => setTimeout(resolve, most, null));
const waits = (id) => outbox.entries.some((entry) => entry.subject === id);
const hold = (id, more) => queue.hold(id, more).catch(() => ({ status: 0 }));
const setup = JSON.parse(document.getElementById("setup").textContent);
const outbox = new Outbox("review", setup.user, setup.signed_in);
const queue = new Queue(setup);
const progress = new Progress(`${setup.page}progress`);
const strip = new Strip(`review-strip:${setup.training_sheet}`, DONE, (id) => leave(() => show(id)));
const keys = new Keys("review", KEYS, (verb) => act(verb), (number) => item?.digit(number) ?? false, (key) => item?.zoom(key));
const trail = [];
let item = document.querySelector(".item") ? new Item(setup) : null;
let turn = 0;
let towards = null; // the pair that the latest turn leads to
let renewed = Date.now();

async function show(id, { fresh = true, held = null } = {}) {
  const mine = (turn += 1);
  towards = id;
  if (fresh) queue.forget(id);
  try {
    const fragment = await queue.item(id);
    if (mine !== turn) return giveBack(id, held);
    if (item && item.id !== id) letGo();
    item = Item.show(setup, fragment);
    for (const its of [id, "held"]) quiet(its);
  } catch (error) {
    if (mine === turn) cannotShow(id, error);
    else giveBack(id, held);
    return;
  }
  shown();
  await take(mine, held);
}

// One that cannot be shown keeps nobody from the others, and comes again at the end.
function cannotShow(id, error) {
  if (error instanceof Unreachable || error.status === 401) {
    cannot(error);
    return;
  }
  if (!queue.passed.has(id)) queue.pass(id, true);
  if (setup.may_review && id !== item?.id) queue.letGo(id);
  notice(`${queue.nameOf(id)} cannot be shown now: skip it, or try again.`, "error", id, ["Try again", () => show(id)]);
}

// What is decided is given back with the decision; before it arrives nobody else shall take the pair.
function letGo() {
  if (item && setup.may_review && !waits(item.id)) queue.letGo(item.id);
}

// One that was held and that nobody is led to after all.
function giveBack(id, held) {
  held?.then(({ status }) => status === 200 && ![item?.id, towards].includes(id) && queue.letGo(id));
}

// The pair on the screen is held, what follows is fetched.
function shown() {
  if (!trail.includes(item.id)) trail.push(item.id);
  queue.back(item.id);
  keys.draw(); // the buttons of its form have keys too
  queue.prepare(item.id).catch(() => {});
}

async function take(mine, asked = null) {
  if (!setup.may_review || !["unlabeled", "flagged"].includes(item.status)) return undefined;
  renewed = Date.now();
  const held = item;
  const { status, data } = await (asked ?? hold(held.id));
  if (mine !== turn || item !== held) return undefined;
  if (status === 401) return outbox.block(data?.error?.code);
  if (status === 409) {
    if (held.isChanged || held.id === setup.asked) return heldByAnother(held, data.error.message);
    say(`${held.itemRef} is passed over: ${data.error.details?.holder ?? "somebody"} has it on the screen.`);
    queue.pass(held.id);
    await next();
  } else if (status === 200 && data.version !== held.version) {
    await show(held.id);
  }
  return undefined;
}

// The reader stays at the pair, and may have it where the right is there.
function heldByAnother({ id }, message) {
  const way = setup.may_take_over ? ["Take over", () => take(turn, hold(id, { takeOver: true }))] : null;
  notice(message, "warning", "held", way);
}

async function next() {
  const mine = (turn += 1);
  try {
    const id = await queue.next(item?.id);
    if (mine !== turn) return undefined;
    if (!id) return await last(mine);
    towards = id;
    const held = setup.may_review ? hold(id) : null;
    const soon = held && (await Promise.race([held, pause(WORD_OF_HOLD)]));
    if (mine !== turn) return giveBack(id, held);
    if (soon?.status !== 409) return await show(id, { fresh: false, held });
    queue.pass(id);
    return await next();
  } catch (error) {
    return cannot(error);
  }
}

// The queue has nothing more: what was skipped comes again, else the page says why it is empty.
async function last(mine) {
  const again = queue.again();
  if (again) {
    notice(`Nothing else waits: these are the ${again} you skipped.`, "info");
    return next();
  }
  // Why nothing is left is known once the server has the latest decisions.
  const [latest] = outbox.entries.slice(-1);
  if (latest) await outbox.answered(latest, WORD_OF_SERVER);
  if (mine !== turn) return undefined;
  const fetched = new DOMParser().parseFromString(await page(`${setup.page}?${setup.query}`), "text/html");
  if (mine !== turn) return undefined;
  const following = fetched.querySelector(".item")?.dataset.pair;
  if (following && !waits(following)) return show(following);
  item = null;
  document.getElementById("panes").hidden = true;
  const empty = document.getElementById("empty");
  empty.replaceChildren(...fetched.getElementById("empty").childNodes);
  empty.hidden = false;
  return undefined;
}

function cannot(error) {
  if (error instanceof Unreachable) notice("The next pair cannot be fetched while the connection is away; it comes when that is back.", "warning", "offline");
  else if (error.status === 401) outbox.block();
  else notice(error.message);
}

const pathOf = (pair, verb) => `/qa-pairs/${pair}/${verb}`;

// What an entry of the outbox says of its pair, whichever training sheet is on the screen when the server answers.
const about = (pair, itemRef) => ({ subject: pair, itemRef, training_sheet: setup.training_sheet, page: `${setup.page}?pair=${pair}` });

function send(verb, body) {
  const draft = item.isChanged || item.reason ? item.draft : undefined;
  const entry = outbox.add({ ...about(item.id, item.itemRef), path: pathOf(item.id, verb), verb, base: item.form.base, draft, body: { action_id: newId(), ...body } });
  strip.push({ id: item.id, itemRef: item.itemRef, verb, actionId: entry.body.action_id, typed: verb === "uses" ? undefined : draft });
  return entry;
}

// Who comes back to a pair decides anew instead of once more; false where the first decision can no longer be held back.
function takenBack({ id }) {
  const earlier = outbox.entries.filter(({ subject, verb }) => subject === id && DECIDES.includes(verb));
  return earlier.every(({ body }) => {
    const isBack = outbox.takeBack(body.action_id);
    if (isBack) strip.drop(body.action_id);
    return isBack;
  });
}

async function decide(verb) {
  if (!item || (item.isSent && !item.isStuck)) return;
  const decided = item;
  const wanted = verb === "approve" && decided.form.isChanged ? "edit" : verb;
  if (!decided.may(wanted)) return say(decided.whyNot(wanted));
  if (wanted === "approve" && decided.standsAgainst) {
    notice(decided.standsAgainst, "warning");
    document.querySelector(".af-fault")?.closest("[data-field]")?.querySelector("input, textarea, select")?.focus();
    return;
  }
  const body = { version: decided.seen, label_version: decided.labelVersion, notes: decided.notes, confidence: decided.confidence };
  if (setup.reasons[wanted]) {
    body.reason = await askReason(`${wanted === "reject" ? "Reject" : "Flag"} ${decided.itemRef}: why?`, setup.reasons[wanted], decided.reason);
    if (body.reason === null || item !== decided) return;
    decided.reason = body.reason;
  }
  if (wanted === "edit") body.answer = decided.form.read();
  if (!takenBack(decided)) return say(`What you decided about ${decided.itemRef} is still on its way: wait until it is saved, then undo or reopen it.`);
  quiet();
  const entry = send(wanted, body);
  Object.assign(decided, { isSent: true, isStuck: false });
  queue.pass(decided.id);
  if (wanted === "edit" || wanted === "reopen") {
    const answer = await outbox.answered(entry, navigator.onLine ? WORD_OF_SERVER : 0);
    if (item !== decided || (answer && answer.status >= 400)) return;
  }
  decided.forget();
  await goOn(decided, wanted === "reopen" ? () => show(decided.id) : next);
}

// Until the next pair is there keys are not meant for the one that was decided; where none came, S tries again, and it
// can be decided anew.
async function goOn(decided, on) {
  Object.assign(decided, { isSent: true, isStuck: false });
  await on();
  decided.isStuck = true;
  if (item === decided && decided.isSent) decided.say(waits(decided.id) ? "decided, waits to be sent" : "decided");
}

// What is typed into a pair that stayed on the screen after its decision keeps it there.
const isLeft = () => !item || (queue.passed.has(item.id) && !draftOf(item.key));

// What the pair may be used for; the pair stays, and what was typed into its form with it.
function changeUses() {
  const changed = item;
  const wanted = changed?.uses;
  if (!wanted) return;
  if (!wanted.reason) {
    say("Say why the uses change; the reason is kept in the audit.");
    changed.focusUses("[name=reason]");
    return;
  }
  quiet();
  send("uses", { version: changed.version, ...wanted });
  // What is decided about the pair from now on comes after it.
  changed.follow(changed.version + 1);
}

async function undo() {
  const { latest } = strip;
  if (!latest) return say("There is no decision to undo.");
  quiet();
  strip.drop(latest.actionId);
  if (outbox.takeBack(latest.actionId)) return show(latest.id, { fresh: false });
  const entry = outbox.add({ ...about(latest.id, latest.itemRef), path: pathOf(latest.id, "undo"), verb: "undo", typed: latest.typed, body: { action_id: newId(), undoes: latest.actionId } });
  const answer = await outbox.answered(entry, navigator.onLine ? 5 * WORD_OF_SERVER : 0);
  if (!answer) return notice(`${latest.itemRef} is undone as soon as the server can be reached.`, "info");
  return answer.status < 400 ? show(latest.id) : undefined;
}

// What was taken back is typed and not sent: the draft of its pair.
function again(entry) {
  strip.drop(entry.body.action_id);
  if (entry.training_sheet === setup.training_sheet) return show(entry.subject);
  return notice(`${entry.itemRef} is not decided. `, "info", entry.subject, link(entry.page));
}

// Verbs that leave the item as it is drawn; the others wait for a polygon that is begun.
const STAY = ["edit", "uses", "box", "polygon", "help"];
const leave = (on) => (item?.unfinished ? say(item.unfinished) : on());
const act = (verb) => (STAY.includes(verb) ? VERBS[verb]() : leave(VERBS[verb]));
const VERBS = {
  approve: () => decide("approve"),
  reject: () => decide("reject"),
  flag: () => decide("flag"),
  reopen: () => decide("reopen"),
  edit: () => item?.form.focusFirst(),
  uses: () => item?.focusUses("input:checked"),
  change_uses: changeUses,
  box: () => item?.form.draw("box"),
  polygon: () => item?.form.draw("polygon"),
  undo,
  skip: () => {
    if (!item || (item.isSent && !item.isStuck)) return undefined;
    quiet();
    if (!item.isSent) queue.pass(item.id, true);
    return next();
  },
  next: () => {
    const at = trail.indexOf(item?.id);
    return at >= 0 && at < trail.length - 1 ? show(trail[at + 1]) : VERBS.skip();
  },
  previous: () => {
    const at = trail.indexOf(item?.id);
    return at > 0 ? show(trail[at - 1]) : say("This is the first pair you looked at.");
  },
  help: () => keys.show(),
};

// Never goes on over a refusal: the pair comes back with what was typed, which the outbox has made its draft.
async function refused({ entry, code, data }) {
  const message = data?.error?.message ?? "The server refused it.";
  if (entry.training_sheet !== setup.training_sheet) return back(entry, message, link(entry.page));
  if (code === "stale_version" && entry.verb !== "uses") return stale(entry, message, data.error.details);
  const isShown = item?.id === entry.subject;
  if (!isShown && item?.isChanged) return back(entry, message);
  if (!isShown || entry.verb === "uses") await show(entry.subject);
  if (item?.id !== entry.subject) return back(entry, message);
  const left = item.form.showFaults(data?.error?.fields?.answer ?? []);
  return notice(`${entry.itemRef}: ${data?.error?.fields?.answer && !left.length ? "Correct the marked fields." : message}`, "error", entry.subject);
}

function back(entry, message, way = ["Open it", () => show(entry.subject)]) {
  notice(`${entry.itemRef}: ${message} `, "error", entry.subject, way);
}

async function stale(entry, message, details) {
  const { theirs } = details;
  const wanted = entry.then ?? entry; // what a reopening leads to
  const answers = answersOf(entry, wanted, details);
  const already = decidedAlready(answers, wanted, theirs, setup);
  if (already) {
    say(`${entry.itemRef}: ${already}.`);
    outbox.settle();
  }
  const choice = already ? "theirs" : await askStale(`${entry.itemRef}: ${message}`, answers, [["Status", "", theirs.status, wanted.verb]]);
  if (choice === "open") {
    overtake(entry.draft, theirs.version);
    return show(entry.subject);
  }
  if (entry.draft) dropDraft(entry.draft.key);
  if (choice === "mine") {
    // Approving meant the answer that was seen, which is no longer the pair's.
    const mine = wanted.verb === "approve" ? { verb: "edit", body: { ...wanted.body, answer: entry.base } } : wanted;
    sendAgain(entry, mine, theirs);
  }
  queue.pass(entry.subject);
  return item?.id === entry.subject ? goOn(item, next) : undefined;
}

// Sends a decision over the version that was shown beside it, so that a third change is shown as well; where the status
// stands against it, the pair is reopened first and the decision follows.
function sendAgain({ key, tried, then, ...entry }, { verb, body: wanted }, { status, version, label_version }, action_id = newId()) {
  const body = label_version === undefined ? wanted : { ...wanted, label_version };
  const opens = !setup.transitions[verb].includes(status);
  const first = opens ? { verb: "reopen", body: {}, then: { verb, body } } : { verb, body };
  const again = outbox.add({ ...entry, ...first, path: pathOf(entry.subject, first.verb), body: { ...first.body, version, action_id } });
  if (entry.training_sheet === setup.training_sheet) strip.push({ id: entry.subject, itemRef: entry.itemRef, verb: first.verb, actionId: again.body.action_id, typed: entry.draft });
}

const answerRefusal = inTurn(refused, cannot);
outbox.addEventListener("done", ({ detail: { entry, data } }) => {
  quiet(entry.subject);
  queue.forget(entry.subject);
  if (entry.then) sendAgain(entry, entry.then, data.pair, `${entry.body.action_id}+`); // the same from every tab
  if (entry.verb === "undo") {
    queue.back(entry.subject);
    bringBack(entry.typed, data.pair.version);
  }
  if (item?.id === entry.subject && item.isStuck && entry.verb !== "uses") item.become(data.pair);
  if (entry.verb === "uses" && item?.id === entry.subject && !item.isSent) show(entry.subject);
  progress.soon();
});
outbox.addEventListener("refused", ({ detail }) => {
  const { entry } = detail;
  strip.drop(entry.body.action_id);
  queue.back(entry.subject);
  // Uses that did not change lead to no version that anything else could stand over.
  if (entry.verb === "uses") overtake(entry.draft, entry.body.version);
  if (item?.id === entry.subject) {
    turn += 1; // what was about to come does not
    if (entry.verb !== "uses") item.isSent = false;
    item.say("");
    if (entry.verb === "uses") item.follow(entry.body.version);
    else if (item.isChanged) item.keep();
  }
  answerRefusal(detail);
});
tell(outbox, setup, ["One decision", "decisions"], () => isLeft() && next(), again);

document.getElementById("review-form").addEventListener("submit", (event) => event.preventDefault());
document.getElementById("uses-form")?.addEventListener("submit", (event) => {
  event.preventDefault();
  act("change_uses");
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (!button) return;
  event.preventDefault();
  act(button.dataset.do);
});
document.addEventListener("toggle", ({ target }) => {
  if (!target.matches?.(".menu") || !target.open) return;
  const body = target.querySelector(".menu-body");
  body.classList.remove("from-left");
  if (body.getBoundingClientRect().left < 0) body.classList.add("from-left");
  target.querySelector("a, input")?.focus();
}, true);
for (const name of ["keydown", "pointerdown", "wheel"]) {
  addEventListener(name, () => item && Date.now() - renewed > RENEW && take(turn), { passive: true });
}
addEventListener("pagehide", letGo);
for (const select of document.querySelectorAll(".filters select")) select.addEventListener("change", () => select.form.submit());
for (const button of document.querySelectorAll("[data-filter-button]")) button.hidden = true;
for (const button of document.querySelectorAll("[data-do][hidden]:not([data-do=reopen])")) button.hidden = false;

queue.passDecided(outbox.entries);
if (item && queue.passed.has(item.id) && item.id !== setup.asked) goOn(item, next);
else if (item) {
  shown();
  take(turn);
}
outbox.flush();
document.documentElement.dataset.ready = "yes";
