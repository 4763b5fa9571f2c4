// Installs the packed package in an empty project, and uses it there as users do: on each Node with each RxJS, in two copies,
// bundled and minified, and compiled by each TypeScript. Prints a line for each. Other Nodes and TypeScripts come from the npm registry.
//   node scripts/smoke.mjs                                       as in check:smoke
//   node scripts/smoke.mjs --node 20,26 --rxjs 7.5.5 --typescript 7.0.2
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { build } from 'esbuild';
import { minify } from 'terser';

const list = (text) => ({ type: 'string', default: text });
const { values: given } = parseArgs({
  options: {
    node: list('20,22,24,26'),
    rxjs: list('7.5.5,7.6.0,7.8.0,7.8.2'),
    typescript: list('5.4.5,5.9.3,6.0.3,7.0.2'),
  },
});
const listOf = (text) => text.split(',').filter((part) => part !== '');
const nodeVersions = listOf(given.node);
const rxjsVersions = listOf(given.rxjs);
const typescriptVersions = listOf(given.typescript);
const oldest = rxjsVersions[0];
const newest = rxjsVersions.at(-1);

const execute = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'rxjs-flow-control-smoke-'));
const inFolder = (...names) => join(folder, ...names);
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

/** Runs a program to its end, and gives what it prints. */
async function run(file, args, cwd = folder) {
  try {
    const { stdout } = await execute(file, args, { cwd, timeout: 120_000, maxBuffer: 1 << 26 });
    return stdout;
  } catch (error) {
    throw new Error(`${error.message}\n${error.stdout}`, { cause: error });
  }
}

let failures = 0;
async function cell(name, check) {
  const begin = performance.now();
  const seconds = () => `${((performance.now() - begin) / 1000).toFixed(1)} s`;
  try {
    const remark = await check();
    console.log(`ok    ${name}${remark ? `: ${remark}` : ''} (${seconds()})`);
  } catch (error) {
    failures++;
    console.log(`FAIL  ${name} (${seconds()})\n${error.stack}`);
  }
}

function same(actual, expected) {
  if (actual === expected) return;
  const [line = '', other = ''] = [actual, expected].map((text) => text.split('\n'));
  const at = line.findIndex((text, index) => text !== other[index]);
  throw new Error(`prints something else:\n${line[at]}\nin place of\n${other[at]}`);
}

async function install() {
  await run('npm', ['pack', '--silent', '--pack-destination', folder], root); // what builds it may print, too
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  const aliases = rxjsVersions.slice(0, -1).map((version) => `rxjs-${version}@npm:rxjs@${version}`);
  writeFileSync(inFolder('package.json'), '{ "private": true, "type": "module" }\n');
  const packages = [inFolder(tarball), `rxjs@${newest}`, ...aliases, '@types/node@20'];
  await run('npm', ['install', '--silent', '--no-audit', '--no-fund', ...packages]);
}

/** Says what comes with the package; throws unless that is tslib alone, and nothing of it runs when it is installed. */
async function dependencies() {
  const tree = JSON.parse(await run('npm', ['ls', '--all', '--json']));
  const names = [];
  const walk = ({ dependencies = {} }) => {
    for (const [name, dependency] of Object.entries(dependencies)) {
      names.push(name);
      walk(dependency);
    }
  };
  const manifestOf = (name) => JSON.parse(readFileSync(inFolder('node_modules', name, 'package.json'), 'utf8'));
  walk(tree.dependencies['rxjs-flow-control']);
  const own = names.filter((name) => name !== 'rxjs');
  if ([...new Set(own)].join() !== 'tslib')
    throw new Error(`it brings ${own.join(', ') || 'nothing'}, and not tslib alone`);
  for (const name of ['rxjs-flow-control', 'tslib', 'rxjs'])
    for (const event of ['preinstall', 'install', 'postinstall'])
      if (manifestOf(name).scripts?.[event]) throw new Error(`${name} has a script "${event}"`);
  return 'tslib, beside the peer rxjs, and no install scripts';
}

