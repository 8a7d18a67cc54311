// Undo and redo of parameters. The show keeps the steps, so that every surface has the same.
import { $ } from "/dom.js";
import { ROOT, follow, send } from "/store.js";

for (const name of ["undo", "redo"]) {
  $(name).onclick = () => send(ROOT + name);
  follow("status/" + name, what => {
    $(name).disabled = !what;
    $(name).title = what;
  });
}

addEventListener("keydown", event => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.target.matches?.("input, textarea")) return;
  const key = event.key.toLowerCase();
  if (key !== "z" && key !== "y") return;
  event.preventDefault();
  send(ROOT + (key === "y" || event.shiftKey ? "redo" : "undo"));
});
