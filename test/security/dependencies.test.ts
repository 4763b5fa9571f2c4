import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

interface Locked {
  version: string;
  dev?: boolean;
  peer?: boolean;
  link?: boolean;
  resolved?: string;
  integrity?: string;
  hasInstallScript?: boolean;
  dependencies?: Record<string, string>;
}
const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));
const manifest = read('package.json') as Record<string, Record<string, string> | undefined>;
const { packages } = read('package-lock.json') as { packages: Record<string, Locked> };
const installed = Object.entries(packages).filter(([path]) => path !== '');

it('users install tslib, and bring RxJS', () => {
  expect(Object.keys(manifest['dependencies'] ?? {})).toEqual(['tslib']);
  expect(Object.keys(manifest['peerDependencies'] ?? {})).toEqual(['rxjs']);
  expect(manifest['optionalDependencies']).toBeUndefined();
  expect(manifest['bundleDependencies']).toBeUndefined();
  expect(installed.filter(([, { dev }]) => !dev).map(([path]) => path)).toEqual(['node_modules/tslib']);
  expect(packages['node_modules/tslib']?.dependencies).toBeUndefined();
  expect(packages['node_modules/rxjs']?.dependencies).toEqual({ tslib: '^2.1.0' });
});

it('nothing runs when it is installed', () => {
  const events = ['preinstall', 'install', 'postinstall', 'prepare', 'preprepare', 'postprepare'];
  expect(Object.keys(manifest['scripts'] ?? {}).filter((script) => events.includes(script))).toEqual([]);
  for (const name of ['tslib', 'rxjs']) expect(packages[`node_modules/${name}`]?.hasInstallScript).toBeUndefined();
});

it('the lock file names what is installed by its content, and nothing that is not in the registry', () => {
  for (const [path, { link, resolved, integrity }] of installed) {
    expect(link, path).toBeUndefined();
    expect(resolved, path).toBeUndefined();
    expect(integrity, path).toMatch(/^sha512-/);
  }
});

it('only the compiler could bring in tslib, and has no need to', () => {
  const files = (folder: string) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`);
  const scripts = files('dist').filter((file) => file.endsWith('.js'));
  expect(scripts.length).toBeGreaterThan(200);
  expect(scripts.filter((file) => /(from|require\()\s*['"]tslib/.test(readFileSync(file, 'utf8')))).toEqual([]);
});

it('reads nothing of the environment, and has no way to the network', () => {
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  for (const file of sources) {
    const lines = readFileSync(`src/${file}`, 'utf8').split('\n');
    const code = lines.filter((line) => !/^ *(\/?\*|\/\/)/.test(line)).join('\n');
    expect(code, file).not.toMatch(/process\.env|\bfetch\(|new (XMLHttpRequest|WebSocket|EventSource)|sendBeacon/);
    const modules = Array.from(code.matchAll(/from '(node:[^']+)'/g), ([, name]) => name);
    expect(
      modules.filter((name) => !['node:fs', 'node:os', 'node:stream', 'node:url'].includes(String(name))),
      file,
    ).toEqual([]);
    if (!file.startsWith('node/')) expect(modules, file).toEqual([]);
  }
});
