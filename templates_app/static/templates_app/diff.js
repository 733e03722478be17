// What changed between two values, word by word, as a paragraph with <del> and <ins>.

const MOST = 1500; // words; longer texts are shown whole, old and new
const words = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 1)).match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];

// Pairs [kind, text] with kind "=", "-" or "+", by the longest common subsequence.
export function parts(old, now) {
  const [before, after] = [words(old), words(now)];
  if (before.length > MOST || after.length > MOST) return [["-", before.join("")], ["+", after.join("")]].filter(([, text]) => text);
  const lengths = Array.from({ length: before.length + 1 }, () => new Uint16Array(after.length + 1));
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      lengths[i][j] = before[i] === after[j] ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  const found = [];
  const put = (kind, text) => (found.at(-1)?.[0] === kind ? (found.at(-1)[1] += text) : found.push([kind, text]));
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      put("=", before[i]);
      i += 1;
      j += 1;
    } else if (i < before.length && (j === after.length || lengths[i + 1][j] >= lengths[i][j + 1])) {
      put("-", before[i]);
      i += 1;
    } else {
      put("+", after[j]);
      j += 1;
    }
  }
  return found;
}

export function wordDiff(old, now) {
  const paragraph = document.createElement("p");
  const found = parts(old, now);
  if (found.length === 2 && found[0][0] === "-" && found[1][0] === "+") found.splice(1, 0, ["=", " → "]);
  for (const [kind, text] of found) {
    const node = kind === "=" ? document.createTextNode(text) : Object.assign(document.createElement(kind === "-" ? "del" : "ins"), { textContent: text });
    paragraph.append(node);
  }
  return paragraph;
}
