// The beat of the show: a dot for each beat of the bar. The show says where the beat is when it leaves the expected way;
// between, the page counts by itself.
import { $, make } from "/dom.js";
import { on } from "/connection.js";
import { follow, value } from "/store.js";

const MOST_DOTS = 8;      // a longer bar is shown as half as many pairs
const SLACK = 0.01;       // of a beat: a timer may come early

let told = { beat: 0, tempo: 0, running: false }, at = 0, timer = null;

function dots() {
  const beats = value("tempo/beats_a_bar") ?? 4;
  const count = beats > MOST_DOTS ? Math.ceil(beats / 2) : beats;
  if ($("beat").childElementCount !== count) $("beat").replaceChildren(...Array.from({ length: count }, () => make("i")));
  return [beats, count];
}

function show() {
  clearTimeout(timer);
  const [beats, count] = dots();
  const runs = told.running && told.tempo > 0;
  const now = told.beat + (runs ? (Date.now() - at) / 60000 * told.tempo : 0);
  const lit = Math.floor((Math.floor(now + SLACK) % beats) * count / beats);
  [...$("beat").children].forEach((dot, index) => dot.classList.toggle("on", told.tempo > 0 && index === lit));
  if (runs) timer = setTimeout(show, (Math.floor(now + SLACK) + 1 - now) * 60000 / told.tempo);
}

on("beat", ([beat, tempo, running]) => { told = { beat, tempo, running }; at = Date.now(); show(); });
on("lost", () => { told = { ...told, running: false }; show(); });
follow("tempo/beats_a_bar", show);
