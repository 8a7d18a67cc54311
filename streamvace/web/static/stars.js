// The favourites of this browser: up to eight parameters, in the order in which they were starred.
import { ROOT, remember, remembered } from "/store.js";

const MOST = 8;
const FIRST = ["seed", "lora_strength", "prompt_transition", "output_rate", "noise_scale", "edges/sensitivity", "mask/grow", "mask/feather"];

let starred = remembered("favourites", FIRST.map(name => ROOT + name));

export const favourites = () => starred;
export const isFavourite = address => starred.includes(address);

export function toggleFavourite(address) {
  starred = isFavourite(address) ? starred.filter(each => each !== address) : [...starred, address].slice(-MOST);
  remember("favourites", starred);
  dispatchEvent(new Event("favourites"));
}
