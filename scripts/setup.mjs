// What a command needs and does not find: packages as in the lock file, and the compiled package.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';

const newer = (file, than) => !existsSync(than) || statSync(file).mtimeMs > statSync(than).mtimeMs;
const files = (folder) => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => `${entry.parentPath}/${entry.name}`);

if (newer('package-lock.json', 'node_modules/.package-lock.json')) {
  console.log('installing packages (npm ci) ...');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { stdio: 'inherit' });
}
if (files('src').some((file) => newer(file, 'dist/cjs/package.json'))) {
  console.log('building ...');
  await import('./build.mjs');
}
