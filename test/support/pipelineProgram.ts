import fc from 'fast-check';
import {
  catchError,
  concat,
  finalize,
  from,
  map,
  merge,
  mergeMap,
  noop,
  Observable,
  pipe,
  repeat,
  retry,
  take,
  tap,
  throwError,
  type MonoTypeOperatorFunction,
  type ObservableInput,
} from 'rxjs';
import {
  bufferedMergeMap,
  findCleanupScope,
  findGate,
  fromPull,
  gatedBy,
  toAsyncIterable,
  ungated,
  type Overflow,
  type Pullable,
  type WorkContext,
} from '../../src/index.js';
import { operate } from '../../src/internal/operate.js';
import { LevelGate } from '../../src/link/LevelGate.js';
import { ManualGate } from './ManualGate.js';

/** How long something takes: nothing, a microtask, some microtasks, or a turn of the event loop. */
type Pace = 'at once' | 'microtask' | 'microtasks' | 'turn';

const sourceKinds = [
  'iterable',
  'generator',
  'async iterable',
  'async generator',
  'answers at once',
  'stream',
] as const;
const innerKinds = [
  'of',
  'later',
  'cleaning',
  'promise',
  'signalled',
  'array',
  'iterable',
  'generator',
  'async iterable',
  'async generator',
  'stream',
  'fromPull',
] as const;
const failingKinds = ['throws', 'errors', 'rejects', 'fails later'] as const;
const glues = ['nothing', 'map', 'retry', 'finalize', 'mergeMap', 'there and back'] as const;
const disturbingGlues = ['repeat', 'catchError', 'ungated'] as const;

type SourceKind = (typeof sourceKinds)[number];
type InnerKind = (typeof innerKinds)[number] | (typeof failingKinds)[number];

interface SourceProgram {
  readonly kind: SourceKind;
  readonly count: number;
  readonly slice: number;
  readonly failsAt: number | undefined;
}

interface StageProgram {
  readonly concurrent: number;
  readonly highWaterMark: number;
  /** Beyond `highWaterMark`. */
  readonly spare: number;
  readonly ordered: boolean;
  readonly inners: readonly { readonly kind: InnerKind; readonly results: number }[];
  readonly glue: (typeof glues | typeof disturbingGlues)[number];
  readonly overflow: Overflow;
}

/** A random pipeline of what heeds demand, and how it is used. */
export interface PipelineProgram {
  readonly sources: readonly SourceProgram[];
  readonly combine: 'merge' | 'concat' | 'mergeMap' | 'bufferedMergeMap';
  readonly stages: readonly StageProgram[];
  readonly takes: number | undefined;
  readonly sink: 'subscribe' | 'gated' | 'iterate';
  readonly highWaterMark: number;
  /** Asked for one after the other by whatever takes time. */
  readonly paces: readonly Pace[];
  /** When it is cancelled: after so many turns of the event loop, or inside of so manieth value. */
  readonly cancel: { readonly after: 'turns' | 'values'; readonly count: number } | undefined;
}

const rarely = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

