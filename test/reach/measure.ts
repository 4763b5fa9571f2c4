import { concatWith, config, EMPTY, NEVER, Observable, tap, type Subscriber, Subscription } from 'rxjs';
import { vi } from 'vitest';
import { findGate, fromPull, gatedBy, type Gate } from '../../src/index.js';
import { LevelGate } from '../../src/link/LevelGate.js';
import type { Position, Reach } from './table.js';

/** What was seen of a pull source (the probe) above a gate that opens for a few values at a time. */
interface Sighting {
  /** The probe saw a gate, each time it was subscribed. */
  readonly gateFound: boolean;
  /** How many values came beyond what the gate had asked for, at most. */
  readonly overshoot: number;
  /** How many values the probe had emitted beyond those that the outputs asked for need, at most. */
  readonly ahead: number;
  /** How many of the values that the probe had emitted were inside and came out later, at most. */
  readonly kept: number;
  /** How many values came at all. */
  readonly outputs: number;
}

/** A source of so many values; asked for so many outputs at a time, with a pause in ms after each. */
interface Trial {
  readonly values: number;
  /** Does the source complete after them? Else it falls silent. */
  readonly completes: boolean;
  readonly asks: readonly number[];
  readonly pause: number;
}

const ones = (count: number) => Array.from({ length: count }, () => 1);

/** A long source before consumers that are quicker and slower than the timers in the table, and a short one up to its end. */
const trials: readonly Trial[] = [
  { values: 300, completes: false, asks: [...ones(4), 3, 3, 3], pause: 1 },
  { values: 300, completes: false, asks: [...ones(4), 3, 3, 3], pause: 60 },
  { values: 5, completes: true, asks: ones(30), pause: 20 },
];

/** As short as the shortest timer in the table, in ms. */
const tick = 5;

/** Longer than any timer in the table. */
const patience = 100;

/** Where the probe stands in a pipeline, finds out how far the gate below it reaches. */
export async function measureReach(position: Position): Promise<Reach> {
  if (position.alone) return measureAlone(position);
  const closed = await measureClosed(position);
  if (!closed.gateFound) return closed.emitted > 0 ? 'cut' : fault('It saw no gate, but was held back');
  if (closed.emitted > 0) return fault(`It saw the gate, but emitted ${closed.emitted} values while it was closed`);
  if (position.notifier) return 'side input';

  const sightings: Sighting[] = [];
  for (const trial of trials) {
    const needs = await measureNeeds(position, trial);
    for (const open of [numbers, asyncNumbers]) sightings.push(await measureGated(position, trial, needs, open));
  }
  return classify({
    gateFound: sightings.every(({ gateFound }) => gateFound),
    overshoot: Math.max(...sightings.map(({ overshoot }) => overshoot)),
    ahead: Math.max(...sightings.map(({ ahead }) => ahead)),
    kept: Math.max(...sightings.map(({ kept }) => kept)),
    outputs: Math.max(...sightings.map(({ outputs }) => outputs)),
  });
}

function classify({ gateFound, overshoot, ahead, kept, outputs }: Sighting): Reach {
  if (!gateFound) return fault('It saw the gate in some subscriptions only');
  if (ahead === 0 && outputs === 0) return fault('Nothing came out');
  if (ahead === 0) return overshoot === 0 ? 'exact' : { boundedBy: overshoot + 1 };
  return overshoot > 0 || kept > 1 ? 'holds values' : 'drops values';
}

function fault(message: string): never {
  throw new Error(message);
}

/** The gate opens as the trial says. */
function measureGated(position: Position, trial: Trial, needs: readonly number[], open: Opening): Promise<Sighting> {
  return inVirtualTime(async () => {
    const probe = new Probe(open, trial);
    const consumer = new Consumer();
    const inside: number[][] = [];
    let ahead = 0;
    let subscription = Subscription.EMPTY;

    for (const [i, count] of trial.asks.entries()) {
      consumer.ask(count);
      if (i === 0) subscription = consumer.subscribeTo(position, probe);
      await pass(trial.pause);
      ahead = Math.max(ahead, probe.emitted.size - (needs[consumer.asked - 1] ?? Infinity));
      inside.push([...probe.emitted].filter((value) => !consumer.seen.has(value)));
    }
    consumer.ask(Infinity);
    await settled();
    for (let i = 0; i < trial.values && !consumer.completed && vi.getTimerCount() > 0; i++) await pass(tick);
    subscription.unsubscribe();
    if (probe.pulled > probe.emitted.size + probe.subscriptions) fault('It pulled more than one value ahead');
    const kept = Math.max(...inside.map((values) => values.filter((value) => consumer.seen.has(value)).length));
    return { gateFound: probe.sawGate(), overshoot: consumer.overshoot, ahead, kept, outputs: consumer.received };
  });
}

/** The gate never opens. */
function measureClosed(position: Position): Promise<{ gateFound: boolean; emitted: number }> {
  return inVirtualTime(async () => {
    const probe = new Probe(numbers);
    const consumer = new Consumer();
    const subscription = consumer.subscribeTo(position, probe);
    await pass(patience);
    subscription.unsubscribe();
    return { gateFound: probe.sawGate(), emitted: probe.emitted.size };
  });
}

