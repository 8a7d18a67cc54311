// The control panel: one control for every writable parameter of the schema.
import { $, make } from "/dom.js";
import { on, tell } from "/connection.js";
import { typingIn } from "/typing.js";

const ROOT = "/streamvace/";
const PROMPT = ROOT + "prompt";
const HAND_MS = 400;      // for so long after a touch, feedback does not move a control
const SEND_MS = 33;       // between two messages of a dragged slider
const OPEN_GROUPS = ["picture", "control"];
const GLIDES = [[0, "off"], [1, "1 s"], [4, "4 s"], [8, "8 s"], [20, "20 s"]];

const panel = { shown: new Map(), values: {}, glides: new Set(), touched: new Map(), dice: new Map(), seconds: 0, curve: "" };

function send(address, ...given) {
  touch(address.replace(/\/to$/, ""));
  if (!tell({ address, arguments: given })) complain("not sent: there is no connection");
}

function touch(address) {
  panel.touched.set(address, Date.now());
}

// Sets a parameter, over the chosen seconds if it can glide.
function glide(address, value) {
  if (panel.seconds > 0 && panel.glides.has(address + "/to")) send(address + "/to", value, panel.seconds, panel.curve);
  else send(address, value);
}

// A cue command, with the chosen seconds.
function cue(command, name) {
  const seconds = panel.seconds > 0 ? [panel.seconds] : [];
  send(ROOT + "cue/" + command, name, ...seconds);
}

// Calls act at most once in SEND_MS, and always with the last value.
function paced(act) {
  let timer = null, newest = null;
  return value => {
    newest = value;
    timer ??= setTimeout(() => { timer = null; act(newest); }, SEND_MS);
  };
}

const rounded = value => typeof value === "number" ? String(Math.round(value * 1000) / 1000) : String(value);
const spaced = name => name.replaceAll("_", " ");

function input(row, type, properties = {}) {
  return make("input", { type, ariaLabel: row.label, ...properties });
}

const textBox = (row, properties = {}) => input(row, "text", { maxLength: row.length, spellcheck: false, ...properties });

// Each function makes the control of a type: [element, function that shows a value].
const controls = {
  float(row) {
    const range = { min: row.min, max: row.max };
    const slider = input(row, "range", { ...range, step: (row.max - row.min) / 400 });
    const box = input(row, "number", { ...range, step: "any" });
    const set = value => glide(row.address, value);
    const dragged = paced(set);
    slider.oninput = () => {
      touch(row.address);
      box.value = rounded(slider.valueAsNumber);
      if (panel.seconds === 0) dragged(slider.valueAsNumber);
    };
    slider.onchange = () => { if (panel.seconds > 0) set(slider.valueAsNumber); };
    slider.ondblclick = () => set(row.default);
    box.onchange = () => { if (box.value !== "") set(box.valueAsNumber); };
    const show = value => { slider.value = value; box.value = rounded(value); };
    return [make("div", { className: "pair" }, slider, box), show];
  },
  int(row) {
    const box = input(row, "number", { min: row.min, max: row.max, step: 1 });
    box.onchange = () => { if (box.value !== "") send(row.address, Math.round(box.valueAsNumber)); };
    return [box, value => { box.value = value; }];
  },
  bool(row) {
    const box = input(row, "checkbox");
    box.onchange = () => send(row.address, box.checked);
    return [box, value => { box.checked = value; }];
  },
  choice(row) {
    return row.choices.length > 4 ? menu(row) : segments(row);
  },
  string(row) {
    const box = textBox(row);
    box.onchange = () => send(row.address, box.value);
    return [box, value => { box.value = value; }];
  },
  strings(row) {
    const box = make("textarea", { rows: 2, spellcheck: false, placeholder: "one a line", ariaLabel: row.label });
    box.onchange = () => send(row.address, ...lines(box.value));
    return [box, value => { box.value = value.join("\n"); }];
  },
  weighted(row) {
    const list = make("div");
    const say = paced(() => {
      const said = [...list.children].flatMap(weightedItem);
      send(row.address, ...(said.length ? said : [""]));
    });
    return [list, value => {
      const items = value.map(([words, share]) => weightedLine(row, say, words, share));
      if (items.length < row.items) items.push(weightedLine(row, say, "", row.max));
      list.replaceChildren(...items);
    }];
  },
  trigger(row) {
    return [row.argument ? actionForm(row) : triggerButton(row), null];
  },
};

