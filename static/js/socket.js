// The one socket of a page: reconnects with growing patience, confirms what was read, tells its state.
// Whoever listens later first hears the newest value of every key.
const LiveSocket = (() => {
  const CONFIRM_EVERY = 16, FIRST_DELAY_MS = 500, LONGEST_DELAY_MS = 10000, JITTER_MS = 300;
  const listeners = [], newest = new Map(), onOpen = [];
  let delay = FIRST_DELAY_MS, socket, opened = 0;

  function show(text, style) {
    const badge = document.getElementById("socket");
    if (!badge) return;
    if (badge.textContent !== text) badge.textContent = text;
    badge.className = `badge ${style}`;
  }

  function hear(value) {
    newest.set(value.key, value);
    listeners.forEach((receive) => receive(value));
  }

  function connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    let read = 0;
    socket = new WebSocket(`${scheme}://${location.host}/ws/live`);
    socket.onopen = () => { delay = FIRST_DELAY_MS; opened = Date.now(); show("connected", "bg-secondary-lt"); onOpen.forEach((tell) => tell()); };
    socket.onmessage = (event) => {
      if (++read % CONFIRM_EVERY === 0) socket.send(JSON.stringify({ read }));
      JSON.parse(event.data).forEach(hear);
    };
    socket.onclose = (event) => {
      if (event.code === 4401) return show("signed out", "bg-red-lt");
      if (event.code === 4403) return show("workspace left – reload the page", "bg-red-lt");
      if (event.code === 4407) return show("your role changed – reload the page", "bg-red-lt");
      if (event.code === 4429) return show("too many pages open – close some and reload", "bg-red-lt");
      show("reconnecting…", "bg-yellow-lt");
      setTimeout(connect, delay + Math.random() * JITTER_MS);
      delay = Math.min(delay * 2, LONGEST_DELAY_MS);
    };
  }

  function listen(receive, opening) {
    listeners.push(receive);
    if (opening) onOpen.push(opening);
    newest.forEach((value) => receive(value));
    if (!socket) connect();
  }

  return { listen, show, newest: (key) => newest.get(key), isOpen: () => socket?.readyState === WebSocket.OPEN, openedAt: () => opened };
})();

// Values as every page writes them.
const Words = {
  money: (text) => Number(text).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 }),
  signed: (value) => (value > 0 ? "+" : value < 0 ? "−" : "") + Words.money(Math.abs(value)),
  grouped: (text) => text.replace(/^\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ",")),
  time: (ms) => new Date(ms).toISOString().slice(0, 16).replace("T", " "),
  node: (tag, cls, text) => { const el = document.createElement(tag); if (cls) el.className = cls; if (text !== undefined) el.textContent = text; return el; },
  put: (el, text) => { if (el && el.textContent !== text) el.textContent = text; },
  away: (share) => (share === null ? "" : ` (${share < 0 ? "−" : "+"}${(Math.abs(share) * 100).toFixed(2)}\u00a0%)`),
  ago: (ms) => (ms < 120000 ? `${Math.max(Math.round(ms / 1000), 0)} s ago` : `${Math.round(ms / 60000)} min ago`),
  // How a price is to be read: whence it is, and how old by the engine's clock and the time since its last word. Of an
  // engine that has not proven to live the age is not known.
  whence: (d, wallMs, heardAt) => {
    const from = { middle: "between the best bid and ask", trade: "of the last trade", close: "of the last closed bar" }[d.source];
    const age = heardAt ? `, ${Words.ago(wallMs - d.wall_ms + Date.now() - heardAt)}` : "";
    return `${d.is_stale ? "stale: " : ""}${from}${age}`;
  },
  tone: (el, value) => { if (!el) return; el.classList.toggle("up", value > 0); el.classList.toggle("down", value < 0); },
};
