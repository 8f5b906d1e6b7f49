// Scores and indicators: series in panes below the candles, drawn from the server's numbers alone.
const Plots = (() => {
  const HUES = 8, PANE_PX = 110;
  const TITLES = { score: "Score", rsi: "RSI", adx: "ADX", macd: "MACD", stochastic: "Stochastic", book: "Order book", funding: "Funding" };
  const seconds = (ms) => Math.floor(ms / 1000);
  const held = new Map(), panes = new Map();
  let hues = new Map(), shown = { opened: [], series: [] }, scores = [], minScore = 0, base = 0;

  const hue = (strategy) => Charts.css(strategy ? `--np-line-${hues.get(strategy) ?? 0}` : "--np-axis");

  function look(one) {
    const { LineStyle, LineType } = LightweightCharts;
    const own = { main: { lineWidth: 2 }, second: { lineWidth: 1 }, edge: { lineWidth: 1, lineStyle: LineStyle.Dotted }, level: { lineWidth: 1, lineStyle: LineStyle.Dashed } }[one.tone] || { lineWidth: 2 };
    const color = one.tone === "up" ? Charts.css("--np-up") : one.tone === "down" ? Charts.css("--np-down") : hue(one.strategy);
    return { ...own, color, lineType: shown.is_stepped ? LineType.WithSteps : LineType.Simple, priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false };
  }

  function paneOf(name) {
    if (name === "price") return Charts.chart().panes()[0];
    if (!panes.has(name)) {
      const pane = Charts.chart().addPane();
      panes.set(name, { pane, title: LightweightCharts.createTextWatermark(pane, { horzAlign: "left", vertAlign: "top", lines: [] }) });
      grow();
    }
    return panes.get(name).pane;
  }

  function grow() {
    const el = document.getElementById("chart");
    base ||= el.clientHeight;
    el.style.height = `${base + Math.max(panes.size - 1, 0) * PANE_PX}px`;
    Charts.chart().panes().forEach((pane, at) => pane.setStretchFactor(at ? PANE_PX : base - PANE_PX));
  }

  function drop(key) {
    const { series, pane } = held.get(key);
    Charts.chart().removeSeries(series);
    held.delete(key);
    if (pane === "price" || [...held.values()].some((other) => other.pane === pane)) return;
    const at = panes.get(pane);
    at.title.detach();
    if (Charts.chart().panes().includes(at.pane)) Charts.chart().removePane(at.pane.paneIndex());
    panes.delete(pane);
    grow();
  }

  function put(key, pane, kind, options, data) {
    if (!held.has(key)) held.set(key, { pane, series: paneOf(pane).addSeries(kind, options) });
    const { series } = held.get(key);
    series.applyOptions(options);
    series.setData(data);
  }

  function paint() {
    const { LineSeries, HistogramSeries } = LightweightCharts;
    const keep = new Set(["score"]);
    put("score", "score", HistogramSeries, { base: 0, priceLineVisible: false, lastValueVisible: false }, scores.map(column));
    for (const one of shown.series) {
      const key = `${one.strategy}.${one.name}`;
      keep.add(key);
      const columns = one.tone === "columns";
      const data = shown.opened.map((ms, at) => (one.values[at] === null ? { time: seconds(ms) } : { time: seconds(ms), value: one.values[at], ...(columns ? { color: Charts.css(one.values[at] < 0 ? "--np-down" : "--np-up") } : {}) }));
      put(key, one.pane, columns ? HistogramSeries : LineSeries, columns ? { priceLineVisible: false, lastValueVisible: false } : look(one), data);
    }
    [...held.keys()].filter((key) => !keep.has(key)).forEach(drop);
    panes.forEach(({ title }, name) => title.applyOptions({ lines: [{ text: TITLES[name], color: Charts.css("--np-axis"), fontSize: 11 }] }));
    if (!held.get("score").lines) held.get("score").lines = [minScore, -minScore].map((price) => held.get("score").series.createPriceLine({ price, color: Charts.css("--np-axis"), lineWidth: 1, lineStyle: 2, axisLabelVisible: false }));
  }

  const column = (one) => (one.score === null ? { time: seconds(one.open_ms) } : { time: seconds(one.open_ms), value: one.score, color: Charts.css(one.score < 0 ? "--np-down" : "--np-up") });

  function start(names, least) {
    hues = new Map(names.map((name, at) => [name, at % HUES]));
    minScore = least;
    document.addEventListener("themechange", paint);
  }

  function setScores(list) { scores = list; paint(); }
  function setSeries(answer) { shown = answer; paint(); }
  function addScore(one) {
    if (scores.length && one.open_ms <= scores.at(-1).open_ms) return;
    scores.push(one);
    held.get("score")?.series.update(column(one));
  }

  function at(ms) {
    const row = shown.opened.indexOf(ms);
    return shown.series.map((one) => ({ ...one, value: row < 0 ? null : one.values[row] }));
  }

  return { start, setScores, setSeries, addScore, at, hueOf: (name) => hues.get(name), score: (ms) => scores.find((one) => one.open_ms === ms) };
})();
