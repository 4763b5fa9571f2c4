import { playwright } from '@vitest/browser-playwright';
import type { TestProjectInlineConfiguration } from 'vitest/config';
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

/** The project that runs in Chromium what a browser has to run, where there is a Chromium (scripts/setup.mjs --browser). */
export function browserProjects(): TestProjectInlineConfiguration[] {
  const executablePath = findChromium();
  if (executablePath === undefined) return [];
  return [
    {
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
        name: 'browser',
        include: ['test/{operators,resources,sources,sinks,schedulers,browser}/**/*.test.ts'],
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
