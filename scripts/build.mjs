// Both module formats, from the same sources, and the examples, which import the package as anybody does.
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';

const tsc = (...args) =>
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', ...args], { stdio: ['inherit', 2, 2] });

for (const folder of ['dist', 'examples/dist']) rmSync(folder, { recursive: true, force: true });
tsc('-p', 'tsconfig.build.json');
tsc('-p', 'tsconfig.cjs.json');
tsc('-p', 'examples/tsconfig.json');
// The nearest package.json decides about "type", and bundlers read "sideEffects" there too.
writeFileSync('dist/cjs/package.json', `${JSON.stringify({ type: 'commonjs', sideEffects: false }, null, 2)}\n`);
