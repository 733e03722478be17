// Keeps the preview of a new sheet in step with its form; without this script the Preview button does the same.
"use strict";
(() => {
  const form = document.getElementById("define-form");
  if (!form) return;
  const preview = document.getElementById("preview");
  const said = document.getElementById("said");
  const mark = document.getElementById("mark");
  const total = form.querySelector("[name=sources-TOTAL_FORMS]");
  const sources = document.getElementById("sources");
  const addButton = document.getElementById("add-source");
  const most = Number(form.querySelector("[name=sources-MAX_NUM_FORMS]").value);
  let running = null;
  let timer = 0;

  const showFaults = (answer) => {
    for (const place of form.querySelectorAll("[data-faults]")) {
      const words = answer.faults[place.dataset.faults] || [];
      // `name` may be missing while one looks around; the server says so when the sheet is saved.
      if (place.dataset.faults !== "name") place.textContent = words.join(" ");
      const input = form.elements[place.dataset.faults];
      if (input && input.setAttribute) input.setAttribute("aria-invalid", String(words.length > 0));
    }
    mark.textContent = answer.mark;
    mark.hidden = !answer.mark;
  };

  const ask = async (query) => {
    if (running) running.abort();
    const mine = (running = new AbortController());
    preview.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(form.dataset.preview + query, { method: "POST", body: new FormData(form), signal: mine.signal });
      if (!response.ok) throw new Error(`The server answered ${response.status}.`);
      const answer = await response.json();
      showFaults(answer);
      if (answer.html !== null) preview.innerHTML = answer.html;
      // A screen reader hears the findings, not the whole table again.
      said.textContent = preview.querySelector(".wb-findings, .wb-problem")?.innerText || "";
      // While a filter is being typed the items below are those of before.
      preview.classList.toggle("wb-stale", answer.html === null);
    } catch (error) {
      if (error.name !== "AbortError") preview.textContent = `The preview cannot be shown: ${error.message} Press Preview to try again.`;
    } finally {
      if (running === mine) preview.removeAttribute("aria-busy");
    }
  };
  const soon = (query, wait) => {
    clearTimeout(timer);
    timer = setTimeout(() => ask(query), wait);
  };

  const addRow = () => {
    const at = Number(total.value);
    if (at >= most) return null;
    sources.insertAdjacentHTML("beforeend", document.getElementById("empty-source").innerHTML.replaceAll("__prefix__", String(at)));
    total.value = String(at + 1);
    addButton.hidden = at + 1 >= most;
    return sources.lastElementChild;
  };
  addButton.hidden = false;
  addButton.addEventListener("click", () => addRow()?.querySelector("input").focus());
  const quick = document.getElementById("quick");
  if (quick) {
    quick.hidden = false;
    quick.addEventListener("click", (event) => {
      const button = event.target.closest("[data-source]");
      if (!button) return;
      const inputs = [...sources.querySelectorAll("input[name$=-source]")];
      if (inputs.some((input) => input.value === button.dataset.source)) return;
      const free = inputs.find((input) => !input.value) || addRow()?.querySelector("input");
      if (!free) return;
      free.value = button.dataset.source;
      soon("", 0);
    });
  }

  form.addEventListener("input", (event) => {
    if (event.target.name === "filter_condition") soon("?check", 350);
  });
  form.addEventListener("change", (event) => {
    if (!["name", "description"].includes(event.target.name)) soon("", 50);
  });
  form.addEventListener("click", (event) => {
    if (event.target.closest("button[name=preview]")) {
      event.preventDefault();
      soon("", 0);
    }
  });
  soon("", 0);
})();
