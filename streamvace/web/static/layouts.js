// Three layouts of the same parts. The width chooses one, unless the address or the hand has.
import { $, make, press } from "/dom.js";
import { remember, remembered } from "/store.js";

const PHONE = "(max-width: 599px)";

// Columns of parts, by their ids. On a phone all columns but the first are tabs.
const LAYOUTS = {
  stage: [["monitor", "follow", "prompts"], ["cues", "favourites"]],
  edit: [
    ["monitor", "follow", "inputs"],
    ["find", "prompts", "looks"],
    ["cues", "outputs", "figures-box", "arrivals-box", "hints-box", "keys-box", "still-box"],
  ],
  phone: [["monitor", "tabs"], ["cues"], ["prompts", "follow"], ["favourites", "find", "inputs", "looks", "outputs"], ["panic", "figures-box"]],
};
const TABS = ["Cues", "Prompt", "Faders", "Panic"];

const narrow = matchMedia(PHONE);
let chosen = location.pathname.slice(1) in LAYOUTS ? location.pathname.slice(1) : remembered("layout", "");
let columns = [];

const wanted = () => narrow.matches && !location.pathname.slice(1) ? "phone" : chosen || (narrow.matches ? "phone" : "stage");

function lay() {
  const layout = wanted();
  if (document.body.dataset.layout === layout) return;
  const held = document.activeElement;
  document.body.dataset.layout = layout;
  for (const part of columns.flatMap(column => [...column.children])) $("wings").append(part);
  columns = LAYOUTS[layout].map(ids => make("div", { className: "column" }, ...ids.map($)));
  $("desk").replaceChildren(...columns);
  if (layout !== "phone") $("transport").append($("panic"));
  if (layout === "phone") openTab(remembered("tab", 0));
  for (const button of $("layouts").children) press(button, button.dataset.layout === layout);
  if (document.body.contains(held)) held.focus();
  dispatchEvent(new Event("layout"));
}

function openTab(index) {
  columns.slice(1).forEach((column, i) => { column.hidden = i !== index; });
  [...$("tabs").children].forEach((tab, i) => {
    tab.ariaSelected = String(i === index);
    tab.tabIndex = i === index ? 0 : -1;
  });
  remember("tab", index);
}

for (const layout of ["stage", "edit"]) {
  const button = make("button", { onclick: () => choose(layout) }, layout[0].toUpperCase() + layout.slice(1));
  button.dataset.layout = layout;
  $("layouts").append(button);
}
TABS.forEach((name, index) => {
  const tab = make("button", { role: "tab", onclick: () => openTab(index) }, name);
  tab.onkeydown = event => {
    const next = { ArrowRight: index + 1, ArrowLeft: index - 1 }[event.key];
    if (!(next in TABS)) return;
    openTab(next);
    $("tabs").children[next].focus();
  };
  $("tabs").append(tab);
});

// The address says which layout is shown, so that it can be kept as a bookmark.
function choose(layout) {
  chosen = layout;
  remember("layout", layout);
  history.replaceState(null, "", `/${layout}${location.search}`);
  lay();
}

narrow.addEventListener("change", lay);
lay();
