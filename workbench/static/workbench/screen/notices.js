// What the screen has to say: notices that stay until they are no longer true, and a line that is only read out.
const place = document.getElementById("notices");
const aloud = document.getElementById("aloud");

// One notice for each `about`; `more` is a link, or [words, act] for a button.
export function notice(words, tone = "error", about = "", more = null) {
  const made = Object.assign(document.createElement("p"), { className: `notice notice-${tone}`, textContent: words });
  made.dataset.about = about;
  if (more instanceof Node) made.append(more);
  if (Array.isArray(more)) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: more[0] });
    button.addEventListener("click", () => {
      made.remove();
      more[1]();
    });
    made.append(" ", button);
  }
  for (const old of place.querySelectorAll("[data-about]")) if (old.dataset.about === about) old.remove();
  place.append(made);
}

export const isSaid = (about) => [...place.children].some((each) => each.dataset.about === about);

export const link = (href, textContent = "Open it") => Object.assign(document.createElement("a"), { href, textContent });

// Takes back the notice about something; without a name all but those of the connection and those that are a way back.
export function quiet(about) {
  for (const old of [...place.children]) {
    const its = old.dataset.about ?? "";
    if (about === undefined ? !["offline", "signed-out", "another"].includes(its) && !old.querySelector("a, button") : its === about) old.remove();
  }
}

// For who does not see what a key changed.
export function readOut(words) {
  aloud.textContent = words;
}

export function say(words) {
  notice(words, "info", "said");
}
