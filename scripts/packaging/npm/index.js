/**
 * Mocks and recorders that run while a test does.
 *
 *     const { Mock } = require('hmt');
 *
 *     const mock = await Mock.start('spec.yaml');
 *     await mock.override({ match: { path: '/users/{id}' }, answer: { status: 503 }, times: 1 });
 *     // send requests to mock.url
 *     assert.equal(await mock.count({ path: '/users/{id}' }), 2);
 *     await mock.close();
 */
'use strict';

const { spawn, execFile } = require('child_process');
const fs = require('fs');
const http = require('http');
const os = require('os');
const path = require('path');
const readline = require('readline');
const { promisify } = require('util');
const { executable } = require('./find.js');

// Timeouts for the start and the end of a server, in milliseconds.
const START_TIMEOUT = 60000;
const STOP_TIMEOUT = 15000;

class HmtError extends Error {}

/** `{ seed: 3, noValidate: true }` as `--seed 3 --no-validate`. An array repeats its flag. */
function toArguments(flags) {
  const words = [];
  for (const [name, value] of Object.entries(flags)) {
    const flag = '--' + name.replace(/[A-Z]/g, (letter) => '-' + letter.toLowerCase()).replace(/_/g, '-');
    if (value === true) words.push(flag);
    else if (Array.isArray(value)) value.forEach((item) => words.push(flag, String(item)));
    else if (value !== false && value !== undefined && value !== null) words.push(flag, String(value));
  }
  return words;
}

function toQuery(filters) {
  const given = Object.entries(filters).filter(([, value]) => value !== undefined && value !== null);
  return given.length > 0 ? '?' + new URLSearchParams(given.map(([k, v]) => [k, String(v)])) : '';
}

/** A program that listens on a free port until it is closed. */
class Server {
  constructor(ready) {
    this._ready = ready;
    this._urls = new Map();
    this._lines = [];
    this._process = undefined;
    this._folder = undefined;
  }

  _temporary() {
    this._folder ??= fs.mkdtempSync(path.join(os.tmpdir(), 'hmt-'));
    return this._folder;
  }

  /** Starts the program, and resolves when it listens. */
  async start() {
    if (this._process) return this;
    const [name, ...words] = this._command();
    const child = spawn(executable(name), words, { stdio: ['ignore', 'ignore', 'pipe'] });
    this._process = child;
    this._ended = new Promise((resolve) => {
      child.once('exit', resolve);
      child.once('error', (error) => {
        this._lines.push(error.message);
        resolve();
      });
    });
    let timer;
    const isReady = new Promise((resolve) => {
      timer = setTimeout(resolve, START_TIMEOUT);
      readline.createInterface({ input: child.stderr }).on('line', (line) => {
        this._lines.push(line);
        if (this._lines.length > 50) this._lines.shift();
        const beginning = this._ready.find((text) => line.startsWith(text));
        if (beginning) this._urls.set(beginning, line.slice(beginning.length));
        if (this._urls.size === this._ready.length) resolve();
      }).on('close', resolve);
    });
    await isReady;
    clearTimeout(timer);
    if (this._urls.size < this._ready.length) {
      await this.close();
      throw new HmtError(`${name} did not start:\n${this.output}`);
    }
    return this;
  }

  /** Ends the program as SIGTERM does, waits for it, and removes its files. */
  async close() {
    const child = this._process;
    this._process = undefined;
    if (child) {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT);
      await this._ended;
      clearTimeout(timer);
    }
    this._urls.clear();
    if (this._folder) fs.rmSync(this._folder, { recursive: true, force: true });
    this._folder = undefined;
  }

  /** The same, for `await using`. */
  [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    return this.close();
  }

  /** Where clients send their requests, as `http://127.0.0.1:PORT`. */
  get url() {
    return this._url('listening on ');
  }

  /** The last lines that the program wrote to standard error. */
  get output() {
    return this._lines.join('\n');
  }

  _url(beginning) {
    const url = this._urls.get(beginning);
    if (url === undefined) throw new HmtError('it is not running; call start()');
    return url;
  }
}

/** A running hmt-mock. A spec is a path, a URL, or an object with an OpenAPI document; flags are those of hmt-mock(1). */
class Mock extends Server {
  constructor(spec, flags = {}) {
    super(['listening on ', 'admin on ']);
    this._specs = Array.isArray(spec) ? spec : [spec];
    this._flags = { port: 0, adminPort: 0, ...flags };
  }

  /** Creates a mock and starts it. */
  static start(spec, flags) {
    return new Mock(spec, flags).start();
  }

  _command() {
    const specs = this._specs.map((spec, number) => {
      if (typeof spec === 'string') return spec;
      const file = path.join(this._temporary(), `spec-${number}.json`);
      fs.writeFileSync(file, JSON.stringify(spec));
      return file;
    });
    return ['hmt-mock', ...toArguments(this._flags), '--', ...specs];
  }

  /** The admin endpoints, as `http://127.0.0.1:PORT/admin`. */
  get adminUrl() {
    return this._url('admin on ');
  }

