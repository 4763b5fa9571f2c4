import fc from 'fast-check';
import { Subject, VirtualTimeScheduler, type Subscription } from 'rxjs';
import { expect, it } from 'vitest';
import { fromPull, gatedBy } from '../../src/index.js';
import { rateLimit } from '../../src/operators/rateLimit.js';
import { createRateLimiter } from '../../src/resources/createRateLimiter.js';
import { CountedSignal } from '../support/CountedSignal.js';
import { ManualGate } from '../support/ManualGate.js';
import { settle } from '../support/settle.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

const algorithms = ['sliding-window', 'token-bucket', 'spaced', 'fixed-window'] as const;

interface Item {
  readonly id: number;
  readonly key: number;
  readonly cost: number;
}

interface Passed extends Item {
  readonly at: number;
}

/** The most permits in any interval that is open at its end; where it is most, it begins with one. */
const most = (passed: readonly Passed[], interval: number) =>
  Math.max(
    0,
    ...passed.map(({ at }) =>
      passed.filter((each) => each.at >= at && each.at < at + interval).reduce((sum, { cost }) => sum + cost, 0),
    ),
  );

const timersOf = (scheduler: VirtualTimeScheduler) => scheduler.actions.filter(({ closed }) => !closed).length;

const programs = fc.record({
  limit: fc.integer({ min: 1, max: 4 }),
  interval: fc.constantFrom(1, 3, 10),
  algorithm: fc.constantFrom(...algorithms),
  burst: fc.integer({ min: 1, max: 5 }),
  mode: fc.constantFrom('shape' as const, 'shape' as const, 'enforce' as const, 'drop' as const),
  bufferSize: fc.constantFrom(1, 3, Infinity),
  overflow: fc.constantFrom('error' as const, 'drop-oldest' as const, 'drop-newest' as const, 'drop-buffer' as const),
  keys: fc.integer({ min: 1, max: 3 }),
  costs: fc.boolean(),
  source: fc.constantFrom('waits' as const, 'cannot wait' as const),
  items: fc.array(fc.record({ gap: fc.nat(4), key: fc.nat(2), cost: fc.nat(4) }), { maxLength: 30 }),
  /** When the gate below opens and closes in turn. */
  moves: fc.array(fc.nat(8), { maxLength: 15 }),
  hasGate: fc.boolean(),
  /** What the consumer takes each time that the gate opens. */
  takes: fc.constantFrom(1, Infinity),
  end: fc.record({
    kind: fc.constantFrom('complete' as const, 'complete' as const, 'error' as const, 'unsubscribe' as const),
    at: fc.nat(60),
  }),
});

