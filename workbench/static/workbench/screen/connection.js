// What a screen says of its outbox: the line at the top, a session that ended, another's sign-in, the way back.
import { isSaid, notice, quiet } from "./notices.js";

// `words` names what waits, one and many; `back` goes on where the connection or the session kept the screen waiting, and
// `again(entry)` shows what an entry is about that was taken back.
export function tell(outbox, setup, [one, many], back, again) {
  outbox.addEventListener("state", () => {
    const state = document.getElementById("state");
    state.dataset.state = outbox.state;
    if (state.textContent !== outbox.words) state.textContent = outbox.words;
    if (outbox.state === "signed-out") signedOut(outbox.entries.length, setup.sign_in, one, many);
  });
  outbox.addEventListener("stuck", ({ detail: { entry } }) => stuck(outbox, entry, again));
  for (const name of ["done", "refused", "taken-back"]) outbox.addEventListener(name, ({ detail: { entry } }) => quiet(aboutStuck(entry)));
  outbox.addEventListener("signed-in", () => {
    for (const about of ["signed-out", "another"]) quiet(about);
    back();
  });
  outbox.addEventListener("another-user", ({ detail }) => notice(`Now ${detail.user ?? "somebody else"} is signed in, and what waits here is ${setup.user}'s: sign in as ${setup.user} to send it.`, "warning", "another"));
  const online = () => {
    quiet("offline");
    back();
  };
  addEventListener("online", online);
  outbox.addEventListener("done", () => isSaid("offline") && online()); // a server that is back is no event
}

const aboutStuck = (entry) => `stuck:${entry.key}`;

// Said once; the way back stays there while the server fails on the entry.
function stuck(outbox, entry, again) {
  if (isSaid(aboutStuck(entry))) return;
  const back = () => (outbox.takeBack(entry.body.action_id) ? again(entry) : stuck(outbox, entry, again));
  notice(`${entry.itemRef ?? entry.ref}: the server fails on what you did here. It is tried again by itself.`, "warning", aboutStuck(entry), ["Take it back", back]);
}

function signedOut(count, href, one, many) {
  const kept = count ? ` ${count === 1 ? `${one} is` : `${count} ${many} are`} kept here and sent afterwards.` : "";
  const link = Object.assign(document.createElement("a"), { href, target: "_blank", textContent: "Sign in again" });
  notice(`You are signed out here.${kept} `, "warning", "signed-out", link);
}
