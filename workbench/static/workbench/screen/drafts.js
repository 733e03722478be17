// What was typed about an item and not taken by the server: kept in the browser as {key, version, value}, `version` being
// the one that it was typed over.
import { parse } from "./exact.js";

export const draftOf = (key) => parse(localStorage.getItem(key) ?? "null");

export const keepDraft = (draft) => localStorage.setItem(draft.key, JSON.stringify(draft));

export const dropDraft = (key) => localStorage.removeItem(key);

// What was typed and sent is typed again, over the version that undoing it led to; a newer draft stays.
export function bringBack(draft, version) {
  if (draft && !draftOf(draft.key)) keepDraft({ ...draft, version });
}

// Another's newer version was shown beside what was typed, which stands over that one from now on.
export function overtake(draft, version) {
  const kept = draft && draftOf(draft.key);
  if (kept) keepDraft({ ...kept, version });
}
