// The list with scripts: choose a whole page at once, or a range with Shift, and see how many are chosen.
const form = document.getElementById("pairs");
const rows = [...form.querySelectorAll("[name=pair]")];
const whole = form.querySelector("[data-all]");
const all = form.querySelector("[name=all]");
const told = document.getElementById("chosen");
let last = null;

function draw() {
  const count = rows.filter((row) => row.checked).length;
  whole.checked = count === rows.length;
  whole.indeterminate = count > 0 && count < rows.length;
  told.textContent = all.checked ? "" : `${count} chosen`;
  for (const button of form.querySelectorAll("[name=verb]")) button.disabled = !count && !all.checked;
  for (const row of rows) row.disabled = all.checked;
  whole.disabled = all.checked;
}

if (rows.length && whole) {
  whole.hidden = false;
  whole.addEventListener("change", () => {
    for (const row of rows) row.checked = whole.checked;
    draw();
  });
  all.addEventListener("change", draw);
  for (const [at, row] of rows.entries()) {
    row.addEventListener("click", (event) => {
      if (event.shiftKey && last !== null) for (const between of rows.slice(Math.min(at, last), Math.max(at, last))) between.checked = row.checked;
      last = at;
      draw();
    });
  }
  addEventListener("pageshow", draw);
  draw();
}
document.documentElement.dataset.ready = "yes";
