// Go: the next cue's name and time, and how far the fade of the last one has come.
import { $ } from "/dom.js";
import { on } from "/connection.js";
import { lineOf } from "/lines.js";
import { ROOT, afterNews, follow, rows, send, value } from "/store.js";

export const go = () => send(ROOT + "cue/go");   // the show refuses a second Go that comes at once: a switch bounces
export const back = () => send(ROOT + "cue/back");

$("go").onclick = go;
$("back").onclick = back;
follow("status/cue_next", name => { $("next").textContent = name; });
follow("status/cue_next_fade", seconds => { $("next-fade").textContent = seconds > 0 ? `${Math.round(seconds * 10) / 10} s` : "cut"; });
afterNews(() => {
  const whole = value("status/cue_fade"), left = value("status/cue_left");
  $("go-progress").hidden = !(whole > 0);
  if (whole > 0) $("go-progress").value = 1 - left / whole;
});
on("panel", () => {
  for (const id of ["go", "back"]) $(id).disabled = false;
  $("fade").replaceChildren(lineOf(rows.get(ROOT + "fade_time")));
});
