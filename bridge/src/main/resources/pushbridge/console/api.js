// The bridge's API as the console uses it: the token, the header that no page of another site can send, errors as sentences.

const TOKEN = 'pushbridge-token';

export class Problem extends Error {
  constructor(status, code, detail) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

let login = null; // one dialog, however many requests are refused meanwhile

function loggedIn(wrong) {
  login ??= new Promise((resolve) => {
    const dialog = document.getElementById('login');
    const form = dialog.querySelector('form');
    form.querySelector('[role=alert]').textContent = wrong ? 'That token is not the right one.' : '';
    dialog.oncancel = (event) => event.preventDefault();
    form.onsubmit = (event) => {
      event.preventDefault();
      sessionStorage.setItem(TOKEN, form.elements.token.value.trim());
      form.reset();
      login = null;
      dialog.close();
      resolve();
    };
    dialog.showModal();
  });
  return login;
}

async function request(method, path, body, signal) {
  for (;;) {
    const token = sessionStorage.getItem(TOKEN);
    const headers = { 'X-Pushbridge-Request': '1' };
    if (token) headers.Authorization = `Bearer ${token}`;
    if (method !== 'GET') headers['Content-Type'] = 'application/json';
    let response;
    try {
      response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal });
    } catch (error) {
      if (error.name === 'AbortError') throw error;
      throw new Problem(0, 'unreachable', 'The bridge does not answer.');
    }
    if (response.ok) return response;
    if (response.status === 401) {
      if (token !== sessionStorage.getItem(TOKEN)) continue; // another request has asked meanwhile
      sessionStorage.removeItem(TOKEN);
      await loggedIn(token !== null);
      continue;
    }
    const { error, detail } = await response.json().catch(() => ({}));
    throw new Problem(response.status, error ?? 'failed', detail ?? `The bridge answered ${response.status}.`);
  }
}

function withQuery(path, query) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== null && value !== undefined && value !== '') parameters.set(name, value);
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}

/** Looks. */
export const get = async (path, query = {}, signal) => (await request('GET', withQuery(path, query), undefined, signal)).json();

/** Acts. */
export const act = async (path, body = {}) => (await request('POST', path, body)).json();

/** Acts, hears how far it has come, and answers with the result. */
export async function work(path, body, onProgress = () => {}) {
  const reader = (await request('POST', path, body)).body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let last = {};
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    for (const line of lines.filter(Boolean)) {
      last = JSON.parse(line);
      if (last.of !== undefined) onProgress(last.done, last.of);
    }
  }
  if (last.error) throw new Problem(last.status, last.error, last.detail);
  if (!last.result) throw new Problem(0, 'cut-off', 'The answer was cut off: look again what was done.');
  return last.result;
}