it(
  'one pipeline: never more than the limit, each value passes or is dropped once, in order, and nothing is left behind',
  () => {
    fc.assert(
      fc.property(programs, ({ limit, interval, algorithm, burst, mode, bufferSize, overflow, keys, source, ...p }) => {
        const scheduler = new VirtualTimeScheduler();
        const gate = new ManualGate(!p.hasGate);
        const capacity = algorithm === 'token-bucket' ? burst : limit;
        const items = p.items.map(({ key, cost }, id): Item => {
          return { id, key: key % keys, cost: p.costs ? cost % (capacity + 1) : 1 };
        });
        const passed: Passed[] = [];
        const dropped: Item[] = [];
        const came: Item[] = [];
        const ends: string[] = [];
        let wrong = 0;

        const subject = new Subject<Item>();
        const given =
          source === 'waits'
            ? fromPull(
                (function* () {
                  for (const item of items) {
                    came.push(item);
                    yield item;
                  }
                })(),
                { slice: Infinity },
              )
            : subject;
        let subscription: Subscription | undefined = undefined;
        subscription = given
          .pipe(
            rateLimit({
              limit,
              interval,
              algorithm,
              mode,
              bufferSize,
              overflow,
              scheduler,
              ...(algorithm === 'token-bucket' && { burst }),
              ...(keys > 1 && { key: ({ key }: Item) => key }),
              cost: ({ cost }) => cost,
              onDrop: (item) => dropped.push(item),
            }),
            gatedBy(gate),
          )
          .subscribe({
            next: (item) => {
              if (ends.length > 0 || (source === 'waits' && !gate.ready)) wrong++;
              passed.push({ ...item, at: scheduler.frame });
              if (p.hasGate && p.takes === 1) gate.ready = false;
            },
            error: (error: unknown) => ends.push(String(error)),
            complete: () => ends.push('complete'),
          });

        let at = 0;
        if (source === 'cannot wait') {
          for (const [i, item] of items.entries()) {
            at += p.items[i]?.gap ?? 0;
            scheduler.schedule(() => {
              if (!subject.observed) return;
              came.push(item);
              subject.next(item);
            }, at);
          }
          scheduler.schedule(() => {
            subject.complete();
          }, at);
        }
        if (p.hasGate) {
          at = 0;
          for (const gap of p.moves) {
            at += gap;
            scheduler.schedule(() => (gate.ready = !gate.ready), at);
          }
        }
        if (p.end.kind !== 'complete')
          scheduler.schedule(() => {
            if (p.end.kind === 'error') subject.error('source');
            else {
              if (ends.length === 0) ends.push('unsubscribed');
              subscription?.unsubscribe();
            }
          }, p.end.at);
        scheduler.flush();
        for (let i = 0; i < 100 && ends.length === 0; i++) {
          gate.ready = true;
          scheduler.flush();
        }

        expect(wrong).toBe(0);
        expect(ends).toHaveLength(1);
        expect(timersOf(scheduler)).toBe(0);
        expect(gate.waiters.size).toBe(0);
        for (let key = 0; key < keys; key++) {
          const ofKey = passed.filter((item) => item.key === key);
          expect(ofKey.map(({ id }) => id)).toEqual([...ofKey].map(({ id }) => id).sort((a, b) => a - b));
          const bound = { 'token-bucket': burst + limit, 'fixed-window': 2 * limit }[algorithm as string] ?? limit;
          // Who takes several at a time from 'spaced' pauses afterwards, so one of them may be beyond.
          const beyond = algorithm === 'spaced' ? Math.max(0, ...ofKey.map(({ cost }) => cost - 1)) : 0;
          expect(most(ofKey, interval)).toBeLessThanOrEqual(bound + beyond);
        }
        const ids = [...passed, ...dropped].map(({ id }) => id).sort((a, b) => a - b);
        expect(ids).toEqual(came.map(({ id }) => id));
        if (ends[0] === 'complete' && mode === 'shape' && (bufferSize === Infinity || source === 'waits'))
          expect(passed.map(({ id }) => id).sort((a, b) => a - b)).toEqual(items.map(({ id }) => id));
        if (source === 'waits') expect(ends[0]).not.toMatch(/Overflow/);
      }),
      { numRuns: 1500 * times },
    );
  },
  30_000 * times,
);

it(
  'where there is always somebody who waits, the limit is reached: in each interval as many as it allows',
  () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom(1, 3, 7, 10, 1000),
        fc.constantFrom(...algorithms),
        fc.integer({ min: 1, max: 40 }),
        (limit, interval, algorithm, intervals) => {
          const scheduler = new VirtualTimeScheduler(undefined, Infinity);
          const values = Array.from({ length: limit * intervals + limit }, (_, i) => i);
          const passed: number[] = [];
          fromPull(values, { slice: Infinity })
            .pipe(rateLimit({ limit, interval, algorithm, scheduler }))
            .subscribe(() => passed.push(scheduler.frame));
          scheduler.flush();
          expect(passed).toHaveLength(values.length);
          const until = intervals * interval;
          expect(passed.filter((at) => at <= until).length).toBeGreaterThanOrEqual(limit * intervals);
        },
      ),
      { numRuns: 200 * times },
    );
  },
  30_000 * times,
);

/** Whoever waits, in a plain model of the sliding window: turns between lines, in a line the first, nobody overtakes. */
class Model {
  readonly taken: Passed[] = [];
  private readonly lines = new Map<number, Item[]>();
  private turns: number[] = [];

