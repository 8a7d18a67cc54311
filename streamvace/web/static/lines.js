// A line of the page: a control with its name, its die, its star and what the show says about it.
// The same parameter may have several lines. Only lines that can be seen are kept up to date.
import { make, press } from "/dom.js";
import { controlOf } from "/controls.js";
import { markLacking } from "/lacking.js";
import { markMaps } from "/midi.js";
import { reason } from "/reason.js";
import { isFavourite, toggleFavourite } from "/stars.js";
import { on } from "/connection.js";
import { HAND_MS, afterNews, rows, send, touchedLately, values } from "/store.js";
import { typingIn } from "/typing.js";

const MOVED_MS = 700;

const SWITCHES = ["bool", "choice"];   // only these show what they become on the beat: a fader shows what rules

let waiting = {};   // address -> what it is set to on the next beat
const refusals = new Map();   // address -> what the show has refused or lacks
const lines = new Map();   // element -> {address, fill, seen}
const seen = new IntersectionObserver(entries => {
  for (const { target, isIntersecting } of entries) {
    const line = lines.get(target);
    if (!line) continue;
    line.seen = isIntersecting;
    if (isIntersecting) settleAfterTheHand(line);
  }
});

export const described = row => `${row.help}\n${row.address}`;

// The line of a row. make: another control than that of its type.
export function lineOf(row, control = controlOf) {
  const [element, fill] = control(row);
  const isFader = element.classList.contains("fader");
  const wide = row.type === "weighted" || row.type === "strings";
  const line = make("div", { className: isFader ? "control full" : wide ? "control wide" : "control" });
  line.dataset.address = row.address;
  line.title = described(row);
  if (!isFader) line.append(make("span", { className: "name" }, row.label));
  line.append(make("div", { className: "held" }, withDie(row, element)), star(row));
  lines.set(line, { element: line, address: row.address, fill, seen: false });
  seen.observe(line);
  line.classList.toggle("at-beat", waits(row.address));
  if (row.address in values) fill?.(shown(row.address));
  if (row.type === "choice") markLacking(line);
  markMaps(line);
  if (refusals.has(row.address)) sayBeside(row.address, refusals.get(row.address));
  return line;
}

export function forget(line) {
  seen.unobserve(line);
  lines.delete(line);
}

const waits = address => address in waiting && SWITCHES.includes(rows.get(address)?.type);
const shown = address => waits(address) ? waiting[address] : values[address];

export const linesOf = address => [...lines.values()].filter(line => line.address === address);

// A trigger `<number>/random` is a die beside that number.
export const dieOf = row => rows.get(row.address + "/random");

function withDie(row, element) {
  const die = dieOf(row);
  if (!die) return element;
  const button = make("button", { title: described(die), ariaLabel: die.label, onclick: () => send(die.address) }, "\u2684");
  return make("div", { className: "one" }, element, button);
}

function star(row) {
  const button = make("button", { className: "star", ariaLabel: `${row.label}: favourite`, onclick: () => toggleFavourite(row.address) });
  const show = () => {
    press(button, isFavourite(row.address));
    button.textContent = isFavourite(row.address) ? "★" : "☆";
  };
  show();
  button.dataset.star = row.address;
  addEventListener("favourites", show);
  return button;
}

// Shows the value that rules, unless the hand is at the control.
function settle(line) {
  if (!line.fill || !line.seen || !(line.address in values)) return;
  if (typingIn(line.element) || touchedLately(line.address)) return;
  line.fill(shown(line.address));
}

// The same, and again when a hand that is at the control now has left it.
function settleAfterTheHand(line) {
  settle(line);
  if (touchedLately(line.address) || typingIn(line.element)) setTimeout(() => settle(line), HAND_MS + 50);
}

export function settleSoon(address) {
  for (const line of linesOf(address)) setTimeout(() => settle(line), HAND_MS + 50);
}

afterNews(news => {
  for (const line of lines.values()) {
    if (!(line.address in news) || !line.seen) continue;
    line.element.classList.add("moving");
    setTimeout(() => line.element.classList.remove("moving"), MOVED_MS);
    settleAfterTheHand(line);
  }
});

on("waiting", told => {
  const changed = [...Object.keys(told), ...Object.keys(waiting)];
  waiting = told;
  for (const line of lines.values()) {
    if (!changed.includes(line.address)) continue;
    line.element.classList.toggle("at-beat", waits(line.address));
    settleAfterTheHand(line);
  }
});

// Leaving a box shows what is held, whether or not something was sent.
addEventListener("focusout", event => {
  const line = lines.get(event.target.closest?.(".control"));
  if (line) setTimeout(() => settle(line), HAND_MS + 50);
});

// Writes why a parameter does not hold what was asked beside its controls, until there is no refusal any more.
export function sayBeside(address, refusal) {
  if (refusal) refusals.set(address, refusal);
  else refusals.delete(address);
  for (const line of linesOf(address)) {
    line.element.querySelector(":scope > .said")?.remove();
    if (!refusal) continue;
    const said = make("div", { className: "said" }, ...reason(refusal));
    said.setAttribute("role", "alert");
    line.element.append(said);
  }
}

export const isSeen = address => linesOf(address).some(line => line.seen);
