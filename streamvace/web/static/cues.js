// Cues as tiles. Editing is a mode of its own, so that no click on a show deletes anything.
import { $, make } from "/dom.js";
import { on } from "/connection.js";
import { ROOT, follow, send, value } from "/store.js";

let names = [];

export function recall(number) {
  if (names[number - 1] !== undefined) send(ROOT + "cue/recall", names[number - 1]);
}

function tile(name, index) {
  const button = make("button", { className: "look", onclick: () => send(ROOT + "cue/recall", name) }, make("span", { className: "name" }, name));
  button.dataset.cue = name;
  return make("div", { className: "tile" }, button, ...(index < 9 ? [make("span", { className: "number" }, String(index + 1))] : []));
}

function mark() {
  for (const button of $("cue-list").querySelectorAll("[data-cue]")) {
    button.classList.toggle("on", button.dataset.cue === value("status/cue"));
    button.classList.toggle("next", button.dataset.cue === value("status/cue_next"));
  }
}

on("cues", told => {
  names = told;
  $("cue-list").replaceChildren(...names.map(tile));
  mark();
});
follow("status/cue", mark);
follow("status/cue_next", mark);
$("store").onsubmit = event => {
  event.preventDefault();
  const name = $("cue-name").value.trim();
  const seconds = value("fade_time");
  if (name) send(ROOT + "cue/store", name, ...(seconds > 0 ? [seconds] : []));
  $("cue-name").value = "";
};
