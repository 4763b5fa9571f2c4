import fc from 'fast-check';
import { from, Subject, takeUntil, type Subscription } from 'rxjs';
import { expect, it } from 'vitest';
import { gatedBy } from '../../src/index.js';
import { BoundedQueue } from '../../src/resources/BoundedQueue.js';
import { ManualGate } from '../support/ManualGate.js';
import { settle } from '../support/settle.js';
import { collectUnhandled } from '../support/unhandled.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

collectUnhandled();

const which = fc.nat({ max: 15 });
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant({ do: 'put' as const }) },
    { weight: 2, arbitrary: fc.constant({ do: 'tryPut' as const }) },
    { weight: 4, arbitrary: fc.constant({ do: 'take' as const }) },
    { weight: 1, arbitrary: fc.constant({ do: 'tryTake' as const }) },
    { weight: 1, arbitrary: fc.constant({ do: 'open a loop' as const }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('next of a loop' as const), which }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('leave a loop' as const), which }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('subscribe' as const), gated: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('unsubscribe' as const), which }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('abort a put' as const), which }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('abort a take' as const), which }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('move a gate' as const), which, open: fc.boolean() }) },
    { weight: 3, arbitrary: fc.constant({ do: 'settle' as const }) },
  ),
  { maxLength: 100, size: 'max' },
);
const programs = fc.record({
  capacity: fc.constantFrom(0, 1, 2, 5, Infinity),
  steps,
  end: fc.constantFrom('graceful' as const, 'immediate' as const),
});

it(
  'loses no value and gives none twice, in any order of puts, takes, loops, subscriptions and cancellations',
  async () => {
    await fc.assert(
      fc.asyncProperty(programs, async ({ capacity, steps, end }) => {
        const dropped: number[] = [];
        const queue = new BoundedQueue<number>({ capacity, onDrop: (value) => dropped.push(value) });
        const put = new Set<number>();
        const refused = new Set<unknown>();
        const taken: number[] = [];
        const problems: string[] = [];
        const puts: AbortController[] = [];
        const takes: AbortController[] = [];
        const loops: AsyncIterator<number, undefined>[] = [];
        const subscriptions: { subscription: Subscription; gate: ManualGate | undefined }[] = [];
        const calls: Promise<unknown>[] = [];
        let next = 0;

        for (const step of steps) {
          if (step.do === 'put') {
            const value = next++;
            const controller = new AbortController();
            puts.push(controller);
            calls.push(
              queue.put(value, { signal: controller.signal }).then(
                () => put.add(value),
                () => refused.add(value),
              ),
            );
          } else if (step.do === 'tryPut') {
            const value = next++;
            if (queue.tryPut(value)) put.add(value);
          } else if (step.do === 'take') {
            const controller = new AbortController();
            takes.push(controller);
            calls.push(
              queue.take({ signal: controller.signal }).then(
                (value) => taken.push(value),
                () => undefined,
              ),
            );
          } else if (step.do === 'tryTake') {
            const value = queue.tryTake();
            if (value !== undefined) taken.push(value);
          } else if (step.do === 'open a loop') {
            loops.push(queue[Symbol.asyncIterator]());
          } else if (step.do === 'next of a loop') {
            const given = loops[step.which]?.next();
            if (given) calls.push(given.then((result) => (result.done ? 0 : taken.push(result.value))));
          } else if (step.do === 'leave a loop') {
            void loops[step.which]?.return?.();
          } else if (step.do === 'subscribe') {
            const gate = step.gated ? new ManualGate() : undefined;
            const values$ = gate ? from(queue).pipe(gatedBy(gate)) : from(queue);
            const subscription = values$.subscribe((value) => {
              if (gate?.ready === false) problems.push(`${String(value)} passed a gate that was closed`);
              if (gate && value % 3 === 0) gate.ready = false;
              taken.push(value);
            });
            subscriptions.push({ subscription, gate });
          } else if (step.do === 'unsubscribe') subscriptions[step.which]?.subscription.unsubscribe();
          else if (step.do === 'abort a put') puts[step.which]?.abort();
          else if (step.do === 'abort a take') takes[step.which]?.abort();
          else if (step.do === 'move a gate') {
            const gate = subscriptions[step.which]?.gate;
            if (gate) gate.ready = step.open;
          } else await settle(5);

          const { size, puts: all, takes: out, waitingPuts, waitingTakes, unfinished } = queue.statistics();
          if (size > capacity) problems.push('more wait than may');
          if (all !== out + size || unfinished !== all) problems.push('the counts do not add up');
          if (waitingPuts > 0 && size < capacity) problems.push('a put waits although there is room');
          if (waitingTakes > 0 && (size > 0 || waitingPuts > 0))
            problems.push('a take waits although there is a value');
        }

        const join = queue.join();
        for (let i = queue.statistics().takes; i > 0; i--) queue.taskDone();
        queue.close({ immediate: end === 'immediate' });
        for await (const value of queue) {
          taken.push(value);
          queue.taskDone();
        }
        // What subscribers took on the way is theirs to mark.
        for (let i = queue.statistics().unfinished; i > 0; i--) queue.taskDone();
        await join;
        await Promise.all(calls);

        expect(problems).toEqual([]);
        expect([...taken, ...dropped].sort((a, b) => a - b)).toEqual([...put].sort((a, b) => a - b));
        for (const value of refused) expect(put.has(value as number)).toBe(false);
        expect(queue.statistics()).toMatchObject({ size: 0, unfinished: 0, waitingPuts: 0, waitingTakes: 0 });
        for (const { subscription, gate } of subscriptions) {
          expect(subscription.closed).toBe(true);
          expect(gate?.waiters.size ?? 0).toBe(0);
        }
      }),
      { numRuns: 500 * times },
    );
  },
  20_000 * times,
);

it('keeps the order of those who put, for whoever takes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 3 }),
      fc.array(fc.constantFrom('put', 'take', 'settle', 'subscribe', 'stop'), { maxLength: 60, size: 'max' }),
      async (capacity, steps) => {
        const queue = new BoundedQueue<number>({ capacity });
        const taken: number[] = [];
        const stop = new Subject<void>();
        const puts: Promise<void>[] = [];
        for (const step of steps) {
          if (step === 'put') puts.push(queue.put(puts.length));
          else if (step === 'take') taken.push(...[queue.tryTake()].filter((value) => value !== undefined));
          else if (step === 'settle') await settle(3);
          else if (step === 'stop') stop.next();
          else
            from(queue)
              .pipe(takeUntil(stop))
              .subscribe((value) => taken.push(value));
        }
        stop.next();
        for (let value = queue.tryTake(); value !== undefined; value = queue.tryTake()) taken.push(value);
        await Promise.all(puts);
        expect(taken).toEqual(puts.map((_, i) => i));
      },
    ),
    { numRuns: 300 * times },
  );
});
