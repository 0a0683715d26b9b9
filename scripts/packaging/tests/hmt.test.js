'use strict';

const test = require('node:test');
const assert = require('node:assert');
const { HmtError, Mock, Recorder, hmtMock } = require('hmt');

const SPEC = {
  openapi: '3.0.3',
  info: { title: 'Users', version: '1' },
  paths: {
    '/users/{id}': {
      get: {
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer' } }],
        responses: {
          200: {
            description: 'a user',
            content: { 'application/json': { schema: { type: 'object', properties: { id: { type: 'integer' } } } } },
          },
        },
      },
    },
  },
};

const status = async (url) => (await fetch(url)).status;

test('a mock is steered and asked', async (t) => {
  const mock = await hmtMock(t, SPEC, { seed: 3, failOnUndeclared: true });
  await mock.override({ match: { path: '/users/{id}' }, answer: { status: 503 }, times: 1 });
  assert.equal(await status(mock.url + '/users/7'), 503);
  assert.deepEqual(await (await fetch(mock.url + '/users/7')).json(), { id: 7 });
  assert.deepEqual((await mock.requests({ method: 'GET' })).map((entry) => entry.status), [503, 200]);
  assert.equal(await mock.count({ status: 503 }), 1);
  await mock.reset();
  assert.deepEqual(await mock.requests(), []);
});

test('traffic is recorded', async (t) => {
  const mock = await hmtMock(t, SPEC);
  const recorder = await Recorder.start(mock.url);
  try {
    assert.equal(await status(recorder.url + '/users/7'), 200);
    const [exchange] = await recorder.exchanges({ atLeast: 1 });
    assert.equal(exchange.request.pathname, '/users/7');
    assert.equal(Object.keys((await recorder.spec()).paths).length, 1);
  } finally {
    await recorder.close();
  }
});

test('errors say why', async () => {
  await assert.rejects(Mock.start('missing.yaml'), (error) => error instanceof HmtError && /no such file/.test(error.message));
});
