// The statistics and the hints.
import { $, make } from "/dom.js";
import { on } from "/connection.js";

let stats = {};

const show = value => typeof value !== "number" ? (value ?? "–")
  : Number.isInteger(value) ? value : value.toFixed(Math.abs(value) < 100 ? 1 : 0);

function fill() {
  if (!$("figures-box").open) return;
  $("rest").replaceChildren(...Object.entries(stats).flatMap(([key, value]) => [
    make("dt", {}, key === "osc_port" ? "OSC port" : key.replaceAll("_", " ")),
    make("dd", {}, typeof value === "object" && value !== null ? JSON.stringify(value) : String(show(value))),
  ]));
}

function hints(list) {
  $("hints-box").hidden = list.length === 0;
  if (list.length !== 3) $("hints-title").textContent = "To try";
  $("hints").replaceChildren(...list.map(hint => make("li", {}, make("span", {}, hint.what), make("code", {}, hint.line))));
}

on("stats", news => { stats = news; fill(); });
on("hints", hints);
$("figures-box").addEventListener("toggle", fill);
