// The keyboard of the show.
import { $, make } from "/dom.js";
import { on } from "/connection.js";
import { recall } from "/cues.js";
import { back, go } from "/go.js";
import { helpFor } from "/help.js";
import { toggle } from "/panic.js";
import { tap } from "/tempo.js";

const NAMES = [
  ["Space", "Go"], ["Shift and Space", "The cue before"], ["1 to 9", "Recall a cue"], ["B", "Blackout"], ["T", "Tap the tempo"],
  ["Esc", "To the panic row"], ["F", "Picture full screen"], ["/", "Search the parameters"], ["?", "Help of a control"],
  ["Ctrl-Z, Ctrl-Shift-Z", "Undo, redo"],
  ["On a fader", "Drag, arrows; Shift: a tenth; right click or Backspace: start value; Enter: a number; Alt-drag: over the fade time"],
];
const TYPED = "input:not([type=checkbox]), textarea, select, [contenteditable]";
const PRESSED_BY_SPACE = "button, summary, a, [type=checkbox], [role=tab]";

function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else $("stage").requestFullscreen();
}

function search() {
  if (document.body.dataset.layout === "stage") $("layouts").querySelector("[data-layout=edit]").click();
  $("search").focus();
}

const KEYS = {
  " ": event => (event.shiftKey ? back : go)(),
  b: () => toggle("blackout"),
  t: tap,
  f: fullScreen,
  "/": search,
  "?": event => helpFor(event.target),
  escape: () => { if (!document.fullscreenElement) $("panic").querySelector("button")?.focus(); },
};
for (let number = 1; number <= 9; number += 1) KEYS[number] = () => recall(number);

addEventListener("keydown", event => {
  if (event.target.closest?.("dialog")) return;
  const typing = event.target.matches?.(TYPED);
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const act = KEYS[event.key.toLowerCase()];
  if (!act || typing || (event.key === " " && event.target.matches?.(PRESSED_BY_SPACE))) return;
  event.preventDefault();
  if (!event.repeat) act(event);
});

// After a click Space means Go again; a control that was reached by the keyboard keeps its Space.
addEventListener("click", event => {
  const control = event.target.closest?.(PRESSED_BY_SPACE);
  if (event.detail > 0 && control && !control.closest("dialog")) control.blur();
});
addEventListener("change", event => { if (event.target.matches("select")) event.target.blur(); });

// A show that is gone takes nothing: its controls cannot be used until it is back, and the focus returns to its place.
let held = null;
function offline(gone) {
  if (gone && !document.body.classList.contains("offline")) held = document.activeElement;
  document.body.classList.toggle("offline", gone);
  for (const id of ["desk", "transport", "record", "recorded"]) $(id).inert = gone;
  if (!gone && held && document.activeElement === document.body) held.focus();
}

on("open", () => offline(false));
on("lost", () => offline(true));
$("keys").append(...NAMES.flatMap(([key, does]) => [make("dt", {}, key), make("dd", {}, does)]));