  constructor(
    private readonly limit: number,
    private readonly interval: number,
  ) {}

  add(line: number, item: Item): void {
    const waiting = this.lines.get(line) ?? [];
    this.lines.set(line, waiting);
    waiting.push(item);
    if (!this.turns.includes(line)) this.turns.push(line);
  }

  cancel(line: number, id: number): void {
    const waiting = this.lines.get(line)?.filter((item) => item.id !== id) ?? [];
    this.lines.set(line, waiting);
    if (waiting.length === 0) this.turns = this.turns.filter((each) => each !== line);
  }

  run(now: number, pausedUntil: number): void {
    for (;;) {
      const [line] = this.turns;
      const first = line === undefined ? undefined : this.lines.get(line)?.[0];
      if (line === undefined || !first || pausedUntil > now) return;
      const used = this.taken.filter(({ at }) => at > now - this.interval).reduce((sum, { cost }) => sum + cost, 0);
      if (used + first.cost > this.limit) return;
      this.taken.push({ ...first, at: now });
      this.turns.shift();
      this.lines.get(line)?.shift();
      if (this.lines.get(line)?.length) this.turns.push(line);
    }
  }
}

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('ask' as const), line: fc.nat(2), cost: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel' as const), nth: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('pause' as const), ms: fc.nat(15) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('clock' as const), back: fc.integer({ min: 1, max: 50 }) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(12) }) },
  ),
  { maxLength: 40, size: 'max' },
);

it(
  'calls and pipelines that share a limit pass when the model says, cancelled ones never, and nothing is left behind',
  async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (steps) => {
        const limit = 3;
        const interval = 10;
        const scheduler = new VirtualTimeScheduler();
        let offset = 0;
        const clock = {
          now: () => scheduler.now() - offset,
          schedule: (...args: Parameters<typeof scheduler.schedule>) => scheduler.schedule(...args),
        };
        const limiter = createRateLimiter({ limit, interval, scheduler: clock as never });
        const model = new Model(limit, interval);
        const passed: number[] = [];
        const calls: { id: number; controller: CountedSignal }[] = [];
        // Line 0 is acquire, the others are pipelines.
        const pipelines = [1, 2].map(() => {
          const source = new Subject<Item>();
          const subscription = source
            .pipe(rateLimit(limiter, { cost: ({ cost }) => cost }))
            .subscribe(({ id }) => passed.push(id));
          return { source, subscription };
        });
        let pausedUntil = 0;
        let id = 0;
        let sets = 0;
        for (const step of steps) {
          if (step.kind === 'ask') {
            const item = { id: id++, key: 0, cost: step.cost };
            model.add(step.line, item);
            if (step.line === 0) {
              const controller = new CountedSignal();
              calls.push({ id: item.id, controller });
              limiter.acquire({ cost: step.cost, signal: controller.signal }).then(
                () => passed.push(item.id),
                (reason: unknown) => {
                  expect(reason).toBe('why');
                },
              );
            } else pipelines[step.line - 1]?.source.next(item);
          } else if (step.kind === 'cancel') {
            const call = calls[step.nth];
            if (call && !model.taken.some((item) => item.id === call.id)) {
              model.cancel(0, call.id);
              call.controller.abort('why');
            }
          } else if (step.kind === 'pause') {
            limiter.pause(step.ms);
            pausedUntil = Math.max(pausedUntil, scheduler.frame + step.ms);
          } else if (step.kind === 'clock') {
            // Set back and read at once, so that no time is lost, and the model need not know.
            limiter.pause(0);
            offset += step.back;
            limiter.pause(0);
            sets++;
          }
          model.run(scheduler.frame, pausedUntil);
          const until = scheduler.frame + (step.kind === 'wait' ? step.ms : 0);
          for (let at = scheduler.frame; at <= until; at++) {
            scheduler.maxFrames = at;
            scheduler.schedule(() => {}, at - scheduler.frame);
            scheduler.flush();
            model.run(at, pausedUntil);
          }
          await settle(4);
          expect(
            [...passed].sort((a, b) => a - b),
            `after ${sets} settings of the clock`,
          ).toEqual(model.taken.map((item) => item.id).sort((a, b) => a - b));
        }
        expect(limiter.statistics().taken).toBe(model.taken.reduce((sum, { cost }) => sum + cost, 0));
        for (const { subscription } of pipelines) subscription.unsubscribe();
        for (const { controller } of calls) controller.abort('why');
        await settle(4);
        expect(timersOf(scheduler)).toBe(0);
        expect(limiter.statistics().waiting).toBe(0);
        for (const { controller } of calls) expect(controller.listeners).toBe(0);
      }),
      { numRuns: 300 * times },
    );
  },
  30_000 * times,
);

