import { execFile } from 'node:child_process';
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
}
