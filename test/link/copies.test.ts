import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build, type BuildOptions } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { olderRxjs } from '../reach/versions.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const script = fileURLToPath(new URL('./copies.mjs', import.meta.url));
const run = promisify(execFile);
const node = async (...args: string[]) => (await run(process.execPath, args, { cwd: root })).stdout;

interface Seen {
  readonly pairs: readonly { source: string; consumer: string; done: number; ahead: number; waits: boolean }[];
  readonly chain: { done: number; ahead: number; consumers: number };
}

/** Each copy brings what the others have to be joined with. */
const joints = `export { map } from 'rxjs';`;

/** How users bundle it. */
const bundles: Record<string, BuildOptions> = {
  'minified.js': { external: ['rxjs'] },
  'minified.cjs': { external: ['rxjs'], format: 'cjs' },
  'with-rxjs.js': {},
  'with-rxjs.cjs': { format: 'cjs' },
  ...Object.fromEntries(olderRxjs.map((name) => [`with-${name}.js`, { alias: { rxjs: name } }])),
};

// Below the root, so that rxjs and tslib are found.
let folder: string;
const inFolder = (file: string) => join(folder, file);

beforeAll(async () => {
  mkdirSync(join(root, '.temp'), { recursive: true });
  folder = mkdtempSync(join(root, '.temp', 'copies-'));
  await Promise.all([compile('esm', 'build'), compile('cjs', 'cjs')]);
  writeFileSync(inFolder('esm/copy.js'), `export * from './index.js';\n${joints}\n`);
  writeFileSync(inFolder('cjs/package.json'), '{ "type": "commonjs" }\n');
  writeFileSync(inFolder('cjs/copy.js'), `module.exports = { ...require('./index.js'), map: require('rxjs').map };\n`);
  for (const [file, options] of Object.entries(bundles)) await bundle(file, options);
}, 120_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** As scripts/build.mjs does, but for the types. */
const compile = (outDir: string, config: string) =>
  node(
    'node_modules/typescript/bin/tsc',
    ...['-p', `tsconfig.${config}.json`, '--outDir', inFolder(outDir), '--noCheck'],
    ...['--declaration', 'false', '--declarationMap', 'false', '--sourceMap', 'false'],
  );

const bundle = (file: string, options: BuildOptions) =>
  build({
    stdin: { contents: `export * from './esm/copy.js';`, resolveDir: folder },
    outfile: inFolder(file),
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    ...options,
  });

const together = async (...files: string[]) => JSON.parse(await node(script, ...files.map(inFolder))) as Seen;

describe('copies in one process', () => {
  const files = ['esm/copy.js', 'cjs/copy.js', ...Object.keys(bundles)];
  let seen: Seen;
  beforeAll(async () => {
    seen = await together(...files);
  }, 60_000);

  const pairs = files.flatMap((source) => files.map((consumer) => [source, consumer] as const));

  it.each(pairs)('%s is paced by %s, which waits for its clean-up', (source, consumer) => {
    const pair = seen.pairs.find((each) => each.source === inFolder(source) && each.consumer === inFolder(consumer));
    expect(pair).toMatchObject({ done: 30, ahead: 1, waits: true });
  });

  it('all in a chain hold one value each', () => {
    const { done, ahead, consumers } = seen.chain;
    expect({ done, ahead }).toEqual({ done: 30, ahead: consumers });
  });
});

it('a bundle with RxJS in which `destination` is renamed understands itself', async () => {
  await bundle('mangled.js', { mangleProps: /^(destination|partialObserver)$/ });
  const { pairs } = await together('mangled.js');
  expect(pairs).toMatchObject([{ done: 30, ahead: 1, waits: true }]);
});

it('where it is renamed without RxJS the chain is lost, and the source runs ungated to its end', async () => {
  await bundle('mangled-alone.js', { mangleProps: /^(destination|partialObserver)$/, external: ['rxjs'] });
  const { pairs } = await together('mangled-alone.js');
  expect(pairs).toMatchObject([{ done: 30, ahead: 30, waits: false }]);
});
