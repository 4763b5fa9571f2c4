import { lastValueFrom, NEVER, of, throwError, toArray, type Observable } from 'rxjs';
import { bufferedMergeMap, fromPull } from '../../src/index.js';
import { operate } from '../../src/internal/operate.js';
import { deferred, turn } from '../support/settle.js';

export interface Sighting {
  /** A consumer that takes no more stops the reading. */
  readonly demand: boolean;
  /** What arrives of values that come all at once. */
  readonly values: 'each' | 'the last';
  /** When the consumer wants no more, the source is told; and whoever waits for the stop, waits for its clean-up, too. */
  readonly stop: 'waited for' | 'told' | 'not told';
}

/** Where values come from, in any form: counts what is read, and sees when it is told to stop. */
export class Probe {
  read = 0;
  stopped = false;
  /** Ends the clean-up. */
  readonly cleanup = deferred();

  take(): number {
    return ++this.read;
  }

  /** A value in each turn of the event loop. */
  async *values(): AsyncGenerator<number, void> {
    try {
      for (;;) {
        await turn();
        yield this.take();
      }
    } finally {
      await this.stop();
    }
  }

  stop(): Promise<void> {
    this.stopped = true;
    return this.cleanup.promise;
  }
}

/** Until it is so, or for so many turns of the event loop. */
async function until(isSo: () => boolean, turns = 200): Promise<void> {
  for (let i = 0; i < turns && !isSo(); i++) await turn();
}

const never = () => false;

/** More than what streams read ahead. */
const ahead = 10;

/** Of something that comes to RxJS. */
export async function watchSource(
  open: (probe: Probe) => Observable<unknown>,
  give: (values: readonly unknown[]) => Observable<unknown>,
): Promise<Sighting> {
  const read = new Probe();
  const busy = open(read)
    .pipe(bufferedMergeMap(() => NEVER, { concurrent: 1, highWaterMark: 0 }))
    .subscribe();
  await until(() => read.read >= ahead);
  const demand = read.read < ahead;
  read.cleanup.resolve();
  busy.unsubscribe();

  const probe = new Probe();
  const tracked: PromiseLike<unknown>[] = [];
  const consumer = operate<unknown, never>({
    cleanupScope: {
      track: (cleanup) => {
        tracked.push(cleanup);
      },
    },
    next: () => undefined,
  });
  open(probe).subscribe(consumer);
  await until(() => probe.read > 0);
  consumer.unsubscribe();
  const stop = await stopOf(probe, tracked.length > 0 ? Promise.all(tracked) : undefined);
  return { demand, values: valuesOf(await lastValueFrom(give([1, 2, 3]).pipe(toArray()))), stop };
}

/** Something to which RxJS gives its values. */
export interface Outlet {
  /** Lets it take a value. */
  takeOne?(): unknown;
  /** All that arrives; rejects with an error of the source. */
  all(): Promise<readonly unknown[]>;
  /** Wants no more; where that gives a promise, somebody can wait. */
  stop(): unknown;
}

export async function watchOutlet(open: (source: Observable<unknown>) => Outlet): Promise<Sighting> {
  const read = new Probe();
  const outlet = open(fromPull(() => read.values()));
  await outlet.takeOne?.();
  await until(() => read.read >= ahead);
  const demand = read.read < ahead;
  read.cleanup.resolve();
  await outlet.stop();

  const probe = new Probe();
  const stopping = open(fromPull(() => probe.values()));
  await stopping.takeOne?.();
  await until(() => probe.read > 0);
  const stop = await stopOf(probe, stopping.stop());
  return { demand, values: valuesOf(await open(of(1, 2, 3)).all()), stop };
}

async function stopOf(probe: Probe, promise: unknown): Promise<Sighting['stop']> {
  let over = promise === undefined;
  void Promise.resolve(promise).finally(() => (over = true));
  await until(() => probe.stopped);
  if (!probe.stopped) return 'not told';
  await until(never, 20);
  if (over) return 'told';
  probe.cleanup.resolve();
  await promise;
  return 'waited for';
}

function valuesOf(arrived: readonly unknown[]): Sighting['values'] {
  const text = arrived.join();
  if (text === '1,2,3') return 'each';
  if (text === '3') return 'the last';
  throw new Error(`what is ${text}?`);
}

/** What a failure comes to at the outlet. */
export const failureOf = (open: (source: Observable<unknown>) => Outlet, error: Error): Promise<unknown> =>
  open(throwError(() => error))
    .all()
    .catch((caught: unknown) => caught);
