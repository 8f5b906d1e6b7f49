// What became of a request that got no good answer: in the button's own place, else as a note in the corner.
(() => {
  const corner = document.getElementById("toasts"), shape = document.getElementById("toast");
  const WORDS = {
    0: "No answer from the server, so it is not known whether this was done. Reload the page to see.",
    403: "Refused: this page is out of date. Reload it and try again.",
    404: "There is nothing at this address any more. Reload the page.",
    429: "Too many requests. Wait a little and try again.",
  };
  const BROKE = "Something broke on the server; the error is in its log. Reload the page to see what was done.";
  let lastNews = Date.now();

  function tell(place, words, tone) {
    const known = [...place.children].find((one) => one.dataset.tone === tone);
    if (known?.querySelector("[data-words]")?.textContent === words) return;
    const note = shape.content.firstElementChild.cloneNode(true);
    note.dataset.tone = tone;
    note.classList.add(`alert-${tone}`);
    note.querySelector("[data-words]").textContent = words;
    if (known) known.replaceWith(note); else place.append(note);
  }

  function fail({ xhr, target, requestConfig }) {
    const at = new Date(lastNews).toISOString().slice(11, 19);
    if (requestConfig.verb === "get") return tell(corner, `No news from the server: this page is as of ${at} UTC.`, "warning");
    const isWritten = xhr.getResponseHeader("Content-Type")?.startsWith("text/plain");
    const words = isWritten ? xhr.responseText : WORDS[xhr.status] ?? BROKE;
    if (target?.dataset.answer === undefined) return tell(corner, words, "danger");
    target.replaceChildren();
    tell(target, words, "danger");
  }

  ["htmx:responseError", "htmx:sendError", "htmx:timeout"].forEach((name) => document.addEventListener(name, (event) => fail(event.detail)));
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const { xhr, requestConfig } = detail;
    if (xhr.status >= 400) return;
    // Led elsewhere, to sign in: that page is no answer to put here.
    if (new URL(xhr.responseURL).pathname !== new URL(requestConfig.path, location.href).pathname) {
      detail.shouldSwap = false;
      tell(corner, "You are signed out. Reload the page to sign in again.", "danger");
      return;
    }
    lastNews = Date.now();
    [...corner.children].filter((one) => one.dataset.tone === "warning").forEach((one) => one.remove());
  });
})();
