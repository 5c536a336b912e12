// Elements from plain text only: nothing of a feed or a transcript is ever read as markup.
const NONE = "–";
const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);
const read = (id) => JSON.parse(byId(id).textContent);
const page = read("page-data");

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}
const make = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);
const draw = (name, attributes = {}, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

const fixed = (value, digits) => (value === null || value === undefined ? NONE : value.toFixed(digits).replace("-", "−"));
const percent = (share, digits = 0) => (share === null ? NONE : `${fixed(100 * share, digits)} %`);

function figure(value) {
  if (value === null || value === undefined) return NONE;
  const size = Math.abs(value);
  return fixed(value, size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 || size === 0 ? 2 : 4);
}
function clock(seconds) {
  if (seconds === null) return NONE;
  const whole = Math.round(seconds);
  const two = (part) => String(part).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes}:${two(whole % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}
const columnName = (column) => page.names[column] || column;

// Browsers may refuse storage to pages from disk; then verdicts last as long as the page is open.
const storage = {
  get(key) {
    try {
      return window.localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      window.localStorage.setItem(key, value);
      return true;
    } catch {
      return false;
    }
  },
};

// Numbers in order, what is missing always last.
function compare(one, other, descending) {
  const lacks = (value) => value === null || value === undefined || value === "";
  if (lacks(one) || lacks(other)) return lacks(one) - lacks(other);
  const order = typeof one === "string" ? one.localeCompare(other) : one - other;
  return descending ? -order : order;
}
