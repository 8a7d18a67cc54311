// The drop zone: a file that is dragged over the page shows what it can become.
import { $, make } from "/dom.js";
import { targetsFor } from "/targets.js";
import { upload } from "/upload.js";

const kindOf = type => type.startsWith("image/") ? "picture" : "film";   // a film's type is not always known

function open(event) {
  const dragged = [...event.dataTransfer.items].filter(item => item.kind === "file");
  if (dragged.length === 0 || document.body.classList.contains("offline")) return;
  event.preventDefault();
  if (!$("drop").hidden) return;
  $("drop-targets").replaceChildren(...targetsFor(dragged.map(item => kindOf(item.type))).map(place));
  $("drop").hidden = false;
}

function place(target) {
  const box = make("div", { className: "target" }, target.label);
  box.ondragover = event => { event.preventDefault(); box.classList.add("over"); };
  box.ondragleave = () => box.classList.remove("over");
  box.ondrop = async event => {
    for (const file of event.dataTransfer.files) {
      const stored = await upload(file);
      if (stored && stored.kind === target.kind) target.use(stored.name);
    }
  };
  return box;
}

const close = () => { $("drop").hidden = true; };
addEventListener("dragenter", open);
addEventListener("dragover", open);
addEventListener("dragleave", event => { if (!event.relatedTarget) close(); });
addEventListener("drop", event => {
  event.preventDefault();   // else the browser leaves the page and shows the file
  close();
});