const options = row => row.choices.map(name => make("option", { value: name }, spaced(name)));

function menu(row) {
  const list = make("select", { ariaLabel: row.label }, ...options(row));
  list.onchange = () => send(row.address, list.value);
  return [list, value => { list.value = value; }];
}

function segments(row) {
  const buttons = row.choices.map(name => make("button", { onclick: () => send(row.address, name) }, spaced(name)));
  return [make("div", { className: "segments" }, ...buttons),
    value => buttons.forEach((button, i) => button.classList.toggle("on", row.choices[i] === value))];
}

// An OSC list is never without arguments: one empty text empties it.
function lines(words) {
  const kept = words.split("\n").map(line => line.trim()).filter(line => line);
  return kept.length ? kept : [""];
}

function weightedLine(row, say, words, share) {
  const box = textBox(row, { value: words, placeholder: "another prompt" });
  const slider = make("input", { type: "range", min: row.min, max: row.max, step: 0.01, value: share, ariaLabel: "its share" });
  slider.oninput = () => {
    touch(row.address);
    if (box.value.trim()) say();
  };
  box.onchange = () => { touch(row.address); say(); };
  return make("div", { className: "row" }, box, slider);
}

function weightedItem(line) {
  const [box, slider] = line.children;
  const words = box.value.trim();
  return words ? [words, slider.valueAsNumber] : [];
}

// A trigger that cannot be undone needs a second click.
function triggerButton(row) {
  const button = make("button", {}, row.label);
  const grave = /\/(quit|reload)$/.test(row.address);
  button.onclick = () => {
    if (grave && !button.classList.contains("sure")) confirmNext(button, row.label);
    else send(row.address);
  };
  return button;
}

function confirmNext(button, label) {
  button.classList.add("sure");
  button.textContent = "Sure?";
  setTimeout(() => { button.classList.remove("sure"); button.textContent = label; }, 2500);
}

function actionForm(row) {
  const box = row.argument === "choice"
    ? make("select", { ariaLabel: row.label }, ...options(row))
    : input(row, row.argument === "int" ? "number" : "text");
  const form = make("form", { className: "one" }, box, make("button", {}, "Do"));
  form.onsubmit = event => {
    event.preventDefault();
    if (box.value !== "") send(row.address, row.argument === "int" ? Math.round(box.valueAsNumber) : box.value);
  };
  return form;
}

// A trigger `<number>/random` is a die beside that number.
function withDie(row, element) {
  const die = panel.dice.get(row.address);
  if (!die) return element;
  const button = make("button", { title: described(die), ariaLabel: die.label, onclick: () => send(die.address) }, "\u2684");
  return make("div", { className: "one" }, element, button);
}

const described = row => `${row.help}\n${row.address}`;

function line(row) {
  const [element, fill] = controls[row.type](row);
  const wide = row.type === "weighted" || row.type === "strings";
  const name = make("span", { className: "name", title: described(row) }, row.label);
  const made = make("div", { className: wide ? "control wide" : "control" }, name, withDie(row, element));
  if (fill) panel.shown.set(row.address, { fill, line: made });
  return made;
}

function section(group, name, rows) {
  const key = "open:" + group;
  const open = (localStorage.getItem(key) ?? String(OPEN_GROUPS.includes(group))) === "true";
  const box = make("details", { open }, make("summary", {}, name), ...rows.map(line));
  box.ontoggle = () => localStorage.setItem(key, box.open);
  return box;
}

// Numbers by address -> the trigger that rolls them.
function diceOf(schema) {
  const numbers = schema.filter(row => row.access === "write" && (row.type === "int" || row.type === "float"));
  const triggers = new Map(schema.filter(row => row.type === "trigger").map(row => [row.address, row]));
  const rolled = numbers.map(row => [row.address, triggers.get(row.address + "/random")]);
  return new Map(rolled.filter(([, die]) => die));
}

