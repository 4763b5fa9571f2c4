import { existsSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import { playwright } from '@vitest/browser-playwright';
import type { TestProjectInlineConfiguration } from 'vitest/config';
import { patience } from '../patience.js';
import { findChromium } from '../../scripts/chromium.mjs';

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const sources = resolve('src') + sep;
const built = resolve('dist', 'esm');

/** What a test imports from src/ comes from the files that are published instead (npm test builds them first). */
const builtFiles = {
  name: 'built-files',
  enforce: 'pre' as const,
  resolveId(id: string, importer: string | undefined) {
    if (importer === undefined || !id.startsWith('.')) return undefined;
    const path = resolve(importer, '..', id);
    if (!path.startsWith(sources)) return undefined;
    const file = resolve(built, relative(sources, path));
    if (!existsSync(file)) throw new Error(`${relative('.', file)} is not there: npm run build`);
    return file;
  },
};

/** The project that runs in Chromium what a browser has to run, where there is a Chromium (scripts/setup.mjs --browser). */
export function browserProjects(): TestProjectInlineConfiguration[] {
  const executablePath = findChromium();
  if (executablePath === undefined) return [];
  return [
    {
      plugins: [builtFiles],
      resolve: {
        // The CommonJS files of rxjs-marbles would bring rxjs's CommonJS build into the page beside its ES build, and
        // fakeSchedulers() would patch the schedulers of the wrong one.
        alias: [{ find: /^rxjs-marbles\/(cases|context-run|fake)\.js$/, replacement: 'rxjs-marbles/esm2015/$1.js' }],
      },
      optimizeDeps: {
        // Found at the start: one that is found in the middle of a run reloads the page.
        include: [
          'fast-check',
          'rxjs',
          'rxjs/testing',
          'rxjs-marbles/esm2015/cases.js',
          'rxjs-marbles/esm2015/context-run.js',
          'rxjs-marbles/esm2015/fake.js',
        ],
      },
      test: {
        ...patience,
        name: 'browser',
        include: ['test/{contract,operators,resources,sources,sinks,schedulers,browser}/**/*.test.ts'],
        exclude: ['**/*.node.test.ts'], // what needs Node
        browser: {
          enabled: true,
          headless: true,
          screenshotFailures: false,
          provider: playwright({ launchOptions: { executablePath, args } }),
          instances: [{ browser: 'chromium' }],
        },
      },
    },
  ];
}
