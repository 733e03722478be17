// JSON whose numbers keep their digits: 120.0 stays 120.0 in what is kept and sent again, and no long number is rounded.
const WHOLE = /^[+-]?\d+$/;
const TOKENS = /"(?:[^"\\]|\\.)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

// Browsers without JSON.rawJSON (before Chrome 114, Firefox 135, Safari 18.4) get one that does as much as these screens
// need: a number that is kept by its digits passes JSON.stringify as a text with a mark that nobody can have typed.
const mark = JSON.rawJSON ? null : `number ${[...crypto.getRandomValues(new Uint32Array(4))].join("-")} `;
if (mark) {
  class Raw {
    constructor(digits) {
      this.rawJSON = digits;
      Object.freeze(this);
    }

    toJSON() {
      return mark + this.rawJSON;
    }
  }
  const stringify = JSON.stringify.bind(JSON);
  const marked = new RegExp(`"${mark}([^"]*)"`, "g");
  JSON.rawJSON = (digits) => new Raw(digits);
  JSON.isRawJSON = (value) => value instanceof Raw;
  JSON.stringify = (...given) => stringify(...given)?.replace(marked, "$1");
}

export const isObject = (value) => Boolean(value) && typeof value === "object" && !Array.isArray(value) && !JSON.isRawJSON(value);

const kept = (value, digits) => (String(value) === digits ? value : JSON.rawJSON(digits));

export function parse(text) {
  if (!mark) return JSON.parse(text, (_name, value, context) => (typeof value === "number" ? kept(value, context.source) : value));
  const quoted = text.replace(TOKENS, (token) => (token.startsWith('"') || String(Number(token)) === token ? token : `"${mark}${token}"`));
  return JSON.parse(quoted, (_name, value) => (typeof value === "string" && value.startsWith(mark) ? JSON.rawJSON(value.slice(mark.length)) : value));
}

// The number that somebody typed; a whole one too long for a plain number is exact, or stays text, which the server refuses.
export function typedNumber(text) {
  const number = Number(text);
  if (!WHOLE.test(text) || Number.isSafeInteger(number)) return number;
  return /^-?[1-9]/.test(text) ? JSON.rawJSON(text) : text;
}
