// Light, dark or as the system says; set before the page is drawn, so that it does not flash. Kept in the browser.
"use strict";
(() => {
  const KEY = "workbench-theme";
  const apply = (theme) => {
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  };
  let theme = localStorage.getItem(KEY) || "auto";
  apply(theme);
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-theme-button]");
    if (!button) return;
    const next = { auto: "light", light: "dark", dark: "auto" };
    const draw = () => {
      button.textContent = { auto: "◐", light: "☀", dark: "☾" }[theme];
      button.setAttribute("aria-label", `Colours: ${theme === "auto" ? "as the system" : theme}. Change to ${next[theme]}`);
      button.title = `Colours: ${theme}`;
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      theme = next[theme];
      localStorage.setItem(KEY, theme);
      apply(theme);
      draw();
    });
    draw();
  });
})();
