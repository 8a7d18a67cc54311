// Follow: what of the input the model sees, as buttons, and how strongly it counts.
import { $ } from "/dom.js";
import { on } from "/connection.js";
import { segments } from "/controls.js";
import { lineOf } from "/lines.js";
import { ROOT, rows } from "/store.js";

on("panel", () => {
  $("kinds").replaceChildren(lineOf(rows.get(ROOT + "control_kind"), segments));
  $("strength").replaceChildren(lineOf(rows.get(ROOT + "context_scale")));
});