/** A project with that RxJS, and another copy of the package, which has the RxJS of the project or one of its own. */
function project(name, rxjs, otherRxjs) {
  const place = (version) => inFolder('node_modules', version === newest ? 'rxjs' : `rxjs-${version}`);
  const modules = inFolder(name, 'node_modules');
  const otherModules = inFolder(name, 'other', 'node_modules');
  cpSync(place(rxjs), join(modules, 'rxjs'), { recursive: true });
  if (otherRxjs) cpSync(place(otherRxjs), join(otherModules, 'rxjs'), { recursive: true });
  cpSync(inFolder('node_modules', 'tslib'), join(modules, 'tslib'), { recursive: true });
  for (const each of [modules, otherModules])
    cpSync(inFolder('node_modules', 'rxjs-flow-control'), join(each, 'rxjs-flow-control'), { recursive: true });
  writeFileSync(inFolder(name, 'package.json'), '{ "private": true, "type": "module" }\n');
  writeFileSync(inFolder(name, 'other', 'copy.mjs'), "export * from 'rxjs-flow-control';\n");
  writeFileSync(inFolder(name, 'other', 'copy.cjs'), "module.exports = require('rxjs-flow-control');\n");
  for (const file of ['program.mjs', 'copies.mjs', 'consumer.ts'])
    cpSync(join(root, 'test', 'package', file), inFolder(name, file));
  cpSync(inFolder(name, 'consumer.ts'), inFolder(name, 'consumer.cts'));
  return inFolder(name);
}

/** The program as a bundle, its RxJS the CommonJS or the ESM build. */
async function bundle(cwd, name, options) {
  const outfile = join(cwd, name);
  const settings = { entryPoints: [join(cwd, 'program.mjs')], bundle: true, target: 'es2022', outfile, metafile: true };
  const { metafile } = await build({ ...settings, logLevel: 'error', ...options });
  return { outfile, inputs: Object.keys(metafile.inputs) };
}

async function shrink(from, to, module) {
  const { code } = await minify(readFileSync(from, 'utf8'), {
    module,
    toplevel: true,
    mangle: { toplevel: true },
  });
  writeFileSync(to, code);
  return to;
}

async function bundles(cwd, expected) {
  const kinds = {
    'ESM, with the CommonJS of RxJS': { extension: 'mjs', rxjs: 'cjs', platform: 'node', format: 'esm' },
    'ESM, with the ESM of RxJS': {
      extension: 'mjs',
      rxjs: 'esm',
      platform: 'neutral',
      format: 'esm',
      external: ['node:*'],
    },
    CommonJS: { extension: 'cjs', rxjs: 'cjs', platform: 'node', format: 'cjs' },
  };
  for (const [kind, { extension, rxjs, ...options }] of Object.entries(kinds)) {
    const file = `${options.format}-${rxjs}`;
    await cell(`bundle by esbuild --minify, ${kind}`, async () => {
      const { outfile, inputs } = await bundle(cwd, `${file}.min.${extension}`, { ...options, minify: true });
      if (!inputs.some((input) => input.includes(`rxjs/dist/${rxjs}`))) throw new Error('it has another RxJS inside');
      same(await run(process.execPath, [outfile], cwd), expected);
      return `${(readFileSync(outfile).length / 1024).toFixed(0)} kB`;
    });
    await cell(`bundle by terser, mangled, ${kind}`, async () => {
      const { outfile } = await bundle(cwd, `${file}.${extension}`, options);
      const small = await shrink(outfile, join(cwd, `${file}.terser.${extension}`), extension === 'mjs');
      same(await run(process.execPath, [small], cwd), expected);
      return `${(readFileSync(small).length / 1024).toFixed(0)} kB`;
    });
  }
}

/** Names may be mangled; properties may not, because the package finds a field of RxJS by its name. */
async function mangled(cwd) {
  const program = `
    import { map } from 'rxjs';
    import { bufferedMergeMap, fromPull } from 'rxjs-flow-control';
    let pulled = 0;
    function* numbers() { while (pulled < 30) yield ++pulled; }
    const never = () => new Promise(() => undefined);
    fromPull(numbers).pipe(map((n) => n), bufferedMergeMap(never, { concurrent: 1, highWaterMark: 0 })).subscribe();
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    console.log(pulled);`;
  writeFileSync(join(cwd, 'pulls.mjs'), program);
  const pulls = async (name, options) => {
    const { outfile } = await bundle(cwd, name, {
      entryPoints: [join(cwd, 'pulls.mjs')],
      platform: 'node',
      format: 'esm',
      ...options,
    });
    return Number(await run(process.execPath, [outfile], cwd));
  };
  const names = await pulls('names.mjs', { minify: true });
  const properties = await pulls('properties.mjs', { minify: true, mangleProps: /^destination$/, external: ['rxjs'] });
  if (names !== 1) throw new Error(`${names} are pulled where names are mangled`);
  if (properties !== 30) throw new Error(`${properties} are pulled where properties are mangled`);
  return '1 value pulled where names are mangled, all 30 where `destination` is, without RxJS';
}

