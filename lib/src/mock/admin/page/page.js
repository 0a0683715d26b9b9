// The page of the admin port. It uses the endpoints that hmt-mock(1) documents. Data of clients is shown only as text.
'use strict';

const $ = (id) => document.getElementById(id);
const MOST_ENTRIES = 500;

const mock = (() => {
  const [scheme, port] = document.querySelector('meta[name="hmt-mock"]').content.split(':');
  return `${scheme}://${location.hostname}:${port}`;
})();

let token = sessionStorage.getItem('hmt-token') || '';

/** An element with attributes and children; texts become text nodes, and never markup. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === 'onclick' || key === 'onsubmit') made[key] = value;
    else if (value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function say(text, kind = '') {
  $('status').textContent = text;
  $('status').className = kind;
}

/** Sends a request to an admin endpoint, and returns the parsed response. */
async function admin(method, path, body, headers = {}) {
  if (token) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  const response = await fetch('/admin' + path, { method, headers, body });
  if (response.status === 401) {
    $('login').hidden = false;
    throw new Error('the admin port asks for its token');
  }
  const text = await response.text();
  if (!response.ok) {
    let why = text;
    try { why = JSON.parse(text).detail || text; } catch { /* not JSON */ }
    throw new Error(`${method} /admin${path}: ${response.status} ${why}`);
  }
  return text ? JSON.parse(text) : undefined;
}

/** Runs an action of the user, and shows the result. */
async function act(what, done) {
  try {
    await what();
    if (done) say(done, 'good');
  } catch (error) {
    say(error.message, 'bad');
  }
}

const pretty = (value) => JSON.stringify(value, null, 2);

function kindOf(status) {
  return status >= 500 ? 'bad' : status >= 400 ? 'warn' : 'good';
}

// Journal

const WHY = {
  recording: 'the spec has a recording of this request',
  example: 'the spec has an example of this response',
  generated: 'made from the schema of the response',
  state: 'from the stored collections and items',
  callback: 'a callback edited the response',
  upstream: 'no operation takes the request, so the upstream was asked',
  fault: 'a fault was due',
  override: 'an override matches the request',
  oauth: 'an endpoint of a security scheme',
  problem: 'the mock refused the request',
};

function body(message) {
  if (message === undefined || message === null || message.body === undefined) return '';
  const text = message.body;
  try { return pretty(JSON.parse(text)); } catch { return text; }
}

function headers(message) {
  const lines = Object.entries((message && message.headers) || {});
  return lines.flatMap(([name, value]) => [].concat(value).map((one) => `${name}: ${one}`)).join('\n');
}

function part(title, text) {
  return text ? [element('dt', {}, title), element('dd', {}, element('pre', { tabindex: '0' }, text))] : [];
}

function entryElement(entry) {
  const { request, response } = entry.exchange;
  const method = ((entry.exchange.meta || {}).hmt || {}).method || request.method;
  const path = request.path || request.pathname;
  const time = new Date(entry.at);
  const why = [`${entry.source}: ${WHY[entry.source] || ''}`, entry.operation ? `operation ${entry.operation}` : 'no operation'];
  if (entry.nearest) why.push(`nearest: ${typeof entry.nearest === 'string' ? entry.nearest : pretty(entry.nearest)}`);
  const violations = (entry.violations || []).map((one) => `${one.in || ''} ${one.at || ''}: ${one.message || pretty(one)}`.trim());
  return element('li', { 'data-id': String(entry.id) },
    element('details', {},
      element('summary', {},
        element('span', { class: 'dim mono' }, isNaN(time) ? '' : time.toLocaleTimeString(), ' '),
        element('span', { class: 'method' }, method.toUpperCase()),
        element('span', { class: 'mono' }, path, ' '),
        element('strong', { class: kindOf(entry.status) }, String(entry.status)),
        element('span', { class: 'dim' }, ` ${entry.source}, ${Number(entry.durationMs).toFixed(1)} ms`)),
      element('div', {},
        element('dl', {},
          ...part('Why this response', why.join('\n')),
          ...part('Violations', violations.join('\n')),
          ...part('Request headers', headers(request)),
          ...part('Request body', body(request)),
          ...part('Response headers', headers(response)),
          ...part('Response body', body(response))))));
}

