// What a file of the media folder can be used as: one row each.
import { make } from "/dom.js";
import { ROOT, send } from "/store.js";

const TARGETS = [
  { kind: "picture", label: "Reference", use: name => send(ROOT + "reference/add", name) },
  { kind: "picture", label: "First frame", use: name => send(ROOT + "first_frame", name) },
  { kind: "picture", label: "Last frame", use: name => send(ROOT + "last_frame", name) },
  { kind: "picture", label: "Mask", use: name => { send(ROOT + "input/mask", name); send(ROOT + "mask_source", "input"); } },
  { kind: "film", label: "Input", use: name => send(ROOT + "input/control", name) },
];

export const targetsFor = kinds => TARGETS.filter(target => kinds.includes(target.kind));

// Buttons for what a picture or film can be. done() is called after the press.
export function targetButtons(kind, name, done) {
  return targetsFor([kind]).map(target => make("button", { onclick: () => { target.use(name); done(); } }, target.label));
}
