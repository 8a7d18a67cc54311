// What the show refuses or lacks: beside the control that it is about or, if that cannot be seen, in a line of its own.
import { $ } from "/dom.js";
import { on } from "/connection.js";
import { isSeen, sayBeside, settleSoon } from "/lines.js";
import { reason } from "/reason.js";
import { brief, rows } from "/store.js";

const LINE_MS = 12000;
let timer = null, about = "";   // about: the address that the line is about

function tell(...words) {
  $("line").replaceChildren(...words);
  $("line").hidden = false;
  clearTimeout(timer);
}

on("refusals", news => {
  for (const [address, refusal] of Object.entries(news)) {
    sayBeside(address, refusal);
    if (refusal) settleSoon(address);
    if (refusal && !isSeen(address)) {
      about = address;
      tell(`${rows.get(address)?.label ?? address}: `, ...reason(refusal));
    } else if (!refusal && address === about) $("line").hidden = true;
  }
});

// A complaint about a value begins with its address, and is told as a refusal too.
on("line", line => {
  if (rows.has(line.split(/[: ]/)[0])) return;
  say(brief(line));
});
addEventListener("complaint", event => say(event.detail));

function say(words) {
  about = "";
  tell(words);
  timer = setTimeout(() => { $("line").hidden = true; }, LINE_MS);
}
