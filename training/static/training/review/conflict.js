// Two decisions about one pair: what each of them says, and whether they say the same.
import { isObject, parse } from "../../workbench/screen/exact.js";

const WORDS = { unlabeled: "waiting", labeled: "approved" };
export const wordsOf = (status) => WORDS[status] ?? status;

const answerOf = (snapshot) => {
  const last = snapshot?.messages?.at(-1);
  if (last?.role !== "assistant") return undefined;
  try {
    return parse(last.content);
  } catch {
    return last.content;
  }
};

// The answer as it was seen, as it is and as it was wanted.
export const answersOf = (entry, wanted, { base, theirs }) => ({ base: answerOf(base) ?? entry.base, theirs: answerOf(theirs), mine: wanted.body.answer ?? entry.base });

const sorted = (value) => {
  if (Array.isArray(value)) return value.map(sorted);
  return isObject(value) ? Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted(value[name])])) : value;
};
const same = (one, other) => JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));

// Who decided the same already, in words; "" where it is another decision, or has notes that theirs has not.
export function decidedAlready({ theirs, mine }, { verb, body }, { status, reviewed_by: by }, { user, leads_to: leadsTo }) {
  if (!by || body.notes || leadsTo[verb] !== status || !same(theirs, mine)) return "";
  return `${wordsOf(status)} by ${by === user ? "you" : by} already, the same`;
}