function addEntry(entry) {
  $('journal-empty').hidden = true;
  $('entries').prepend(entryElement(entry));
  while ($('entries').children.length > MOST_ENTRIES) $('entries').lastChild.remove();
}

let following;

function journalQuery(more = {}) {
  const query = new URLSearchParams(more);
  if ($('filter-path').value) query.set('path', $('filter-path').value);
  if ($('filter-status').value) query.set('status', $('filter-status').value);
  if ($('filter-unmatched').checked) query.set('unmatched', 'true');
  return '?' + query;
}

/** Shows the newest entries, and those that follow. */
async function followJournal() {
  if (following) following.abort();
  following = new AbortController();
  const { signal } = following;
  const known = await admin('GET', '/requests' + journalQuery({ limit: 100 }));
  $('entries').replaceChildren();
  $('journal-empty').hidden = known.length > 0;
  known.forEach(addEntry);
  let last = known.length > 0 ? known[known.length - 1].id : undefined;
  (async () => {
    while (!signal.aborted) {
      try {
        const since = last === undefined ? {} : { since: last };
        const headers = { accept: 'text/event-stream' };
        if (token) headers.authorization = `Bearer ${token}`;
        const response = await fetch('/admin/requests' + journalQuery(since), { headers, signal });
        if (!response.ok) throw new Error(String(response.status));
        $('journal-state').textContent = 'live';
        for await (const data of events(response.body)) {
          const entry = JSON.parse(data);
          last = entry.id;
          addEntry(entry);
          refreshStorage();
        }
      } catch { /* the mock ended, or the filter changed */ }
      if (signal.aborted) return;
      $('journal-state').textContent = 'not connected';
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  })();
}

/** The data of the events in a stream. */
async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    let end;
    while ((end = text.indexOf('\n\n')) >= 0) {
      const lines = text.slice(0, end).split('\n');
      text = text.slice(end + 2);
      const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trimStart());
      if (data.length > 0) yield data.join('\n');
    }
  }
}

// Routes

function routeElement(route) {
  const path = element('input', { type: 'text', class: 'mono', 'aria-label': 'Path', value: route.example });
  const input = element('textarea', { rows: '4', 'aria-label': 'Request body', spellcheck: 'false' });
  const status = element('input', { size: '4', 'aria-label': 'Status of the override', value: '503' });
  const shown = element('pre', { tabindex: '0', hidden: '' });
  const takesBody = !['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'].includes(route.method);
  const send = () => act(async () => {
    const options = { method: route.method, headers: {} };
    if (takesBody && input.value) {
      options.body = input.value;
      options.headers['content-type'] = 'application/json';
    }
    shown.hidden = false;
    try {
      const response = await fetch(mock + path.value, options);
      const text = await response.text();
      let body = text;
      try { body = pretty(JSON.parse(text)); } catch { /* not JSON */ }
      shown.textContent = `HTTP ${response.status}\n\n${body}`;
    } catch (error) {
      shown.textContent = `${error.message}; the browser received no readable response`;
    }
  });
  const answer = () => act(async () => {
    const match = { method: route.method.toLowerCase(), path: route.path };
    await admin('POST', '/overrides', JSON.stringify({ match, answer: { status: Number(status.value) } }));
    await refreshOverrides();
  }, `${route.method} ${route.path} now answers ${status.value}`);
  return element('li', { 'data-route': `${route.method} ${route.path}` },
    element('details', {},
      element('summary', {},
        element('span', { class: 'method' }, route.method),
        element('span', { class: 'mono' }, route.path),
        element('span', { class: 'dim' }, route.operationId ? ` ${route.operationId}` : '')),
      element('div', {},
        element('form', { class: 'row', onsubmit: (event) => { event.preventDefault(); send(); } },
          path, element('button', { class: 'send' }, 'Send')),
        ...(takesBody ? [input] : []),
        element('form', { class: 'row', onsubmit: (event) => { event.preventDefault(); answer(); } },
          element('span', {}, 'Answer'), status, element('button', { class: 'answer' }, 'until told otherwise')),
        shown)));
}

