// Keeps the workspace's dashboard at the latest value of every engine.
(() => {
  const root = document.getElementById("overview");
  const THOUGHTS = 60, STALE_MS = 15000;
  const { money, signed, grouped, time, node, put, tone, away } = Words;
  const rows = new Map([...root.querySelectorAll("[data-engine]")].map((row) => [row.dataset.engine, row]));
  const heard = new Map();
  const within = (el, name) => el.querySelector(`[data-live="${name}"]`);

  function amount(el, name, value) {
    put(within(el, name), signed(value));
    tone(within(el, name), value);
  }

  function totals(currency) {
    const card = root.querySelector(`[data-total="${currency}"]`);
    let equity = 0, today = 0;
    rows.forEach((row) => {
      if (row.dataset.currency !== currency) return;
      equity += Number(row.dataset.equity);
      today += Number(row.dataset.today);
    });
    put(within(card, "equity"), money(equity));
    amount(card, "total", equity - Number(card.dataset.paidIn));
    amount(card, "today", today);
  }

  function engine(d) {
    const row = rows.get(d.engine_id);
    if (!row) return;
    // A stored last word says nothing about life; only a second one does.
    const alive = heard.has(d.engine_id) && heard.get(d.engine_id).wall !== d.wall_ms;
    heard.set(d.engine_id, { wall: d.wall_ms, at: alive ? Date.now() : 0 });
    if (alive || d.observed !== "RUNNING") state(row, d.observed);
    Object.assign(row.dataset, { equity: d.equity, today: d.today });
    put(within(row, "equity"), money(d.equity));
    amount(row, "today", Number(d.today));
    amount(row, "total", Number(d.equity) - Number(row.dataset.paidIn));
    if (d.market_ms) put(within(row, "market-time"), time(d.market_ms));
    within(row, "held").classList.toggle("is-hidden", d.holds.length === 0);
    within(row, "held").title = d.holds.map((hold) => hold.reason).join("; ");
    totals(row.dataset.currency);
  }

  function state(row, observed) {
    const badge = within(row, "observed");
    put(badge, observed[0] + observed.slice(1).toLowerCase());
    badge.className = `badge ${observed === "RUNNING" ? "bg-green text-green-fg" : "bg-secondary text-secondary-fg"}`;
  }

  function position(d) {
    const body = document.getElementById("positions"), name = `${d.engine_id} ${d.symbol}`;
    const known = [...body.rows].find((row) => row.dataset.position === name);
    if (d.side === "FLAT") known?.remove();
    else {
      const row = node("tr"), pair = node("td", "", d.symbol), label = rows.get(d.engine_id)?.querySelector("a").textContent ?? "";
      row.dataset.position = name;
      pair.append(node("div", "small text-secondary", label));
      row.append(pair, node("td", "", d.side), node("td", "", d.quantity));
      row.append(node("td", "", grouped(d.entry_price)), node("td", "", d.stop_price ? grouped(d.stop_price) + away(d.to_stop) : "–"));
      const open = node("td", "", signed(Number(d.unrealized)));
      tone(open, Number(d.unrealized));
      const last = node("td", d.is_stale ? "is-stale" : "", grouped(d.last_price));
      if (d.is_stale) last.title = "stale: the venue's stream is silent";
      row.append(last, open);
      if (known) known.replaceWith(row); else body.append(row);
    }
    document.getElementById("flat").classList.toggle("is-hidden", body.rows.length > 0);
  }

  function think(ms, symbol, words, href) {
    const row = node("tr"), cell = node("td"), body = document.getElementById("thoughts");
    const text = href ? node("a", "text-reset") : node("span");
    if (href) text.href = href;
    text.append(node("strong", "", symbol), ` ${words}`);
    cell.append(text);
    row.append(node("td", "num text-nowrap text-secondary", time(ms).slice(5)), cell);
    document.getElementById("no-thoughts")?.remove();
    body.prepend(row);
    while (body.rows.length > THOUGHTS) body.deleteRow(-1);
  }

  const newest = new Map();
  function decision(d, key) {
    const before = newest.get(key);
    newest.set(key, d.bar_open_ms);
    if (before === undefined || d.bar_open_ms <= before) return; // the first is on the page already
    const iso = (ms) => new Date(ms).toISOString();
    think(d.bar_open_ms, d.symbol, d.sentence, `${root.dataset.decisions}?since=${iso(d.bar_open_ms)}&until=${iso(d.bar_open_ms + 1)}`);
  }

  function fill(d, key) {
    const first = !newest.has(key);
    newest.set(key, d.filled_ms);
    if (!first) think(d.filled_ms, d.symbol, `${d.side === "BUY" ? "Bought" : "Sold"} ${d.quantity} at ${grouped(d.price)}.`);
  }

  function receive({ key, data }) {
    const handlers = { engine, position, decision, fill };
    handlers[key.split(":")[0]]?.(data, key);
  }

  setInterval(() => {
    if (!LiveSocket.isOpen()) return;
    const silent = [...rows].filter(([id, row]) => within(row, "observed").textContent === "Running" && Date.now() - Math.max(heard.get(id)?.at ?? 0, LiveSocket.openedAt()) > STALE_MS);
    if (silent.length) LiveSocket.show(`no news of ${silent.length === 1 ? "one engine" : `${silent.length} engines`} – stale`, "bg-yellow-lt");
    else LiveSocket.show("live", "bg-green-lt");
  }, 1000);

  LiveSocket.listen(receive);
})();
