// What comes by itself: the next cue with the time until then and, in the edit mode, how the list plays.
import { $ } from "/dom.js";
import { on } from "/connection.js";
import { lineOf } from "/lines.js";
import { ROOT, afterNews, rows, value } from "/store.js";

const ROWS = ["auto_follow", "cue_loop", "cue/start", "cue/stop", "qlab_addresses"];

on("panel", () => $("cue-run-lines").replaceChildren(...ROWS.map(name => lineOf(rows.get(ROOT + name)))));
afterNews(() => {
  const waits = value("status/cue_waits"), coming = value("status/cue_coming");
  const said = waits > 0 ? `${value("status/cue")} begins in ${inTime(waits)}` : coming ? `${coming} in ${inTime(value("status/cue_follows_in"))}` : "";
  $("cue-coming").textContent = said;
  $("cue-coming").hidden = !said;
});

// 75 seconds as 1:15.
function inTime(seconds) {
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
