import fc from 'fast-check';
import { catchError, defer, EMPTY, map, Observable, of, throwError, type ObservableInput } from 'rxjs';
import {
  abortable,
  circuitBreaker,
  deadLetter,
  findCleanupScope,
  fromPull,
  hedge,
  retryBackoff,
  timeoutWithCleanup,
  usingAsync,
} from '../../../src/index.js';
import type { Ledger } from './Ledger.js';
import type { Parcel } from './Parcel.js';
import { Fault, type CleanupProgram } from './Trial.js';

/** How the work for a value goes. */
export interface WorkProgram {
  readonly kind: (typeof kinds)[number];
  /** How many values it gives, and how long each takes. */
  readonly results: number;
  readonly ms: number;
  readonly cleanup: CleanupProgram;
  readonly fails: boolean;
}

const kinds = [
  'timed',
  'array',
  'promise',
  'generator',
  'async generator',
  'fromPull',
  'abortable',
  'signal',
  'retryBackoff',
  'deadLetter',
  'timeoutWithCleanup',
  'circuitBreaker',
  'hedge',
  'usingAsync',
] as const;

/** Shorter than any patience, so that only what hangs is given up. */
const longestCleanup = 9;
export const patience = 40;
const shortPatience = 15;

export const rarely = <T>(arbitrary: fc.Arbitrary<T>, otherwise: T): fc.Arbitrary<T> =>
  fc.oneof({ weight: 8, arbitrary: fc.constant(otherwise) }, { weight: 1, arbitrary });

export const cleanups = (faults: boolean): fc.Arbitrary<CleanupProgram> =>
  fc.record({
    how: faults
      ? fc.constantFrom('none' as const, 'settles' as const, 'settles' as const, 'fails' as const, 'hangs' as const)
      : fc.constantFrom('none' as const, 'settles' as const),
    ms: fc.nat(longestCleanup),
  });

/** They cut their source off by themselves, and leave clean-up that hangs to the slot, which waits for as long as it takes. */
const cutting: readonly WorkProgram['kind'][] = ['retryBackoff', 'deadLetter', 'timeoutWithCleanup', 'hedge'];

export const works = (faults: boolean): fc.Arbitrary<readonly WorkProgram[]> =>
  fc.array(
    fc
      .record({
        kind: fc.constantFrom(...kinds),
        results: fc.constantFrom(1, 1, 0, 2, 3),
        ms: fc.nat(6),
        cleanup: cleanups(faults),
        fails: faults ? rarely(fc.constant(true), false) : fc.constant(false),
      })
      .map((work): WorkProgram => {
        const { kind, cleanup } = work;
        const mayHang = cleanup.how !== 'hangs' || !cutting.includes(kind);
        return mayHang ? work : { ...work, cleanup: { ...cleanup, how: 'settles' } };
      }),
    { minLength: 1, maxLength: 3 },
  );

/** They bring more than one result at a time, whoever may be full. */
export function givesMany(list: readonly WorkProgram[]): boolean {
  return list.some(({ kind, results }) => results > 1 || (results === 1 && cutting.includes(kind)));
}

