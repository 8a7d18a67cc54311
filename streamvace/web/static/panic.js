// The panic row: what saves a show, in one press each.
import { $, make, press } from "/dom.js";
import { on } from "/connection.js";
import { ROOT, follow, rows, send, value, writable } from "/store.js";

const BUTTONS = [
  ["blackout", "Blackout", "The output goes dark (B)"],
  ["freeze", "Freeze", "The output holds its picture"],
  ["hard_cut", "Hard cut", "The picture is made anew"],
  ["cue/revert", "Revert", "Back to the last cue as it was stored"],
];

function button([name, label, help]) {
  const made = make("button", { title: help, className: name }, label);
  const row = rows.get(ROOT + name);
  if (row.type === "bool") {
    press(made, value(name) === true);
    follow(name, on => press(made, on));
  }
  made.onclick = () => toggle(name);
  return made;
}

export function toggle(name) {
  if (!writable(ROOT + name)) return;
  if (rows.get(ROOT + name).type === "bool") send(ROOT + name, value(name) !== true);
  else send(ROOT + name);
}

on("panel", () => {
  const known = BUTTONS.filter(([name]) => writable(ROOT + name));
  $("panic").replaceChildren(...known.map(button));
  $("quick").replaceChildren(...known.filter(([name]) => name === "blackout").map(button));
});
