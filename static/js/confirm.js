// Questions before an act: the browser's own dialogs, closed once answered, never swapped away while open.
(() => {
  document.addEventListener("submit", (event) => { event.target.closest("dialog.confirm")?.close(); });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.querySelector("dialog[open]")) event.detail.shouldSwap = false;
  });
  if ("commandForElement" in HTMLButtonElement.prototype) return;
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[commandfor]");
    if (!button) return;
    const dialog = document.getElementById(button.getAttribute("commandfor"));
    if (button.getAttribute("command") === "show-modal") dialog.showModal();
    else dialog.close();
  });
})();