let built = "";
function build(told) {
  const { schema, groups: headings, glides, curves } = told;
  const now = JSON.stringify(told);
  if (now === built) return;   // back after a break: what is half typed and chosen stays
  built = now;
  panel.glides = new Set(glides);
  panel.dice = diceOf(schema);
  panel.shown.clear();
  const dice = new Set(panel.dice.values());
  const rows = schema.filter(row => row.access === "write" && row.address !== PROMPT && row.group !== "cues" && !dice.has(row));
  const groups = [...new Set(rows.map(row => row.group))];
  $("controls").replaceChildren(...groups.map(group => section(group, headings[group], rows.filter(row => row.group === group))));
  panel.shown.set(PROMPT, { fill: value => { $("prompt").value = value; }, line: $("words") });
  choose("glide-seconds", GLIDES, value => { panel.seconds = value; });
  choose("glide-curve", curves.map(curve => [curve, curve]), value => { panel.curve = value; });
  for (const id of ["words", "cues", "glide"]) $(id).hidden = false;
}

function choose(id, choices, take) {
  const buttons = choices.map(([value, name]) => make("button", {
    onclick: event => { take(value); buttons.forEach(button => button.classList.toggle("on", button === event.target)); },
  }, name));
  $(id).replaceChildren(...buttons);
  buttons[0].click();
}

function news(values) {
  Object.assign(panel.values, values);
  for (const address of Object.keys(values)) {
    const control = panel.shown.get(address);
    if (!control) continue;
    control.line.classList.add("moving");
    setTimeout(() => control.line.classList.remove("moving"), 700);
    if (typingIn(control.line) || touchedLately(address)) setTimeout(() => settle(address), HAND_MS);
    else control.fill(values[address]);
  }
  const mix = panel.values[ROOT + "status/prompt"] ?? "";
  $("on-show").textContent = mix && mix !== panel.values[PROMPT] ? `on show: ${mix}` : "";
  $("next").textContent = panel.values[ROOT + "status/cue_next"] ?? "";
  markCues();
}

function touchedLately(address) {
  return Date.now() - (panel.touched.get(address) ?? 0) <= HAND_MS;
}

// Shows the value of a control after it was touched: the value may have been clamped or refused.
function settle(address) {
  const control = panel.shown.get(address);
  if (!control || touchedLately(address) || typingIn(control.line)) return;
  control.fill(panel.values[address]);
}

// Leaving a box shows what is held, whether or not something was sent. Words typed into the prompt stay: only Enter sends
// them.
$("controls").addEventListener("focusout", event => {
  for (const [address, control] of panel.shown) {
    if (control.line.contains(event.target)) setTimeout(() => settle(address), HAND_MS + 50);
  }
});

function cueButtons(names) {
  $("cue-list").replaceChildren(...names.map(name => make("button", {
    title: "Recall this cue. With Alt: delete it.",
    onclick: event => {
      if (event.altKey) send(ROOT + "cue/delete", name);
      else cue("recall", name);
    },
  }, name)));
  markCues();
}

function markCues() {
  for (const button of $("cue-list").children) {
    button.classList.toggle("on", button.textContent === panel.values[ROOT + "status/cue"]);
    button.classList.toggle("next", button.textContent === panel.values[ROOT + "status/cue_next"]);
  }
}

let lineTimer = null;
function complain(line) {
  $("line").textContent = line.replaceAll(ROOT, "");
  $("line").hidden = false;
  clearTimeout(lineTimer);
  lineTimer = setTimeout(() => { $("line").hidden = true; }, 6000);
  for (const address of panel.shown.keys()) setTimeout(() => settle(address), HAND_MS + 50);
}

$("prompt").onkeydown = event => {
  if (event.key !== "Enter" || event.shiftKey) return;
  event.preventDefault();
  glide(PROMPT, $("prompt").value.trim());
  $("prompt").blur();
};
$("go").onclick = () => send(ROOT + "cue/go");
$("store").onsubmit = event => {
  event.preventDefault();
  const name = $("cue-name").value.trim();
  if (name) cue("store", name);
  $("cue-name").value = "";
};

on("panel", build);
on("values", news);
on("cues", cueButtons);
on("line", complain);
