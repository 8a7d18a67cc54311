// What modulators make of a parameter now: a mark that moves on its fader, while the fader shows the base.
import { on } from "/connection.js";

let before = [];   // the faders that have a mark

on("live", told => {
  const marked = [];
  for (const [address, value] of Object.entries(told)) {
    for (const fader of document.querySelectorAll(`.control[data-address="${CSS.escape(address)}"] .fader`)) {
      fader.style.setProperty("--now", `${100 * Math.min(1, Math.max(0, fader.placeOf(value)))}%`);
      fader.classList.add("modulated");
      marked.push(fader);
    }
  }
  for (const fader of before) if (!marked.includes(fader)) fader.classList.remove("modulated");
  before = marked;
});
