// The editor below a tile: name, number, times and tools of a cue, and a list of the values that it sets. Nothing here changes what plays.
import { $, make, spaced } from "/dom.js";
import { ROOT, brief, rows, send, value } from "/store.js";

const TIMES = [
  ["number", "No.", "the number that recalls it"], ["wait", "Wait", "seconds from Go until its fade begins"],
  ["fade", "Fade", "seconds"], ["follow", "Follow", "seconds from then until the next cue comes by itself"],
];

// edit(command, ...arguments) sends a command about cues that can be taken back.
export function editor(cue, index, edit) {
  const { name } = cue;
  const field = (key, label, about, type) => {
    const box = make("input", { type, value: cue[key] ?? "", ariaLabel: `${label} of ${name}`, title: about });
    if (type === "number") Object.assign(box, { min: 0, step: "any" });
    if (key === "wait" && cue.wait === 0) box.value = "";
    box.dataset.shown = box.value;
    return box;
  };
  const naming = field("name", "Name", "", "text");
  naming.maxLength = 80;
  naming.onchange = () => { if (naming.value.trim()) edit("rename", name, naming.value.trim()); };
  const times = TIMES.map(([key, label, about]) => {
    const box = field(key, label, about, "number");
    box.onchange = () => {
      if (box.value !== "") edit(key, name, box.valueAsNumber);
      else if (key !== "fade") edit(key, name);   // empty: none
    };
    return make("label", {}, label, box);
  });
  const at = field("at", "At", "when it comes by itself: seconds of the show (90 or 1:30), bar 17.1, or timecode 01:00:00:00", "text");
  at.placeholder = "90, bar 17.1";
  at.onchange = () => edit("at", ...(at.value.trim() ? [name, at.value.trim()] : [name]));
  const tool = (label, about, act) => make("button", { onclick: act, ariaLabel: `${about} ${name}`, title: about }, label);
  return make("div", { className: "cue-edit" }, naming,
    make("div", { className: "tools" },
      tool("◂", "Move up", () => edit("move", name, Math.max(1, index))), tool("▸", "Move down", () => edit("move", name, index + 2)),
      tool("Values", "Values of", () => showValues(name, edit)),
      tool("Overwrite", "Overwrite", () => edit("store", name)), tool("Delete", "Delete", () => edit("delete", name))),
    make("div", { className: "times" }, ...times, make("label", { className: "at" }, "At", at)));
}

// The values of a stored cue. Those that are changed here are stored; the show plays on as it is.
async function showValues(cue, edit) {
  const answer = await fetch(`/cue-values.json?cue=${encodeURIComponent(cue)}`);
  if (!answer.ok) return;
  const held = await answer.json();
  const known = Object.entries(held).filter(([address]) => rows.has(address));
  const drop = (address, line) => { edit("set", cue, address); line.remove(); };
  $("cue-values-title").textContent = `Values of ${cue}`;
  $("cue-values-list").replaceChildren(...known.map(([address, given]) => valueLine(cue, rows.get(address), given, edit, drop)));
  const more = [...rows.values()].filter(row => row.access === "write" && row.default !== null && !(row.address in held));
  const menu = make("select", { ariaLabel: "Add a value" }, make("option", { value: "" }, "Add a value"),
    ...more.map(row => make("option", { value: row.address }, `${row.label} (${brief(row.address)})`)));
  menu.onchange = () => {
    const row = rows.get(menu.value), given = value(menu.value.replace(ROOT, ""));
    edit("set", cue, row.address, ...flat(given));
    $("cue-values-list").append(valueLine(cue, row, given, edit, drop));
    menu.selectedOptions[0].remove();
  };
  $("cue-values-more").replaceChildren(menu);
  if (!$("cue-values").open) $("cue-values").showModal();
}

function valueLine(cue, row, given, edit, drop) {
  const line = make("div", { className: "cue-value" });
  line.dataset.address = row.address;
  const set = (...said) => edit("set", cue, row.address, ...said);
  const remove = make("button", { ariaLabel: `Leave ${row.label} out`, title: "The cue leaves it as it is", onclick: () => drop(row.address, line) }, "×");
  line.append(make("span", { title: row.address }, row.label), box(row, given, set), remove);
  return line;
}

function box(row, given, set) {
  const ariaLabel = row.label;
  if (row.type === "bool") {
    const made = make("input", { type: "checkbox", checked: given, ariaLabel });
    made.onchange = () => set(made.checked);
    return made;
  }
  if (row.type === "choice") {
    const made = make("select", { ariaLabel }, ...row.choices.map(each => make("option", { value: each }, spaced(each))));
    made.value = given;
    made.onchange = () => set(made.value);
    return made;
  }
  if (row.type === "float" || row.type === "int") {
    const made = make("input", { type: "number", min: row.min, max: row.max, step: row.type === "int" ? 1 : "any", value: given, ariaLabel });
    made.onchange = () => { if (made.value !== "") set(made.valueAsNumber); };
    return made;
  }
  if (row.type === "trigger") return make("span", {}, "fires");
  if (row.type === "string") {
    const made = make("textarea", { rows: 2, maxLength: row.length, value: given, spellcheck: false, ariaLabel });
    made.onchange = () => set(made.value);
    return made;
  }
  const weighted = row.type === "weighted";
  const made = make("textarea", { rows: 2, spellcheck: false, ariaLabel, placeholder: weighted ? "one a line, with its share: red glass = 0.5" : "one a line" });
  made.value = given.map(each => (weighted ? `${each[0]} = ${Math.round(each[1] * 1000) / 1000}` : each)).join("\n");
  made.onchange = () => {
    const lines = made.value.split("\n").map(each => each.trim()).filter(each => each);
    const said = weighted ? lines.flatMap(shared) : lines;
    set(...(said.length ? said : [""]));
  };
  return made;
}

// "red glass = 0.5" as text and share; without a share it counts fully.
function shared(line) {
  const found = line.match(/^(.*\S)\s*=\s*([\d.]+)$/);
  return found ? [found[1], Number(found[2])] : [line, 1];
}

// A value as the arguments of a message.
const flat = given => (Array.isArray(given) ? (given.length ? given.flat() : [""]) : [given]);
