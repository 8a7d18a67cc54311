// Cues as tiles, each with a picture of its look. Editing is a mode of its own, so that no click in a show deletes anything.
import { $, make, press } from "/dom.js";
import { on } from "/connection.js";
import { editor } from "/cue_editor.js";
import { ROOT, follow, send, value } from "/store.js";

const UNDO_MS = 10000;    // as long as the show can take an edit back

let tiles = [], editing = false, timer = null;

export function recall(number) {
  if (tiles[number - 1]) send(ROOT + "cue/recall", tiles[number - 1].name);
}

function tile(cue, index) {
  const look = make("button", { className: "look", title: timesOf(cue), onclick: () => send(ROOT + "cue/recall", cue.name) });
  if (cue.picture) look.append(make("img", { src: `/cue/${cue.picture}.jpg`, alt: "", loading: "lazy" }));
  look.append(make("span", { className: "name" }, cue.name));
  look.dataset.cue = cue.name;
  const number = index < 9 ? [make("span", { className: "number", ariaHidden: "true" }, String(index + 1))] : [];
  const itself = cue.number !== null || cue.at !== null ? [make("span", { className: "under" }, numberAndTime(cue))] : [];
  look.append(...itself);
  return make("div", { className: "tile" }, look, ...number, ...(editing && cue.own ? [editor(cue, index, edit)] : []));
}

const inWords = at => (typeof at === "number" ? `${at} s` : at);
const numberAndTime = ({ number, at }) => [number === null ? "" : `No. ${number}`, at === null ? "" : `at ${inWords(at)}`].filter(each => each).join(", ");

function timesOf({ wait, fade, follow: next, at }) {
  const parts = [[at !== null, `comes at ${inWords(at)}`], [wait > 0, `waits ${wait} s`], [fade > 0, `fades for ${fade} s`], [next !== null, `the next follows after ${next} s`]];
  return parts.filter(([is]) => is).map(([, said]) => said).join(", ");
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

// The cursor stays in its box, with what is half typed, when news come.
function keepingTheHand(act) {
  const held = document.activeElement?.closest?.(".cue-edit input") ? document.activeElement : null;
  const boxes = () => [...$("cue-list").querySelectorAll(".cue-edit input")];
  const place = boxes().indexOf(held);
  act();
  const box = boxes()[place];
  if (!box) return;
  box.focus();
  if (held.value !== held.dataset.shown) box.value = held.value;
}

on("cue_tiles", told => { tiles = told; keepingTheHand(show); });
follow("status/cue", mark);
follow("status/cue_next", mark);
$("edit-cues").onclick = () => {
  editing = !editing;
  press($("edit-cues"), editing);
  $("cue-run").hidden = !editing;
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
