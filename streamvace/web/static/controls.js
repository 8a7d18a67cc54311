// A control for every type of parameter: each function returns [element, function that shows a value].
import { make, press, spaced } from "/dom.js";
import { fader } from "/fader.js";
import { glides, paced, send, touch, value } from "/store.js";

const SURE_MS = 2500;

// Sets a value over the fade time, if it can fade.
export function slowly(address, given) {
  const seconds = value("fade_time");
  if (seconds > 0 && glides.has(address + "/to")) send(address + "/to", given, seconds, "linear");
  else send(address, given);
}

function number(row) {
  const quick = paced(given => send(row.address, given));
  return fader(row, { set: (given, slow) => slow ? slowly(row.address, given) : quick(given), touch: () => touch(row.address) });
}

const input = (row, type, properties = {}) => make("input", { type, ariaLabel: row.label, ...properties });
const textBox = (row, properties = {}) => input(row, "text", { maxLength: row.length, spellcheck: false, ...properties });

const BIG_RANGE = 100_000;   // a fader of so many values cannot be aimed

const controls = {
  float: number,
  int(row) {
    if (row.max - row.min < BIG_RANGE) return number(row);
    const box = input(row, "number", { min: row.min, max: row.max, step: 1 });
    box.onchange = () => { if (box.value !== "") send(row.address, Math.round(box.valueAsNumber)); };
    return [box, given => { box.value = given; }];
  },
  bool(row) {
    const box = input(row, "checkbox");
    box.onchange = () => send(row.address, box.checked);
    return [box, given => { box.checked = given; }];
  },
  choice(row) {
    return row.choices.length > 4 ? menu(row) : segments(row);
  },
  string(row) {
    const box = textBox(row);
    box.onchange = () => send(row.address, box.value);
    return [box, given => { box.value = given; }];
  },
  strings(row) {
    const box = make("textarea", { rows: 2, spellcheck: false, placeholder: "one a line", ariaLabel: row.label });
    box.onchange = () => send(row.address, ...lines(box.value));
    return [box, given => { box.value = given.join("\n"); }];
  },
  weighted(row) {
    const list = make("div");
    const say = paced(() => {
      const said = [...list.children].flatMap(weightedItem);
      send(row.address, ...(said.length ? said : [""]));
    });
    return [list, given => {
      const wanted = given.length < row.items ? [...given, []] : given;   // an empty box for another prompt
      if (JSON.stringify([...list.children].map(weightedItem)) === JSON.stringify(wanted)) return;
      list.replaceChildren(...wanted.map(([words = "", share = row.max]) => weightedLine(row, say, words, share)));
    }];
  },
  trigger(row) {
    return [row.argument ? actionForm(row) : triggerButton(row), null];
  },
};

export const controlOf = row => controls[row.type](row);

// What chooses a value says which, so that it can be greyed.
function chosen(element, name) {
  element.dataset.choice = name;
  return element;
}

const options = row => row.choices.map(name => chosen(make("option", { value: name }, spaced(name)), name));

function menu(row) {
  const list = make("select", { ariaLabel: row.label }, ...options(row));
  list.onchange = () => send(row.address, list.value);
  return [list, given => { list.value = given; }];
}

export function segments(row) {
  const buttons = row.choices.map(name => chosen(make("button", { onclick: () => send(row.address, name) }, spaced(name)), name));
  return [make("div", { className: "segments", role: "group", ariaLabel: row.label }, ...buttons),
    given => buttons.forEach((button, i) => press(button, row.choices[i] === given))];
}

// An OSC list is never without arguments: one empty text empties it.
function lines(words) {
  const kept = words.split("\n").map(line => line.trim()).filter(line => line);
  return kept.length ? kept : [""];
}

function weightedLine(row, say, words, share) {
  const box = textBox(row, { value: words, placeholder: "another prompt", ariaLabel: "a prompt of the mix" });
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
    if (grave && !button.classList.contains("sure")) confirmNext(button);
    else send(row.address);
  };
  return button;
}

export function confirmNext(button) {
  const label = button.textContent;
  button.classList.add("sure");
  button.textContent = "Sure?";
  setTimeout(() => { button.classList.remove("sure"); button.textContent = label; }, SURE_MS);
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
