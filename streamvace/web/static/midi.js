// MIDI: in learning mode a click on a control waits for a knob, and every control shows what plays it.
import { $, make, press } from "/dom.js";
import { on } from "/connection.js";
import { ROOT, rows, send } from "/store.js";

const LEARN = ROOT + "midi/learn", CANCEL = ROOT + "midi/cancel", FORGET = ROOT + "midi/forget";

const NOTHING = { learn: "", learned: "", last: "", devices: [], maps: {} };

let told = NOTHING;
let shown = "";   // the maps that the controls show

const learning = () => document.body.classList.contains("midi-mode");

export function markMaps(line) {
  line.querySelector(":scope > .maps")?.remove();
  line.classList.toggle("waits", told.learn === line.dataset.address);
  const its = told.maps[line.dataset.address] ?? [];
  if (its.length === 0) return;
  const names = its.map(({ control, there }) => make("span", { className: there ? "" : "gone", title: there ? "" : "This device is not there" }, control));
  const button = make("button", { className: "forget", ariaLabel: `Forget the MIDI of ${rows.get(line.dataset.address)?.label}` }, "Forget");
  button.onclick = () => send(FORGET, line.dataset.address);
  line.append(make("div", { className: "maps" }, ...names, button));
}

function words() {
  if (told.learn) return `${rows.get(told.learn)?.label ?? told.learn}: ${told.learned || "move a knob, or press a key"}`;
  if (told.devices.length === 0) return "No MIDI device is open. Set MIDI input to all, or to a part of a device's name; or take those of this browser.";
  return told.last ? `Last: ${told.last}. Click a control to give it that knob.` : "Click a control, then move a knob.";
}

function show() {
  $("midi-panel").hidden = $("midi-line").hidden = !learning();
  if (learning() && $("midi-line").textContent !== words()) $("midi-line").textContent = words();
  const now = JSON.stringify([told.maps, told.learn]);
  if (now === shown) return;
  shown = now;
  document.querySelectorAll(".control[data-address]").forEach(markMaps);
}

function stop() {
  document.body.classList.remove("midi-mode");
  press($("midi"), false);
  if (told.learn) send(CANCEL);
  show();
}

$("midi").onclick = () => {
  if (learning()) return stop();
  document.body.classList.add("midi-mode");
  press($("midi"), true);
  show();
};

// In learning mode the controls do nothing themselves. Captured on the window: before any control hears of it.
for (const kind of ["pointerdown", "click", "change", "input"]) {
  addEventListener(kind, event => {
    const line = learning() && event.target.closest?.(".control[data-address]");
    if (!line || event.target.closest(".forget")) return;
    event.preventDefault();
    event.stopPropagation();
    if (kind === "click") send(LEARN, line.dataset.address);
  }, { capture: true });
}
addEventListener("keydown", event => {
  if (event.key !== "Escape" || !learning()) return;
  event.stopPropagation();
  stop();
  $("midi").focus();
}, { capture: true });

on("midi", news => { told = { ...NOTHING, ...news }; show(); });
