// Choices that cannot be had now, such as a kind whose network is not downloaded: greyed beforehand, with the reason and
// the command. They can be pressed all the same: the show knows best, and says why not beside the control.
import { make, spaced } from "/dom.js";
import { on } from "/connection.js";
import { reason } from "/reason.js";

let lacking = {};   // address -> choice -> {why, fix}

export function markLacking(line) {
  const lacks = lacking[line.dataset.address] ?? {};
  for (const choice of line.querySelectorAll("[data-choice]")) {
    const lack = lacks[choice.dataset.choice];
    if (lack) choice.ariaDisabled = "true";
    else choice.removeAttribute("aria-disabled");
    choice.title = lack?.why ?? "";
    if (choice.matches("option")) choice.textContent = spaced(choice.dataset.choice) + (lack ? " (missing)" : "");
  }
  line.querySelector(":scope > .lacks")?.remove();
  const names = Object.keys(lacks);
  if (names.length === 0) return;
  line.append(make("details", { className: "lacks" }, make("summary", {}, `${names.join(", ")}: missing`),
    ...names.map(name => make("div", {}, ...reason(lacks[name])))));
}

on("lacking", told => {
  lacking = told;
  document.querySelectorAll(".control[data-address]").forEach(markLacking);
});
