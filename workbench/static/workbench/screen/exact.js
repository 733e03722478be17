// JSON whose numbers keep their digits: 120.0 stays 120.0 in what is kept and sent again, and no long number is rounded.
// Browsers without JSON.rawJSON (before Chrome 114, Firefox 135, Safari 18.4) read plain numbers.
const WHOLE = /^[+-]?\d+$/;

export const isObject = (value) => Boolean(value) && typeof value === "object" && !Array.isArray(value) && !JSON.isRawJSON?.(value);

export const parse = (text) => JSON.parse(text, (_name, value, context) => (JSON.rawJSON && typeof value === "number" && String(value) !== context.source ? JSON.rawJSON(context.source) : value));

// The number that somebody typed; a whole one too long for a plain number is exact, or stays text, which the server refuses.
export function typedNumber(text) {
  const number = Number(text);
  if (!WHOLE.test(text) || Number.isSafeInteger(number)) return number;
  return JSON.rawJSON && /^-?[1-9]/.test(text) ? JSON.rawJSON(text) : text;
}
