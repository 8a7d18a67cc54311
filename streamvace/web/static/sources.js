// The menu of inputs and the media folder, with a small picture of each.
import { $, make } from "/dom.js";
import { ROOT, follow, send, value } from "/store.js";
import { targetButtons } from "/targets.js";
import { upload } from "/upload.js";

const NAMES = { input: "Input" };   // kinds whose address is a number

function tile(title, under, picture, act, on) {
  const image = make("img", { alt: "", loading: "lazy", src: picture });
  image.onerror = () => image.remove();
  const button = make("button", { className: on ? "look on" : "look", title: `${title}\n${under}`, onclick: act }, image,
    make("span", { className: "name" }, title), make("span", { className: "under" }, under));
  return make("div", { className: "tile" }, button);
}

function sourceTile({ kind, address, about }) {
  const title = NAMES[kind] ? `${NAMES[kind]} ${address}` : address;
  const use = () => { send(ROOT + "input/control", address); $("sources").close(); };
  return tile(title, about, `/sources/thumbnail?address=${encodeURIComponent(address)}`, use, address === value("input/control"));
}

function mediaTile({ name, kind }) {
  return tile(name.split("/").pop(), kind, `/media/thumbnail?name=${encodeURIComponent(name)}`, () => offer(name, kind),
    name === value("input/control"));
}

// A film has one use, a picture is asked for its own.
function offer(name, kind) {
  const buttons = targetButtons(kind, name, () => { $("targets").close(); $("sources").close(); });
  if (buttons.length === 1) return buttons[0].click();
  $("target-list").replaceChildren(...buttons);
  $("targets").showModal();
}

async function list(refresh) {
  $("refresh-sources").disabled = true;
  $("source-problems").textContent = "Searching …";
  try {
    await Promise.all([listSources(refresh), listMedia()]);
  } catch (error) {
    $("source-problems").textContent = error.message;
  } finally {
    $("refresh-sources").disabled = false;
  }
}

async function json(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

async function listSources(refresh) {
  const { sources, problems } = await json(`/sources.json${refresh ? "?refresh=1" : ""}`);
  $("source-list").replaceChildren(...sources.map(sourceTile));
  $("source-problems").textContent = Object.values(problems).join(" ");
}

async function listMedia() {
  const { folder, files, more } = await json("/media.json");
  $("media-list").replaceChildren(...files.map(mediaTile));
  $("media-folder").textContent = folder + (more > 0 ? `; ${more} older files are not shown` : "");
}

$("open-sources").onclick = () => { $("sources").showModal(); list(false); };
$("refresh-sources").onclick = () => list(true);
$("add-file").onchange = async () => {
  const [file] = $("add-file").files;
  const stored = file && await upload(file);
  $("add-file").value = "";
  if (!stored) return;
  await listMedia();
  offer(stored.name, stored.kind);
};
follow("status/input", address => { $("input-now").textContent = address.split(/[\\/]/).pop() || "none"; });
