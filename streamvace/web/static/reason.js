// Why something is refused or missing, and the command that helps as a part of its own. A terminal's line holds both.
import { make } from "/dom.js";
import { brief } from "/store.js";

export function reason({ why, fix }) {
  const words = brief(why);
  return fix ? [words.replace(`; \`${fix}\``, ""), make("code", {}, fix)] : [words];
}
