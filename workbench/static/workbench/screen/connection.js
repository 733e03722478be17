// What a screen says of its outbox: the line at the top, a session that ended, another's sign-in, the way back.
import { notice, quiet } from "./notices.js";

// `words` names what waits, one and many; `back` goes on where the connection or the session kept the screen waiting.
export function tell(outbox, setup, [one, many], back) {
  outbox.addEventListener("state", () => {
    const state = document.getElementById("state");
    state.dataset.state = outbox.state;
    if (state.textContent !== outbox.words) state.textContent = outbox.words;
    if (outbox.state === "signed-out") signedOut(outbox.entries.length, setup.sign_in, one, many);
  });
  outbox.addEventListener("signed-in", () => {
    for (const about of ["signed-out", "another"]) quiet(about);
    back();
  });
  outbox.addEventListener("another-user", ({ detail }) => notice(`Now ${detail.user ?? "somebody else"} is signed in, and what waits here is ${setup.user}'s: sign in as ${setup.user} to send it.`, "warning", "another"));
  addEventListener("online", () => {
    quiet("offline");
    back();
  });
}

function signedOut(count, href, one, many) {
  const kept = count ? ` ${count === 1 ? `${one} is` : `${count} ${many} are`} kept here and sent afterwards.` : "";
  const link = Object.assign(document.createElement("a"), { href, target: "_blank", textContent: "Sign in again" });
  notice(`You are signed out here.${kept} `, "warning", "signed-out", link);
}
