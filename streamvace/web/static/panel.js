// The control panel, made from the schema: whatever parameter there is has a control here.
"use strict";
const PROMPT = "/streamvace/prompt";
const HAND_MS = 400;      // a control that was touched so recently is not moved by news from elsewhere
const SEND_MS = 33;       // a slider that is dragged sends about as often as pictures come

const panel = { rows: new Map(), shown: new Map(), values: {}, glides: new Set(), touched: new Map(), seconds: 0, curve: "" };
let socket = null;

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function send(address, ...given) {
  panel.touched.set(address.replace(/\/to$/, ""), Date.now());
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ address, arguments: given }));
}

// What a dragged slider says: the newest, SEND_MS apart, and always the last.
function paced(act) {
  let timer = null, newest = null;
  return value => {
    newest = value;
    timer ??= setTimeout(() => { timer = null; act(newest); }, SEND_MS);
  };
}

const text = value => typeof value === "number" ? String(Math.round(value * 1000) / 1000) : String(value);

// Each kind of control: gives [element, how to show a value].
const controls = {
  float(row) {
    const slider = make("input", { type: "range", min: row.min, max: row.max, step: (row.max - row.min) / 400, ariaLabel: row.label });
    const box = make("input", { type: "number", min: row.min, max: row.max, step: "any", ariaLabel: row.label });
    const set = value => {
      panel.seconds > 0 && panel.glides.has(row.address + "/to")
        ? send(row.address + "/to", value, panel.seconds, panel.curve) : send(row.address, value);
    };
    const dragged = paced(set);
    slider.oninput = () => { panel.touched.set(row.address, Date.now()); box.value = text(slider.valueAsNumber); if (panel.seconds === 0) dragged(slider.valueAsNumber); };
    slider.onchange = () => { if (panel.seconds > 0) set(slider.valueAsNumber); };
    slider.ondblclick = () => set(row.default);
    box.onchange = () => { if (box.value !== "") set(box.valueAsNumber); };
    return [make("div", { className: "pair" }, slider, box), value => { slider.value = value; box.value = text(value); }];
  },
  int(row) {
    const box = make("input", { type: "number", min: row.min, max: row.max, step: 1, ariaLabel: row.label });
    box.onchange = () => { if (box.value !== "") send(row.address, Math.round(box.valueAsNumber)); };
    return [box, value => { box.value = value; }];
  },
  bool(row) {
    const box = make("input", { type: "checkbox", ariaLabel: row.label });
    box.onchange = () => send(row.address, box.checked);
    return [box, value => { box.checked = value; }];
  },
  choice(row) {
    if (row.choices.length > 4) {
      const list = make("select", { ariaLabel: row.label }, ...row.choices.map(name => make("option", { value: name }, name.replaceAll("_", " "))));
      list.onchange = () => send(row.address, list.value);
      return [list, value => { list.value = value; }];
    }
    const buttons = row.choices.map(name => make("button", { onclick: () => send(row.address, name) }, name.replaceAll("_", " ")));
    return [make("div", { className: "segments" }, ...buttons),
      value => buttons.forEach((button, i) => button.classList.toggle("on", row.choices[i] === value))];
  },
  string(row) {
    const box = make("input", { type: "text", maxLength: row.length, spellcheck: false, ariaLabel: row.label });
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
    const all = () => [...list.children].flatMap(line => {
      const [words, share] = line.children;
      return words.value.trim() ? [words.value.trim(), share.valueAsNumber] : [];
    });
    const say = paced(() => { const said = all(); send(row.address, ...(said.length ? said : [""])); });
    const line = (words, share) => {
      const box = make("input", { type: "text", value: words, maxLength: row.length, spellcheck: false, placeholder: "another prompt", ariaLabel: row.label });
      const slider = make("input", { type: "range", min: row.min, max: row.max, step: 0.01, value: share, ariaLabel: "its share" });
      slider.oninput = () => { panel.touched.set(row.address, Date.now()); if (box.value.trim()) say(); };
      box.onchange = () => say();
      return make("div", { className: "row" }, box, slider);
    };
    const fill = value => {
      const rows = value.map(([words, share]) => line(words, share));
      if (rows.length < row.items) rows.push(line("", row.max));
      list.replaceChildren(...rows);
    };
    return [list, fill];
  },
  trigger(row) {
    if (!row.argument) {
      const button = make("button", {}, row.label);
      const grave = /\/(quit|reload)$/.test(row.address);
      button.onclick = () => {
        if (grave && !button.classList.contains("sure")) {
          button.classList.add("sure");
          button.textContent = "Sure?";
          setTimeout(() => { button.classList.remove("sure"); button.textContent = row.label; }, 2500);
          return;
        }
        send(row.address);
      };
      return [button, null];
    }
    const box = row.argument === "choice"
      ? make("select", { ariaLabel: row.label }, ...row.choices.map(name => make("option", { value: name }, name)))
      : make("input", { type: row.argument === "int" ? "number" : "text", ariaLabel: row.label });
    const form = make("form", { className: "one" }, box, make("button", {}, "Do"));
    form.onsubmit = event => {
      event.preventDefault();
      if (box.value !== "") send(row.address, row.argument === "int" ? Math.round(box.valueAsNumber) : box.value);
    };
    return [form, null];
  },
};

