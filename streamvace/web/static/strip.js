// The status strip: what the show does, in a word that can be read from a metre.
import { $, press } from "/dom.js";
import { on } from "/connection.js";
import { ROOT, afterNews, follow, send, value } from "/store.js";

const LOW = 0.9;            // of the wanted frame rate
const BEATS_IN_DARK = 0.3;  // Hz and below: there is no beat

let connected = false, reason = "", here = false;   // here: the page is on the machine of the show

function word() {
  if (!connected) return ["OFFLINE", reason || "no connection; trying again"];
  return [(value("status/state") ?? "starting").toUpperCase(), value("status/why") ?? ""];
}

function show() {
  const [state, why] = word();
  $("status").dataset.word = state;
  $("word").textContent = state;
  $("why").textContent = $("status").title = why;
  document.title = state === "LIVE" ? "streamvace" : `${state} – streamvace`;
}

function figures() {
  const fps = value("status/fps"), wanted = value("status/fps_wanted");
  $("fps").textContent = fps === undefined ? "–" : fps.toFixed(1);
  $("wanted").textContent = !wanted ? "" : ` of ${Math.round(wanted * 100) / 100}`;
  $("fps").closest("div").classList.toggle("low", fps < LOW * wanted);
  $("dropped").textContent = value("status/dropped") ?? "–";
  $("dropped").closest("div").classList.toggle("low", value("status/dropped") > 0);
  const made = value("control") === false ? "off" : (value("status/control") ?? "–");
  const input = made === "off" ? "" : value("status/input");
  $("follow-now").textContent = made.split(":")[0];   // "gray: OpenCV": what makes it is under the picture
  $("follow-from").textContent = input ? `from ${named(input)}` : "";
  $("follows").title = input ? `${made} from ${input}` : made;
  $("control-name").textContent = value("status/control") ?? "";
  $("mask-name").textContent = value("status/mask") ?? "";
}

follow("status/tempo", tempo => {
  $("tempo").textContent = tempo > BEATS_IN_DARK ? tempo.toFixed(1) : "–";
});

const clock = seconds => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
const named = path => path.split(/[\\/]/).pop();

// The file being recorded or, once it is finished, a link to it.
function file() {
  const rolling = value("status/recording"), path = rolling || value("status/recorded");
  press($("record"), Boolean(rolling));
  $("recorded").hidden = !path;
  $("rec-open").hidden = Boolean(rolling) || !here;
  if (!path) return;
  $("rec-file").textContent = named(path);
  $("rec-file").title = rolling ? path : "Download the recording";
  if (rolling) $("rec-file").removeAttribute("href");
  else $("rec-file").href = `/recordings?name=${encodeURIComponent(path)}`;
}

follow("status/recording", file);
follow("status/recorded", file);
afterNews(() => {
  $("rec-text").textContent = value("status/recording") ? `REC ${clock(value("status/record_time"))}` : "Record";
});
// The folder opens on the machine of the show, so only a page there has the button.
on("here", told => { here = told; file(); });
$("rec-open").onclick = async () => {
  const answer = await fetch("/recordings/open", { method: "POST" }).catch(() => null);
  if (answer?.ok) return;
  const why = answer?.status === 501 ? (await answer.json()).error : "the folder was not opened: no connection to the show";
  dispatchEvent(new CustomEvent("complaint", { detail: why }));
};
$("record").onclick = () => send(ROOT + "record", !value("status/recording"));
on("open", () => { connected = true; reason = ""; show(); });
on("lost", why => { connected = false; reason = why; show(); });
on("panel", () => { $("record").disabled = false; });
afterNews(() => { show(); figures(); });
show();
