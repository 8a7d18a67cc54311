// Every parameter of the schema in the groups of the schema: search, "changed" and "advanced" choose what is shown.
import { $, make, press } from "/dom.js";
import { on } from "/connection.js";
import { dieOf, lineOf } from "/lines.js";
import { ROOT, afterNews, remember, remembered, rows, values } from "/store.js";

const PLACES = { input: "inputs", control: "inputs", mask: "inputs",
  output: "outputs", show: "outputs" };   // by group; all others are looks
const OPEN = ["control", "picture", "show"];
const ELSEWHERE = ["prompt", "record", "control_kind", "context_scale", "blackout", "freeze", "hard_cut", "undo", "redo"];   // in other parts
const ELSEWHERE_GROUPS = ["cues"];

let lines = [];   // [row, its line]

function build(told) {
  const now = JSON.stringify(told);
  if (now === build.built) return;   // back after a break: what is half typed and chosen stays
  build.built = now;
  const dice = new Set([...rows.values()].map(dieOf).filter(Boolean));
  const shown = [...rows.values()].filter(row => row.access === "write" && !dice.has(row)
    && !ELSEWHERE_GROUPS.includes(row.group) && !ELSEWHERE.includes(row.address.replace(ROOT, "")));
  lines = shown.map(row => [row, lineOf(row)]);
  for (const place of ["inputs", "looks", "outputs"]) $(place).replaceChildren();
  for (const group of new Set(shown.map(row => row.group))) {
    const its = lines.filter(([row]) => row.group === group).map(([, line]) => line);
    if (group === "signals") $("follow-more").replaceChildren(...its);
    else $(PLACES[group] ?? "looks").append(section(group, told.groups[group], its));
  }
  search();
}

function section(group, name, its) {
  const box = make("details", { className: "group", open: isOpen(group) }, make("summary", {}, name), ...its);
  box.dataset.group = group;
  box.ontoggle = () => { if (!searching()) remember("open:" + group, box.open); };
  return box;
}

const isOpen = group => remembered("open:" + group, OPEN.includes(group));

const searching = () => $("search").value.trim() !== "" || pressed("changed");
const pressed = id => $(id).getAttribute("aria-pressed") === "true";

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

// Whether a row changes anything now: it has no needs, or one of them is met by a row that acts itself.
function acts(row) {
  return row.needs.length === 0 || row.needs.some(({ address, values: wanted, unless }) =>
    (wanted.length > 0 ? wanted.some(each => same(each, values[address])) : !unless.some(each => same(each, values[address])))
    && acts(rows.get(address)));
}

function differs(row) {
  return row.default !== null && !same(values[row.address], row.default);
}

// What is shown. News may call it: it opens and closes no group, which the hand may have opened this moment.
function choose() {
  const words = $("search").value.trim().toLowerCase().split(/\s+/).filter(word => word);
  for (const [row, line] of lines) {
    const text = `${row.label} ${row.address} ${row.group} ${row.help}`.toLowerCase();
    line.hidden = !(words.every(word => text.includes(word)) && (!pressed("changed") || differs(row))
      && (words.length > 0 || (acts(row) && (row.level !== "advanced" || pressed("advanced")))));
  }
  for (const box of document.querySelectorAll("details.group")) {
    box.hidden = [...box.children].slice(1).every(line => line.hidden);
  }
}

// A search begins, changes or ends: every group is open during it, and afterwards those that were before.
function search() {
  choose();
  for (const box of document.querySelectorAll("details.group")) box.open = searching() || isOpen(box.dataset.group);
}

for (const [id, act] of [["changed", search], ["advanced", choose]]) {
  $(id).onclick = () => { press($(id), !pressed(id)); act(); };
}
$("search").oninput = search;
$("search").onkeydown = event => {
  if (event.key !== "Escape") return;
  event.stopPropagation();
  $("search").value = "";
  search();
};
on("panel", build);
afterNews(news => {
  const steering = lines.some(([row]) => row.needs.some(({ address }) => address in news));
  if (steering || pressed("changed")) choose();
});
