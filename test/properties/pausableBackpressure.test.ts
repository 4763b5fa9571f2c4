import fc from 'fast-check';
import { merge, Subject, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { BufferOverflowError, fromPull, gatedBy, type Overflow } from '../../src/index.js';
import { pausableBackpressure, type DrainPace } from '../../src/operators/pausableBackpressure.js';
import { ManualGate } from '../support/ManualGate.js';
import { collectUnhandled } from '../support/unhandled.js';

/** `RUNS=20 npx vitest run test/properties` looks for the rare ones. */
const times = Number(process.env['RUNS'] ?? 1);

collectUnhandled();

type Step =
  | { readonly what: 'pause' | 'resume' | 'open' | 'close' | 'subscribe anew' }
  | { readonly what: 'send'; readonly count: number }
  | { readonly what: 'wait'; readonly ms: number };

/** What the consumer does inside of `next`, by turns. */
type Reaction = 'nothing' | 'pause' | 'pause and resume' | 'close' | 'send';

interface Program {
  readonly steps: readonly Step[];
  readonly reactions: readonly Reaction[];
  readonly drain: DrainPace;
  readonly highWaterMark: number;
  readonly pulls: boolean;
  readonly initiallyPaused: boolean;
}

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constant('send' as const), count: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 12 }) }) },
  {
    weight: 5,
    arbitrary: fc.constantFrom<Step>(...(['pause', 'resume', 'open', 'close'] as const).map((what) => ({ what }))),
  },
);
const programs: fc.Arbitrary<Program> = fc.record({
  steps: fc.array(step, { maxLength: 30 }),
  reactions: fc.array(fc.constantFrom<Reaction>('nothing', 'nothing', 'pause', 'pause and resume', 'close', 'send'), {
    minLength: 1,
    maxLength: 6,
  }),
  drain: fc.oneof(
    fc.constant('sync' as const),
    fc.record({ perTick: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ interval: fc.integer({ min: 1, max: 5 }) }),
  ),
  highWaterMark: fc.integer({ min: 0, max: 3 }),
  pulls: fc.boolean(),
  initiallyPaused: fc.boolean(),
});

interface Queue {
  readonly mode: 'buffer' | 'latest' | 'drop' | 'resubscribe';
  readonly bufferSize?: number;
  readonly overflow?: Overflow;
}

const mostSent = 500;

/** Runs a program, and then resumes and opens the gate until all is over. */
function run(program: Program, queue: Queue) {
  const { steps, reactions, drain, initiallyPaused, pulls } = program;
  const scheduler = new VirtualTimeScheduler();
  const gate = new ManualGate(true);
  const paused$ = new Subject<boolean>();
  const source = new Subject<number>();
  const log = {
    sent: [] as number[],
    delivered: [] as number[],
    dropped: [] as { value: number; reason: string }[],
    pulled: 0,
    end: 'none',
    error: undefined as unknown,
    problems: [] as string[],
  };
  let paused = initiallyPaused;
  let next = 0;
  let turn = 0;
  let finishing = false;

  const setPaused = (to: boolean) => {
    paused = to;
    paused$.next(to);
  };
  const send = () => {
    if (next >= mostSent || finishing || !source.observed) return;
    log.sent.push(next);
    source.next(next++);
  };
  const pulledNumbers = function* () {
    for (; log.pulled < 20; log.pulled++) {
      if (paused && program.highWaterMark === 0) log.problems.push('pulled while paused');
      yield 1000 + log.pulled;
    }
  };
  const react: Record<Reaction, () => void> = {
    nothing: () => undefined,
    pause: () => {
      setPaused(true);
    },
    'pause and resume': () => {
      setPaused(true);
      setPaused(false);
    },
    close: () => (gate.ready = false),
    send,
  };

  const options = {
    ...queue,
    ...(queue.mode !== 'latest' && { highWaterMark: Math.min(program.highWaterMark, queue.bufferSize ?? Infinity) }),
    drain,
    scheduler,
    initiallyPaused,
    onDrop: (value: number, reason: string) => log.dropped.push({ value, reason }),
  };
  const values = pulls ? merge(source, fromPull(pulledNumbers, { slice: Infinity })) : source;
  const subscription = values.pipe(pausableBackpressure(paused$, options), gatedBy(gate)).subscribe({
    next: (value) => {
      if (paused) log.problems.push(`${String(value)} emitted while paused`);
      if (!gate.ready) log.problems.push(`${String(value)} emitted while the gate was closed`);
      if (log.end !== 'none') log.problems.push('emitted after the end');
      log.delivered.push(value);
      if (!finishing) react[reactions[turn++ % reactions.length] ?? 'nothing']();
    },
    error: (error: unknown) => {
      log.end = 'error';
      log.error = error;
    },
    complete: () => (log.end = 'complete'),
  });

  const wait = (ms: number) => {
    scheduler.maxFrames = scheduler.frame + ms;
    // so that the clock moves even if nothing is due
    scheduler.schedule(() => undefined, ms);
    scheduler.flush();
  };
  const act = (each: Step) => {
    if (each.what === 'send') for (let i = 0; i < each.count; i++) send();
    else if (each.what === 'wait') wait(each.ms);
    else if (each.what === 'pause' || each.what === 'resume') setPaused(each.what === 'pause');
    else gate.ready = each.what === 'open';
  };
  for (const each of steps) act(each);

  const finish = () => {
    finishing = true;
    gate.ready = true;
    setPaused(false);
    source.complete();
    wait(10_000);
    if (gate.waiters.size > 0) log.problems.push('waits at the gate at the end');
  };
  return { log, subscription, finish, source, paused$, gate };
}