/** What has no source above gives values all the same while the gate is closed, or it has none. */
function measureAlone(position: Position): Promise<Reach> {
  return inVirtualTime(async () => {
    const consumer = new Consumer();
    const subscription = consumer.subscribeTo(position, new Probe(numbers));
    await pass(patience);
    subscription.unsubscribe();
    return consumer.received > 0 ? 'cannot wait' : 'no values';
  });
}

/**
 * How many values there have to be for the first output, the second, and so on: what has been emitted when it comes, by a
 * source that waits until nothing moves any more before it emits another.
 */
function measureNeeds({ build }: Position, { values, completes, asks }: Trial): Promise<number[]> {
  return inVirtualTime(async () => {
    const outputs = asks.reduce((sum, count) => sum + count);
    const needs: number[] = [];
    const feeds: { subscriber: Subscriber<number>; from: number; given: number }[] = [];
    let subscriptions = 0;
    let emitted = 0;
    const source = new Observable<number>((subscriber) => {
      feeds.push({ subscriber, from: ++subscriptions * 1000, given: 0 });
    });
    const subscription = build(source, (x) => x).subscribe(() => needs.push(emitted));

    for (let idle = 0; needs.length < outputs && idle < 20 && !subscription.closed;) {
      await settled();
      vi.advanceTimersByTime(patience);
      await settled();
      const feed = feeds.shift();
      if (!feed || feed.subscriber.closed) idle++;
      else if (feed.given === values) {
        if (completes) feed.subscriber.complete();
      } else {
        feeds.push(feed);
        emitted++;
        feed.subscriber.next(feed.from + feed.given++);
      }
    }
    subscription.unsubscribe();
    return needs;
  });
}

/** Takes values, and knows how many it has asked for. */
class Consumer {
  asked = 0;
  received = 0;
  overshoot = 0;
  completed = false;
  /** The values of the probe that have come out, in whatever they were wrapped. */
  readonly seen = new Set<number>();
  readonly gate = new LevelGate(() => this.received < this.asked);
  private mayFail = false;

  subscribeTo({ build, gateInside, alone = false }: Position, probe: Probe): Subscription {
    this.mayFail = alone;
    const output = build(probe.source, gatedBy(this.gate));
    return (gateInside ? output : output.pipe(gatedBy(this.gate))).subscribe(this);
  }

  ask(count: number): void {
    this.asked += count;
    this.gate.wake();
  }

  next(output: unknown): void {
    this.received++;
    this.overshoot = Math.max(this.overshoot, this.received - this.asked);
    for (const value of numbersIn(output)) this.seen.add(value);
  }

  complete(): void {
    this.completed = true;
  }

  error(error: unknown): void {
    if (!this.mayFail) throw error;
  }
}

function numbersIn(output: unknown): number[] {
  if (typeof output === 'number') return [output];
  if (typeof output !== 'object' || output === null || output instanceof Observable) return [];
  return Object.values(output).flatMap(numbersIn);
}

/** A pull source that knows what has become of it. Its values tell their subscriptions apart. */
class Probe {
  subscriptions = 0;
  pulled = 0;
  readonly emitted = new Set<number>();
  readonly source: Observable<number>;
  private readonly gates: (Gate | undefined)[] = [];

  constructor(
    open: Opening,
    { values, completes }: Pick<Trial, 'values' | 'completes'> = { values: 5, completes: true },
  ) {
    const each = (value: number) => {
      this.pulled++;
      return value;
    };
    this.source = new Observable((subscriber) => {
      if (subscriber.closed) return; // onErrorResumeNext, when it is unsubscribed
      this.gates.push(findGate(subscriber));
      const start = ++this.subscriptions * 1000;
      fromPull(() => open(start, values, each))
        .pipe(
          concatWith(completes ? EMPTY : NEVER),
          tap((value) => this.emitted.add(value)),
        )
        .subscribe(subscriber);
    });
  }

  sawGate(): boolean {
    if (this.subscriptions === 0) return fault('It was never subscribed');
    return this.gates.every(Boolean);
  }
}

type Opening = (
  start: number,
  count: number,
  each: (value: number) => number,
) => Iterable<number> | AsyncIterable<number>;

const numbers: Opening = function* (start, count, each) {
  for (let i = 0; i < count; i++) yield each(start + i);
};

const asyncNumbers: Opening = async function* (start, count, each) {
  for (let i = 0; i < count; i++) yield each(start + i);
};

const realSetImmediate = setImmediate;

/** Resolves when no microtask is left. */
const settled = () => new Promise<void>((resolve) => void realSetImmediate(resolve));

async function pass(ms: number): Promise<void> {
  await settled();
  for (let left = ms; left > 0; left -= tick) {
    vi.advanceTimersByTime(Math.min(left, tick));
    await settled();
  }
}

async function inVirtualTime<T>(run: () => Promise<T>): Promise<T> {
  const unhandled: unknown[] = [];
  config.onUnhandledError = (error) => void unhandled.push(error);
  vi.useFakeTimers();
  vi.stubGlobal('requestAnimationFrame', (callback: (now: number) => void) =>
    setTimeout(() => {
      callback(Date.now());
    }, 16),
  );
  vi.stubGlobal('cancelAnimationFrame', clearTimeout);
  try {
    const result = await run();
    vi.advanceTimersByTime(0);
    if (unhandled.length > 0) throw unhandled[0];
    return result;
  } finally {
    vi.unstubAllGlobals();
    vi.useRealTimers();
    config.onUnhandledError = null;
  }
}
