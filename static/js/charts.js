// Candle and equity charts; first paint from the server's JSON, then one bar at a time.
const Charts = (() => {
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const seconds = (ms) => Math.floor(ms / 1000);
  const byId = (id) => document.getElementById(id);
  let candles, line, markers, charts = [], lines = {}, fills = [], newest = 0, newestEquity = 0;

  const colours = () => ({
    layout: { background: { color: "transparent" }, textColor: css("--np-axis"), attributionLogo: false },
    grid: { vertLines: { color: css("--np-grid") }, horzLines: { color: css("--np-grid") } },
  });

  function make(id) {
    const chart = LightweightCharts.createChart(byId(id), {
      autoSize: true, ...colours(),
      timeScale: { timeVisible: true, secondsVisible: false, borderVisible: false },
      rightPriceScale: { borderVisible: false },
    });
    charts.push(chart);
    return chart;
  }

  function paint() {
    const tone = { upColor: css("--np-up"), downColor: css("--np-down"), wickUpColor: css("--np-up"), wickDownColor: css("--np-down"), borderVisible: false };
    charts.forEach((chart) => chart.applyOptions(colours()));
    candles.applyOptions(tone);
    line.applyOptions({ color: css("--np-accent") });
  }

  const marker = (fill) => {
    const buy = fill.side === "BUY";
    return { time: seconds(fill.filled_ms), position: buy ? "belowBar" : "aboveBar", shape: buy ? "arrowUp" : "arrowDown", color: css(buy ? "--np-up" : "--np-down"), text: fill.purpose === "entry" ? "entry" : fill.reason };
  };

  async function load(url) {
    const answer = await fetch(url, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const data = await answer.json();
    byId("chart-empty").classList.toggle("is-hidden", data.bars.length > 0);
    candles.setData(data.bars.map((bar) => ({ time: seconds(bar.open_ms), open: bar.open, high: bar.high, low: bar.low, close: bar.close })));
    newest = data.bars.length ? data.bars.at(-1).open_ms : 0;
    fills = data.fills;
    markers.setMarkers(fills.map(marker));
    line.setData(data.equity.map(([ms, value]) => ({ time: seconds(ms), value })));
    newestEquity = data.equity.length ? data.equity.at(-1)[0] : 0;
    charts[1].timeScale().fitContent();
  }

  function start(url) {
    const main = make("chart");
    candles = main.addSeries(LightweightCharts.CandlestickSeries, {});
    markers = LightweightCharts.createSeriesMarkers(candles, []);
    line = make("equity-chart").addSeries(LightweightCharts.LineSeries, { lineWidth: 2, priceLineVisible: false });
    paint();
    document.addEventListener("themechange", paint);
    return load(url);
  }

  function bar(data) {
    if (data.open_ms < newest) return;
    newest = data.open_ms;
    byId("chart-empty").classList.add("is-hidden");
    candles.update({ time: seconds(data.open_ms), open: data.open, high: data.high, low: data.low, close: data.close });
  }

  function equity(ms, value) {
    if (!(ms > newestEquity)) return;
    newestEquity = ms;
    line.update({ time: seconds(ms), value: Number(value) });
  }

  function fill(data) {
    fills.push({ ...data, purpose: data.purpose.toLowerCase(), reason: data.reason.toLowerCase().replaceAll("_", " ") });
    fills = fills.slice(-200);
    markers.setMarkers(fills.map(marker));
  }

  function level(name, text, colour) {
    if (lines[name]) candles.removePriceLine(lines[name]);
    lines[name] = text ? candles.createPriceLine({ price: Number(text), color: css(colour), lineStyle: 2, lineWidth: 1, title: name }) : null;
  }

  return { start, load, bar, equity, fill, level };
})();