const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);
const ofSource = (values: readonly number[]) => values.filter((value) => value < 1000);
const pulledOf = (values: readonly number[]) => values.filter((value) => value >= 1000);
const isSorted = (values: readonly number[]) =>
  values.every((value, i) => i === 0 || value > (values[i - 1] as number));
const count = { numRuns: 500 * times };

describe('however a stream is paused, resumed and held up by its consumer, inside of next too', () => {
  it("mode 'buffer' loses and repeats nothing, keeps the order, and emits nothing meanwhile", () => {
    fc.assert(
      fc.property(programs, (program) => {
        const { log, finish } = run(program, { mode: 'buffer', bufferSize: Infinity });
        finish();
        expect(log.problems).toEqual([]);
        expect(log.end).toBe('complete');
        expect(log.dropped).toEqual([]);
        expect(ofSource(log.delivered)).toEqual(log.sent);
        if (program.pulls) expect(pulledOf(log.delivered)).toEqual(Array.from({ length: 20 }, (_, i) => 1000 + i));
      }),
      count,
    );
  });

  it('each policy delivers or drops each value, once, in order', () => {
    const queues: fc.Arbitrary<Queue> = fc.oneof(
      fc.record({
        mode: fc.constantFrom('buffer' as const, 'drop' as const, 'resubscribe' as const),
        bufferSize: fc.integer({ min: 0, max: 4 }),
        overflow: fc.constantFrom(
          'error' as const,
          'drop-oldest' as const,
          'drop-newest' as const,
          'drop-buffer' as const,
        ),
      }),
      fc.constant({ mode: 'latest' as const }),
    );
    fc.assert(
      fc.property(programs, queues, (program, queue) => {
        // a source that completes is not opened anew: what is pulled would start again
        const { log, finish } = run({ ...program, pulls: program.pulls && queue.mode !== 'resubscribe' }, queue);
        finish();
        expect(log.problems).toEqual([]);
        const dropped = log.dropped.map(({ value }) => value);
        expect(sorted(ofSource([...log.delivered, ...dropped]))).toEqual(log.sent);
        expect(new Set([...log.delivered, ...dropped]).size).toBe(log.delivered.length + dropped.length);
        expect(isSorted(pulledOf(log.delivered))).toBe(true);
        if (queue.overflow === 'error' && log.end === 'error') expect(log.error).toBeInstanceOf(BufferOverflowError);
        else expect(log.end).toBe('complete');
        const reasons = new Set(log.dropped.map(({ reason }) => reason));
        if (queue.mode !== 'drop') expect(reasons).not.toContain('paused');
        expect(reasons).not.toContain('unsubscribe');
      }),
      count,
    );
  });

  it('what is unsubscribed from hands over what waits, and leaves nobody behind', () => {
    fc.assert(
      fc.property(programs, (program) => {
        const { log, subscription, source, paused$, gate } = run(program, { mode: 'buffer', bufferSize: Infinity });
        subscription.unsubscribe();
        expect(log.problems).toEqual([]);
        const dropped = log.dropped.map(({ value }) => value);
        expect(sorted(ofSource([...log.delivered, ...dropped]))).toEqual(log.sent);
        expect(isSorted(ofSource(dropped))).toBe(true);
        expect(new Set(log.dropped.map(({ reason }) => reason))).toEqual(
          new Set(dropped.length > 0 ? ['unsubscribe'] : []),
        );
        expect([source.observed, paused$.observed, gate.waiters.size]).toEqual([false, false, 0]);
      }),
      count,
    );
  });
});
