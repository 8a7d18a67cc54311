// What the show hears: a bar for the level and one for each band, and a light for hits.
import { $, make } from "/dom.js";
import { on } from "/connection.js";

const BARS = { level: "whole sound", low: "low", low_mid: "low middle", high_mid: "high middle", high: "high" };

const bars = Object.entries(BARS).map(([name, words]) => [name, make("i", { title: words })]);
$("sound").append(...bars.map(([, bar]) => bar), make("b", { title: "hits" }));

on("sound", told => {
  $("sound").hidden = !("level" in told);
  for (const [name, bar] of bars) bar.style.setProperty("--level", told[name] ?? 0);
  $("sound").lastElementChild.style.opacity = told.hits ?? 0;
});
on("lost", () => { $("sound").hidden = true; });
