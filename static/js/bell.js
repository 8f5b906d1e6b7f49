// The bell's number: asked for when the stream says so, and again and again while there is no stream.
(() => {
  const EVERY_MS = 10000;
  const bell = document.getElementById("bell");
  if (!bell) return;
  const badge = bell.querySelector(".bell-count");
  let wanted = false;
  const show = (unread) => {
    badge.textContent = unread > 99 ? "99+" : String(unread);
    badge.classList.toggle("is-hidden", unread === 0);
    bell.setAttribute("aria-label", `Notifications, ${unread} unread`);
  };
  const ask = async () => {
    wanted = document.hidden;
    if (document.hidden) return;
    try {
      const answer = await fetch(bell.dataset.count, { redirect: "error" });
      if (answer.ok) show((await answer.json()).unread);
    } catch { wanted = true; }
  };
  LiveSocket.listen(({ key }) => { if (key === "bell::") ask(); }, ask);
  setInterval(() => { if (wanted || !LiveSocket.isOpen()) ask(); }, EVERY_MS);
  document.addEventListener("visibilitychange", () => { if (wanted && !document.hidden) ask(); });
})();
