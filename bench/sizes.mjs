import { build } from 'esbuild';
import { execFile } from 'node:child_process';
import { posix } from 'node:path';
import { promisify } from 'node:util';
import { fact } from './row.mjs';

export const title = 'Sizes, minified and compressed with brotli, RxJS not counted (.size-limit.json)';

/** What was aimed at, in bytes, where the limit only holds what was reached: docs/adr/0006-sizes.md. */
const targets = { bufferedMergeMap: 2500, fromPull: 1200 };

export async function* rows() {
  // It exits with 1 when a limit is passed, and prints all the same.
  const { stdout } = await promisify(execFile)('node_modules/.bin/size-limit', ['--json']).catch((failed) => failed);
  for (const { name, size, sizeLimit } of JSON.parse(stdout)) {
    const target = targets[name] ?? sizeLimit;
    yield fact(name, `${size} B`, `<= ${target} B`, size <= target);
  }
  for (const name of Object.keys(targets)) {
    for (const [folder, bytes] of await profile(name)) yield fact(`${name}, minified: ${folder}`, `${bytes} B`);
  }
}

/** How many bytes of the minified bundle come from each folder, the largest first. */
async function profile(name) {
  const { metafile } = await build({
    stdin: { contents: `export { ${name} } from './dist/esm/index.js'`, resolveDir: '.' },
    bundle: true,
    minify: true,
    format: 'esm',
    external: ['rxjs'],
    metafile: true,
    write: false,
  });
  const folders = new Map();
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const folder = posix.relative('dist/esm', posix.dirname(path)) || 'index';
      folders.set(folder, (folders.get(folder) ?? 0) + bytesInOutput);
    }
  }
  return [...folders].filter(([, bytes]) => bytes > 0).sort(([, a], [, b]) => b - a);
}