async function refreshRoutes() {
  const routes = await admin('GET', '/routes');
  $('route-list').replaceChildren(...routes.map(routeElement));
  searchRoutes();
}

function searchRoutes() {
  const text = $('routes-search').value.toLowerCase();
  for (const item of $('route-list').children) item.hidden = !item.textContent.toLowerCase().includes(text);
}

// Overrides, faults, storage

async function refreshOverrides() {
  const all = await admin('GET', '/overrides');
  const items = all.map((one) => {
    const path = '/overrides/' + encodeURIComponent(one.id);
    const remove = () => act(async () => { await admin('DELETE', path); await refreshOverrides(); }, 'removed');
    return element('li', {}, element('div', { class: 'row' },
      element('code', { class: 'grow' }, JSON.stringify(one)),
      element('button', { type: 'button', onclick: remove, 'aria-label': `Remove override ${one.id}` }, 'Remove')));
  });
  $('override-list').replaceChildren(...(items.length > 0 ? items : [element('li', { class: 'dim' }, 'None.')]));
}

async function refreshFaults() {
  $('faults-json').value = pretty(await admin('GET', '/faults'));
}

async function putFaults(text) {
  await admin('PUT', '/faults', text);
  await refreshFaults();
}

async function refreshStorage() {
  $('storage-content').textContent = pretty(await admin('GET', '/storage'));
}

function onSubmit(id, action) {
  $(id).addEventListener('submit', (event) => { event.preventDefault(); action(); });
}

function onClick(id, action) {
  $(id).addEventListener('click', action);
}

async function start() {
  await Promise.all([followJournal(), refreshRoutes(), refreshOverrides(), refreshFaults(), refreshStorage()]);
  $('login').hidden = true;
  say('');
}

function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  $('theme').value = theme;
}

$('mock-url').textContent = mock;
$('mock-url').href = mock;
$('override-json').value = pretty({ match: { path: '/*' }, answer: { status: 503 }, times: 1 });
setTheme(localStorage.getItem('hmt-theme') || '');
$('theme').addEventListener('change', () => {
  localStorage.setItem('hmt-theme', $('theme').value);
  setTheme($('theme').value);
});
$('routes-search').addEventListener('input', searchRoutes);
onSubmit('login', () => {
  token = $('token').value;
  sessionStorage.setItem('hmt-token', token);
  act(start);
});
onSubmit('journal-filter', () => act(followJournal));
onClick('journal-clear', () => act(async () => { await admin('DELETE', '/requests'); await followJournal(); }, 'the journal is empty'));
onClick('reload', () => act(async () => { await admin('POST', '/reload'); await refreshRoutes(); }, 'the specs are reloaded'));
onSubmit('override-form', () => act(async () => {
  await admin('POST', '/overrides', $('override-json').value);
  await refreshOverrides();
}, 'the override is in force'));
onClick('overrides-clear', () => act(async () => { await admin('DELETE', '/overrides'); await refreshOverrides(); }, 'all overrides are removed'));
onSubmit('faults-form', () => act(() => putFaults($('faults-json').value), 'the faults are in force'));
onClick('faults-slow', () => act(() => putFaults(JSON.stringify([{ delay: '2s' }])), 'every response waits for 2 s'));
onClick('faults-clear', () => act(() => putFaults('[]'), 'there are no faults'));
onClick('storage-refresh', () => act(refreshStorage));
onClick('storage-reset', () => act(async () => { await admin('POST', '/storage/reset'); await refreshStorage(); }, 'the storage is as at the start'));
onClick('storage-empty', () => act(async () => { await admin('DELETE', '/storage'); await refreshStorage(); }, 'the storage is empty'));
act(start);
