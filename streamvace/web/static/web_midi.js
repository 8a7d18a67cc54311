// MIDI of this browser: the devices of the phone or laptop that shows the page play the show as its own devices do.
// Off until the button is pressed, and in every new page.
import { $, press } from "/dom.js";
import { on, tell } from "/connection.js";

const SEND_MS = 4;          // messages that come within this go together
const MOST_WAITING = 256;   // as many as the show takes at once
const MOST_DEVICES = 8;

let access = null;
let asking = false;
const devices = new Map();  // number -> {input, output}
let waiting = [], timer = null;

function lack() {
  if (!window.isSecureContext) return `A browser opens MIDI only for localhost and for HTTPS. This page is ${location.origin}.`;
  return navigator.requestMIDIAccess ? "" : "This browser has no MIDI (WebMIDI).";
}

function words() {
  if (!access) return lack();
  const names = [...devices.values()].map(({ input }) => input.name);
  return names.length ? `Open in this browser: ${names.join(", ")}` : "No MIDI device is plugged in here.";
}

function show(why = words()) {
  press($("web-midi"), access !== null);
  $("web-midi").disabled = asking || (!access && lack() !== "");
  $("web-midi-why").textContent = why;
}

function announce() {
  tell({ midi_devices: Object.fromEntries([...devices].map(([number, { input }]) => [number, input.name ?? ""])) });
}

// What is plugged in keeps its number, what is new gets a free one.
function look() {
  const inputs = access ? [...access.inputs.values()].filter(({ state }) => state !== "disconnected") : [];
  for (const [number, { input }] of devices) {
    if (inputs.includes(input)) continue;
    input.onmidimessage = null;
    devices.delete(number);
  }
  const known = [...devices.values()].map(({ input }) => input);
  for (const input of inputs.filter(each => !known.includes(each))) {
    const number = [...Array(MOST_DEVICES).keys()].find(each => !devices.has(each));
    if (number === undefined) break;
    devices.set(number, { input, output: [...access.outputs.values()].find(({ name }) => name === input.name) });
    input.onmidimessage = event => hear(number, event);
  }
  announce();
  show();
}

function hear(number, { timeStamp, data }) {
  waiting.push([number, timeStamp, data]);
  if (waiting.length > MOST_WAITING) waiting.shift();
  timer ??= setTimeout(flush, SEND_MS);
}

function flush() {
  const now = performance.now();
  timer = null;
  tell({ midi: waiting.map(([number, at, data]) => [number, Math.max(0, Math.round(10 * (now - at)) / 10), ...data]) });
  waiting = [];
}

async function open() {
  asking = true;
  show("The browser asks whether this page may use MIDI.");
  try {
    access = await navigator.requestMIDIAccess();
    access.onstatechange = look;
  } catch (error) {
    asking = false;
    show(`The browser does not open MIDI: ${error.message}`);
    return;
  }
  asking = false;
  look();
}

function close() {
  access.onstatechange = null;
  access = null;
  look();
}

$("web-midi").onclick = () => { if (access) close(); else open(); };
on("open", () => { if (access) announce(); });
on("midi_out", messages => {
  for (const [number, ...data] of messages) devices.get(number)?.output?.send(data);
});
show();
