// The picture, the figures and the hints.
import { $, make } from "/dom.js";

const big = ["fps", "latency_ms", "chunk_ms", "chunks"];
const placed = [...big, "state", "prompt", "control", "mask"];

const show = value => typeof value !== "number" ? (value ?? "–")
  : Number.isInteger(value) ? value : value.toFixed(Math.abs(value) < 100 ? 1 : 0);

function number(id, value) {
  $(id).textContent = typeof value !== "number" ? (value ?? "–") : id === "fps" ? value.toFixed(1) : Math.round(value);
}

function state(text) {
  $("state-text").textContent = text;
  const word = String(text).toLowerCase();
  $("dot").className = /fail|error|lost|no answer/.test(word) ? "bad" : /run|ready|live|play/.test(word) ? "good" : "";
}

function fill(stats) {
  state(stats.state ?? "running");
  for (const id of big) number(id, stats[id]);
  $("prompt-box").hidden = !stats.prompt || !$("words").hidden;
  $("shown-prompt").textContent = stats.prompt ?? "";
  $("control-name").textContent = stats.control ? "(" + stats.control + ")" : "";
  $("mask-name").textContent = stats.mask ? "(" + stats.mask + ")" : "";
  $("rest").replaceChildren(...Object.entries(stats).filter(([key]) => !placed.includes(key)).flatMap(([key, value]) => [
    make("dt", {}, key === "osc_port" ? "OSC port" : key.replaceAll("_", " ")),
    make("dd", {}, typeof value === "object" && value !== null ? JSON.stringify(value) : String(show(value))),
  ]));
}

async function poll() {
  try {
    fill(await (await fetch("/stats.json")).json());
  } catch {
    state("no answer from streamvace");
  }
  setTimeout(poll, 500);
}

async function hints() {
  const list = await (await fetch("/hints.json")).json();
  $("hints-box").hidden = list.length === 0;
  if (list.length !== 3) $("hints-title").textContent = "To try";
  $("hints").replaceChildren(...list.map(hint => make("li", {}, make("span", {}, hint.what), make("code", {}, hint.line))));
}

const picture = $("picture");
picture.onload = () => { picture.hidden = false; $("waiting").hidden = true; };
picture.onerror = () => { picture.hidden = true; $("waiting").hidden = false; setTimeout(watch, 1000); };
function watch() { picture.src = "/stream.mjpg?" + Date.now(); }

// The views of what the model sees are made and sent only while they are open.
$("views").addEventListener("toggle", () => {
  for (const name of ["control", "mask"]) {
    const view = $("view-" + name);
    if ($("views").open) view.src = "/" + name + ".mjpg?" + Date.now();
    else view.removeAttribute("src");
  }
});

addEventListener("keydown", event => {
  if ((event.key !== "f" && event.key !== "F") || /INPUT|TEXTAREA|SELECT/.test(event.target.tagName)) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.fullscreenElement) document.exitFullscreen();
  else $("stage").requestFullscreen();
});
watch();
poll();
hints();
