/**
 * Loaded before a script of `hmt-mock --callback-dir`: lets modules import 'hmt', and reports a script that ends without
 * an error and has no callbacks. Such a script may be a module that other scripts import.
 */
'use strict';

const { pathToFileURL } = require('url');
const module_ = require('module');

const NO_CALLBACKS = 77;

if (module_.register) {
  const helper = JSON.stringify(pathToFileURL(require.resolve('hmt')).href);
  const hooks = `export async function resolve(name, context, next) {
    return name === 'hmt' ? { url: ${helper}, format: 'commonjs', shortCircuit: true } : next(name, context);
  }`;
  module_.register('data:text/javascript,' + encodeURIComponent(hooks));
}

process.once('beforeExit', (code) => {
  if (code === 0) process.exitCode = NO_CALLBACKS;
});
