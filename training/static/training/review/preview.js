// The preview is the answer to a form: "Back" to it would ask to send that once more, so what comes next takes its place.
const form = document.querySelector("form");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form));
  const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => null);
  if (answer?.type === "opaqueredirect") location.replace(form.action);
  else form.submit(); // shows what the server, or the browser, says; a batch is done once
});
form.querySelector("[data-leave]").addEventListener("click", (event) => {
  event.preventDefault();
  location.replace(event.target.href);
});
document.documentElement.dataset.ready = "yes";
