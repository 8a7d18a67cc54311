// Incoming OSC: the last messages of every sender and what became of them. All of it is text of strangers.
import { $, make } from "/dom.js";
import { on } from "/connection.js";

const MOST_ROWS = 64;
const COMPLAINT = "/streamvace/status/complaint", COMPLAINTS = "/streamvace/status/complaints";

const rows = new Map();   // sender, address and fate -> the newest message; the newest last

function take(arrived) {
  for (const row of arrived) {
    const key = JSON.stringify([row.from, row.address, row.fate]);
    rows.delete(key);
    rows.set(key, row);
  }
  for (const key of [...rows.keys()].slice(0, -MOST_ROWS)) rows.delete(key);
  show();
}

function show() {
  if (!$("arrivals-box").open) return;
  $("no-arrivals").hidden = rows.size > 0;
  $("arrivals").replaceChildren(...[...rows.values()].reverse().map(line));
}

function line(row) {
  const times = row.times > 1 ? ` (${row.times} times)` : "";
  return make("li", { className: row.fate },
    make("span", { className: "what" }, `${row.address} ${row.arguments}`),
    make("span", { className: "fate" }, row.fate + times),
    make("span", { className: "why" }, row.why.replace(`${row.address}: `, "")),
    make("span", { className: "from" }, `${new Date(row.at * 1000).toLocaleTimeString()} from ${row.from}`));
}

// A new show counts from the beginning.
on("open", () => {
  rows.clear();
  $("complaint").hidden = true;
  show();
});
on("arrivals", take);
on("values", values => {
  if (values[COMPLAINT]) {   // empty after ten seconds; the page keeps the newest
    $("complaint").textContent = values[COMPLAINT];
    $("complaint").hidden = false;
  }
  if (COMPLAINTS in values) {
    $("complaints").textContent = `${values[COMPLAINTS]} wrong`;
    $("complaints").hidden = values[COMPLAINTS] === 0;
  }
});
$("arrivals-box").addEventListener("toggle", show);
