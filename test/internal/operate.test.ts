import { config, Observable, of, Subject, type Subscriber } from 'rxjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { operate } from '../../src/internal/operate.js';
import { turn } from '../support/settle.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

/** The subscriber of a consumer that writes down what it gets. */
function recording() {
  const log: unknown[] = [];
  let destination!: Subscriber<unknown>;
  new Observable((subscriber) => {
    destination = subscriber;
  }).subscribe({
    next: (value) => log.push(value),
    error: (error: unknown) => log.push(['error', error]),
    complete: () => log.push('complete'),
  });
  return { log, destination };
}

const throwing = (error: string) => () => {
  throw error;
};

describe('operate', () => {
  const unhandled = collectUnhandled();

  it('passes on what has no handler', () => {
    const { log, destination } = recording();
    of(1, 2).subscribe(operate({ destination }));
    expect(log).toEqual([1, 2, 'complete']);
    const failing = recording();
    operate({ destination: failing.destination }).error('oops');
    expect(failing.log).toEqual([['error', 'oops']]);
  });

  it('gives the handlers what they are for, and nothing of it to the destination', () => {
    const { log, destination } = recording();
    const seen: unknown[] = [];
    const handlers = {
      destination,
      next: (value: number) => seen.push(value),
      error: (error: unknown) => seen.push(['error', error]),
      complete: () => seen.push('complete'),
    };
    of(1).subscribe(operate<number, unknown>(handlers));
    operate<number, unknown>(handlers).error('oops');
    expect(seen).toEqual([1, 'complete', ['error', 'oops']]);
    expect(log).toEqual([]);
  });

  it('needs no destination', () => {
    const subscriber = operate<number, never>({});
    subscriber.next(1);
    subscriber.complete();
    expect(subscriber.closed).toBe(true);
    operate<number, never>({}).error('oops');
    expect(unhandled).toEqual([]);
  });

  it.each(['next', 'error', 'complete'] as const)('makes what the handler of %s throws the error', (kind) => {
    const { log, destination } = recording();
    const subscriber = operate<string, unknown>({ destination, [kind]: throwing('handler') });
    subscriber[kind]('source');
    expect(log).toEqual([['error', 'handler']]);
    expect(subscriber.closed).toBe(true);
  });

  it.each(['next', 'error', 'complete'] as const)('reports what it throws when it is over (%s)', async (kind) => {
    const { log, destination } = recording();
    const handler = () => {
      destination.unsubscribe();
      throw 'handler';
    };
    operate<string, unknown>({ destination, [kind]: handler })[kind]('source');
    expect(await reported(unhandled)).toBe('handler');
    expect(log).toEqual([]);
  });

  it.each(['next', 'error', 'complete'] as const)(
    'reports what it throws where there is no destination (%s)',
    async (kind) => {
      operate<string, never>({ [kind]: throwing('handler') })[kind]('source');
      expect(await reported(unhandled)).toBe('handler');
    },
  );

  it.each(['error', 'complete', 'unsubscribe'] as const)(
    'takes nothing after %s, and says nothing of it',
    async (end) => {
      const said: unknown[] = [];
      config.onStoppedNotification = (notification) => said.push(notification);
      onTestFinished(() => {
        config.onStoppedNotification = null;
      });
      const seen: unknown[] = [];
      const subscriber = operate<number, never>({
        next: (value) => seen.push(value),
        error: (error: unknown) => seen.push(['error', error]),
        complete: () => seen.push('complete'),
      });
      subscriber[end]('first');
      subscriber.next(1);
      subscriber.error('second');
      subscriber.complete();
      expect(seen).toEqual({ error: [['error', 'first']], complete: ['complete'], unsubscribe: [] }[end]);
      await turn();
      expect(said).toEqual([]);
    },
  );

  it.each(['error', 'complete'] as const)(
    'has ended when it is told of the %s, and is unsubscribed afterwards',
    (end) => {
      const seen: unknown[] = [];
      const handler = () => {
        seen.push(subscriber.closed);
        subscriber.next(1);
        subscriber.complete();
      };
      const subscriber = operate<number, never>({ next: (value) => seen.push(value), [end]: handler });
      subscriber[end]('oops');
      expect([...seen, subscriber.closed]).toEqual([false, true]);
    },
  );

  describe('finalizes', () => {
    it.each(['error', 'complete', 'unsubscribe'] as const)('once, behind the teardown of the source (%s)', (end) => {
      const { log, destination } = recording();
      const subscriber = operate<number, unknown>({ destination, finalize: () => log.push('finalize') });
      new Observable<number>(() => () => log.push('source')).subscribe(subscriber);
      subscriber[end]('oops');
      subscriber.unsubscribe();
      expect(log.slice(end === 'unsubscribe' ? 0 : 1)).toEqual(['source', 'finalize']);
    });

    it('when the destination is unsubscribed', () => {
      const { destination } = recording();
      const finalize = vi.fn();
      new Subject<number>().subscribe(operate({ destination, finalize }));
      destination.unsubscribe();
      expect(finalize).toHaveBeenCalledTimes(1);
    });

    it('though a teardown throws', () => {
      const finalize = vi.fn();
      const subscriber = operate<number, never>({ finalize });
      subscriber.add(throwing('teardown'));
      expect(() => {
        subscriber.unsubscribe();
      }).toThrow('teardown');
      expect(finalize).toHaveBeenCalledTimes(1);
    });

    it('at once where the destination has ended before, and takes nothing', () => {
      const { log, destination } = recording();
      destination.unsubscribe();
      const finalize = vi.fn();
      const next = vi.fn();
      const heedless = new Observable<number>((subscriber) => {
        subscriber.next(1);
      });
      heedless.subscribe(operate<number, unknown>({ destination, next, finalize }));
      heedless.subscribe(operate<number, unknown>({ destination, next }));
      expect([finalize.mock.calls.length, next.mock.calls.length, log]).toEqual([1, 0, []]);
    });
  });
});
