import { describe, expect, it } from 'vitest';
import { record } from '../support/record.js';
import { turn } from '../support/settle.js';
import { fromRxJS, toRxJS, type FromRxJS, type ToRxJS } from './bridges.js';
import { failureOf, watchOutlet, watchSource } from './measure.js';

const claimsOf = ({ demand, values, stop }: FromRxJS | ToRxJS) => ({ demand, values, stop });
const named = <T extends FromRxJS | ToRxJS>(rows: readonly T[]) =>
  rows.map((row) => [`${row.name} by ${row.by}`, row] as const);

describe.each(named(toRxJS))('to RxJS: %s', (_, row) => {
  it('does what the page says', async () => {
    expect(await watchSource(row.open, row.give)).toEqual(claimsOf(row));
  });

  it('passes errors on', async () => {
    const error = new Error('no more');
    const { log } = record(row.fail(error));
    for (let i = 0; i < 5; i++) await turn();
    expect(log).toEqual([['error', error]]);
  });
});

describe.each(named(fromRxJS))('from RxJS: %s', (_, row) => {
  it('does what the page says', async () => {
    expect(await watchOutlet(row.open)).toEqual(claimsOf(row));
  });

  it('passes errors on', async () => {
    const error = new Error('no more');
    expect(await failureOf(row.open, error)).toBe(error);
  });
});
