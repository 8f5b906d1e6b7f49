// Dark or light: the reader's choice, else the system's. Loaded in <head> so that nothing flashes.
(() => {
  const root = document.documentElement;
  const chosen = localStorage.getItem("theme");
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  // The API's documentation has a name of its own for it.
  const wear = (theme) => { root.dataset.bsTheme = theme; root.classList.toggle("dark-mode", theme === "dark"); };
  wear(chosen || system);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-switch]")) return;
    // All at once: each part fading at its own pace would be unreadable on the way.
    root.classList.add("is-switching");
    requestAnimationFrame(() => requestAnimationFrame(() => root.classList.remove("is-switching")));
    wear(root.dataset.bsTheme === "dark" ? "light" : "dark");
    localStorage.setItem("theme", root.dataset.bsTheme);
    document.dispatchEvent(new CustomEvent("themechange"));
  });
  // Ink on paper, whatever the screen has.
  let onScreen = "";
  const show = (theme) => { wear(theme); document.dispatchEvent(new CustomEvent("themechange")); };
  window.addEventListener("beforeprint", () => { onScreen ||= root.dataset.bsTheme; show("light"); });
  window.addEventListener("afterprint", () => { if (onScreen) show(onScreen); onScreen = ""; });
})();
// A table that scrolls can be scrolled with the keyboard too.
(() => {
  const regions = ".table-responsive, .table-scroll, .rp-scroll";
  const mark = () => document.querySelectorAll(regions).forEach((el) => {
    if (el.scrollWidth > el.clientWidth || el.scrollHeight > el.clientHeight) el.tabIndex = 0;
    else el.removeAttribute("tabindex");
  });
  document.addEventListener("DOMContentLoaded", mark);
  window.addEventListener("resize", mark);
  ["toggle", "change"].forEach((name) => document.addEventListener(name, mark, true));
})();
