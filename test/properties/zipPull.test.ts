import fc from 'fast-check';
import { from, Subject, tap, zip, type Observable, type Subscription } from 'rxjs';
import { expect, it } from 'vitest';
import { fromPull, gatedBy } from '../../src/index.js';
import { zipPull } from '../../src/sources/zipPull.js';
import { ManualGate } from '../support/ManualGate.js';
import { settle } from '../support/settle.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

type Zip = (inputs: Observable<string>[]) => Observable<string[]>;

const events = fc.oneof(
  { weight: 12, arbitrary: fc.record({ what: fc.constant('next' as const), input: fc.nat(2) }) },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constantFrom('complete', 'error', 'unsubscribe'), input: fc.nat(2) }),
  },
);
const pushed = fc.record({
  /** How many values there are at once, where an input is not pushed. */
  arrays: fc.array(fc.option(fc.nat(6), { nil: undefined }), { minLength: 1, maxLength: 3 }),
  events: fc.array(events, { maxLength: 30 }),
  /** What the consumer does inside of the first, second, ... `next`. */
  inside: fc.array(fc.array(events, { maxLength: 3 }), { maxLength: 6 }),
});
type Pushed = typeof pushed extends fc.Arbitrary<infer Program> ? Program : never;

function run({ arrays, events: outside, inside }: Pushed, zipAll: Zip): unknown[] {
  const log: unknown[] = [];
  let count = 0;
  let tuples = 0;
  let unsubscribed = false;
  let subscription: Subscription | undefined = undefined;
  const subjects = arrays.map(() => new Subject<string>());
  const act = ({ what, input }: { what: string; input: number }) => {
    const subject = subjects[input % subjects.length];
    if (what === 'next') subject?.next(String(count++));
    else if (what === 'complete') subject?.complete();
    else if (what === 'error') subject?.error(`error ${String(input)}`);
    else {
      unsubscribed = true;
      subscription?.unsubscribe();
    }
  };
  const inputs = arrays.map((length, i) =>
    length === undefined
      ? (subjects[i] as Subject<string>)
      : from(Array.from({ length }, (_, k) => `${String(i)}.${String(k)}`)),
  );
  subscription = zipAll(inputs).subscribe({
    next: (tuple) => {
      log.push(tuple);
      for (const event of inside[tuples++] ?? []) act(event);
      log.push('after');
    },
    error: (error: unknown) => log.push(['error', error]),
    complete: () => log.push('complete'),
  });
  if (unsubscribed) subscription.unsubscribe();
  for (const event of outside) {
    act(event);
    log.push(subjects.map(({ observed }) => observed));
  }
  return log;
}

it('zipPull does what zip does, whatever is pushed and whatever the consumer does', { timeout: 60_000 * times }, () => {
  fc.assert(
    fc.property(pushed, (program) => {
      const expected = run(program, (inputs) => zip(inputs));
      expect(run(program, (inputs) => zipPull(inputs))).toEqual(expected);
    }),
    { numRuns: 2000 * times },
  );
});

const paces = ['at once', 'microtask', 'microtasks'] as const;
const pulled = fc.record({
  inputs: fc.array(fc.record({ length: fc.nat(8), pace: fc.constantFrom(...paces), wrapped: fc.boolean() }), {
    minLength: 1,
    maxLength: 4,
  }),
  highWaterMark: fc.constantFrom(1, 2, 5, 1000),
  /** How long the consumer is busy with a tuple, in microtasks; `undefined`: it is never full. */
  busy: fc.option(fc.array(fc.nat(8), { minLength: 1, maxLength: 4 }), { nil: undefined }),
  unsubscribesAfter: fc.option(fc.nat(5), { nil: undefined }),
});

it(
  'zipPull loses nothing, is never further ahead than it says, and asks for nothing that cannot leave',
  async () => {
    await fc.assert(
      fc.asyncProperty(pulled, async ({ inputs, highWaterMark, busy, unsubscribesAfter }) => {
        const gate = new ManualGate(true);
        const asked = inputs.map(() => 0);
        const emitted = inputs.map(() => 0);
        const tuples: string[][] = [];
        const dropped: string[] = [];
        const problems: string[] = [];
        const check = (holds: boolean, problem: string) => {
          if (!holds) problems.push(problem);
        };
        let ended = false;

        const name = (input: number, k: number) => `${String(input)}.${String(k)}`;
        const sources = inputs.map(({ length, pace, wrapped }, input) => {
          let k = 0;
          const next = () => {
            check(gate.ready || ended, 'asked though the gate is closed');
            check(k - tuples.length < highWaterMark, `input ${String(input)} is asked though it is ahead`);
            asked[input] = k + 1;
            return k < length ? { done: false as const, value: name(input, k++) } : { done: true as const, value: '' };
          };
          const iterable =
            pace === 'at once'
              ? { [Symbol.iterator]: () => ({ next }) }
              : {
                  [Symbol.asyncIterator]: () => ({
                    next: async () => {
                      const result = next();
                      await settle(pace === 'microtask' ? 1 : 5);
                      return result;
                    },
                  }),
                };
          return wrapped
            ? fromPull(iterable as AsyncIterable<string>, { onDrop: (value) => dropped.push(value) }).pipe(
                tap(() => {
                  emitted[input] = (emitted[input] ?? 0) + 1;
                  check((emitted[input] ?? 0) - tuples.length <= highWaterMark, 'further ahead than it says');
                }),
              )
            : (iterable as AsyncIterable<string>);
        });
        const subscription = zipPull(sources, { highWaterMark, onDrop: (value) => dropped.push(value) })
          .pipe(gatedBy(gate))
          .subscribe({
            next: (tuple) => {
              check(gate.ready, 'emitted though the gate is closed');
              tuples.push(tuple);
              const turns = busy?.[tuples.length % busy.length];
              if (turns !== undefined) {
                gate.ready = false;
                void settle(turns).then(() => {
                  gate.ready = true;
                });
              }
              if (tuples.length === unsubscribesAfter) {
                ended = true;
                queueMicrotask(() => {
                  subscription.unsubscribe();
                });
              }
            },
            complete: () => (ended = true),
          });
        for (let turns = 0; turns < 100 && !ended; turns++) await settle();
        await settle();

        const shortest = Math.min(...inputs.map(({ length }) => length));
        expect(problems).toEqual([]);
        expect(ended).toBe(true);
        if (unsubscribesAfter === undefined || unsubscribesAfter > shortest || unsubscribesAfter === 0)
          expect(tuples).toHaveLength(shortest);
        expect(tuples).toEqual(tuples.map((_, k) => inputs.map((__, input) => name(input, k))));
        const all = inputs.flatMap(({ length }, input) =>
          Array.from({ length: Math.min(asked[input] ?? 0, length) }, (_, k) => name(input, k)),
        );
        expect([...tuples.flat(), ...dropped].sort()).toEqual(all.sort());
        expect(gate.waiters.size).toBe(0);
      }),
      { numRuns: 500 * times },
    );
  },
  20_000 * times,
);