const flags = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--target', 'es2022', '--types', 'node'];
const nodenext = ['--module', 'nodenext', '--moduleResolution', 'nodenext', 'consumer.ts', 'consumer.cts'];
const bundler = ['--module', 'esnext', '--moduleResolution', 'bundler', 'consumer.ts'];
// Older resolution knows no "exports".
const node10 = ['--module', 'commonjs', '--moduleResolution', 'node10', '--esModuleInterop', 'consumer.cts'];

async function types(cwds) {
  for (const version of typescriptVersions) {
    const compiler = await compilerOf(version);
    const compile = (cwd, args) => run(process.execPath, [compiler, ...flags, ...args], cwd).then(() => undefined);
    const cwd = cwds.get(newest);
    await cell(`TypeScript ${version}, ESM and CommonJS`, () => compile(cwd, nodenext));
    await cell(`TypeScript ${version}, for a bundler`, () => compile(cwd, bundler));
    if (version.startsWith('5.')) await cell(`TypeScript ${version}, as of Node 10`, () => compile(cwd, node10));
    if (version !== typescriptVersions.at(-1)) continue;
    for (const rxjs of rxjsVersions)
      await cell(`TypeScript ${version}, RxJS ${rxjs}`, () => compile(cwds.get(rxjs), nodenext));
  }
}

const nodeOf = async (version) =>
  (await run('npx', ['--yes', '--silent', `node@${version}`, '-p', 'process.execPath'])).trim();
/** Where npx has put it: its own folder is the first in the PATH. */
async function compilerOf(version) {
  const own = createRequire(join(root, 'package.json'));
  if (own('typescript/package.json').version === version) return own.resolve('typescript/bin/tsc');
  const show = 'console.log(process.env.PATH)';
  writeFileSync(inFolder('path.mjs'), show);
  const path = await run('npx', [
    '--yes',
    '--silent',
    '-p',
    `typescript@${version}`,
    '-c',
    `node "${inFolder('path.mjs')}"`,
  ]);
  return join(dirname(path.trim().split(process.platform === 'win32' ? ';' : ':')[0]), 'typescript', 'bin', 'tsc');
}

async function runs(cwds) {
  const mixed = project('mixed', oldest, newest);
  const cwd = cwds.get(newest);
  const expected = await run(process.execPath, ['program.mjs'], cwd);
  for (const version of nodeVersions) {
    const node = await nodeOf(version);
    for (const [rxjs, folder] of cwds) {
      await cell(`Node ${version}, RxJS ${rxjs}`, async () => {
        same(await run(node, ['program.mjs'], folder), expected);
        return (await run(node, ['copies.mjs'], folder)).trim();
      });
    }
    await cell(`Node ${version}, RxJS ${oldest} of one copy and ${newest} of the other`, async () =>
      (await run(node, ['copies.mjs'], mixed)).trim(),
    );
    await cell(`Node ${version}, without eval and __proto__, with frozen intrinsics`, async () => {
      same(await run(node, [...strict, 'program.mjs'], cwd), expected);
    });
  }
  await bundles(cwd, expected);
  await cell('properties mangled, which is not promised to work', () => mangled(cwd));
}

const strict = ['--disallow-code-generation-from-strings', '--disable-proto=throw', '--frozen-intrinsics'];

await install();
await cell('dependencies', dependencies);
const cwds = new Map(rxjsVersions.map((rxjs) => [rxjs, project(`rxjs-${rxjs}`, rxjs)]));
await Promise.all([runs(cwds), types(cwds)]);
console.log(failures === 0 ? 'all ok' : `${String(failures)} failed`);
process.exitCode = failures === 0 ? 0 : 1;
