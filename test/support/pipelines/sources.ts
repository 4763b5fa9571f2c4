import fc from 'fast-check';
import { Observable, Subject, type ObservableInput } from 'rxjs';
import { findCleanupScope, fromPull, usingAsync } from '../../../src/index.js';
import { Parcel } from './Parcel.js';
import { Fault, theSources, type CleanupProgram, type Trial } from './Trial.js';
import { cleanups, rarely } from './works.js';

const pulled = ['generator', 'iterator', 'async generator', 'usingAsync'] as const;
const pushed = ['timer', 'subject', 'burst', 'echo'] as const;

/** Where values come from. */
export interface SourceProgram {
  readonly kind: (typeof pulled)[number] | (typeof pushed)[number];
  /** How many values, and how long each takes, in ms; `'echo'` gives one besides from within whatever the consumer takes. */
  readonly count: number;
  readonly ms: number;
  readonly slice: number;
  readonly failsAt: number | undefined;
  readonly cleanup: CleanupProgram;
}

export const sources = (faults: boolean): fc.Arbitrary<SourceProgram> =>
  fc.record({
    kind: fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...pulled) },
      { weight: 1, arbitrary: fc.constantFrom(...pushed) },
    ),
    count: fc.nat(10),
    ms: fc.nat(6),
    slice: fc.constantFrom(1000, 1, 3),
    failsAt: faults ? rarely<number | undefined>(fc.nat(6), undefined) : fc.constant(undefined),
    cleanup: cleanups(faults),
  });

export const waits = ({ kind }: SourceProgram): boolean => (pulled as readonly string[]).includes(kind);

/** What a source tells: each value when it makes it, and that it has come to its end. */
export interface SourceReport {
  readonly make: (parcel: Parcel) => Parcel;
  readonly drop: (parcel: Parcel) => void;
  readonly exhausted: () => void;
}

/** A source that begins anew with each subscription. */
export function sourceOf(
  trial: Trial,
  program: SourceProgram,
  name: string,
  { make, drop, exhausted }: SourceReport,
): Observable<Parcel> {
  const { kind, count, ms, slice, failsAt, cleanup } = program;
  const { scheduler } = trial;
  const values = () => {
    const epoch = ++trial.epoch;
    return (i: number) => make(new Parcel(`${name}${String(epoch)}-${String(i)}`, [epoch, i], i % 3));
  };
  /** Runs whoever is subscribed to when. */
  const hotValues = () => (i: number) =>
    make(new Parcel(`${name}-${String(i)}`, [trial.epoch, 1e6 + trial.next()], i % 3));
  const opens = () => trial.opens(`source ${name}`, theSources);
  const fault = () => new Fault(`source ${name}`);

  function* generator(): Generator<Parcel> {
    const value = values();
    const { close } = opens();
    try {
      for (let i = 0; i < count; i++) {
        if (i === failsAt) throw fault();
        yield value(i);
      }
      exhausted();
    } finally {
      close();
    }
  }

  async function* asyncGenerator(): AsyncGenerator<Parcel> {
    const value = values();
    const closing = opens();
    let isOver = false;
    try {
      for (let i = 0; i < count; i++) {
        if (ms > 0) await trial.later(ms);
        isOver = i === failsAt;
        if (isOver) throw fault();
        yield value(i);
      }
      isOver = true;
      exhausted();
    } finally {
      await trial.cleanUp(cleanup, closing, !isOver);
    }
  }

  /** Tells `next()` while it is under way that it is over, as streams do. */
  const iterator = (): AsyncIterator<Parcel> => {
    const value = values();
    const closing = opens();
    let i = 0;
    let isOver = false;
    let isBusy = false;
    return {
      next: async () => {
        trial.check(!isBusy, () => `next() of ${name} is called though it is under way`);
        isBusy = true;
        if (ms > 0) await trial.later(ms);
        isBusy = false;
        if (!isOver && (i === failsAt || i === count)) {
          isOver = true;
          closing.close();
          if (i === failsAt) throw fault();
          exhausted();
        }
        return isOver ? { done: true, value: undefined } : { done: false, value: value(i++) };
      },
      return: async () => {
        if (!isOver) {
          isOver = true;
          await trial.cleanUp(cleanup, closing, true);
        }
        return { done: true, value: undefined };
      },
    };
  };

  const timed = (pace: (typeof pushed)[number]) =>
    new Observable<Parcel>((subscriber) => {
      const value = pace === 'subject' ? hotValues() : values();
      const scope = findCleanupScope(subscriber);
      let isOver = false;
      const closing = pace === 'subject' ? undefined : opens(); // that one nobody can end
      subscriber.add(() => {
        if (!closing) return;
        const cleaned = trial.cleanUp(cleanup, closing, !isOver);
        if (scope && cleaned) scope.track(cleaned);
        else cleaned?.catch(() => {});
      });
      let i = 0;
      const goOn = () => {
        while (!subscriber.closed) {
          if (i === failsAt || i >= count) {
            isOver = true;
            if (i === failsAt) subscriber.error(fault());
            else {
              exhausted();
              subscriber.complete();
            }
            return;
          }
          subscriber.next(value(i++));
          if (pace !== 'burst') {
            trial.after(ms, goOn);
            return;
          }
        }
      };
      if (pace === 'echo') subscriber.add(trial.onTaken(goOn));
      if (pace === 'burst') goOn();
      else trial.after(ms, goOn);
    });

  switch (kind) {
    case 'generator':
      return fromPull(generator, { slice, scheduler, onDrop: drop });
    case 'async generator':
      return fromPull(asyncGenerator, { slice, scheduler, onDrop: drop });
    case 'iterator':
      return fromPull(() => ({ [Symbol.asyncIterator]: iterator }), { slice, scheduler, onDrop: drop });
    case 'usingAsync':
      return usingAsync({
        acquire: async () => {
          await trial.later(ms);
          return trial.opens(`the resource of ${name}`, theSources);
        },
        use: (): ObservableInput<Parcel> => fromPull(generator, { slice, scheduler, onDrop: drop }),
        release: (closing, { kind: outcome }) => trial.cleanUp(cleanup, closing, outcome === 'cancel'),
        cleanupTimeout: 15,
        scheduler,
      });
    case 'subject':
      return hot(trial, timed(kind), drop);
    default:
      return timed(kind);
  }
}

/** Runs whether or not somebody listens. */
function hot(trial: Trial, values: Observable<Parcel>, drop: (parcel: Parcel) => void): Observable<Parcel> {
  const subject = new Subject<Parcel>();
  trial.after(0, () => {
    values.subscribe({
      next: (parcel) => {
        if (subject.observed) subject.next(parcel);
        else drop(parcel);
      },
      error: (error: unknown) => {
        subject.error(error);
      },
      complete: () => {
        subject.complete();
      },
    });
  });
  return subject;
}
