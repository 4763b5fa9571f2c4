import { concat, config, merge, Observable, type MonoTypeOperatorFunction } from 'rxjs';
import { findGate, gatedBy, toAsyncIterable } from '../../../src/index.js';
import { operate } from '../../../src/internal/operate.js';
import { LevelGate } from '../../../src/link/LevelGate.js';
import { ManualGate } from '../ManualGate.js';
import { Ledger } from './Ledger.js';
import type { Parcel } from './Parcel.js';
import {
  boundariesOf,
  possibleErrors,
  takesAll,
  type Boundary,
  type ConsumerProgram,
  type PipelineProgram,
} from './program.js';
import { sourceOf } from './sources.js';
import { buildStage, modelOf } from './stages.js';
import { demandInto, tooMany, type StageModel } from './StageModel.js';
import { Fault, theSources, Trial } from './Trial.js';
import { patience } from './works.js';

type Operator = MonoTypeOperatorFunction<Parcel>;

/** Nothing takes longer, even if everything hangs that can, in ms. */
const mostMs = 20_000;

/** Runs a program, and gives what went against the rules. */
export async function runPipeline(program: PipelineProgram): Promise<readonly string[]> {
  const trial = new Trial();
  const unhandled: unknown[] = [];
  const { onUnhandledError } = config;
  config.onUnhandledError = (error: unknown) => unhandled.push(error);
  try {
    const run = new PipelineRun(program, trial);
    run.start();
    await trial.run(() => run.isOver, mostMs);
    trial.check(run.isOver, () => 'it comes to no end though nothing is under way');
    await trial.run(() => false, trial.clock.frame + mostMs);
    await new Promise((resolve) => setTimeout(resolve)); // what is unhandled is reported by a timer
    trial.end();
    for (const error of unhandled)
      trial.check(
        run.isExpected(error),
        () => `unhandled: ${error instanceof Error ? String(error.stack) : String(error)}`,
      );
  } finally {
    config.onUnhandledError = onUnhandledError;
  }
  return trial.problems;
}

class PipelineRun {
  isOver = false;
  private end: 'complete' | 'error' | 'left' | undefined;
  private readonly boundaries: readonly Boundary[];
  private readonly models: readonly StageModel[];
  private readonly expectedErrors: readonly string[];
  private readonly hasFaults: boolean;
  private readonly origin: Ledger;
  private exhausted = 0;
  private readonly gates = new Set<LevelGate>();
  private readonly gate = new ManualGate(true);
  private readonly delivered = new Set<Parcel>();
  /** Passed on by a stage, and on its way to the next. */
  private readonly crossing = new Map<Parcel, string>();
  private turns = 0;

  constructor(
    private readonly program: PipelineProgram,
    private readonly trial: Trial,
  ) {
    this.boundaries = boundariesOf(program);
    this.models = program.stages.map(modelOf);
    this.hasFaults = /:"(?:fails|hangs)"|"fails":true|"failsAt":\d/.test(JSON.stringify(program));
    this.expectedErrors = possibleErrors(program);
    // What a source that echoes pushes into what has failed a moment ago is lost, as in RxJS.
    const echoes = program.sources.some(({ kind }) => kind === 'echo');
    this.origin = new Ledger(trial, theSources, 'the sources', echoes ? { forgets: 'when cut off' } : {});
  }

  isExpected(error: unknown): boolean {
    if (error instanceof Fault) return true;
    if (!(error instanceof Error)) return false;
    const { name } = error;
    if (this.expectedErrors.includes(name)) return true;
    return (
      this.hasFaults &&
      ['CleanupTimeoutError', 'ReleaseError', 'AggregateError', 'TimeoutWithCleanupError'].includes(name)
    );
  }

  start(): void {
    const { sources, combine, stages, consumer } = this.program;
    const { trial } = this;
    const all = sources.map((source, i) =>
      sourceOf(trial, source, String.fromCharCode(97 + i), {
        make: (parcel) => this.origin.make(parcel),
        drop: (parcel) => {
          this.origin.drop(parcel); // whose end, where they are subscribed to again, is that of another subscription
        },
        exhausted: () => this.exhausted++,
      }),
    );
    const combined = (combine === 'concat' ? concat(...all) : merge(...all)).pipe(
      this.leaving(this.origin, this.boundaries[0] as Boundary),
    );
    const result = stages.reduce((source, _, i) => this.stage(source, i), combined);
    trial.finally(() => {
      for (const [parcel, where] of this.crossing) trial.check(false, () => `${parcel.name} is lost behind ${where}`);
      trial.check(this.gate.waiters.size === 0, () => 'somebody waits at the gate of the consumer');
      for (const gate of this.gates) trial.check(!gate.hasWaiters, () => 'somebody waits at a gate');
      if (this.end === 'complete' && !this.hasFaults && this.expectedErrors.length === 0 && takesAll(this.program))
        trial.check(this.exhausted >= sources.length, () => 'it is complete, but a source is not exhausted');
    });
    this.consume(result, consumer);
  }