const programs = (fails: boolean): fc.Arbitrary<PipelineProgram> =>
  fc.record({
    sources: fc.array(
      fc.record({
        kind: fc.constantFrom(...sourceKinds),
        count: fc.nat(12),
        slice: fc.constantFrom(1000, 1, 3),
        failsAt: fails ? rarely(fc.nat(6)) : fc.constant(undefined),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    combine: fc.constantFrom('concat' as const, 'merge' as const, 'mergeMap' as const, 'bufferedMergeMap' as const),
    stages: fc.array(
      fc.record({
        concurrent: fc.constantFrom(1, 2, 3, 8, Infinity),
        highWaterMark: fc.constantFrom(0, 1, 2, 5),
        spare: fc.constantFrom(0, 1, Infinity),
        ordered: fc.boolean(),
        inners: fc.array(
          fc.record({
            kind: fails
              ? fc.oneof(
                  { weight: 12, arbitrary: fc.constantFrom(...innerKinds) },
                  { weight: 1, arbitrary: fc.constantFrom(...failingKinds) },
                )
              : fc.constantFrom(...innerKinds),
            results: fc.integer({ min: 1, max: 3 }),
          }),
          { minLength: 1, maxLength: 4 },
        ),
        glue: fails ? fc.constantFrom(...glues, ...disturbingGlues) : fc.constantFrom(...glues),
        overflow: fc.constantFrom<Overflow>('error', 'drop-oldest', 'drop-newest', 'drop-buffer'),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    takes: fails ? rarely(fc.integer({ min: 1, max: 8 })) : fc.constant(undefined),
    sink: fc.constantFrom('subscribe' as const, 'gated' as const, 'iterate' as const),
    highWaterMark: fc.nat(2),
    paces: fc.array(fc.constantFrom<Pace>('at once', 'microtask', 'microtasks', 'turn'), {
      minLength: 1,
      maxLength: 6,
    }),
    cancel: fails
      ? fc.option(fc.record({ after: fc.constantFrom('turns' as const, 'values' as const), count: fc.nat(12) }), {
          nil: undefined,
        })
      : fc.constant(undefined),
  });

/** Pipelines that come to their end by themselves. */
export const endingPipelines = programs(false);
/** Pipelines that are cancelled at any time, or fail, or come to their end. */
export const cancelledPipelines = programs(true);

export interface PipelineOutcome {
  /** `'stalled'`: it came to no end though nothing was under way any more. */
  readonly end: 'complete' | 'error' | 'cancelled' | 'stalled';
  readonly delivered: readonly string[];
  /** What should have been delivered, in order of the sources, if nothing fails. */
  readonly expected: readonly string[];
  /** What went against the rules, in words. */
  readonly problems: readonly string[];
}

/** Turns of the event loop. What is under way needs far fewer. */
const mostTurns = 2000;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

export async function runPipeline(program: PipelineProgram): Promise<PipelineOutcome> {
  const run = new Run(program);
  await run.toEnd();
  return run;
}

const pushing: readonly InnerKind[] = ['of', 'later', 'cleaning', 'promise', 'signalled', ...failingKinds];

/**
 * Each value has a name of its own, and one fate: the stage that it comes to starts it, or it is delivered at the end, or it
 * is dropped.
 */
class Run implements PipelineOutcome {
  end: PipelineOutcome['end'] = 'stalled';
  readonly delivered: string[] = [];
  readonly expected: string[];
  readonly problems: string[] = [];

  private readonly created = new Set<string>();
  private readonly fates = new Map<string, string>();
  /** What has been opened and not closed yet. */
  private readonly open = new Set<string>();
  private readonly gates = new Set<LevelGate>();
  private readonly gate = new ManualGate(true);
  private readonly openings: number[] = [];
  /** Each demand reaches its source. */
  private readonly linked: boolean;
  /** Nothing fails, and everything is subscribed to once. */
  private readonly calm: boolean;
  private emitted = 0;
  private asked = 0;
  private paced = 0;

  constructor(private readonly program: PipelineProgram) {
    const { sources, stages } = program;
    const given = sources.flatMap(({ count }, s) => names(String(s), count));
    this.expected = stages.reduce((values, stage) => values.flatMap((value) => this.resultsOf(stage, value)), given);
    const kinds = stages.flatMap(({ inners }) => inners.map(({ kind }) => kind));
    const stageGlues = stages.map(({ glue }) => glue);
    this.linked = !stageGlues.includes('ungated');
    this.calm =
      sources.every(({ failsAt }) => failsAt === undefined) &&
      !kinds.some((kind) => (failingKinds as readonly string[]).includes(kind)) &&
      !stageGlues.some((glue) => (disturbingGlues as readonly string[]).includes(glue));
  }

  async toEnd(): Promise<void> {
    const { cancel: plan } = this.program;
    const cancel = this.start();
    for (let turns = 0; turns < mostTurns && this.end === 'stalled'; turns++) {
      if (plan?.after === 'turns' && plan.count === turns) cancel();
      else await turn();
    }
    const { emitted } = this;
    for (let turns = 0; turns < 20 || (turns < 200 && this.open.size > 0); turns++) await turn();
    this.check(this.emitted === emitted, 'something was emitted after the end');
    for (const what of this.open) this.check(false, `${what} is still open`);
    for (const value of this.created) this.check(this.fates.has(value), `${value} is lost`);
    this.check(this.gate.waiters.size === 0, 'somebody waits at the gate below');
    for (const gate of this.gates) this.check(!gate.hasWaiters, 'somebody waits at a gate');
  }

  // What is noticed

  private check(holds: boolean, problem: string): void {
    if (!holds) this.problems.push(problem);
  }

  private create(value: string): string {
    this.created.add(value);
    return value;
  }

  private meet(value: string, fate: string): void {
    const other = this.fates.get(value);
    this.check(other === undefined, `${value} is ${String(other)} and ${fate}`);
    this.fates.set(value, fate);
  }

  private readonly onDrop = (value: unknown, reason: string): void => {
    if (typeof value === 'string') this.meet(value, `dropped (${reason})`);
  };

  private opens(what: string): () => void {
    this.check(!this.open.has(what), `${what} is opened twice`);
    this.open.add(what);
    return () => {
      this.check(this.open.delete(what), `${what} is closed twice`);
    };
  }

  private ends(end: PipelineOutcome['end']): void {
    if (this.end === 'stalled') this.end = end;
  }

  // Time

  private soon(callback: () => void): void {
    const { paces } = this.program;
    switch (paces[this.paced++ % paces.length]) {
      case 'microtask':
        queueMicrotask(callback);
        break;
      case 'microtasks':
        void Promise.resolve().then(noop).then(noop).then(callback);
        break;
      case 'turn':
        setImmediate(callback);
        break;
      default:
        callback();
    }
  }

  private pace(): Promise<void> {
    return new Promise((resolve) => {
      this.soon(resolve);
    });
  }

  // What is pulled

  private pullable(
    kind: SourceKind,
    name: string,
    values: readonly string[],
    failsAt?: number,
  ): Pullable<string> & ObservableInput<string> {
    switch (kind) {
      case 'iterable':
        return { [Symbol.iterator]: () => this.iterator(name, values, failsAt) };
      case 'answers at once':
        return {
          [Symbol.asyncIterator]: () => this.iterator(name, values, failsAt) as unknown as AsyncIterator<string>,
        };
      case 'async iterable':
        return { [Symbol.asyncIterator]: () => this.asyncIterator(name, values, failsAt) };
      case 'generator':
        return this.generator(name, values, failsAt);
      case 'async generator':
        return this.asyncGenerator(name, values, failsAt);
      case 'stream':
        return this.stream(name, values, failsAt);
    }
  }

  private iterator(name: string, values: readonly string[], failsAt?: number): Iterator<string> {
    const close = this.opens(`the iterator ${name}`);
    let i = 0;
    return {
      next: () => {
        if (i === failsAt || i === values.length) close();
        if (i === failsAt) throw new Error(name);
        if (i === values.length) return { done: true, value: undefined };
        return { done: false, value: this.create(values[i++] as string) };
      },
      return: () => {
        close();
        return { done: true, value: undefined };
      },
    };
  }

  private asyncIterator(name: string, values: readonly string[], failsAt?: number): AsyncIterator<string> {
    const close = this.opens(`the iterator ${name}`);
    let i = 0;
    let busy = false;
    let returned = false;
    let ended = false;
    return {
      next: async () => {
        this.check(!busy, `next() of ${name} is called though it is under way`);
        busy = true;
        await this.pace();
        busy = false;
        const over = i === failsAt || i === values.length;
        if (over && !returned) close();
        ended = over;
        if (i === failsAt) throw new Error(name);
        if (over) return { done: true, value: undefined };
        return { done: false, value: this.create(values[i++] as string) };
      },
      return: async () => {
        if (!ended || returned) close(); // that it has ended may not be known yet
        returned = true;
        await this.pace();
        return { done: true, value: undefined };
      },
    };
  }

  private *generator(name: string, values: readonly string[], failsAt?: number): Generator<string> {
    const close = this.opens(`the generator ${name}`);
    try {
      for (const [i, value] of values.entries()) {
        if (i === failsAt) throw new Error(name);
        yield this.create(value);
      }
    } finally {
      close();
    }
  }

  private async *asyncGenerator(name: string, values: readonly string[], failsAt?: number): AsyncGenerator<string> {
    const close = this.opens(`the generator ${name}`);
    try {
      for (const [i, value] of values.entries()) {
        if (i === failsAt) throw new Error(name);
        await this.pace();
        yield this.create(value);
      }
    } finally {
      await this.pace();
      close();
    }
  }

  private stream(name: string, values: readonly string[], failsAt?: number): ReadableStream<string> {
    const close = this.opens(`the stream ${name}`);
    let i = 0;
    let cancelled = false;
    return new ReadableStream<string>(
      {
        pull: async (controller) => {
          await this.pace();
          if (cancelled) return;
          const over = i === failsAt || i === values.length;
          if (over) close();
          if (i === failsAt) controller.error(new Error(name));
          else if (over) controller.close();
          else controller.enqueue(this.create(values[i++] as string));
        },
        cancel: async () => {
          cancelled = true;
          await this.pace();
          close();
        },
      },
      { highWaterMark: 0 },
    );
  }

  private source(index: number): Observable<string> {
    const { kind, count, slice, failsAt } = this.program.sources[index] as SourceProgram;
    return fromPull(
      () => {
        const opening = (this.openings[index] = (this.openings[index] ?? 0) + 1);
        const name = opening === 1 ? String(index) : `${String(index)}(${String(opening)})`;
        return this.pullable(kind, name, names(name, count), failsAt);
      },
      { slice, onDrop: this.onDrop },
    );
  }

  // What works

  private innerOf(stage: StageProgram, value: string): StageProgram['inners'][number] {
    const hash = Array.from(value, (char) => char.charCodeAt(0)).reduce((sum, code) => (sum * 31 + code) % 997, 7);
    return stage.inners[hash % stage.inners.length] as StageProgram['inners'][number];
  }

  private resultsOf(stage: StageProgram, value: string): string[] {
    const { kind, results } = this.innerOf(stage, value);
    // What cannot wait gives one: more may be more than may wait.
    return names(value, pushing.includes(kind) ? 1 : results);
  }

  private inner(
    kind: InnerKind,
    name: string,
    results: readonly string[],
    context: WorkContext,
    cleaned: () => void,
  ): ObservableInput<string> {
    const [first = ''] = results;
    switch (kind) {
      case 'throws':
        throw new Error(name);
      case 'errors':
        return throwError(() => new Error(name));
      case 'rejects':
        return this.pace().then(() => Promise.reject(new Error(name)));
      case 'promise':
        return this.pace().then(() => first); // after the end nobody can say what became of it
      case 'signalled':
        return this.work(name, first, context.signal);
      case 'array':
        return [...results];
      case 'fromPull':
        return fromPull(() => this.asyncIterator(name, results), { onDrop: this.onDrop });
      case 'of':
      case 'later':
      case 'cleaning':
      case 'fails later':
        return new Observable((subscriber) => {
          const scope = findCleanupScope(subscriber);
          subscriber.add(this.opens(`the inner source ${name}`));
          if (kind === 'cleaning') {
            subscriber.add(() => {
              const close = this.opens(`the clean-up of ${name}`);
              scope?.track(this.pace().then(close).then(cleaned));
            });
          }
          const emit = () => {
            if (subscriber.closed) return;
            if (kind === 'fails later') {
              subscriber.error(new Error(name));
              return;
            }
            subscriber.next(this.create(first));
            if (kind === 'of') subscriber.complete();
            else
              this.soon(() => {
                subscriber.complete();
              });
          };
          if (kind === 'of') emit();
          else this.soon(emit);
        });
      default:
        return this.pullable(kind, name, results);
    }
  }

  private async work(name: string, result: string, signal: AbortSignal): Promise<string> {
    const close = this.opens(`the work ${name}`);
    const aborted = new Promise((resolve) => {
      signal.addEventListener('abort', resolve, { once: true });
    });
    try {
      await Promise.race([this.pace(), aborted]);
      signal.throwIfAborted();
      return result;
    } finally {
      close();
    }
  }

  private stage(source: Observable<string>, stage: StageProgram): Observable<string> {
    const { concurrent, highWaterMark, spare, ordered, glue } = stage;
    let entered = 0;
    let started = 0;
    let finished = 0;
    /** How much of a value is still to come: its results, and its clean-up. */
    const ahead = new Map<string, number>();
    const advance = (value: string) => {
      const left = (ahead.get(value) ?? 0) - 1;
      ahead.set(value, left);
      if (left === 0) finished++;
    };
    const holds = (most: number, count: number, what: string) => {
      if (this.calm && this.end !== 'cancelled')
        this.check(count <= most, `${String(count)} ${what}, not ${String(most)}`);
    };

    const worked = new Observable<string>((subscriber) => {
      const gate = findGate(subscriber);
      if (gate instanceof LevelGate) this.gates.add(gate);
      source.subscribe(
        operate<string, string>({
          destination: subscriber,
          next: (value) => {
            entered++;
            subscriber.next(value);
            holds(highWaterMark, entered - started, 'wait');
            holds(concurrent + highWaterMark, entered - finished, 'are inside');
          },
        }),
      );
    }).pipe(
      bufferedMergeMap(
        (value: string, _, context) => {
          started++;
          this.meet(value, 'started');
          const results = this.resultsOf(stage, value);
          const { kind } = this.innerOf(stage, value);
          ahead.set(value, results.length + (kind === 'cleaning' ? 1 : 0));
          holds(concurrent, started - finished, 'run');
          return this.inner(kind, value, results, context, () => {
            advance(value);
          });
        },
        {
          concurrent,
          highWaterMark,
          bufferSize: highWaterMark + spare,
          ordered,
          onDrop: this.onDrop,
          onDropResult: this.onDrop,
          overflow: stage.overflow,
        },
      ),
      tap((result) => {
        advance(result.slice(0, result.lastIndexOf('.')));
      }),
    );

    switch (glue) {
      case 'map':
        return worked.pipe(map((value) => value));
      case 'retry':
        return worked.pipe(retry(1));
      case 'finalize':
        return worked.pipe(finalize(noop));
      case 'mergeMap':
        return worked.pipe(mergeMap((value) => [value]));
      case 'there and back':
        return this.thereAndBack(worked);
      case 'repeat':
        return worked.pipe(repeat(2));
      case 'catchError':
        return worked.pipe(catchError(() => this.source(0)));
      case 'ungated':
        return worked.pipe(ungated());
      default:
        return worked;
    }
  }

  private thereAndBack(source: Observable<string>): Observable<string> {
    const { highWaterMark } = this.program;
    const { onDrop } = this;
    return fromPull(() => toAsyncIterable(source, { highWaterMark, bufferSize: highWaterMark, onDrop }), { onDrop });
  }

  // The whole

  private combined(): Observable<string> {
    const { sources, combine } = this.program;
    const indices = sources.map((_, index) => index);
    const all = indices.map((index) => this.source(index));
    switch (combine) {
      case 'concat':
        return concat(...all);
      case 'merge':
        return merge(...all);
      case 'mergeMap':
        return from(indices).pipe(mergeMap((index) => this.source(index)));
      case 'bufferedMergeMap':
        return from(indices).pipe(
          bufferedMergeMap((index) => this.source(index), { concurrent: 2, onDropResult: this.onDrop }),
        );
    }
  }

  /** Gives the cancellation. */
  /** While its last value is on its way down, `take` still lets in what that brings about, and ignores it. */
  private taking(count: number): MonoTypeOperatorFunction<string> {
    let entered = 0;
    return pipe(
      tap((value) => {
        if (++entered > count) this.meet(value, 'ignored by take');
      }),
      take(count),
    );
  }

  private start(): () => void {
    const { stages, takes, sink, highWaterMark, cancel: plan } = this.program;
    const stops: (() => void)[] = [];
    const cancel = () => {
      this.ends('cancelled');
      for (const stop of stops) stop();
    };
    const deliver = (value: string) => {
      this.meet(value, 'delivered');
      this.delivered.push(value);
      if (plan?.after === 'values' && plan.count < this.delivered.length) cancel();
    };

    const result = stages
      .reduce<Observable<string>>((source, stage) => this.stage(source, stage), this.combined())
      .pipe(
        takes === undefined ? (source) => source : this.taking(takes),
        tap(() => this.emitted++),
      );

    if (sink === 'iterate') {
      const counted = result.pipe(
        tap(() => {
          this.check(!this.linked || this.emitted <= this.asked + highWaterMark, 'more was emitted than asked for');
        }),
      );
      const options = { highWaterMark, bufferSize: highWaterMark, onDrop: this.onDrop };
      const iterator = toAsyncIterable(counted, options)[Symbol.asyncIterator]() as Required<AsyncIterator<string>>;
      stops.push(() => void iterator.return());
      void this.iterate(iterator, deliver);
      return cancel;
    }

    const subscriber = operate<string, never>({
      next: (value) => {
        if (sink === 'gated') {
          this.check(!this.linked || this.gate.ready, 'something was emitted though the gate was closed');
          this.gate.ready = false;
        }
        deliver(value);
        if (sink === 'gated') {
          this.soon(() => {
            this.gate.ready = true;
          });
        }
      },
      error: () => {
        this.ends('error');
      },
      complete: () => {
        this.ends('complete');
      },
    });
    stops.push(() => {
      subscriber.unsubscribe();
    });
    (sink === 'gated' ? result.pipe(gatedBy(this.gate)) : result).subscribe(subscriber);
    return cancel;
  }

  private async iterate(iterator: AsyncIterator<string>, deliver: (value: string) => void): Promise<void> {
    try {
      for (;;) {
        this.asked++;
        const result = await iterator.next();
        if (result.done) break;
        deliver(result.value);
        await this.pace();
      }
      this.ends('complete');
    } catch {
      this.ends('error');
    }
  }
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}.${String(i)}`);
}
