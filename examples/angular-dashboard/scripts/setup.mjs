// @ts-check
// What `npm start` and the tests need: the package, packed and installed as anybody installs it, and the production build.
//   node scripts/setup.mjs [--no-build]
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('..', import.meta.url));
const root = join(here, '../..');
process.chdir(here);

// Nobody is told of what is run here, and Chromium is looked for elsewhere (scripts/chromium.mjs of the package).
const env = { ...process.env, NG_CLI_ANALYTICS: 'false', PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1' };

/**
 * Standard output is for what the command prints.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} cwd
 */
const run = (command, args, cwd = here) => execFileSync(command, args, { cwd, env, stdio: ['ignore', 2, 2] });

/** @param {readonly string[]} args */
const npm = (args, cwd = here) => {
  const script = process.env['npm_execpath']; // also on Windows, where `npm` is not one that can be executed
  if (script) run(process.execPath, [script, ...args], cwd);
  else run('npm', args, cwd);
};

/** @param {string} path */
const timeOf = (path) => (existsSync(path) ? statSync(path).mtimeMs : -Infinity);

run(process.execPath, ['scripts/setup.mjs'], root);

const installed = 'node_modules/.package-lock.json';
if (timeOf('package-lock.json') > timeOf(installed)) {
  console.error('installing the packages of the example (npm ci) ...');
  npm(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}

// The lock file does not name the package: it would have to hold a checksum, which changes with every change of the sources.
const marker = 'node_modules/rxjs-flow-control/.packed';
if (
  timeOf(join(root, 'dist/cjs/package.json')) > timeOf(marker) ||
  timeOf(join(root, 'package.json')) > timeOf(marker)
) {
  console.error('packing and installing rxjs-flow-control ...');
  mkdirSync('.temp', { recursive: true });
  npm(['pack', '--silent', '--ignore-scripts', '--pack-destination', join(here, '.temp')], root);
  const tarball = readdirSync('.temp').find((name) => name.endsWith('.tgz'));
  npm([
    'install',
    '--no-save',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    `./.temp/${String(tarball)}`,
  ]);
  writeFileSync(marker, '');
}

const sources = ['src', 'angular.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.app.json', marker].flatMap(
  (path) =>
    statSync(path).isDirectory()
      ? readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name))
      : [path],
);
if (!process.argv.includes('--no-build') && sources.some((path) => timeOf(path) > timeOf('dist/index.html'))) {
  console.error('building the dashboard (ng build) ...');
  run(process.execPath, ['node_modules/@angular/cli/bin/ng.js', 'build']);
}