  private stage(source: Observable<Parcel>, index: number): Observable<Parcel> {
    const program = this.program.stages[index] as PipelineProgram['stages'][number];
    const model = this.models[index] as StageModel;
    return new Observable((destination) => {
      const ledger = new Ledger(this.trial, index, program.name, model);
      source
        .pipe(
          this.entering(ledger, model, (this.boundaries[index] as Boundary).demand),
          buildStage(program, ledger),
          this.leaving(ledger, this.boundaries[index + 1] as Boundary),
        )
        .subscribe(destination);
    });
  }

  /** What comes into a stage; afterwards no more wait than may. */
  private entering(ledger: Ledger, model: StageModel, source: Boundary['demand']): Operator {
    const { trial } = this;
    const { holds = Infinity, capacity = Infinity } = model;
    const most = Math.min(holds + tooMany(demandInto(source, model)), capacity);
    return (source) =>
      new Observable((destination) => {
        const gate = findGate(destination);
        if (gate instanceof LevelGate) this.gates.add(gate);
        if (!this.models.slice(0, ledger.index).some(({ cutsScope }) => cutsScope)) ledger.beginAttempt();
        source.subscribe(
          operate<Parcel, Parcel>({
            destination,
            next: (parcel) => {
              this.crossing.delete(parcel);
              ledger.enter(parcel);
              ledger.busy++;
              destination.next(parcel);
              ledger.busy--;
              const { waiting } = ledger;
              trial.check(
                waiting <= most || ledger.busy > 0 || destination.closed,
                () => `${String(waiting)} wait in ${ledger.name}, not ${String(most)}`,
              );
            },
            error: (error) => {
              ledger.sourceEnded = true;
              destination.error(error);
            },
            complete: () => {
              ledger.sourceEnded = true;
              destination.complete();
            },
          }),
        );
      });
  }

  /** What comes out of a stage: in order, as demand allows, and with its clean-up over at the end. */
  private leaving(ledger: Ledger, { demand, order }: Boundary): Operator {
    const { trial } = this;
    const most = tooMany(demand);
    return (source) =>
      new Observable((destination) => {
        const gate = findGate(destination);
        const last = new Map<number, Parcel>();
        let unasked = 0;
        source.subscribe(
          operate<Parcel, Parcel>({
            destination,
            next: (parcel) => {
              ledger.leave(parcel);
              unasked = gate && !gate.ready ? unasked + 1 : 0;
              trial.check(
                unasked <= most,
                () => `${String(unasked)} come out of ${ledger.name} though nobody can take them, not ${String(most)}`,
              );
              if (order !== 'none') {
                const lane = order === 'kept' ? 0 : parcel.key;
                const before = last.get(lane);
                trial.check(
                  before === undefined || before.isBefore(parcel),
                  () => `${parcel.name} comes out of ${ledger.name} behind ${String(before)}`,
                );
                last.set(lane, parcel);
              }
              if (!destination.closed) this.crossing.set(parcel, ledger.name);
              ledger.busy++;
              destination.next(parcel);
              ledger.busy--;
            },
            error: (error) => {
              ledger.end = 'error';
              const { opened } = trial;
              destination.error(error);
              this.checkCleanedUp(ledger, opened);
            },
            complete: () => {
              ledger.end = 'complete';
              const { opened } = trial;
              destination.complete();
              this.checkCleanedUp(ledger, opened);
            },
          }),
        );
      });
  }

  /**
   * Right behind the end: where there is nothing to wait for, the teardown comes after that, as in RxJS. Of what was opened before it: a
   * `retry` below opens the sources anew.
   */
  private checkCleanedUp(ledger: Ledger, opened: number): void {
    const { waitsFor } = this.models[ledger.index] ?? {};
    if (!waitsFor) return;
    this.trial.check(ledger.isCleanedUp, () => `${ledger.name} ends before its work has cleaned up`);
    if (waitsFor === 'its work' || !ledger.hasCut || this.models.slice(0, ledger.index).some((m) => m.cutsScope))
      return;
    const open = this.trial.stillOpen(ledger.index, opened);
    this.trial.check(open.length === 0, () => `${ledger.name} ends before the clean-up of ${open.join(', ')}`);
  }