export function workFor(
  ledger: Ledger,
  parcel: Parcel,
  work: WorkProgram,
  context: { readonly signal: AbortSignal },
): ObservableInput<Parcel> {
  const { trial } = ledger;
  const { scheduler } = trial;
  const { kind, ms, results, cleanup, fails } = work;
  const timed = (fails: boolean) => timedWork(ledger, parcel, { ...work, fails });
  switch (kind) {
    case 'array':
      if (fails) return throwError(() => new Fault('the work'));
      return Array.from({ length: results }, () => ledger.promise(parcel.part()));
    case 'promise': {
      const { close, hang } = ledger.begin(parcel);
      hang(); // nobody can wait for a promise that cannot be told to stop
      return trial.later(ms).then(() => {
        close();
        if (fails) throw new Fault('the work');
        return ledger.promise(parcel.part());
      });
    }
    case 'generator':
      return generatorWork(ledger, parcel, work);
    case 'async generator':
      return asyncGeneratorWork(ledger, parcel, work);
    case 'fromPull':
      return fromPull(() => asyncGeneratorWork(ledger, parcel, work), { onDrop: ledger.drop, scheduler });
    case 'abortable':
      return abortable((signal) => abortableWork(ledger, parcel, work, signal)).pipe(
        map(() => ledger.make(parcel.part())),
      );
    case 'signal':
      return abortableWork(ledger, parcel, work, context.signal).then(() => ledger.promise(parcel.part()));
    case 'retryBackoff': {
      let attempts = 0;
      return defer(() => timed(attempts++ === 0 || fails)).pipe(
        retryBackoff({ count: 1, initialDelay: ms, jitter: 'none', cleanupTimeout: shortPatience, scheduler }),
      );
    }
    case 'deadLetter':
      return timed(true).pipe(
        deadLetter(parcel, { attempts: 2, to: () => trial.later(ms), cleanupTimeout: shortPatience, scheduler }),
      );
    case 'timeoutWithCleanup':
      return timed(fails).pipe(
        timeoutWithCleanup({
          total: 3,
          cleanupTimeout: shortPatience,
          with: () => of(ledger.make(parcel.part())),
          scheduler,
        }),
      );
    case 'circuitBreaker':
      return timed(fails).pipe(
        circuitBreaker({ scheduler }),
        catchError(() => EMPTY),
      );
    case 'hedge':
      return timed(fails).pipe(hedge({ after: 2, cleanupTimeout: shortPatience, scheduler }));
    case 'usingAsync':
      return usingAsync({
        acquire: async () => {
          await trial.later(ms);
          return ledger.begin(parcel);
        },
        use: () => Array.from({ length: results }, () => ledger.promise(parcel.part())),
        release: (closing, { kind: outcome }) => trial.cleanUp(cleanup, closing, outcome === 'cancel'),
        cleanupTimeout: shortPatience,
        scheduler,
      });
    default:
      return timed(fails);
  }
}

/** Stops when it is told to, and is over when it has cleaned up. */
async function abortableWork(
  ledger: Ledger,
  parcel: Parcel,
  { ms, cleanup, fails }: WorkProgram,
  signal: AbortSignal,
): Promise<void> {
  const { trial } = ledger;
  const { close } = ledger.begin(parcel);
  const aborted = new Promise((resolve) => {
    signal.addEventListener('abort', resolve, { once: true });
  });
  await Promise.race([trial.later(ms), aborted]);
  if (signal.aborted && cleanup.how !== 'none') await trial.later(cleanup.ms);
  close();
  signal.throwIfAborted();
  if (fails) throw new Fault('the work');
}

/** Cannot wait. */
export function timedWork(
  ledger: Ledger,
  parcel: Parcel,
  { results, ms, cleanup, fails }: WorkProgram,
): Observable<Parcel> {
  const { trial } = ledger;
  return new Observable((subscriber) => {
    const scope = findCleanupScope(subscriber);
    const closing = ledger.begin(parcel);
    let isOver = false;
    subscriber.add(() => {
      const cleaned = trial.cleanUp(cleanup, closing, !isOver);
      if (scope && cleaned) scope.track(cleaned);
      else cleaned?.catch(() => {});
    });
    let count = 0;
    const goOn = () => {
      while (!subscriber.closed) {
        if (count === results) {
          isOver = true;
          if (fails) subscriber.error(new Fault('the work'));
          else subscriber.complete();
          return;
        }
        count++;
        subscriber.next(ledger.make(parcel.part()));
        if (ms > 0) {
          trial.after(ms, goOn);
          return;
        }
      }
    };
    if (ms > 0) trial.after(ms, goOn);
    else goOn();
  });
}

function* generatorWork(ledger: Ledger, parcel: Parcel, { results, fails }: WorkProgram): Generator<Parcel> {
  const { close } = ledger.begin(parcel, 1);
  try {
    for (let i = 0; i < results; i++) yield ledger.make(parcel.part());
    if (fails) throw new Fault('the work');
  } finally {
    close();
  }
}

async function* asyncGeneratorWork(
  ledger: Ledger,
  parcel: Parcel,
  { results, ms, cleanup, fails }: WorkProgram,
): AsyncGenerator<Parcel> {
  const closing = ledger.begin(parcel);
  let isOver = false;
  try {
    for (let i = 0; i < results; i++) {
      await ledger.trial.later(ms);
      yield ledger.make(parcel.part());
    }
    isOver = true;
    if (fails) throw new Fault('the work');
  } finally {
    await ledger.trial.cleanUp(cleanup, closing, !isOver);
  }
}
