// What the page knows of the show, and the one way to set something.
import { on, tell } from "/connection.js";

export const ROOT = "/streamvace/";

// Addresses without what all of them begin with. A path with a folder of that name stays whole.
export const brief = words => words.replace(/(^|[\s(])\/streamvace\//g, "$1");
export const HAND_MS = 400;   // for so long after a touch, feedback does not move a control
const SEND_MS = 33;       // between two messages of a dragged fader

export const values = {};             // address -> value, of every parameter and output
export const rows = new Map();        // address -> row of the schema
export const glides = new Set();      // addresses that take a value, seconds and a curve
const touched = new Map();
const listeners = [];                 // [address or null, act]

// Sets a parameter or presses a trigger. Nothing is lost in silence: without a connection it says so.
export function send(address, ...given) {
  touch(address.replace(/\/to$/, ""));
  if (!tell({ address, arguments: given })) dispatchEvent(new CustomEvent("complaint", { detail: "not sent: there is no connection" }));
}

export function touch(address) {
  touched.set(address, Date.now());
}

export function touchedLately(address) {
  return Date.now() - (touched.get(address) ?? 0) <= HAND_MS;
}

export const value = name => values[ROOT + name];
export const writable = address => rows.get(address)?.access === "write";

// Calls act(value) when a value comes, and at once if it is known.
export function follow(name, act) {
  listeners.push([ROOT + name, act]);
  if (ROOT + name in values) act(values[ROOT + name]);
}

// Calls act() after any news of values.
export function afterNews(act) {
  listeners.push([null, act]);
}

// Calls of the result act at most once in SEND_MS, and always with the last value.
export function paced(act) {
  let timer = null, newest = null;
  return given => {
    newest = given;
    timer ??= setTimeout(() => { timer = null; act(newest); }, SEND_MS);
  };
}

// What this browser remembers, such as favourites. A browser that keeps nothing has the defaults.
export function remember(key, kept) {
  localStorage.setItem("streamvace:" + key, JSON.stringify(kept));
}

export function remembered(key, otherwise) {
  const kept = localStorage.getItem("streamvace:" + key);
  return kept === null ? otherwise : JSON.parse(kept);
}

on("panel", told => {
  rows.clear();
  for (const row of told.schema) rows.set(row.address, row);
  glides.clear();
  for (const address of told.glides) glides.add(address);
});
on("values", news => {
  Object.assign(values, news);
  for (const [address, act] of listeners) {
    if (address === null) act(news);
    else if (address in news) act(news[address]);
  }
});