const lines = words => {
  const kept = words.split("\n").map(line => line.trim()).filter(line => line);
  return kept.length ? kept : [""];
};

function section(group, rows) {
  const name = group[0].toUpperCase() + group.slice(1);
  const key = "open:" + group;
  const box = make("details", { open: (localStorage.getItem(key) ?? String(group === "picture" || group === "control")) === "true" },
    make("summary", {}, name));
  box.ontoggle = () => localStorage.setItem(key, box.open);
  for (const row of rows) {
    const [element, fill] = controls[row.type](row);
    const wide = row.type === "weighted" || row.type === "strings";
    const line = make("div", { className: wide ? "control wide" : "control" }, make("span", { className: "name", title: `${row.help}\n${row.address}` }, row.label), element);
    if (fill) panel.shown.set(row.address, { fill, line });
    box.append(line);
  }
  return box;
}

function build({ schema, glides, curves }) {
  panel.rows = new Map(schema.map(row => [row.address, row]));
  panel.glides = new Set(glides);
  panel.shown.clear();
  const groups = new Map();
  for (const row of schema) {
    if (row.access === "write" && row.address !== PROMPT && row.group !== "cues") {
      groups.set(row.group, [...(groups.get(row.group) ?? []), row]);
    }
  }
  $("controls").replaceChildren(...[...groups].map(([group, rows]) => section(group, rows)));
  panel.shown.set(PROMPT, { fill: value => { $("prompt").value = value; }, line: $("words") });
  choose("glide-seconds", [[0, "off"], [1, "1 s"], [4, "4 s"], [8, "8 s"], [20, "20 s"]], value => { panel.seconds = value; });
  choose("glide-curve", curves.map(curve => [curve, curve]), value => { panel.curve = value; });
  for (const id of ["words", "cues", "glide"]) $(id).hidden = false;
}

function choose(id, options, take) {
  const buttons = options.map(([value, name]) => make("button", {
    onclick: event => { take(value); buttons.forEach(button => button.classList.toggle("on", button === event.target)); },
  }, name));
  $(id).replaceChildren(...buttons);
  buttons[0].click();
}

function news(values) {
  Object.assign(panel.values, values);
  for (const [address, value] of Object.entries(values)) {
    const control = panel.shown.get(address);
    if (!control) continue;
    control.line.classList.add("moving");
    setTimeout(() => control.line.classList.remove("moving"), 700);
    const held = control.line.contains(document.activeElement) && document.activeElement.matches("input[type=text], input[type=number], textarea");
    if (!held && Date.now() - (panel.touched.get(address) ?? 0) > HAND_MS) control.fill(value);
    else setTimeout(() => settle(address), HAND_MS);
  }
  const mix = panel.values["/streamvace/status/prompt"] ?? "";
  $("on-show").textContent = mix && mix !== panel.values[PROMPT] ? `on show: ${mix}` : "";
  $("next").textContent = panel.values["/streamvace/status/cue_next"] ?? "";
  mark();
}

// What was set by hand shows what it came to: clamped, or refused.
function settle(address) {
  const control = panel.shown.get(address), typing = document.activeElement?.matches("input[type=text], textarea");
  if (!control || Date.now() - (panel.touched.get(address) ?? 0) <= HAND_MS) return;
  if (!(typing && control.line.contains(document.activeElement))) control.fill(panel.values[address]);
}

function cueButtons(names) {
  $("cue-list").replaceChildren(...names.map(name => make("button", {
    title: "Recall this cue. With Alt: delete it.",
    onclick: event => event.altKey ? send("/streamvace/cue/delete", name)
      : panel.seconds > 0 ? send("/streamvace/cue/recall", name, panel.seconds) : send("/streamvace/cue/recall", name),
  }, name)));
  mark();
}

function mark() {
  for (const button of $("cue-list").children) {
    button.classList.toggle("on", button.textContent === panel.values["/streamvace/status/cue"]);
    button.classList.toggle("next", button.textContent === panel.values["/streamvace/status/cue_next"]);
  }
}

let lineTimer = null;
function complain(line) {
  $("line").textContent = line.replaceAll("/streamvace/", "");
  $("line").hidden = false;
  clearTimeout(lineTimer);
  lineTimer = setTimeout(() => { $("line").hidden = true; }, 6000);
  for (const address of panel.shown.keys()) setTimeout(() => settle(address), HAND_MS + 50);
}

$("prompt").onkeydown = event => {
  if (event.key !== "Enter" || event.shiftKey) return;
  event.preventDefault();
  const words = $("prompt").value.trim();
  panel.seconds > 0 ? send(PROMPT + "/to", words, panel.seconds, panel.curve) : send(PROMPT, words);
  $("prompt").blur();
};
$("go").onclick = () => send("/streamvace/cue/go");
$("store").onsubmit = event => {
  event.preventDefault();
  const name = $("cue-name").value.trim();
  if (name) panel.seconds > 0 ? send("/streamvace/cue/store", name, panel.seconds) : send("/streamvace/cue/store", name);
  $("cue-name").value = "";
};

function connect() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/panel`);
  socket.onmessage = ({ data }) => {
    const said = JSON.parse(data);
    if (said.schema) build(said);
    if (said.values) news(said.values);
    if (said.cues) cueButtons(said.cues);
    if (said.line) complain(said.line);
  };
  socket.onclose = () => setTimeout(connect, 1000);
}
connect();