  // The consumer

  private ends(end: 'complete' | 'error' | 'left', error?: unknown): void {
    const { trial } = this;
    trial.check(this.end === undefined || this.end === 'left', () => `it ends twice: ${String(this.end)}, ${end}`);
    if (end === 'error')
      trial.check(
        this.isExpected(error),
        () => `it fails: ${error instanceof Error ? String(error.stack) : String(error)}`,
      );
    this.end ??= end;
    this.isOver = true;
  }

  private deliver(parcel: Parcel): void {
    const { trial } = this;
    trial.check(this.end === undefined, () => `${parcel.name} is delivered after the end`);
    trial.check(!this.delivered.has(parcel), () => `${parcel.name} is delivered twice`);
    this.crossing.delete(parcel);
    this.delivered.add(parcel);
    trial.taken();
  }

  private consume(result: Observable<Parcel>, { kind, ms, highWaterMark, leaves }: ConsumerProgram): void {
    const { trial, gate } = this;
    const pace = () => ms[this.turns++ % ms.length] ?? 0;
    const taken = (leave: () => void) => {
      if (leaves?.at === 'value' && this.delivered.size === leaves.count) leave();
    };
    if (kind === 'reader') {
      void this.read(result, pace, highWaterMark, leaves);
      return;
    }
    if (kind === 'closing') {
      let at = 0;
      for (const each of ms) {
        trial.after((at += each), () => (gate.ready = false));
        trial.after((at += pace() + 1), () => (gate.ready = true));
      }
    }
    const leave = () => {
      if (this.end !== undefined) return;
      this.ends('left');
      subscriber.unsubscribe();
    };
    const subscriber = operate<Parcel, never>({
      next: (parcel) => {
        if (kind === 'slow') {
          gate.ready = false;
          trial.after(pace(), () => (gate.ready = true));
        }
        this.deliver(parcel);
        taken(leave);
      },
      error: (error) => {
        this.ends('error', error);
      },
      complete: () => {
        this.ends('complete');
      },
    });
    (kind === 'subscribe' ? result : result.pipe(gatedBy(gate))).subscribe(subscriber);
    if (leaves?.at === 'ms') trial.after(leaves.count, leave);
  }

  private async read(
    result: Observable<Parcel>,
    pace: () => number,
    highWaterMark: number,
    leaves: ConsumerProgram['leaves'],
  ): Promise<void> {
    const { trial } = this;
    const { scheduler } = trial;
    const onDrop = (parcel: Parcel) => this.crossing.delete(parcel);
    const iterable = toAsyncIterable(result, {
      highWaterMark,
      bufferSize: Infinity,
      onDrop,
      cleanupTimeout: patience,
      scheduler,
    });
    const iterator = iterable[Symbol.asyncIterator]();
    let hasLeft = false;
    let isReturned = false;
    const leave = async () => {
      if (hasLeft || this.end !== undefined) return;
      hasLeft = true;
      try {
        await iterator.return?.();
      } catch (error) {
        trial.check(this.isExpected(error), () => `return() fails: ${String(error)}`);
      }
      isReturned = true;
      this.readerIsDone();
      if (this.end === undefined) this.ends('left');
    };
    if (leaves?.at === 'ms') trial.after(leaves.count, () => void leave());
    try {
      for (;;) {
        const next = await iterator.next();
        if (next.done) break;
        this.deliver(next.value);
        if (leaves?.at === 'value' && this.delivered.size === leaves.count) {
          await leave();
          return;
        }
        await trial.later(pace());
      }
      if (hasLeft && !isReturned) return; // what is asked for afterwards is told at once that it is over
      this.readerIsDone();
      if (this.end === undefined) this.ends('complete');
    } catch (error) {
      this.readerIsDone();
      if (this.end === undefined) this.ends('error', error);
    }
  }

  private readerIsDone(): void {
    if (this.models.some(({ cutsScope }) => cutsScope)) return;
    const open = this.trial.stillOpen(Infinity);
    this.trial.check(
      open.length === 0,
      () => `the reader is told of the end before the clean-up of ${open.join(', ')}`,
    );
  }
}
