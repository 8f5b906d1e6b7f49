// Candle and equity charts; first paint from the server's JSON, then one bar at a time.
const Charts = (() => {
  const READ = 30; // bars of the table
  const RELOAD_MS = 3000; // at high speed the stream skips bars; the server's history has them all
  const FARTHEST_LEVEL = 1; // times the candles' own range
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const seconds = (ms) => Math.floor(ms / 1000);
  const byId = (id) => document.getElementById(id);
  let candles, line, stopLine, markers, charts = [], lines = {}, levels = {}, step = 60000, lastStop = 0, endedMs = 0, begunMs = 0;
  let newest = 0, newestEquity = 0, reloading = false, shown = [], reloaded = () => {}, source = "", fit = (chart) => chart.timeScale().fitContent();

  const colours = () => ({
    layout: { background: { color: "transparent" }, textColor: css("--np-axis"), attributionLogo: false, panes: { separatorColor: css("--np-grid"), separatorHoverColor: css("--np-grid") } },
    grid: { vertLines: { color: css("--np-grid") }, horzLines: { color: css("--np-grid") } },
  });

  // What stands in a chart's place: loading, error, empty or, of data, nothing.
  const state = (id, name) => { byId(id).parentElement.dataset.state = name; };
  const states = (name) => charts.forEach((chart) => { chart.chartElement().closest("[data-state]").dataset.state = name; });

  function make(id) {
    const chart = LightweightCharts.createChart(byId(id), {
      autoSize: true, ...colours(),
      timeScale: { timeVisible: true, secondsVisible: false, borderVisible: false },
      rightPriceScale: { borderVisible: false },
    });
    charts.push(chart);
    return chart;
  }

  // Levels belong on the screen with the candles, unless they are so far off that candles become a line.
  function withLevels(original) {
    const info = original();
    if (!info || !info.priceRange) return info;
    const { minValue, maxValue } = info.priceRange, reach = (maxValue - minValue) * FARTHEST_LEVEL;
    const near = Object.values(levels).filter((price) => price > minValue - reach && price < maxValue + reach);
    return { ...info, priceRange: { minValue: Math.min(minValue, ...near), maxValue: Math.max(maxValue, ...near) } };
  }

  function paint() {
    const tone = { upColor: css("--np-up"), downColor: css("--np-down"), wickUpColor: css("--np-up"), wickDownColor: css("--np-down"), borderVisible: false };
    charts.forEach((chart) => chart.applyOptions(colours()));
    candles.applyOptions(tone);
    line?.applyOptions({ color: css("--np-accent") });
    stopLine.applyOptions({ color: css("--np-down") });
    Object.entries(lines).forEach(([, held]) => held.line.applyOptions({ color: css(held.colour) }));
  }

  function fills(list) {
    markers.setMarkers(list.map((fill) => {
      const buy = fill.side === "BUY";
      return { time: seconds(fill.filled_ms), position: buy ? "belowBar" : "aboveBar", shape: buy ? "arrowUp" : "arrowDown", color: css(buy ? "--np-up" : "--np-down"), text: fill.why };
    }));
  }

  function mark(ms, text) {
    markers.setMarkers([{ time: seconds(ms), position: "aboveBar", shape: "arrowDown", color: css("--np-accent"), text }]);
  }

  async function load(url) {
    source = url;
    if (!url) return states("empty");
    const answer = await fetch(url, { headers: { Accept: "application/json" } }).catch(() => null);
    if (source !== url) return;
    if (!answer?.ok) return states("error");
    const data = await answer.json();
    step = data.timeframe_seconds * 1000;
    state("chart", data.bars.length ? "ready" : "empty");
    if (line) state("equity-chart", data.equity.length ? "ready" : "empty");
    const decimals = (data.price_step.split(".")[1] || "").length;
    candles.applyOptions({ priceFormat: { type: "price", precision: decimals, minMove: 10 ** -decimals } });
    candles.setData(data.bars.map((bar) => ({ time: seconds(bar.open_ms), open: bar.open, high: bar.high, low: bar.low, close: bar.close })));
    newest = data.bars.length ? data.bars.at(-1).open_ms : 0;
    stopLine.setData(moved(data.bars, data.stops));
    line?.setData(data.equity.map(([ms, value]) => ({ time: seconds(ms), value })));
    newestEquity = data.equity.length ? data.equity.at(-1)[0] : 0;
    if (data.bars.length) fit(charts.at(-1), data.bars.length);
    shown = data.bars.slice(-READ).reverse();
    tabulate();
    reloaded(data);
  }

  function tabulate() {
    if (!byId("bars")?.closest("[open]")) return;
    const price = (value) => Words.grouped(value.toFixed(candles.options().priceFormat.precision));
    byId("bars").replaceChildren(...shown.map((bar) => {
      const row = Words.node("tr");
      row.append(...[Words.time(bar.open_ms), ...[bar.open, bar.high, bar.low, bar.close].map(price)].map((text) => Words.node("td", "", text)));
      return row;
    }));
  }

  // The stop as it moved, and nothing wherever nothing was held: a line is drawn on over points without a value, so
  // the first point after a position, and the first of the next, are there but unseen.
  function moved(bars, stops) {
    const held = new Map(stops.map((stop) => [stop.open_ms, stop.price]));
    lastStop = endedMs = begunMs = 0;
    return bars.map((bar) => stopAt(bar.open_ms, held.get(bar.open_ms)));
  }

  function stopAt(ms, price) {
    if (price) {
      if (endedMs) begunMs = ms;
      endedMs = 0;
      lastStop = Number(price);
    } else if (lastStop && !endedMs) endedMs = ms;
    const point = price || ms === endedMs ? { time: seconds(ms), value: lastStop } : { time: seconds(ms) };
    return ms === endedMs || ms === begunMs ? { ...point, color: "transparent" } : point;
  }

  function start(url, onData, ownFit = fit) {
    reloaded = onData;
    fit = ownFit;
    candles = make("chart").addSeries(LightweightCharts.CandlestickSeries, { autoscaleInfoProvider: withLevels });
    markers = LightweightCharts.createSeriesMarkers(candles, []);
    stopLine = charts[0].addSeries(LightweightCharts.LineSeries, { lineWidth: 1, lineType: LightweightCharts.LineType.WithSteps, priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false });
    if (byId("equity-chart")) line = make("equity-chart").addSeries(LightweightCharts.LineSeries, { lineWidth: 2, priceLineVisible: false });
    paint();
    document.addEventListener("themechange", paint);
    document.querySelectorAll("[data-again]").forEach((button) => button.addEventListener("click", () => { states("loading"); load(source); }));
    byId("bars")?.closest("details").addEventListener("toggle", tabulate);
    return load(url);
  }

  function bar(data) {
    if (data.open_ms < newest) return;
    if (newest && data.open_ms > newest + step && !reloading) {
      reloading = true;
      setTimeout(() => load(source).finally(() => { reloading = false; }), RELOAD_MS);
    }
    newest = data.open_ms;
    state("chart", "ready");
    shown = [data, ...shown.filter((one) => one.open_ms !== data.open_ms)].slice(0, READ);
    tabulate();
    candles.update({ time: seconds(data.open_ms), open: data.open, high: data.high, low: data.low, close: data.close });
  }

  function stop(ms, price) {
    if (ms < newest) return;
    stopLine.update(stopAt(ms, price));
  }

  function equity(ms, value) {
    if (!line || !(ms > newestEquity)) return;
    newestEquity = ms;
    state("equity-chart", "ready");
    line.update({ time: seconds(ms), value: Number(value) });
  }

  function level(name, text, colour) {
    const price = Number(text);
    if (text && levels[name] === price) return;
    if (lines[name]) candles.removePriceLine(lines[name].line);
    delete lines[name];
    delete levels[name];
    if (!text) return;
    levels[name] = price;
    lines[name] = { colour, line: candles.createPriceLine({ price, color: css(colour), lineStyle: 2, lineWidth: 1, title: name }) };
  }

  return { start, load, bar, stop, equity, fills, level, mark, css, chart: () => charts[0], candles: () => candles, newest: () => newest };
})();
