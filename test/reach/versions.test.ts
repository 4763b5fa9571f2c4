import { createRequire } from 'node:module';
import * as rxjs from 'rxjs';
import * as operators from 'rxjs/operators';
import { TestScheduler } from 'rxjs/testing';
import { expect, inject, it } from 'vitest';
import { fromPull } from '../../src/index.js';
import { marbles } from '../support/marbles.js';
import { versionOf } from './versions.js';

// In its CommonJS form, which is what Node gives to `import` too, RxJS stands in the cache of `require`.
const require = createRequire(import.meta.url);
const name = inject('rxjs');

const loaded = () =>
  new Set(
    Object.keys(require.cache).flatMap(
      (file) => /[\\/]node_modules[\\/](rxjs(?:-[\d.]+)?)[\\/]dist[\\/]/.exec(file)?.[1] ?? [],
    ),
  );

it(`this is ${name}`, () => {
  const { Observable, map } = require(name) as typeof rxjs;
  expect(rxjs.Observable).toBe(Observable);
  expect(operators.map).toBe(map);
  expect(fromPull([])).toBeInstanceOf(Observable);
  expect((require(`${name}/package.json`) as { version: string }).version).toBe(versionOf(name));
});

it(
  'no other copy is in play',
  marbles((m) => {
    expect(m.cold('|')).toBeInstanceOf(rxjs.Observable);
    expect(m.scheduler).toBeInstanceOf(TestScheduler);
    m.expect(m.cold('|')).toBeObservable('|');
    expect([...loaded()]).toEqual([name]);
  }),
);
