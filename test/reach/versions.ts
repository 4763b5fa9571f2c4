import { readFileSync } from 'node:fs';
import type { TestProjectInlineConfiguration } from 'vitest/config';
import { patience } from '../patience.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The name under which the RxJS of this project is installed. */
    rxjs: string;
  }
}

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  devDependencies: Record<string, string>;
};

/** The older versions of RxJS that the package is tested with, as they are installed: `rxjs-7.5.5`, ... */
export const olderRxjs = Object.keys(manifest.devDependencies).filter((name) => /^rxjs-\d/.test(name));

/** The version of the RxJS that is installed under this name. */
export const versionOf = (name: string): string => manifest.devDependencies[name]?.split('@').at(-1) ?? '';

/** The version that the package is developed with. */
export const rxjsVersion = versionOf('rxjs');

/** All of them, oldest first. */
export const supportedVersions = [...olderRxjs.map(versionOf), rxjsVersion];

const everything =
  'test/{contract,link,operators,properties,reach,resources,schedulers,sinks,sources,support}/**/*.test.ts';
const whatWalksRxjs = 'test/{contract,link,reach}/**/*.test.ts';

/**
 * What depends on RxJS, once more for each older version of it: `npx vitest run --project rxjs-7.5.5`. All of it for the oldest; for those in
 * between the contract of each operator and what knows how RxJS is built, unless `CI_FULL=1`.
 */
export function versionProjects(): TestProjectInlineConfiguration[] {
  const isFull = process.env['CI_FULL'] === '1';
  return olderRxjs.map((name, i) => ({
    resolve: {
      alias: [
        { find: /^rxjs(?=$|\/)/, replacement: name },
        // Its CommonJS files would ask Node for `rxjs`, and get the newest beside the older one.
        { find: /^rxjs-marbles\/(cases|context-run|fake)\.js$/, replacement: 'rxjs-marbles/esm2015/$1.js' },
      ],
    },
    test: {
      ...patience,
      name,
      include: [i === 0 || isFull ? everything : whatWalksRxjs],
      exclude: ['test/link/copies.test.ts'], // brings its own copies of RxJS
      server: { deps: { inline: ['rxjs-marbles'] } },
      provide: { rxjs: name },
    },
  }));
}
