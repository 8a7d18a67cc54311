// Prompts A and B with a crossfader between them. A box shows what plays; what is typed and not sent looks so.
import { $ } from "/dom.js";
import { on } from "/connection.js";
import { slowly } from "/controls.js";
import { fader } from "/fader.js";
import { HAND_MS, ROOT, afterNews, paced, remember, remembered, send, touch, touchedLately, value, writable } from "/store.js";

const PROMPT = ROOT + "prompt", MIX = ROOT + "prompts";
const MOST_HISTORY = 50;

const decks = ["a", "b"].map((letter, index) => ({
  letter, index, box: $(index === 0 ? "prompt" : "prompt-b"), note: $(`unsent-${letter}`), share: $(`share-${letter}`),
  sent: "", recalled: -1,
}));
const [a, b] = decks;
let blended = 0;             // the share of B
let later = null;
let history = remembered("prompts", []);

// The mix that the show has been asked for, as [words of A, words of B, share of B]. More than two prompts are no crossfade.
function asked() {
  const mix = value("prompts") ?? [];
  if (mix.length === 0) return [value("prompt") ?? "", b.sent, 0];
  const whole = mix.reduce((sum, [, share]) => sum + share, 0) || 1;
  return [mix[0][0], mix[1]?.[0] ?? "", (mix[1]?.[1] ?? 0) / whole];
}

function show() {
  if (touchedLately(PROMPT) || touchedLately(MIX)) {   // the show may not have heard it yet
    clearTimeout(later);
    later = setTimeout(show, HAND_MS + 50);
    return;
  }
  const [first, second, share] = asked();
  for (const [deck, words] of [[a, first], [b, second]]) {
    if (deck.box.value === deck.sent) deck.box.value = words;
    deck.sent = words;
    mark(deck);
  }
  const many = (value("prompts") ?? []).length;
  place(share);
  tell(share);
  const plays = value("status/prompt") ?? "";
  $("on-show").textContent = plays && (many > 1 || plays !== first) ? `on show: ${plays}` : "";
}

function tell(share) {
  blended = share;
  a.share.textContent = percent(1 - share);
  b.share.textContent = percent(share);
  a.box.parentElement.classList.toggle("playing", share < 1);
  b.box.parentElement.classList.toggle("playing", share > 0);
}

const percent = share => share > 0 ? `${Math.round(100 * share)} %` : "";

function mark(deck) {
  const unsent = deck.box.value.trim() !== deck.sent.trim();
  deck.box.classList.toggle("unsent", unsent);
  deck.note.hidden = !unsent;
}

// A alone is the prompt; with a B beside it, both are a mix, even while B has no share: it is encoded by then.
function sendDeck(deck) {
  const words = deck.box.value.trim();
  remembering(words);
  deck.recalled = -1;
  deck.sent = words;
  deck.box.value = words;
  mark(deck);
  if (b.sent) sayMix(a.sent, b.sent, blended);
  else slowly(PROMPT, a.sent);
}

function sayMix(first, second, share) {
  send(MIX, first, 1 - share, second, share);
}

const blend = paced(share => sayMix(a.sent, b.sent, share));
const [crossfader, place] = fader(
  { type: "float", label: "A to B", min: 0, max: 1, default: 0, unit: "", scale: "linear", snaps: [0, 0.5, 1] },
  { set: share => {
    if (!b.sent) place(0);   // there is nothing to fade to
    else { tell(share); blend(share); }
  }, touch: () => touch(MIX) });
$("crossfader").append(crossfader);

function remembering(words) {
  if (!words) return;
  history = [words, ...history.filter(each => each !== words)].slice(0, MOST_HISTORY);
  remember("prompts", history);
}

// The arrow up goes back through what was sent, the arrow down forward; within several lines they move the caret.
function recall(deck, by) {
  const next = deck.recalled + by;
  if (next < -1 || next >= history.length) return;
  deck.recalled = next;
  deck.box.value = next === -1 ? deck.sent : history[next];
  mark(deck);
}

for (const deck of decks) {
  deck.box.oninput = () => mark(deck);
  deck.box.onkeydown = event => {
    const { box } = deck;
    if (event.key === "Enter" && !event.shiftKey) {
      sendDeck(deck);
      box.blur();
    } else if (event.key === "Escape") {
      box.value = deck.sent;
      mark(deck);
      box.blur();
    } else if (event.key === "ArrowUp" && !box.value.slice(0, box.selectionStart).includes("\n")) recall(deck, 1);
    else if (event.key === "ArrowDown" && !box.value.slice(box.selectionEnd).includes("\n")) recall(deck, -1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
}

on("panel", () => { for (const { box } of decks) box.disabled = !writable(PROMPT); });
afterNews(news => {
  if ([PROMPT, MIX, ROOT + "status/prompt"].some(address => address in news)) show();
});
