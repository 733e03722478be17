// Requests to the API of the same origin, as the one whom the page was made for.

export class Unreachable extends Error {}

// A connection may stay open and never answer; a decision is sent again with its action_id.
const MOST = 20_000;
const setup = document.getElementById("setup");
const user = setup && JSON.parse(setup.textContent).user;

// Read anew for each request: signing in again changes it.
const csrf = () => document.cookie.match(/(?:^|;\s*)csrftoken=([^;]+)/)?.[1] ?? document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";

// Returns the answer and its text; Unreachable where none came in time.
async function fetched(address, options) {
  try {
    const answer = await fetch(address, { credentials: "same-origin", signal: AbortSignal.timeout(MOST), ...options });
    return { answer, text: await answer.text() };
  } catch (error) {
    throw new Unreachable(error.message);
  }
}

// Returns {status, data}; Unreachable where no answer of the API came. Another who has signed in since gets a 401.
export async function call(method, path, body, options = {}) {
  const headers = { "X-CSRFToken": csrf(), Accept: "application/json" };
  if (user) headers["X-Workbench-User"] = encodeURIComponent(user);
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const { answer, text } = await fetched(`/api/v1${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), ...options });
  const data = json(text);
  // Others answer in the API's place: the page of a network that wants a sign-in, or one that a proxy leads to.
  if (answer.ok && (answer.redirected || data === undefined)) throw new Unreachable(`${path}: what answered is not the API`);
  return { status: answer.status, data: data ?? null };
}

// What a text says, null where it is empty; undefined where it is no JSON.
function json(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return undefined;
  }
}

// The text of a page; Unreachable as above, an Error with `status` where it is no page of ours or the session ended.
export async function page(address) {
  const { answer, text } = await fetched(address, { headers: { Accept: "text/html" } });
  if (answer.redirected || !answer.ok) throw Object.assign(new Error(`${address}: ${answer.status}`), { status: answer.redirected ? 401 : answer.status });
  return text;
}
