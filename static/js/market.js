// The chart page: what was seen and done on the bar under the cursor, and which strategies are drawn.
(() => {
  const root = document.getElementById("market");
  const STALE_MS = 5000, WORKING_MS = 700, PATIENCE = 15, LATER_MS = 5000, FRESH_MS = 3000, BAR_PX = 6, ROOM_BARS = 3;
  const { grouped, time, node, put, signed, tone, whence } = Words;
  const byId = (id) => document.getElementById(id);
  const boxes = [...root.querySelectorAll("input[name=show]")];
  const chosen = () => boxes.filter((box) => box.checked).map((box) => box.value);
  const share = (value) => String(+value.toPrecision(3)).replace("-", "−");
  let bars = [], step = 60, fitted = false, fills = [], stops = new Map(), at = null, timer = 0, asked = 0, heard = 0, lastWall = 0, quoted = null, decimals = 2;

  function piece(words, style) { const el = node("span", style); el.append(...words); return el; }
  const price = (value) => grouped(Number(value).toFixed(decimals));

  function told(ms) {
    const bar = bars.find((one) => one.open_ms === ms);
    if (!bar) return [];
    const score = Plots.score(ms), stop = stops.get(ms), parts = [[node("b", "", time(ms)), " UTC"]];
    parts.push([`open ${price(bar.open)} high ${price(bar.high)} low ${price(bar.low)} close ${price(bar.close)}`]);
    if (stop) parts.push([`stop ${price(stop)}`]);
    if (score) {
      parts.push([score.score === null ? "no candidate" : `score ${share(score.score)}, confidence ${share(score.confidence)}`]);
      if (score.regime) parts.push([score.regime]);
      Object.entries(score.votes).forEach(([name, value]) => parts.push([node("span", value < 0 ? "down" : "up", `${value < 0 ? "▼" : "▲"} ${name.replaceAll("_", " ")} ${share(value)}`)]));
    }
    const until = bars[bars.indexOf(bar) + 1]?.open_ms ?? Infinity;
    fills.filter((fill) => fill.filled_ms >= ms && fill.filled_ms < until).forEach((fill) => parts.push([node("b", "", `${fill.side} ${fill.quantity} at ${grouped(fill.price)}: ${fill.why}`)]));
    return parts;
  }

  function show(ms) {
    const parts = told(ms), box = byId("readout");
    box.replaceChildren(...parts.map((words) => piece(words)));
    if (parts.length) {
      const link = node("a", "", "Why?"), iso = (value) => new Date(value).toISOString();
      link.href = `${root.dataset.decisions}?since=${iso(ms)}&until=${iso(ms + 1)}`;
      box.append(link);
    }
    const values = Plots.at(ms);
    root.querySelectorAll("[data-values]").forEach((list) => {
      const own = values.filter((one) => one.strategy === list.dataset.values);
      list.classList.toggle("is-hidden", own.length === 0);
      list.replaceChildren(...own.flatMap((one) => [node("dt", "", one.label), node("dd", "", one.value === null ? "–" : one.pane === "price" ? price(one.value) : share(one.value))]));
    });
  }

  const here = () => at ?? bars.at(-1)?.open_ms;

  function arrive(data) {
    bars = data.bars;
    step = data.timeframe_seconds;
    decimals = (data.price_step.split(".")[1] || "").length;
    stops = new Map(data.stops.map((stop) => [stop.open_ms, stop.price]));
    fills = data.fills.map(worded);
    Charts.fills(fills.map((fill) => ({ ...fill, why: "" })));
    Plots.setScores(data.scores);
    show(here());
    draw();
  }

  const lower = (text) => text.toLowerCase().replaceAll("_", " ");
  const worded = (fill) => ({ ...fill, why: lower(fill.purpose) === "entry" ? "entry" : lower(fill.reason) });

  function state(words) { byId("plots-state").textContent = words; }

  async function draw() {
    clearTimeout(timer);
    timer = 0;
    const names = chosen(), mine = ++asked;
    if (!names.length || !bars.length) { Plots.setSeries({ opened: [], series: [] }); state(""); show(here()); return; }
    for (let tries = 0; mine === asked; tries += 1) {
      const answer = await fetch(`${root.dataset.plots}?strategies=${names.join(",")}`, { headers: { Accept: "application/json" } }).catch(() => null);
      const found = answer?.ok ? await answer.json() : { state: "unread" };
      if (mine !== asked) return;
      if (found.state === "ready") {
        Plots.setSeries({ ...found, is_stepped: found.timeframe_seconds > step });
        state(`As the strategies saw them on each closed bar of ${frame(found.timeframe_seconds)}.`);
        show(here());
        return;
      }
      if (found.state === "failed") { state(found.words); return; }
      if (found.state === "unread") state("Indicators cannot be read now; trying again.");
      else state(tries < PATIENCE ? "Drawing…" : "Waiting for a worker of research to draw them; it may be busy or not running.");
      await new Promise((done) => setTimeout(done, found.state === "working" && tries < PATIENCE ? WORKING_MS : LATER_MS));
    }
  }

  const frame = (seconds) => (seconds % 86400 === 0 ? `${seconds / 86400} d` : seconds % 3600 === 0 ? `${seconds / 3600} h` : `${seconds / 60} min`);

  function choose() {
    const address = new URL(location.href);
    address.searchParams.set("show", chosen().join(","));
    history.replaceState(null, "", address);
    draw();
  }

  function move(step) {
    if (!bars.length) return;
    const now = bars.findIndex((bar) => bar.open_ms === here());
    const next = bars[Math.min(Math.max(now + step, 0), bars.length - 1)];
    at = next.open_ms;
    Charts.chart().setCrosshairPosition(next.close, Math.floor(at / 1000), Charts.candles());
    show(at);
    byId("spoken").textContent = byId("readout").innerText;
  }

  const KEYS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20, Home: -Infinity, End: Infinity };
  byId("chart").addEventListener("keydown", (event) => {
    if (!(event.key in KEYS)) return;
    event.preventDefault();
    move(KEYS[event.key]);
  });

  const receivers = {
    bar(d) {
      Charts.bar(d);
      if (d.open_ms > (bars.at(-1)?.open_ms ?? 0)) bars.push(d);
      show(here());
    },
    price(d) {
      quoted = d;
      put(byId("price"), grouped(d.price));
      byId("price").classList.toggle("is-stale", d.is_stale);
      put(byId("change"), d.change === null ? "" : `${signed(d.change * 100)} % in 24 h`);
      tone(byId("change"), d.change ?? 0);
      Charts.level("price", d.is_stale || d.source === "close" ? "" : d.price, "--np-axis");
      age();
    },
    position(d) {
      const flat = d.side === "FLAT";
      Charts.level("entry", flat ? "" : d.entry_price, "--np-accent");
      Charts.level("stop", flat ? "" : d.stop_price, "--np-down");
      Charts.level("target", flat ? "" : d.target_price, "--np-up");
      Charts.stop(Charts.newest(), flat ? "" : d.stop_price);
      if (!flat && d.stop_price) stops.set(Charts.newest(), Number(d.stop_price));
    },
    decision(d) {
      const side = { buy: 1, sell: -1 }[d.side] ?? 0;
      const votes = Object.fromEntries(d.votes.filter((vote) => vote.abstained === "voted").map((vote) => [vote.strategy, vote.score]));
      Plots.addScore({ open_ms: d.bar_open_ms, score: side ? side * d.score : null, confidence: d.confidence, regime: d.regime, votes });
      show(here());
      timer ||= setTimeout(draw, FRESH_MS);
    },
    fill(d) {
      if (fills.some((known) => known.filled_ms === d.filled_ms && known.side === d.side && Number(known.price) === Number(d.price))) return;
      fills.push(worded(d));
      Charts.fills(fills.map((fill) => ({ ...fill, why: "" })));
    },
  };

  const age = () => { if (quoted) put(byId("price-age"), whence(quoted, lastWall, heard)); };

  function receive({ key, data }) {
    const [kind, index] = key.split(":");
    if (data.engine_id !== root.dataset.engine) return;
    if (kind === "engine") {
      // The first value may be the stored last word of an engine long gone; only a second proves life.
      if (lastWall !== 0 && data.wall_ms !== lastWall) heard = Date.now();
      lastWall = data.wall_ms;
    } else if (index === root.dataset.market) receivers[kind]?.(data);
  }

  setInterval(() => {
    if (!LiveSocket.isOpen()) return;
    age();
    const opened = LiveSocket.openedAt();
    if (Date.now() - Math.max(heard, opened) > STALE_MS) LiveSocket.show("no news – stale", "bg-yellow-lt");
    else if (heard > opened) LiveSocket.show("live", "bg-green-lt");
  }, 1000);

  Plots.start(boxes.map((box) => box.value), Number(root.dataset.minScore));
  boxes.forEach((box) => {
    box.addEventListener("change", choose);
    box.parentElement.querySelector(".line-swatch").classList.add(`line-${Plots.hueOf(box.value)}`);
  });
  byId("none").addEventListener("click", () => { boxes.forEach((box) => { box.checked = false; }); choose(); });
  // The newest bars, wide enough to be read; where the reader scrolled to stays when bars are read again.
  function fit(chart, count) {
    if (fitted) return;
    fitted = true;
    const shown = Math.floor(byId("chart").clientWidth / BAR_PX);
    chart.timeScale().setVisibleLogicalRange({ from: Math.max(count - shown, 0), to: count + ROOM_BARS });
  }

  Charts.start(root.dataset.chart, arrive, fit).then(() => {
    Charts.chart().subscribeCrosshairMove((moved) => {
      if (moved.sourceEvent) { at = moved.time ? moved.time * 1000 : null; show(here()); }
    });
    LiveSocket.listen(receive);
  });
})();
