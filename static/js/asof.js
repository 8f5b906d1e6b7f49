// Whether a page that does not move is still the newest: the stream tells of what came since.
(() => {
  const LOST_AFTER_MS = 5000;
  const note = document.querySelector("[data-news]");
  if (!note) return;
  const kinds = note.dataset.news.split(" "), known = new Map();
  let isNewer = false, heard = Date.now();

  LiveSocket.listen(({ key, data }) => {
    if (!kinds.includes(key.split(":")[0])) return;
    const told = JSON.stringify(data), before = known.get(key);
    known.set(key, told);
    if (before !== undefined && before !== told) isNewer = true; // the first is what was stored
  });
  setInterval(() => {
    if (LiveSocket.isOpen()) heard = Date.now();
    const state = Date.now() - heard > LOST_AFTER_MS ? "lost" : isNewer ? "newer" : "fresh";
    if (note.dataset.state !== state) note.dataset.state = state;
  }, 500);
})();
