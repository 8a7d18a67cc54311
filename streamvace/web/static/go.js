// Go: the next cue's name.
import { $ } from "/dom.js";
import { on } from "/connection.js";
import { lineOf } from "/lines.js";
import { ROOT, follow, rows, send, writable } from "/store.js";

export const go = () => send(ROOT + "cue/go");   // the show refuses a second Go that comes at once: a switch bounces
export const back = () => { if (writable(ROOT + "cue/back")) send(ROOT + "cue/back"); };

$("go").onclick = go;
$("back").onclick = back;
follow("status/cue_next", name => { $("next").textContent = name; });
on("panel", () => {
  $("go").disabled = false;
  $("back").hidden = !writable(ROOT + "cue/back");
  $("back").disabled = false;
  $("fade").replaceChildren(lineOf(rows.get(ROOT + "fade_time")));
});
