// A fader: the whole row drags. Shift is a tenth, arrows step, a right click resets, the box takes an exact number.
import { make } from "/dom.js";

const STEPS = 100;          // arrow keys go through the range in so many
const SLACK_PX = 3;         // a press that moves less is a click
const SNAP = 0.012;         // of the range: as near as this is meant

const within = (low, number, high) => Math.min(high, Math.max(low, number));

// Between values and places 0..1 in the row.
function scaleOf({ min, max, scale }) {
  if (scale !== "log") return { place: value => (value - min) / (max - min), value: place => min + place * (max - min) };
  return { place: value => Math.log(value / min) / Math.log(max / min), value: place => min * (max / min) ** place };
}

// As many decimals as a step of the fader needs.
function decimalsOf({ type, min, max }) {
  return type === "int" ? 0 : within(0, Math.ceil(2 - Math.log10(max - min)), 4);
}

// set(value, slow): while the hand moves; slow with Alt, when it lets go. touch(): the hand is on it.
// Returns [element, function that shows a value].
export function fader(row, { set, touch }) {
  const scale = scaleOf(row), decimals = decimalsOf(row);
  const round = (value, fine) => Number(value.toFixed(decimals + (fine && row.type === "float" ? 1 : 0)));
  const text = value => String(Math.round(value * 1000) / 1000);
  const fill = make("span", { className: "fill" });
  const thumb = make("div", { tabIndex: 0, role: "slider", ariaLabel: row.label, ariaValueMin: row.min, ariaValueMax: row.max });
  const box = make("input", { type: "text", inputMode: "decimal", ariaLabel: `${row.label}, exact`, tabIndex: -1, autocomplete: "off" });
  const element = make("div", { className: row.unit ? "fader has-unit" : "fader" }, fill,
    make("span", { className: "name", ariaHidden: "true", textContent: row.label }), thumb, box);
  const snaps = [...row.snaps, row.default];
  let held = row.default;

  function show(value) {
    held = value;
    const shown = row.unit ? `${text(value)} ${row.unit}` : text(value);
    fill.style.setProperty("--at", `${100 * within(0, scale.place(value), 1)}%`);
    thumb.ariaValueNow = value;
    thumb.ariaValueText = shown;
    box.value = shown;
  }

  function go(value, slow = false) {
    touch();
    show(within(row.min, value, row.max));
    set(held, slow);
  }

  function snapped(place) {
    const near = snaps.find(usual => Math.abs(scale.place(usual) - place) < SNAP);
    return near ?? scale.value(within(0, place, 1));
  }

  function step(steps, fine) {
    const moved = round(scale.value(within(0, scale.place(held) + steps * (fine ? 0.1 : 1) / STEPS, 1)), fine);
    go(moved === held ? held + Math.sign(steps) * 10 ** -decimals : moved);
  }

  let pointer = "mouse";
  let drag = null;   // where the hand took hold, and the place that the fader has followed it to
  thumb.onpointerdown = event => {
    pointer = event.pointerType;
    if (event.button !== 0) return;
    thumb.setPointerCapture(event.pointerId);
    drag = { first: event.clientX, last: event.clientX, place: scale.place(held), moved: false, before: held };
  };
  thumb.onpointermove = event => {
    if (!drag) return;
    if (!drag.moved && Math.abs(event.clientX - drag.first) < SLACK_PX) return;
    drag.moved = true;
    drag.place += (event.clientX - drag.last) / element.clientWidth * (event.shiftKey ? 0.1 : 1);
    drag.last = event.clientX;
    const next = round(event.shiftKey ? scale.value(within(0, drag.place, 1)) : snapped(drag.place), event.shiftKey);
    drag.slow = event.altKey;
    touch();
    show(next);
    if (!drag.slow) set(next, false);
  };
  thumb.onpointerup = event => {
    if (drag?.moved && drag.slow) set(held, true);   // also if Alt was let go first
    // A tap on a touch screen may be the begin of a scroll.
    else if (drag && !drag.moved && event.pointerType === "mouse") {
      go(round(snapped((event.clientX - element.getBoundingClientRect().left) / element.clientWidth)), event.altKey);
    }
    drag = null;
  };
  thumb.ondragstart = event => event.preventDefault();   // of a selection that lies over the fader: it would end this drag
  thumb.onpointercancel = () => { drag = null; };
  thumb.oncontextmenu = event => {
    event.preventDefault();
    if (pointer === "touch") return;   // a long press is for help
    go(row.default);
  };
  thumb.addEventListener("wheel", event => {
    if (document.activeElement !== thumb) return;   // it scrolls the column
    event.preventDefault();
    step(event.deltaY < 0 || event.deltaX < 0 ? 1 : -1, event.shiftKey);
  }, { passive: false });

  const KEYS = {
    ArrowRight: fine => step(1, fine), ArrowUp: fine => step(1, fine), ArrowLeft: fine => step(-1, fine), ArrowDown: fine => step(-1, fine),
    PageUp: () => step(10), PageDown: () => step(-10), Home: () => go(row.min), End: () => go(row.max),
    Backspace: () => go(row.default), Delete: () => go(row.default), Enter: () => { box.focus(); box.select(); },
  };
  thumb.onkeydown = event => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
    event.preventDefault();
    KEYS[event.key](event.shiftKey);
  };
  box.onfocus = () => box.select();
  box.onchange = () => {
    const number = Number.parseFloat(box.value.replace(",", "."));
    touch();
    if (Number.isNaN(number)) show(held);
    else set(number, false);   // the show clamps it, and says so
  };
  box.onkeydown = event => {
    if (event.key === "Enter") thumb.focus();
    if (event.key === "Escape") { show(held); thumb.focus(); }
  };
  show(row.default);
  element.placeOf = scale.place;   // for the mark of a modulator
  return [element, show];
}
