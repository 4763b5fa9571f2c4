import { mergeMap, observable, of, Subject, type ObservableInput } from 'rxjs';
import { expect, it } from 'vitest';
import { bufferedMergeMap, gatedBy } from '../../src/index.js';
import { pullsInner } from '../../src/internal/innerPull.js';
import { ManualGate } from '../support/ManualGate.js';
import { record } from '../support/record.js';

const interop = { [observable]: () => of(1), [Symbol.iterator]: () => [][Symbol.iterator]() };

/** Whether it is pulled where nobody below can be full, and where somebody can. */
const pulls: [what: string, inner: unknown, free: boolean, gated: boolean][] = [
  ['a string', 'abc', false, true],
  ['an array', [1], false, true],
  ['a generator', (function* () {})(), false, true],
  ['an async generator', (async function* () {})(), true, true],
  ['a stream', new ReadableStream(), true, true],
  ['an Observable', of(1), false, false],
  ['a Subject', new Subject(), false, false],
  ['an observable of others, whatever else it is', interop, false, false],
  ['a promise', Promise.resolve(1), false, false],
  ['a thenable, whatever else it is', { then: () => undefined, [Symbol.iterator]: () => [] }, false, false],
  ['an array-like', { length: 1, 0: 1 }, false, false],
  ['undefined', undefined, false, false],
  ['null', null, false, false],
  ['a number', 5, false, false],
  ['a function', Object.assign(() => 1, { [Symbol.iterator]: () => [] }), false, false],
];

it.each(pulls)('%s is pulled or left to RxJS', (_, inner, free, gated) => {
  expect(pullsInner(inner as ObservableInput<unknown>, false)).toBe(free);
  expect(pullsInner(inner as ObservableInput<unknown>, true)).toBe(gated);
});

it('a string is cut up as RxJS does it', () => {
  const gate = new ManualGate(true);
  const texts = of('a👍');
  const pulled = record(
    texts.pipe(
      bufferedMergeMap((each) => each),
      gatedBy(gate),
    ),
  );
  expect(pulled.log).toEqual(record(texts.pipe(mergeMap((each) => each))).log);
});

it('a long string is pulled at the pace of the consumer below', () => {
  const gate = new ManualGate();
  const text = 'x'.repeat(5000);
  const { log } = record(
    of(text).pipe(
      bufferedMergeMap((each) => each),
      gatedBy(gate),
    ),
  );
  expect(log).toEqual([]); // and no overflow
  gate.ready = true;
  expect(log.length).toBeGreaterThan(0);
});
