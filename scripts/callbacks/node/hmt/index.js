/**
 * Functions that edit the responses of hmt-mock.
 *
 *     const { callback } = require('hmt');
 *
 *     callback('api.example.com', 'get', '/users', ({ query, responseBody, storage }) => {
 *       storage.calls = (storage.calls || 0) + 1;
 *       responseBody.calls = storage.calls;
 *       return responseBody;
 *     });
 *
 * The function gets an object with `query`, `requestHeaders`, `responseHeaders`, `request`, `response`, `storage`,
 * `entities`, `requestBody` and `responseBody`, and can be asynchronous. Options, before the function, are `format`
 * (`json`: bodies are parsed; any other: they are strings) and `response` (`body`: the function returns the new body;
 * `full`: the new response). Changes in place also count.
 *
 * The process speaks JSON Lines with hmt-mock on its standard input and output (see hmt-mock(1)). Because of that,
 * `console.log` writes to standard error.
 */
'use strict';

const fs = require('fs');
const readline = require('readline');
const { isDeepStrictEqual } = require('util');

const functions = [];

// Standard output belongs to the protocol.
global.console = new console.Console(process.stderr, process.stderr);
process.stdout.write = process.stderr.write.bind(process.stderr);

function send(message) {
  let line = Buffer.from(JSON.stringify(message) + '\n');
  while (line.length > 0) {
    try {
      line = line.subarray(fs.writeSync(1, line));
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}

/** Registers a function for a host, a method and a path; `null` stands for any. */
function callback(host, method, path, options, handler) {
  if (typeof options === 'function') [options, handler] = [{}, options];
  const { format = 'json', response = 'body' } = options || {};
  if (typeof handler !== 'function') throw new TypeError('callback(host, method, path, [options], function)');
  if (!['body', 'full'].includes(response)) throw new TypeError("response must be 'body' or 'full'");
  functions.push({ host, method, path, format, response, handler });
  return handler;
}

function bodyOf(message, encoded) {
  return encoded === undefined ? message.body || '' : Buffer.from(encoded, 'base64').toString('latin1');
}

/** A body as JSON; `{}` if it is empty, and the text itself if it is not JSON. */
function parsed(text) {
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const lists = (query) => Object.fromEntries(Object.entries(query || {}).map(([name, value]) => [name, [value].flat()]));
const text = (body) => (body === undefined || body === null ? '' : typeof body === 'string' ? body : JSON.stringify(body));

async function answer(call) {
  const { handler, format, response: kind } = functions[call.match];
  const meta = (call.meta && call.meta.hmt) || {};
  const { request, response, storage = {}, entities = {} } = call;
  request.query = lists(request.query);
  request.body = bodyOf(request, meta.requestBodyBase64);
  request.bodyAsJson = parsed(request.body);
  response.headers = response.headers || {};
  response.body = bodyOf(response, meta.responseBodyBase64);
  response.bodyAsJson = parsed(response.body);
  const before = structuredClone({ response, storage, entities });
  const body = format === 'json' ? 'bodyAsJson' : 'body';
  const result = await handler({
    query: request.query,
    requestHeaders: request.headers || {},
    responseHeaders: response.headers,
    request,
    response,
    storage,
    entities,
    requestBody: request[body],
    responseBody: response[body],
  });
  const answer = { id: call.id };
  const edited = changes(before.response, response, result, format, kind);
  if (Object.keys(edited).length > 0) answer.response = edited;
  if (!isDeepStrictEqual(storage, before.storage)) answer.storage = storage;
  if (!isDeepStrictEqual(entities, before.entities)) answer.entities = entities;
  return answer;
}

/** The members of the response that the function has changed. */
function changes(before, response, result, format, kind) {
  const edited = {};
  if (kind === 'full' && result !== undefined && result !== null && result !== response) {
    if (result.statusCode !== undefined) edited.statusCode = result.statusCode;
    edited.headers = { ...result.headers };
    if (result.bodyAsJson !== undefined && !(result.body && format !== 'json')) {
      edited.body = JSON.stringify(result.bodyAsJson);
      const typed = Object.keys(edited.headers).some((name) => name.toLowerCase() === 'content-type');
      if (!typed) edited.headers['content-type'] = 'application/json';
    } else {
      edited.body = text(result.body);
    }
    return edited;
  }
  if (kind === 'body' && result !== undefined && result !== null) {
    // A body that is equal as JSON keeps its bytes.
    const same = format === 'json' && before.body !== '' && isDeepStrictEqual(result, before.bodyAsJson);
    if (!same) edited.body = format === 'json' ? JSON.stringify(result) : text(result);
  } else if (response.body !== before.body) {
    edited.body = text(response.body);
  } else if (!isDeepStrictEqual(response.bodyAsJson, before.bodyAsJson)) {
    edited.body = JSON.stringify(response.bodyAsJson);
  }
  if (!isDeepStrictEqual(response.headers, before.headers)) edited.headers = response.headers;
  if (kind === 'full' && response.statusCode !== before.statusCode) edited.statusCode = response.statusCode;
  return edited;
}

async function serve() {
  if (functions.length === 0) return;
  const match = functions.map(({ host, method, path, format, response }) => {
    const named = Object.entries({ host, method, path }).filter(([, value]) => value);
    return { ...Object.fromEntries(named), format: format === 'json' ? 'json' : 'text', response, entities: true };
  });
  send({ hmt: 1, match });
  for await (const line of readline.createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    const call = JSON.parse(line);
    let message;
    try {
      message = await answer(call);
    } catch (error) {
      console.error(error);
      message = { id: call.id, error: String(error) };
    }
    send(message);
  }
  process.exit(0);
}

// After the script has registered its functions.
setImmediate(serve);

module.exports = { callback };
