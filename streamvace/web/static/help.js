// Help of a control: a long press on a touch screen, or ? with the control in focus. With a mouse it is the title.
import { $ } from "/dom.js";
import { described } from "/lines.js";
import { rows } from "/store.js";

const PRESS_MS = 600, SLACK_PX = 10;

export function helpFor(element) {
  const row = rows.get(element?.closest?.("[data-address]")?.dataset.address);
  if (!row) return false;
  $("help-text").textContent = `${row.label}\n${described(row)}`;
  $("help").showModal();
  return true;
}

let timer = null, start = null;
const stop = () => clearTimeout(timer);
addEventListener("pointerdown", event => {
  stop();
  if (event.pointerType !== "touch") return;
  start = event;
  timer = setTimeout(() => helpFor(event.target), PRESS_MS);
});
addEventListener("pointermove", event => {
  if (start && Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) > SLACK_PX) stop();
});
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, stop);
