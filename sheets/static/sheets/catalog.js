// Filters the open part of the tree by name: what matches stays, with the way that leads to it.
"use strict";
(() => {
  const input = document.getElementById("tree-filter");
  const tree = document.getElementById("tree");
  const nothing = document.getElementById("tree-nothing");
  if (!input || !tree) return;

  const show = (item, wanted) => {
    const self = (item.dataset.name || "").toLowerCase().includes(wanted);
    // All of a list, not only until the first match: each child is shown or hidden on its own.
    const below = [...item.querySelectorAll(":scope > ul > li")].map((child) => show(child, self ? "" : wanted)).some(Boolean);
    item.hidden = !(self || below);
    return self || below;
  };
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    const found = [...tree.children].map((item) => show(item, wanted)).some(Boolean);
    nothing.hidden = found;
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const hits = [...tree.querySelectorAll("li[data-name]")].filter((item) => !item.hidden && item.dataset.name.toLowerCase().includes(input.value.trim().toLowerCase()));
    if (hits.length) hits[0].querySelector("a").click();
  });
})();
