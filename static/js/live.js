// Opens the socket and patches the page with the latest value of each key.
(() => {
  const root = document.getElementById("live");
  if (!root) return;
  const STALE_MS = 5000, ROWS = 60, FILLS = 20;
  const { money, signed, grouped, time, node, away, whence } = Words;
  let market = 0, heard = 0, lastWall = 0, toldOf = "", price = null, isRunning = root.dataset.observed === "RUNNING", lastDecision = Number(document.getElementById("decisions").rows[0]?.dataset.bar ?? 0), fills = [];
  const at = (name) => root.querySelector(`[data-live="${name}"]`);
  const put = (name, text) => Words.put(at(name), text);
  const tone = (name, value) => Words.tone(at(name), value);
  const short = (value) => (value === null || value === undefined ? "–" : Math.abs(value) >= 1000 ? value.toFixed(0) : String(+value.toPrecision(3)));

  const asked = (d, value) => (d.stage === "holding" || d.stage === "warmup" ? "–" : short(value));

  const pace = (rate) => (rate === 0 ? "waits for a bar" : `${rate} ${rate === 1 ? "bar" : "bars"} a second`);

  function engine(d) {
    if (d.engine_id !== root.dataset.engine) return;
    // The first value may be the stored last word of an engine long gone; only a second proves life.
    const alive = lastWall !== 0 && d.wall_ms !== lastWall;
    lastWall = d.wall_ms;
    const runs = isRunning = d.observed === "RUNNING";
    if (alive) heard = Date.now();
    if (alive || !runs) {
      put("observed", d.observed[0] + d.observed.slice(1).toLowerCase());
      at("observed").className = `badge ${runs ? "bg-green text-green-fg" : "bg-secondary text-secondary-fg"}`;
    }
    put("equity", money(d.equity));
    const pnl = Number(d.equity) - Number(root.dataset.paidIn);
    put("pnl", signed(pnl)); tone("pnl", pnl);
    put("today", signed(Number(d.today))); tone("today", Number(d.today));
    put("realized", signed(Number(d.realized))); tone("realized", Number(d.realized));
    put("fees", money(d.fees));
    if (d.market_ms) put("market-time", time(d.market_ms));
    put("rate", runs ? pace(d.bars_per_second) : "–");
    put("epoch", `epoch ${d.epoch}`);
    if (runs && d.market_data) put("market-data", d.market_data);
    if (d.market_ms) Charts.equity(d.market_ms, d.equity);
    root.classList.toggle("is-paused", d.holds.some((hold) => hold.kind === "OPERATOR"));
    // The server tells why in words; what is heard here says when to ask it.
    const heardOf = [d.observed, ...d.holds.map((hold) => hold.kind)].join();
    if (toldOf !== heardOf) { toldOf = heardOf; htmx.trigger("#holds", "look"); }
  }

  function position(d) {
    const held = d.side !== "FLAT";
    put("position-side", d.side);
    document.getElementById("flat").classList.toggle("is-hidden", held);
    document.getElementById("position").classList.toggle("is-hidden", !held);
    const fields = { quantity: [d.quantity], entry: [d.entry_price], stop: [d.stop_price, d.to_stop], target: [d.target_price, d.to_target], last: [d.last_price] };
    Object.entries(fields).forEach(([name, [text, share = null]]) => put(name, text ? grouped(text) + away(share) : "–"));
    put("unrealized", held ? signed(Number(d.unrealized)) : "–"); tone("unrealized", Number(d.unrealized));
    Charts.level("entry", held ? d.entry_price : "", "--np-accent");
    Charts.level("stop", held ? d.stop_price : "", "--np-down");
    Charts.stop(Charts.newest(), held ? d.stop_price : "");
    Charts.level("target", held ? d.target_price : "", "--np-up");
  }

  function quote(d) {
    price = d;
    put("last-price", grouped(d.price));
    at("last-price").classList.toggle("is-stale", d.is_stale);
    put("change", d.change === null ? "" : `${signed(d.change * 100)} % in 24 h`); tone("change", d.change ?? 0);
    put("quotes", d.bid ? `${grouped(d.bid)} / ${grouped(d.ask)}` : "–");
    Charts.level("price", d.is_stale || d.source === "close" ? "" : d.price, "--np-axis");
    age();
  }
  const age = () => { if (price) put("price-age", whence(price, lastWall, heard)); };

  function decision(d) {
    if (d.bar_open_ms <= lastDecision) return;
    lastDecision = d.bar_open_ms;
    const row = node("tr"), details = node("details", "decision"), gates = node("div", "gates num");
    details.append(node("summary", "", d.sentence), gates);
    d.votes.forEach((vote) => gates.append(node("div", "", `${vote.strategy.replaceAll("_", " ")}: ${vote.abstained === "voted" ? `score ${short(vote.score)}, confidence ${short(vote.confidence)}` : vote.abstained}`)));
    d.gates.filter((gate) => gate.verdict !== "not asked").forEach((gate) => {
      const line = node("div");
      line.append(node("span", gate.verdict, `${gate.verdict === "passed" ? "✓" : "✗"} ${gate.name}`), ` ${short(gate.value)} `, node("span", "text-secondary", `limit ${short(gate.limit)}`));
      gates.append(line);
    });
    const link = node("a", "", "Every gate, and what would have passed"), iso = (ms) => new Date(ms).toISOString();
    link.href = `${root.dataset.decisions}?since=${iso(d.bar_open_ms)}&until=${iso(d.bar_open_ms + 1)}`;
    gates.append(link);
    const cell = node("td"); cell.append(details);
    row.append(node("td", "text-nowrap", time(d.bar_open_ms)), cell, node("td", "", d.regime), node("td", "", asked(d, d.score)), node("td", "", asked(d, d.confidence)));
    const body = document.getElementById("decisions");
    document.getElementById("no-decisions")?.remove();
    body.prepend(row);
    while (body.rows.length > ROWS) body.deleteRow(-1);
  }

  const lower = (text) => text.toLowerCase().replaceAll("_", " ");
  const name = (fill) => `${fill.filled_ms}-${fill.side}-${fill.quantity}-${Number(fill.price)}`;
  function showFills(list) {
    fills = list.map((f) => ({ ...f, why: lower(f.purpose) === "entry" ? "entry" : lower(f.reason) })).slice(-200);
    Charts.fills(fills);
    const body = document.getElementById("fills");
    if (!fills.length) return;
    body.replaceChildren(...fills.slice(-FILLS).reverse().map((f) => {
      const row = node("tr");
      row.append(node("td", "", time(f.filled_ms).slice(5)), node("td", f.side === "BUY" ? "up" : "down", f.side), ...[f.quantity, grouped(f.price), f.why].map((text) => node("td", "", text)));
      return row;
    }));
  }
  function fill(d) {
    if (!fills.some((known) => name(known) === name(d))) showFills([...fills, d]);
  }

  function receive({ key, data }) {
    const [kind, index] = key.split(":");
    if (kind === "engine") return engine(data);
    if (data.engine_id !== root.dataset.engine || Number(index) !== market) return;
    ({ bar: Charts.bar, price: quote, position, decision, fill })[kind]?.(data);
  }

  setInterval(() => {
    if (!LiveSocket.isOpen()) return;
    const opened = LiveSocket.openedAt();
    if (!isRunning) LiveSocket.show("connected", "bg-secondary-lt");
    else if (Date.now() - Math.max(heard, opened) > STALE_MS) LiveSocket.show("no news – stale", "bg-yellow-lt");
    else if (heard > opened) LiveSocket.show("live", "bg-green-lt");
    age();
    if (heard) put("age", `${Math.round((Date.now() - heard) / 1000)} s ago`);
  }, 1000);

  root.querySelectorAll("[data-market]").forEach((button) => button.addEventListener("click", () => {
    root.querySelectorAll("[data-market]").forEach((other) => other.classList.toggle("active", other === button));
    market = Number(button.dataset.market); lastDecision = 0; fills = []; price = null;
    root.querySelector(".card-title").textContent = button.dataset.symbol;
    put("base", button.dataset.symbol.split("/")[0]);
    ["last-price", "change", "price-age"].forEach((name) => put(name, ""));
    Charts.level("price", "");
    ["price", "position"].map((kind) => LiveSocket.newest(`${kind}:${market}:${root.dataset.engine}`)).forEach((value) => value && receive(value));
    Charts.load(button.dataset.chart);
  }));

  Charts.start(root.dataset.chart, (data) => showFills(data.fills)).then(() => LiveSocket.listen(receive));
})();
