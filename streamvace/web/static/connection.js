// The page's one connection to the show: pictures as binary messages, everything else as JSON by kind.
const FIRST_WAIT_MS = 250;     // before the first new try; doubled for each further one
const LONGEST_WAIT_MS = 4000;
const CHECK_MS = 1000;
const MOST_SILENT = 6;         // checks without a message: one comes every two seconds at least, so the other side is gone

const actions = new Map();
let socket = null, timer = null, wait = FIRST_WAIT_MS, silent = 0;

// Calls act(value) for every message of a kind. Kinds of the connection itself: open, lost (reason), picture (bytes).
export function on(kind, act) {
  actions.set(kind, [...(actions.get(kind) ?? []), act]);
}

// Sends a message; returns whether there is a connection.
export function tell(message) {
  if (socket?.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify(message));
  return true;
}

export function connect() {
  clearTimeout(timer);
  timer = null;
  silent = 0;
  const opened = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/page`);
  opened.binaryType = "arraybuffer";
  opened.onopen = () => emit("open");
  opened.onmessage = ({ data }) => {
    if (opened !== socket) return;
    silent = 0;
    wait = FIRST_WAIT_MS;
    if (data instanceof ArrayBuffer) emit("picture", data);
    else for (const [kind, value] of Object.entries(JSON.parse(data))) emit(kind, value);
  };
  opened.onclose = event => { if (opened === socket) lose(event.reason); };
  socket = opened;
}

function emit(kind, value) {
  for (const act of actions.get(kind) ?? []) act(value);
}

function lose(reason) {
  socket = null;
  timer = setTimeout(connect, wait);
  wait = Math.min(2 * wait, LONGEST_WAIT_MS);
  emit("lost", reason);
  if (!reason) explain();
}

// A browser does not say why a WebSocket was refused.
async function explain() {
  const answer = await fetch("/stats.json").catch(() => null);
  if (answer?.status === 401 && !socket) emit("lost", "open the address with the token again");
}

// A cable that is pulled closes nothing. Checks are counted, not timed: a browser slows the timers of hidden pages.
setInterval(() => {
  if (!socket || ++silent <= MOST_SILENT) return;
  const dead = socket;
  lose("no answer");
  dead.close();
}, CHECK_MS);
addEventListener("visibilitychange", () => { if (!document.hidden && timer) connect(); });
