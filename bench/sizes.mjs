import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { fact } from './row.mjs';

export const title = 'Sizes, minified and compressed with brotli, RxJS not counted (.size-limit.json)';

export async function* rows() {
  // It exits with 1 when a limit is passed, and prints all the same.
  const { stdout } = await promisify(execFile)('node_modules/.bin/size-limit', ['--json']).catch((failed) => failed);
  for (const { name, size, sizeLimit, passed } of JSON.parse(stdout)) {
    yield fact(name, `${size} B`, `<= ${sizeLimit} B`, passed);
  }
}