  /** The journal, newest last. Filters: method, path, status, source, unmatched, since, limit. */
  requests(filters = {}) {
    return this.admin('GET', '/requests' + toQuery(filters));
  }

  /** The number of requests that `requests` would return. */
  async count(filters = {}) {
    return (await this.admin('GET', '/requests' + toQuery({ ...filters, count: true }))).count;
  }

  /** Adds a stub, `{ match, answer, times? }`, and resolves to its id. The newest one wins. */
  async override(stub) {
    return (await this.admin('POST', '/overrides', stub)).id;
  }

  /** Removes all overrides, empties the journal, and restores the initial stored data. */
  async reset() {
    await this.admin('DELETE', '/overrides');
    await this.admin('DELETE', '/requests');
    await this.admin('POST', '/storage/reset');
  }

  /** Sends a request to an admin endpoint; resolves to the parsed response, or undefined if it is empty. */
  admin(method, where, body) {
    const data = body === undefined ? undefined : JSON.stringify(body);
    const headers = data === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(data) };
    if (this._flags.adminToken) headers.authorization = `Bearer ${this._flags.adminToken}`;
    return new Promise((resolve, reject) => {
      const request = http.request(this.adminUrl + where, { method, headers, agent: false }, (response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(parts).toString();
          if (response.statusCode >= 400) {
            reject(new HmtError(`${method} ${where}: ${response.statusCode} ${text}`));
          } else {
            resolve(text.trim() ? JSON.parse(text) : undefined);
          }
        });
      });
      request.on('error', reject);
      request.end(data);
    });
  }
}

/** A running hmt-record; flags are those of hmt-record(1). The recording is in `path`. */
class Recorder extends Server {
  constructor(target, { path: file, ...flags } = {}) {
    super(['listening on ']);
    this._target = target;
    this._flags = { port: 0, ...flags };
    this.path = file ?? path.join(this._temporary(), 'recording.jsonl');
  }

  /** Creates a recorder and starts it. */
  static start(target, flags) {
    return new Recorder(target, flags).start();
  }

  _command() {
    const flags = { ...this._flags, out: this.path };
    if (this._target !== undefined) flags.target = this._target;
    return ['hmt-record', ...toArguments(flags)];
  }

  /** The recorded exchanges; waits until there are `atLeast` of them, or the timeout (in milliseconds) has passed. */
  async exchanges({ atLeast = 0, timeout = 10000 } = {}) {
    const end = Date.now() + timeout;
    for (;;) {
      const text = fs.existsSync(this.path) ? fs.readFileSync(this.path, 'utf8') : '';
      // The last line may still be incomplete.
      const lines = text.split('\n').slice(0, -1).filter((line) => line.trim());
      if (lines.length >= atLeast || Date.now() > end) return lines.map((line) => JSON.parse(line));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** An OpenAPI document of the recording; flags are those of hmt-build(1). */
  async spec(flags = {}) {
    const words = [...toArguments({ format: 'json', ...flags }), '--', this.path];
    const built = await promisify(execFile)(executable('hmt-build'), words, { maxBuffer: 1 << 30 });
    return JSON.parse(built.stdout);
  }
}

/**
 * For the test runner of Node: `const mock = await hmtMock(t, 'spec.yaml', { failOnUndeclared: true })`. The mock ends
 * with the test. With `failOnUndeclared`, the test fails if it sent a request that neither the spec nor an override has.
 */
async function hmtMock(t, spec, { failOnUndeclared = false, ...flags } = {}) {
  const mock = await Mock.start(spec, flags);
  t.after(async () => {
    const undeclared = failOnUndeclared ? await mock.requests({ unmatched: true }) : [];
    await mock.close();
    failUndeclared(undeclared);
  });
  return mock;
}

/**
 * For Jest, Vitest and Mocha: `const mock = useMock('spec.yaml')` in a describe block starts a mock before all tests,
 * resets it before each one, and ends it after all.
 */
function useMock(spec, { failOnUndeclared = false, ...flags } = {}) {
  const mock = new Mock(spec, flags);
  const hook = (...names) => names.map((name) => globalThis[name]).find((found) => found);
  hook('beforeAll', 'before')(() => mock.start().then(() => {}));
  hook('beforeEach')(() => mock.reset());
  hook('afterEach')(async () => {
    if (failOnUndeclared) failUndeclared(await mock.requests({ unmatched: true }));
  });
  hook('afterAll', 'after')(() => mock.close());
  return mock;
}

function failUndeclared(entries) {
  if (entries.length === 0) return;
  const lines = entries.map(({ exchange: { request }, status }) =>
    `  ${request.method.toUpperCase()} ${request.path ?? request.pathname} -> ${status}`);
  throw new HmtError('requests that the spec does not have:\n' + lines.join('\n'));
}

module.exports = { HmtError, Mock, Recorder, hmtMock, useMock };
// For scripts of --callback-dir. Loading that module takes over standard output, so it is loaded only on use.
Object.defineProperty(module.exports, 'callback', {
  enumerable: true,
  get: () => require('./callbacks.js').callback,
});
