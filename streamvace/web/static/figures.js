// The figures and the hints.
import { $, make } from "/dom.js";
import { on } from "/connection.js";

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
  state(stats.state ?? "starting");
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

function hints(list) {
  $("hints-box").hidden = list.length === 0;
  if (list.length !== 3) $("hints-title").textContent = "To try";
  $("hints").replaceChildren(...list.map(hint => make("li", {}, make("span", {}, hint.what), make("code", {}, hint.line))));
}

on("stats", fill);
on("hints", hints);
on("lost", () => state("lost, trying again"));
