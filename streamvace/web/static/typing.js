// What is true of every text field: an input method is not disturbed, and neither is what is being typed.
const TEXT = "input[type=text], textarea";
const BOXES = TEXT + ", input[type=number]";

const unsent = new WeakSet();   // boxes with something typed since they were last entered or sent

addEventListener("input", event => { if (event.target.matches(BOXES)) unsent.add(event.target); }, true);
for (const end of ["change", "focusout"]) addEventListener(end, event => unsent.delete(event.target), true);

// Whether the hand is in a box of this control: feedback waits.
export function typingIn(line) {
  const box = document.activeElement;
  return line.contains(box) && (box.matches(TEXT) || unsent.has(box));
}

// Enter that confirms a conversion (Japanese, Chinese, Korean) belongs to the input method. keyCode 229 is how Safari,
// where the composition has ended by then, marks that key.
addEventListener("keydown", event => {
  if (!event.isComposing && event.keyCode !== 229) return;
  event.stopImmediatePropagation();
  if (event.key === "Enter") event.preventDefault();   // it would submit a form
}, true);