it(
  'a store is asked for one at a time; each permit that it grants is used, kept or counted as unused',
  async () => {
    const program = fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.record({ kind: fc.constant('ask' as const), cost: fc.nat(3) }) },
        { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel' as const), nth: fc.nat(20) }) },
        { weight: 2, arbitrary: fc.constant({ kind: 'grant' as const }) },
        { weight: 1, arbitrary: fc.record({ kind: fc.constant('refuse' as const), ms: fc.nat(9) }) },
        { weight: 1, arbitrary: fc.constant({ kind: 'fail' as const }) },
        { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(12) }) },
      ),
      { maxLength: 40, size: 'max' },
    );
    await fc.assert(
      fc.asyncProperty(program, fc.constantFrom('open' as const, 'closed' as const), async (steps, failure) => {
        const scheduler = new VirtualTimeScheduler();
        let pending: { resolve: (answer: never) => void; reject: (error: unknown) => void; cost: number } | undefined;
        let granted = 0;
        const take = ({ cost }: { cost: number }) => {
          expect(pending).toBeUndefined();
          return new Promise<never>((resolve, reject) => {
            pending = { resolve, reject, cost };
          });
        };
        const limiter = createRateLimiter({
          limit: 3,
          interval: 10,
          scheduler,
          store: { take },
          failure,
          retryDelay: 5,
        });
        const used: { id: number; cost: number }[] = [];
        const calls: { id: number; controller: AbortController }[] = [];
        const answer = (act: (asked: NonNullable<typeof pending>) => void) => {
          const asked = pending;
          pending = undefined;
          if (asked) act(asked);
        };
        for (const step of steps) {
          if (step.kind === 'ask') {
            const call = { id: calls.length, controller: new AbortController() };
            calls.push(call);
            const { signal } = call.controller;
            limiter.acquire({ cost: step.cost, signal }).then(
              () => used.push({ id: call.id, cost: step.cost }),
              () => undefined,
            );
          } else if (step.kind === 'cancel') calls[step.nth]?.controller.abort('why');
          else if (step.kind === 'wait') {
            const until = scheduler.frame + step.ms;
            for (let at = scheduler.frame; at <= until; at++) {
              scheduler.maxFrames = at;
              scheduler.schedule(() => {}, at - scheduler.frame);
              scheduler.flush();
              await settle(4);
            }
          } else
            answer(({ resolve, reject, cost }) => {
              if (step.kind === 'grant' || (step.kind === 'fail' && failure === 'open')) granted += cost;
              if (step.kind === 'grant') resolve({ granted: true, retryAfter: 0 } as never);
              else if (step.kind === 'refuse') resolve({ granted: false, retryAfter: step.ms } as never);
              else reject('down');
            });
          await settle(6);
        }
        for (const { controller } of calls) controller.abort('why');
        await settle(6);
        const ids = used.map(({ id }) => id);
        expect(ids).toEqual([...ids].sort((a, b) => a - b));
        const { taken, unused, waiting } = limiter.statistics();
        const spent = used.reduce((sum, { cost }) => sum + cost, 0);
        expect(taken).toBe(granted);
        expect(granted - spent - unused).toBeGreaterThanOrEqual(0); // what is kept for the next
        expect(granted - spent - unused).toBeLessThanOrEqual(3);
        expect(waiting).toBe(0);
        expect(timersOf(scheduler)).toBe(0);
      }),
      { numRuns: 300 * times },
    );
  },
  30_000 * times,
);
