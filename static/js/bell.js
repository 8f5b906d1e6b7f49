// The bell's number, asked for again while the page is looked at.
(() => {
  const EVERY_MS = 10000;
  const bell = document.getElementById("bell");
  if (!bell) return;
  const badge = bell.querySelector(".bell-count");
  const show = (unread) => {
    badge.textContent = unread > 99 ? "99+" : String(unread);
    badge.classList.toggle("is-hidden", unread === 0);
    bell.setAttribute("aria-label", `Notifications, ${unread} unread`);
  };
  const ask = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(bell.dataset.count, { redirect: "error" });
      if (answer.ok) show((await answer.json()).unread);
    } catch { /* asked again in a moment */ }
  };
  setInterval(ask, EVERY_MS);
  document.addEventListener("visibilitychange", ask);
})();
