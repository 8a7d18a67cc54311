// The DOM helpers of the page's scripts.
export const $ = id => document.getElementById(id);

export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// A button that is on or off says so to screen readers too.
export function press(button, on) {
  button.setAttribute("aria-pressed", String(on));
}

export const spaced = name => String(name).replaceAll("_", " ");
