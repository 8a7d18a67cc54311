// The live picture, what the model sees, and the state of the connection over the picture.
import { $ } from "/dom.js";
import { on, tell } from "/connection.js";
import { follow } from "/store.js";

const AHEAD = 2;         // pictures of a view that the show sends before it waits for them to be drawn
const canvases = { output: $("picture"), control: $("view-control"), mask: $("view-mask") };
const ON_DEMAND = ["control", "mask"];   // made and sent only while they can be seen on a page

let connected = false, fresh = false;    // fresh: a picture has come since the connection was opened
let left = 0;                            // pictures left out because this page had not drawn those before
let drawn = {};                          // view -> pictures drawn since the show was told
const drawing = {};                      // view -> when its pictures so far are drawn

function watch() {
  tell({ watch: ["output", ...ON_DEMAND.filter(view => canvases[view].checkVisibility())] });
}

// A message is [length of the name][name][skipped: 4 bytes][JPEG].
function unpack(data) {
  const bytes = new DataView(data), length = bytes.getUint8(0);
  const view = new TextDecoder().decode(new Uint8Array(data, 1, length));
  const jpeg = new Blob([new Uint8Array(data, 5 + length)], { type: "image/jpeg" });
  return { view, skipped: bytes.getUint32(1 + length), jpeg };
}

// Resolves when the picture is on the canvas. A hidden page draws nothing, so it gets nothing more until it is seen.
async function draw(canvas, jpeg) {
  const picture = await createImageBitmap(jpeg);
  await new Promise(requestAnimationFrame);
  if (canvas.width !== picture.width || canvas.height !== picture.height) {
    Object.assign(canvas, { width: picture.width, height: picture.height });
    canvas.closest("#stage, figure").style.setProperty("--ratio", `${picture.width} / ${picture.height}`);
    if (canvas === $("picture")) shape(picture.width / picture.height);
  }
  canvas.getContext("2d").drawImage(picture, 0, 0);
  picture.close();
}

// The layouts depend on the output's shape.
function shape(wide) {
  document.body.style.setProperty("--wide", wide);
  document.body.dataset.shape = wide > 1.25 ? "wide" : wide > 0.8 ? "square" : "tall";
}

on("picture", data => {
  const { view, skipped, jpeg } = unpack(data);
  if (view === "output") {
    left += skipped;
    $("skipped").textContent = `${left} skipped on this page`;
  }
  drawing[view] = drawAfter(drawing[view], view, jpeg);
});

// Pictures of a view are drawn in their order, whichever is decoded first.
async function drawAfter(before, view, jpeg) {
  await before;
  try {
    await draw(canvases[view], jpeg);
    if (view === "output" && connected) { fresh = true; state(); }
  } catch (error) {
    reportError(error);   // the next picture may be whole
  }
  drawn[view] = (drawn[view] ?? 0) + 1;
  if (drawn[view] < AHEAD) return;
  tell({ drawn });   // those of the other views go with it
  drawn = {};
}

function state(reason) {
  $("stage").classList.toggle("frozen", !fresh);
  if (fresh) $("picture").hidden = false;
  $("over").hidden = fresh;
  $("over").textContent = connected ? "waiting for a picture" : "lost, trying again" + (reason ? ` (${reason})` : "");
}

on("open", () => { connected = true; fresh = false; state(); watch(); });
on("lost", reason => { connected = fresh = false; state(reason); });
addEventListener("layout", watch);
// Without a mask there is nothing to see: white everywhere.
follow("status/mask", mask => {
  $("mask-figure").hidden = mask === "none";
  watch();
});
