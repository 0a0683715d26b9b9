'use strict';

const fs = require('fs');
const path = require('path');

/** The path of a program of HMT: in $HMT_BIN, in the package of this platform, or on PATH. */
exports.executable = (name) => {
  if (process.env.HMT_BIN) return path.join(process.env.HMT_BIN, name);
  const platform = `hmt-${process.platform}-${process.arch}`;
  try {
    return path.join(path.dirname(require.resolve(`${platform}/package.json`)), 'bin', name);
  } catch {
    // The link of npm in node_modules/.bin would run this program again.
    const folders = (process.env.PATH || '').split(path.delimiter);
    const own = folders.filter((folder) => !folder.endsWith(path.join('node_modules', '.bin')));
    for (const folder of own) {
      const file = path.join(folder, name);
      if (fs.existsSync(file) && !fs.realpathSync(file).endsWith('.js')) return file;
    }
    throw new Error(`${name} is not installed: there is no package ${platform}, and it is not on PATH`);
  }
};
