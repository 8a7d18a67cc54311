// Eight faders of one's own choice, on the stage.
import { $ } from "/dom.js";
import { on } from "/connection.js";
import { forget, lineOf } from "/lines.js";
import { favourites } from "/stars.js";
import { rows, writable } from "/store.js";

function show() {
  for (const line of $("favourite-list").children) forget(line);
  $("favourite-list").replaceChildren(...favourites().filter(writable).map(address => lineOf(rows.get(address))));
}

on("panel", show);
addEventListener("favourites", show);
