// Cues as tiles, each with a picture of its look. Editing is a mode of its own, so that no click in a show deletes anything.
import { $, make, press } from "/dom.js";
import { on } from "/connection.js";
import { ROOT, follow, send, value } from "/store.js";

const UNDO_MS = 10000;    // as long as the show can take an edit back

let tiles = [], editing = false, timer = null;

export function recall(number) {
  if (tiles[number - 1]) send(ROOT + "cue/recall", tiles[number - 1].name);
}

function tile(cue, index) {
  const look = make("button", { className: "look", title: cue.fade > 0 ? `fades for ${cue.fade} s` : "", onclick: () => send(ROOT + "cue/recall", cue.name) });
  if (cue.picture) look.append(make("img", { src: `/cue/${cue.picture}.jpg`, alt: "", loading: "lazy" }));
  look.append(make("span", { className: "name" }, cue.name));
  look.dataset.cue = cue.name;
  const number = index < 9 ? [make("span", { className: "number", ariaHidden: "true" }, String(index + 1))] : [];
  return make("div", { className: "tile" }, look, ...number, ...(editing && cue.own ? [editor(cue, index)] : []));
}

function editor({ name, fade }, index) {
  const box = make("input", { value: name, maxLength: 80, ariaLabel: `Name of ${name}` });
  box.onchange = () => { if (box.value.trim()) edit("rename", name, box.value.trim()); };
  const time = make("input", { type: "number", min: 0, step: "any", value: fade, ariaLabel: `Fade time of ${name}, seconds` });
  time.onchange = () => { if (time.value !== "") edit("fade", name, time.valueAsNumber); };
  const tool = (label, about, act) => make("button", { onclick: act, ariaLabel: `${about} ${name}`, title: about }, label);
  return make("div", { className: "cue-edit" }, box, time, make("div", { className: "tools" },
    tool("◂", "Move up", () => edit("move", name, Math.max(1, index))), tool("▸", "Move down", () => edit("move", name, index + 2)),
    tool("Overwrite", "Overwrite", () => edit("store", name)), tool("Delete", "Delete", () => edit("delete", name))));
}

function edit(command, ...given) {
  send(`${ROOT}cue/${command}`, ...given);
  $("cue-undo").hidden = false;
  clearTimeout(timer);
  timer = setTimeout(() => { $("cue-undo").hidden = true; }, UNDO_MS);
}

function show() {
  const own = tiles.filter(cue => cue.own).length;
  const made = tiles.map(tile);
  if (own > 0 && own < tiles.length) made.splice(own, 0, make("h3", {}, "Built-in looks"));
  $("cue-list").replaceChildren(...made);
  mark();
}

function mark() {
  for (const button of $("cue-list").querySelectorAll("[data-cue]")) {
    button.classList.toggle("on", button.dataset.cue === value("status/cue"));
    button.classList.toggle("next", button.dataset.cue === value("status/cue_next"));
  }
}

on("cue_tiles", told => { tiles = told; show(); });
follow("status/cue", mark);
follow("status/cue_next", mark);
$("edit-cues").onclick = () => {
  editing = !editing;
  press($("edit-cues"), editing);
  show();
};
$("cue-undo").onclick = () => {
  send(ROOT + "cue/undo");
  $("cue-undo").hidden = true;
};
$("store").onsubmit = event => {
  event.preventDefault();
  const name = $("cue-name").value.trim(), seconds = value("fade_time");
  if (name) edit("store", name, ...(seconds > 0 ? [seconds] : []));
  $("cue-name").value = "";
};
