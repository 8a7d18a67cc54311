// The tempo in the strip: a button to tap it, and who leads it.
import { $, make } from "/dom.js";
import { on } from "/connection.js";
import { ROOT, follow, send, writable } from "/store.js";

const TAP = ROOT + "tempo/tap";
const LEADERS = {
  none: "no tempo: tap it", set: "the tempo is set", tap: "the tempo is tapped", link: "Ableton Link leads",
  midi: "a MIDI clock leads", free: "the master is lost; the beat runs on",
};

export function tap() {
  if (writable(TAP)) send(TAP);
}

// A press counts when it begins; a click without one comes from the keyboard.
const button = make("button", { id: "tap", title: "Tap the tempo, four times or more (T)", onpointerdown: tap }, "Tap");
button.onclick = event => { if (event.detail === 0) tap(); };
$("tempo").after(" ", button);

follow("status/tapped", tempo => { button.textContent = tempo > 0 ? `Tap ${Math.round(tempo)}` : "Tap"; });
follow("status/tempo_master", name => {
  $("tempo-box").title = LEADERS[name] ?? name;
  $("tempo-box").classList.toggle("low", name === "free");
});
on("panel", () => { button.disabled = !writable(TAP); });
