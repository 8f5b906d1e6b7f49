// Draws a backtest's report from its JSON block: time series with lightweight-charts, the rest as SVG.
(() => {
  const root = document.getElementById("report");
  const data = JSON.parse(document.getElementById("report-data").textContent);
  const css = (name) => getComputedStyle(root).getPropertyValue(`--rp-${name}`).trim();
  const place = (name) => root.querySelector(`[data-chart="${name}"]`);
  const byId = (id) => document.getElementById(id);
  const percent = (digits) => (value) => `${(value * 100).toFixed(digits).replace("-", "−")}%`;
  const money = (value) => value.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const shortMoney = (value) => value.toLocaleString("en", { maximumFractionDigits: Math.abs(value) < 100 ? 2 : 0 });
  const signed = (value) => `${value < 0 ? "−" : "+"}${money(Math.abs(value))}`;
  const stamp = (time, day) => new Date(time * 1000).toISOString().slice(0, day ? 10 : 16).replace("T", " ");
  const paints = [], repaint = () => paints.forEach((paint) => paint());
  const PAPER = 660;

  function element(name, attributes = {}, text) {
    const made = document.createElement(name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function nothing(box, words) {
    box.classList.add("rp-is-empty");
    box.replaceChildren(element("p", { class: "rp-empty" }, words));
  }

  // ---- time series ----
  const look = () => ({
    layout: {
      background: { color: "transparent" }, textColor: css("soft"), attributionLogo: false, fontSize: 11,
      panes: { separatorColor: css("line"), separatorHoverColor: css("line"), enableResize: false },
    },
    grid: { vertLines: { color: css("grid") }, horzLines: { color: css("grid") } },
    crosshair: { vertLine: { color: css("hold") }, horzLine: { color: css("hold") } },
  });

  function chart(box, options = {}) {
    const made = LightweightCharts.createChart(box, {
      autoSize: true, ...look(),
      timeScale: { timeVisible: true, secondsVisible: false, borderVisible: false, minBarSpacing: 0.02, ...options.timeScale },
      rightPriceScale: { borderVisible: false },
      handleScroll: { vertTouchDrag: false, mouseWheel: false },
      handleScale: { mouseWheel: false },
      localization: { timeFormatter: (time) => stamp(time) },
    });
    paints.push(() => made.applyOptions(look()));
    new ResizeObserver(() => made.timeScale().fitContent()).observe(box);
    // The wheel scrolls the page until a chart is clicked; then it zooms, until the pointer leaves.
    const wheel = (on) => made.applyOptions({ handleScale: { mouseWheel: on } });
    box.title = "click, then turn the wheel to zoom; drag to move";
    box.addEventListener("pointerdown", () => wheel(true));
    box.addEventListener("pointerleave", () => wheel(false));
    addEventListener("beforeprint", () => { // paper is narrower than most screens, and waits for no frame
      repaint();
      made.applyOptions({ autoSize: false });
      made.resize(PAPER + 1, box.clientHeight, true);
      made.timeScale().fitContent();
      made.resize(PAPER, box.clientHeight, true);
    });
    addEventListener("afterprint", () => { made.applyOptions({ autoSize: true }); repaint(); });
    return made;
  }

  function series(made, kind, colours, options, pane = 0) {
    const line = made.addSeries(LightweightCharts[kind], { priceLineVisible: false, lastValueVisible: false, ...options, ...colours() }, pane);
    paints.push(() => line.applyOptions(colours()));
    return line;
  }

  const shaped = (formatter, minMove = 0.0001) => ({ priceFormat: { type: "custom", formatter, minMove } });
  const zip = (times, values) => times.map((time, k) => ({ time, value: values[k] }));

  function equity() {
    const box = place("equity"), found = data.equity;
    if (found.time.length < 2) return nothing(box, "Too few bars for a line.");
    const made = chart(box);
    const own = series(made, "LineSeries", () => ({ color: css("accent") }), { lineWidth: 2, ...shaped(shortMoney, 0.01) });
    const hold = series(made, "LineSeries", () => ({ color: css("hold") }), { lineWidth: 1, ...shaped(shortMoney, 0.01) });
    const fall = series(made, "AreaSeries", () => ({ lineColor: css("down"), topColor: "transparent", bottomColor: `${css("down")}40`, invertFilledArea: true }), { lineWidth: 1, ...shaped(percent(1)) }, 1);
    const holdFall = series(made, "LineSeries", () => ({ color: css("hold") }), { lineWidth: 1, ...shaped(percent(1)) }, 1);
    own.setData(zip(found.time, found.equity));
    hold.setData(zip(found.time, found.hold));
    fall.setData(zip(found.time, found.drawdown));
    holdFall.setData(zip(found.time, found.hold_drawdown));
    made.panes()[0].setStretchFactor(3);
    made.panes()[1].setStretchFactor(1);
    made.timeScale().fitContent();
    const [first, second] = byId("equity-legend").children, last = found.time.length - 1;
    const below = (fall) => (fall < 0 ? `${percent(1)(-fall)} below its peak` : "at its peak");
    const tell = (at, a, b, c, d) => {
      first.textContent = `this run ${money(a)}, ${below(c)}`;
      second.textContent = `buy and hold ${money(b)}, ${below(d)}${at ? ` at ${stamp(at)}` : ""}`;
    };
    const rest = () => tell(0, found.equity[last], found.hold[last], found.drawdown[last], found.hold_drawdown[last]);
    made.subscribeCrosshairMove((move) => {
      const [a, b, c, d] = [own, hold, fall, holdFall].map((line) => move.seriesData.get(line)?.value);
      if (move.time && d !== undefined) tell(move.time, a, b, c, d); else rest();
    });
    rest();
  }

  function rolling() {
    const box = place("rolling");
    if (data.rolling_sharpe.length < 2 && data.rolling_wins.length < 2) return nothing(box, "It takes 90 days or 30 trades.");
    const made = chart(box);
    const points = (rows) => rows.map(([time, value]) => ({ time, value }));
    const halves = (zero) => () => ({
      baseValue: { type: "price", price: zero }, topLineColor: css("up"), bottomLineColor: css("down"),
      topFillColor1: `${css("up")}30`, topFillColor2: `${css("up")}08`, bottomFillColor1: `${css("down")}08`, bottomFillColor2: `${css("down")}30`,
    });
    let pane = 0;
    if (data.rolling_sharpe.length > 1) {
      series(made, "BaselineSeries", halves(0), { lineWidth: 2, title: "Sharpe", lastValueVisible: true, ...shaped((value) => value.toFixed(2), 0.01) }, pane).setData(points(data.rolling_sharpe));
      pane += 1;
    }
    if (data.rolling_wins.length > 1) {
      series(made, "LineSeries", () => ({ color: css("accent") }), { lineWidth: 2, title: "won", lastValueVisible: true, ...shaped(percent(0), 0.01) }, pane).setData(points(data.rolling_wins));
    }
    made.timeScale().fitContent();
  }

  // ---- candles ----
  const tones = () => ({ upColor: css("up"), downColor: css("down"), wickUpColor: css("up"), wickDownColor: css("down"), borderVisible: false });
  const bars = (rows) => rows.map(([time, open, high, low, close]) => ({ time, open, high, low, close }));
  const priced = (decimals) => ({ priceFormat: { type: "price", precision: Math.min(decimals, 8), minMove: 10 ** -Math.min(decimals, 8) } });

  function marks(trades, small) {
    const found = [];
    trades.forEach((trade) => {
      const long = trade.side === "long";
      found.push({ time: trade.entry[0], position: long ? "belowBar" : "aboveBar", shape: long ? "arrowUp" : "arrowDown", color: css("accent"), size: small ? 0.6 : 1, text: small ? "" : `${trade.side} ${shortMoney(trade.entry[1])}` });
      trade.exits.forEach(([time, price, reason]) => found.push({ time, position: long ? "aboveBar" : "belowBar", shape: small ? "circle" : long ? "arrowDown" : "arrowUp", color: css(trade.won ? "up" : "down"), text: small ? "" : `${reason} ${shortMoney(price)}`, size: small ? 0.6 : 1 }));
    });
    return found.sort((a, b) => a.time - b.time);
  }

  const frame = (seconds) => [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]].filter(([size]) => seconds % size === 0).map(([size, unit]) => `${seconds / size}${unit}`)[0];

  function overview() {
    const box = place("overview"), markets = data.markets;
    if (!markets.some((market) => market.candles.length)) return nothing(box, "No bars.");
    const made = chart(box), candles = series(made, "CandlestickSeries", tones, {});
    const markers = LightweightCharts.createSeriesMarkers(candles, []);
    let shown = markets[0];
    const buttons = markets.length < 2 ? [] : markets.map((market) => element("button", { type: "button" }, market.symbol));
    const paint = () => markers.setMarkers(marks(shown.markers, true));
    const show = (k) => {
      shown = markets[k];
      candles.applyOptions(priced(shown.decimals));
      candles.setData(bars(shown.candles));
      paint();
      made.timeScale().fitContent();
      buttons.forEach((button, at) => button.setAttribute("aria-pressed", at === k));
      const hidden = shown.trades > 0 && !shown.markers.length ? `; ${shown.trades} trades are too many to mark, see them up close` : "";
      byId("overview-note").textContent = `${shown.symbol}, the whole range in candles of ${frame(shown.seconds)}${hidden}`;
    };
    buttons.forEach((button, k) => button.addEventListener("click", () => show(k)));
    byId("overview-tools").append(...buttons);
    paints.push(paint);
    show(0);
  }

  function closeUps() {
    const box = place("trade"), trades = data.trades;
    if (!trades.length) return nothing(box, "No trade was closed.");
    const made = chart(box), candles = series(made, "CandlestickSeries", tones, {});
    const stops = series(made, "LineSeries", () => ({ color: css("warn") }), { lineWidth: 2, lineType: 1, lineStyle: 0, pointMarkersVisible: false });
    const markers = LightweightCharts.createSeriesMarkers(candles, []);
    const choice = element("select", { "aria-label": "Trade" });
    trades.forEach((trade, k) => choice.append(element("option", { value: k }, `${trade.why}: ${signed(trade.profit)} ${stamp(trade.entry_time, true)}`)));
    const paint = () => markers.setMarkers(marks([trades[choice.value]], false));
    const show = () => {
      const trade = trades[choice.value];
      [candles, stops].forEach((line) => line.applyOptions(priced(trade.decimals)));
      stops.setData([]);
      candles.setData(bars(trade.candles));
      stops.setData(trade.stops.map(([time, value]) => ({ time, value })));
      paint();
      made.timeScale().fitContent();
      const multiple = trade.r === null ? "" : ` (${trade.r.toFixed(2).replace("-", "−")} R)`;
      byId("trade-note").textContent = `${trade.side} ${trade.symbol} by ${trade.strategy.replaceAll("_", " ")}, ${stamp(trade.entry_time)} to ${stamp(trade.exit_time)} UTC: ${signed(trade.profit)} ${data.currency}${multiple}; candles of ${frame(trade.seconds)}`;
    };
    const step = (by) => () => { choice.value = (Number(choice.value) + by + trades.length) % trades.length; show(); };
    const back = element("button", { type: "button", "aria-label": "Trade before" }, "‹");
    const on = element("button", { type: "button", "aria-label": "Next trade" }, "›");
    back.addEventListener("click", step(-1));
    on.addEventListener("click", step(1));
    choice.addEventListener("change", show);
    byId("trade-tools").append(back, choice, on);
    paints.push(paint);
    show();
  }

  // ---- SVG ----
  function node(name, attributes, text) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, typeof value === "number" ? Math.round(value * 100) / 100 : value));
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function ticks(low, high, count) {
    const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
    const size = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough);
    const found = [];
    for (let k = Math.ceil(low / size - 1e-9); k * size <= high + size * 1e-9; k += 1) found.push(k * size);
    return found;
  }

  // Redrawn at the size of its box: texts keep their size, nothing is stretched.
  function drawn(box, draw) {
    const again = () => {
      const width = box.clientWidth, height = box.clientHeight;
      if (!width || !height) return;
      const svg = node("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
      draw(svg, width, height);
      box.replaceChildren(svg);
    };
    new ResizeObserver(again).observe(box);
    again();
  }

  function columns(name, label, values, edges, format, tell) {
    const box = place(name);
    if (!box) return;
    if (!values.length) return nothing(box, "Too few to draw.");
    drawn(box, (svg, width, height) => {
      const left = 6, right = width - 6, bottom = height - 20, top = 6;
      const low = Math.min(...values, 0), high = Math.max(...values, 0) || 1;
      const y = (value) => bottom - ((value - low) / (high - low || 1)) * (bottom - top);
      const x = (k) => left + (k / values.length) * (right - left);
      values.forEach((value, k) => {
        const tone = (edges ? edges[k] < -1e-12 : value < 0) ? "rp-fill-down" : "rp-fill-up";
        const bar = node("rect", { class: tone, x: x(k) + 0.5, y: Math.min(y(value), y(0)), width: Math.max(x(k + 1) - x(k) - 1, 0.5), height: Math.abs(y(value) - y(0)), rx: 1 });
        bar.append(node("title", {}, tell(k)));
        svg.append(bar);
      });
      svg.append(node("line", { class: "rp-axis rp-axis-0", x1: left, x2: right, y1: y(0), y2: y(0) }));
      label(x, width).forEach(([at, text]) => svg.append(node("text", { x: at, y: height - 5, "text-anchor": at < 20 ? "start" : at > width - 20 ? "end" : "middle" }, text)));
    });
  }

  function histogram(name, found, format) {
    const { edges, counts } = found, width = edges.length > 1 ? edges[1] - edges[0] : 1;
    const labels = (x, room) => ticks(edges[0], edges[edges.length - 1], room < 260 ? 3 : 5).map((value) => [x((value - edges[0]) / width), format(value)]);
    columns(name, labels, counts, edges, format, (k) => `${format(edges[k])} to ${format(edges[k + 1])}: ${counts[k]}`);
  }

  function hours() {
    const any = data.hours.some((value) => value !== 0);
    const labels = (x) => [0, 6, 12, 18, 23].map((hour) => [x(hour + 0.5), `${String(hour).padStart(2, "0")}:00`]);
    columns("hours", labels, any ? data.hours : [], null, money, (k) => `${String(k).padStart(2, "0")}:00 ${signed(data.hours[k])} ${data.currency}`);
  }

  function bands() {
    const box = place("bands"), { day, own, bands: rows } = data.bands;
    if (!day.length) return nothing(box, "Not enough days to draw.");
    drawn(box, (svg, width, height) => {
      const left = 48, right = width - 8, bottom = height - 20, top = 8, last = day[day.length - 1];
      const low = Math.min(...rows[0], ...own), high = Math.max(...rows[4], ...own);
      const x = (value) => left + (value / last) * (right - left), y = (value) => bottom - ((value - low) / (high - low || 1)) * (bottom - top);
      const line = (values) => values.map((value, k) => `${x(day[k]).toFixed(1)},${y(value).toFixed(1)}`);
      const area = (lower, upper) => [...line(upper), ...line(lower).reverse()].join(" ");
      ticks(low - 1, high - 1, 5).forEach((value) => {
        svg.append(node("line", { class: Math.abs(value) < 1e-9 ? "rp-axis rp-axis-0" : "rp-axis", x1: left, x2: right, y1: y(value + 1), y2: y(value + 1) }));
        svg.append(node("text", { x: left - 6, y: y(value + 1) + 4, "text-anchor": "end" }, `${value > 0 ? "+" : ""}${percent(Math.abs(high - low) < 0.1 ? 1 : 0)(value)}`));
      });
      svg.append(node("polygon", { class: "rp-band-wide", points: area(rows[0], rows[4]) }));
      svg.append(node("polygon", { class: "rp-band-narrow", points: area(rows[1], rows[3]) }));
      svg.append(node("polyline", { class: "rp-line-middle", points: line(rows[2]).join(" ") }));
      svg.append(node("polyline", { class: "rp-line-own", points: line(own).join(" ") }));
      ticks(0, last, width < 400 ? 3 : 6).slice(1).forEach((value) => svg.append(node("text", { x: x(value), y: height - 5, "text-anchor": x(value) > right - 25 ? "end" : "middle" }, `${value} days`)));
    });
  }

  equity();
  rolling();
  overview();
  closeUps();
  histogram("days", data.days, percent(1));
  histogram("multiples", data.multiples, (value) => `${Number(value.toFixed(2))} R`.replace("-", "−"));
  hours();
  bands();
  document.addEventListener("themechange", repaint);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  matchMedia("print").addEventListener("change", repaint);
})();
