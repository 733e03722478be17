// Keeps the preview in step with what is typed; without this script the Preview button does the same.
"use strict";
(() => {
  const form = document.getElementById("studio");
  const preview = document.getElementById("preview");
  const said = document.getElementById("said");
  const variables = document.getElementById("variables");
  const unsaved = document.getElementById("unsaved");
  const fields = window.codeFields || new Map();
  let running = null;
  let timer = 0;
  let target = fields.get("user_prompt_template");
  form.classList.add("wb-js");

  const answered = async (address, signal) => {
    const response = await fetch(address, { method: "POST", body: new FormData(form), signal });
    if (!response.ok) throw new Error(`the server answered ${response.status}.`);
    return response.json();
  };

  const showMarks = (answer) => {
    fields.forEach((field, name) => {
      const marks = answer.marks[name] || [];
      field.show(marks);
      const told = new Set(marks.map((mark) => `${mark.line ? `Line ${mark.line}: ` : ""}${mark.words}`));
      // What is marked at its line needs no second word from the checks.
      const others = marks.length ? [] : answer.faults[name] || [];
      field.faults.replaceChildren(...[...told, ...others].map((words) => Object.assign(document.createElement("p"), { className: "wb-problem", textContent: words })));
    });
    for (const place of form.querySelectorAll(".wb-field [data-faults]")) {
      // What is merely not filled in yet stands in the list of checks.
      if (!form.elements[place.dataset.faults].value) continue;
      place.replaceChildren(...(answer.faults[place.dataset.faults] || []).map((words) => Object.assign(document.createElement("p"), { className: "wb-problem", textContent: words })));
    }
  };

  const showColumns = () => {
    if (!variables) return;
    const columns = JSON.parse(document.getElementById("columns").textContent);
    const typed = ["system_prompt", "user_prompt_template"].map((name) => form.elements[name].value).join("\n");
    variables.replaceChildren(
      ...columns.map(([name, type]) => {
        const used = new RegExp(`\\b${name.replace(/[^\w]/g, "\\$&")}\\b`).test(typed);
        const pill = Object.assign(document.createElement("button"), { type: "button", className: `wb-pill${used ? " wb-used" : ""}`, textContent: name, title: `${type}: put {{ ${name} }} into the prompt` });
        pill.addEventListener("click", () => {
          window.schemaEditors.get("input_schema")?.add(name, type);
          target.insert(`{{ ${name} }}`);
        });
        return pill;
      }),
    );
  };

  const refresh = async () => {
    clearTimeout(timer);
    timer = 0;
    running?.abort();
    const mine = (running = new AbortController());
    preview.setAttribute("aria-busy", "true");
    try {
      const answer = await answered(form.dataset.preview, mine.signal);
      const kept = document.activeElement?.name === "row";
      preview.innerHTML = answer.html;
      if (kept) preview.querySelector("[name=row]:checked")?.focus();
      // A screen reader hears what changed for the writer, not the whole preview again.
      said.textContent = preview.querySelector(".wb-marks")?.innerText || preview.querySelector(".wb-checks-head").innerText;
      showMarks(answer);
      showColumns();
      offerTry();
    } catch (error) {
      if (error.name !== "AbortError") preview.textContent = `The preview cannot be shown: ${error.message}`;
    } finally {
      if (running === mine) {
        running = null;
        preview.removeAttribute("aria-busy");
      }
    }
  };

  const offerTry = () => {
    const line = document.getElementById("try-line");
    if (line && form.dataset.try) line.hidden = false;
  };
  const tryModel = async (pressed) => {
    pressed.disabled = true;
    // The preview of what was typed just before would replace the answer, so it is awaited.
    if (timer || running) await refresh();
    const [place, button] = ["answer", "try"].map((id) => document.getElementById(id));
    if (!place) return;
    button.disabled = true;
    place.textContent = "Asking the model …";
    try {
      place.innerHTML = (await answered(form.dataset.try)).html;
    } catch (error) {
      place.textContent = `The model was not asked: ${error.message}`;
    }
    button.disabled = false;
  };

  const soon = (wait) => {
    clearTimeout(timer);
    timer = setTimeout(refresh, wait);
  };
  form.addEventListener("input", (event) => {
    if (!["row", "sheet"].includes(event.target.name)) unsaved.hidden = false;
    soon(350);
  });
  form.addEventListener("change", (event) => {
    if (["row", "sheet"].includes(event.target.name)) soon(0);
  });
  form.addEventListener("focusin", (event) => {
    if (["system_prompt", "user_prompt_template"].includes(event.target.name)) target = fields.get(event.target.name);
  });
  form.addEventListener("click", (event) => {
    if (event.target.id === "try") tryModel(event.target);
    const place = event.target.closest("[data-goto]");
    if (place) fields.get(place.dataset.goto)?.goTo(Number(place.dataset.line));
  });
  let leaving = false;
  form.addEventListener("submit", () => (leaving = true));
  addEventListener("beforeunload", (event) => {
    if (!leaving && !unsaved.hidden) event.preventDefault();
  });
  if (fields.size) refresh();
  else showColumns();
  offerTry();
})();
