'use strict';

const { spawn } = require('child_process');
const { executable } = require('./find.js');

/** Runs a program in place of this one: same streams, signals and exit status. */
module.exports = (name) => {
  const child = spawn(executable(name), process.argv.slice(2), { stdio: 'inherit' });
  // Ctrl-C reaches the child by itself; this process only waits for it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    console.error(`${name}: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal) {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    } else {
      process.exit(code);
    }
  });
};
