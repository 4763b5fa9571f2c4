import * as rxjs from 'rxjs';
import * as operators from 'rxjs/operators';
import { describe, expect, inject, it } from 'vitest';
import { fromPull, gatedBy } from '../../src/index.js';
import { marbles } from '../support/marbles.js';
import { measureReach } from './measure.js';
import { renderReach } from './render.js';
import { aliases, notOperators, reachTable, type Row } from './table.js';
import { rxjsVersion, supportedVersions, versionOf } from './versions.js';

const version = versionOf(inject('rxjs'));

const existsIn =
  (version: string) =>
  ({ since = version }: Row) => {
    if (!supportedVersions.includes(since)) throw new Error(`${since} is not among the versions that are tested`);
    return supportedVersions.indexOf(since) <= supportedVersions.indexOf(version);
  };
const rows = reachTable.filter(existsIn(version));
const named = (ofThis: (row: Row) => boolean) => rows.filter(ofThis).map(({ name }) => name);

describe('the table', () => {
  const fromRxjs = named(({ kind, entry }) => kind !== 'by hand' && entry === undefined);
  const known = [...fromRxjs, ...Object.keys(aliases), ...Object.values(notOperators).flat()];

  it('knows each export of rxjs, and no other', () => {
    expect([...known].sort()).toEqual(Object.keys(rxjs).sort());
  });

  it('knows each export of rxjs/operators', () => {
    const there = Object.entries(operators);
    const same = there.filter(([name, operator]) => operator === (rxjs as Record<string, unknown>)[name]);
    const other = there.filter((entry) => !same.includes(entry));
    expect(known).toEqual(expect.arrayContaining(same.map(([name]) => name)));
    expect(named(({ entry }) => entry === 'rxjs/operators')).toEqual(other.map(([name]) => name));
  });

  it.each(Object.entries(aliases))('%s is %s', (alias, name) => {
    const { [alias]: one, [name]: other } = rxjs as Record<string, unknown>;
    expect(one).toBe(other);
  });
});

for (const { name, positions } of rows)
  describe(name, () => {
    for (const position of positions)
      it(position.name || 'has no source above', async () => {
        expect(await measureReach(position)).toEqual(position.reach);
      });
  });

it(
  'timeout takes a busy consumer for silence',
  marbles((m) => {
    const full = { ready: false, onReady: () => rxjs.noop };
    const source = fromPull('a').pipe(rxjs.timeout({ each: 50, with: () => rxjs.of('timeout') }));
    m.expect(source.pipe(gatedBy(full))).toBeObservable('50ms (t|)', { t: 'timeout' });
  }),
);

if (version === rxjsVersion)
  it('is told in docs/reach.md', async () => {
    await expect(renderReach()).toMatchFileSnapshot('../../docs/reach.md');
  });
