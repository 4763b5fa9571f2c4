import { BehaviorSubject, NEVER, Observable, of, Subject, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { bufferedMergeMap, findCleanupScope, fromPull, type BufferedMergeMapOptions } from '../../src/index.js';
import { heldInners } from '../support/heldInners.js';
import { marbles } from '../support/marbles.js';
import { record } from '../support/record.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

type Options = BufferedMergeMapOptions<string, string>;

const letter = (value: string) => value.slice(0, 1);

/** Only `maxAge` waits for anything: `timers` tells for when. */
function ageing(options: Options) {
  const scheduler = new VirtualTimeScheduler();
  const { actions } = scheduler as unknown as { actions: { readonly delay: number; readonly closed: boolean }[] };
  const source = new Subject<string>();
  const inners = heldInners<string>();
  const dropped: string[] = [];
  const { log, subscription } = record(
    source.pipe(
      bufferedMergeMap(inners.project, {
        concurrent: 1,
        maxAge: 10,
        onDrop: (value, reason) => dropped.push(`${String(scheduler.frame)} ${value} ${reason}`),
        scheduler,
        ...options,
      }),
    ),
  );
  /** Of what happens in one frame, that is first which was planned first. */
  const plan = (frame: number, act: () => void) => {
    scheduler.schedule(act, frame - scheduler.frame);
  };
  const at = (frame: number, act: () => void = () => undefined) => {
    plan(frame, act);
    scheduler.maxFrames = frame;
    scheduler.flush();
  };
  const send = (...values: string[]) => {
    for (const value of values) source.next(value);
  };
  const timers = () => actions.filter(({ closed }) => !closed).map(({ delay }) => delay);
  return { ...inners, source, plan, at, send, log, dropped, subscription, timers };
}

describe('bufferedMergeMap with maxAge', () => {
  const unhandled = collectUnhandled();

  it.each([
    [{ maxAge: -1 }, 'maxAge must be a number of milliseconds from 0 to 2147483647 or Infinity, got -1'],
    [{ maxAge: 2 ** 31 }, 'maxAge must be a number of milliseconds from 0 to 2147483647 or Infinity, got 2147483648'],
    [{ maxAge: null as never }, 'maxAge must be a number of milliseconds from 0 to 2147483647 or Infinity, got null'],
  ] as [Options, string][])('checks what it is called with: %o', (options, message) => {
    expect(() => bufferedMergeMap((value: string) => of(value), options)).toThrow(message);
  });

  it('drops each exactly at its age', () => {
    const { at, send, dropped } = ageing({});
    send('running', 'a');
    at(3, () => {
      send('b', 'c');
    });
    at(9);
    expect(dropped).toEqual([]);
    at(30);
    expect(dropped).toEqual(['10 a age', '13 b age', '13 c age']);
  });

  it('does not start at its age what a slot has become free for', () => {
    const { plan, at, send, started, finish, dropped } = ageing({});
    plan(10, () => {
      finish('running'); // before the timer
    });
    send('running', 'a');
    at(10);
    expect(started).toEqual(['running']);
    expect(dropped).toEqual(['10 a age']);
  });

  it('starts what is younger', () => {
    const { at, send, started, finish } = ageing({});
    send('running', 'a');
    at(9, () => {
      finish('running');
    });
    at(30);
    expect(started).toEqual(['running', 'a']);
  });

  it('of 0: what cannot start at once does not wait', () => {
    const { at, send, started, dropped } = ageing({ maxAge: 0 });
    send('a', 'b');
    at(0);
    expect([started, dropped]).toEqual([['a'], ['0 b age']]);
  });

  it('of Infinity: never', () => {
    const { at, send, dropped, timers } = ageing({ maxAge: Infinity });
    send('a', 'b');
    at(1e9);
    expect([dropped, timers()]).toEqual([[], []]);
  });

  it('makes room before overflow decides', () => {
    const { plan, at, send, dropped, log } = ageing({ bufferSize: 1 });
    plan(10, () => {
      send('b'); // before the timer
    });
    send('running', 'a');
    at(10);
    expect([dropped, log]).toEqual([['10 a age'], []]);
  });

  it('counts from when a value came, for each key and priority', () => {
    const { at, send, finish, started, dropped } = ageing({
      concurrent: 2,
      key: letter,
      priority: (value) => Number(value.slice(1)),
    });
    send('a1', 'b1', 'a2', 'b9');
    at(4, () => {
      send('a3', 'c7');
    });
    at(12, () => {
      finish('a1');
    });
    expect(dropped).toEqual(['10 a2 age', '10 b9 age']);
    expect(started).toEqual(['a1', 'b1', 'c7']);
    at(14);
    expect(dropped.slice(2)).toEqual(['14 a3 age']);
  });

  it('the next of a key may start when the first has been dropped', () => {
    const { at, send, finish, started } = ageing({ concurrent: 1, key: letter });
    send('x1', 'a1');
    at(5, () => {
      send('a2');
    });
    at(12, () => {
      finish('x1');
    });
    expect(started).toEqual(['x1', 'a2']);
  });

  it('asks the source for more as soon as one has been dropped', () => {
    const scheduler = new VirtualTimeScheduler();
    const dropped: string[] = [];
    const read: number[] = [];
    const values = function* () {
      for (let i = 0; i < 9; i++) {
        read.push(i);
        yield i;
      }
    };
    const subscription = fromPull(values())
      .pipe(
        bufferedMergeMap(() => NEVER, {
          concurrent: 1,
          maxAge: 10,
          scheduler,
          onDrop: (value, reason) => dropped.push(`${String(scheduler.frame)} ${String(value)} ${reason}`),
        }),
      )
      .subscribe();
    expect(read).toEqual([0, 1]);
    scheduler.maxFrames = 10;
    scheduler.flush();
    expect(read).toEqual([0, 1, 2]);
    expect(dropped).toEqual(['10 1 age']);
    subscription.unsubscribe();
  });

  describe('one timer', () => {
    it('for all that wait', () => {
      const { at, send, timers } = ageing({});
      send('running', ...Array.from({ length: 100 }, (_, i) => String(i)));
      at(4, () => {
        send('late');
      });
      expect(timers()).toEqual([10]);
      at(11);
      expect(timers()).toEqual([14]);
    });

    it('and none while nobody waits', () => {
      const { at, send, finish, timers } = ageing({});
      send('a');
      expect(timers()).toEqual([]);
      send('b');
      expect(timers()).toEqual([10]);
      finish('a');
      expect(timers()).toEqual([]);
      send('c');
      at(20);
      expect(timers()).toEqual([]);
    });

    it.each(['completion', 'error', 'unsubscription', 'overflow'])('and none after %s', (end) => {
      const { source, send, finish, subscription, timers } = ageing({ bufferSize: 1 });
      send('a', 'b');
      if (end === 'completion') {
        source.complete();
        finish('a', 'b');
      } else if (end === 'error') source.error('failed');
      else if (end === 'overflow') send('c');
      else subscription.unsubscribe();
      expect(timers()).toEqual([]);
      expect(subscription.closed).toBe(true);
    });

    it('and none but that of the clean-up, while an error waits for that', () => {
      const scheduler = new VirtualTimeScheduler();
      const { actions } = scheduler as unknown as { actions: { readonly delay: number; readonly closed: boolean }[] };
      const source = new Subject<string>();
      const work = new Observable<never>((subscriber) => {
        const scope = findCleanupScope(subscriber);
        subscriber.add(() => scope?.track(new Promise(() => undefined)));
      });
      const { log } = record(
        source.pipe(bufferedMergeMap(() => work, { concurrent: 1, maxAge: 10, cleanupTimeout: 50, scheduler })),
      );
      source.next('a');
      source.next('b');
      source.error('failed');
      expect(actions.filter(({ closed }) => !closed).map(({ delay }) => delay)).toEqual([50]);
      scheduler.flush();
      expect(log).toEqual([['error', 'failed']]);
    });
  });

  it('completes when the last that waits has been dropped, and nothing may run', () => {
    const limit = new BehaviorSubject(0);
    const { at, send, source, log } = ageing({ concurrent: limit });
    send('a', 'b');
    source.complete();
    at(9);
    expect(log).toEqual([]);
    at(10);
    expect(log).toEqual(['complete']);
    expect(limit.observed).toBe(false);
  });

  it('goes on at once with what has become too old while onDrop took its time', () => {
    const scheduler = new VirtualTimeScheduler();
    const source = new Subject<string>();
    const dropped: string[] = [];
    const onDrop = (value: string) => {
      dropped.push(`${String(scheduler.frame)} ${value}`);
      scheduler.frame += 50;
    };
    const subscription = source
      .pipe(bufferedMergeMap(() => NEVER, { concurrent: 1, maxAge: 10, scheduler, onDrop }))
      .subscribe();
    source.next('running');
    source.next('a');
    scheduler.schedule(() => {
      source.next('b');
    }, 5);
    scheduler.flush();
    expect(dropped).toEqual(['10 a', '60 b']);
    subscription.unsubscribe();
  });

  describe('onDrop that', () => {
    it('throws: that is the error, and the others are handed over', () => {
      const error = new Error('onDrop');
      const dropped: string[] = [];
      const { at, send, log, timers } = ageing({
        onDrop: (value, reason) => {
          dropped.push(`${value} ${reason}`);
          if (value === 'a') throw error;
        },
      });
      send('running', 'a', 'b');
      at(2, () => {
        send('c');
      });
      at(10);
      expect(log).toEqual([['error', error]]);
      expect(dropped).toEqual(['a age', 'c error', 'b age']);
      expect(timers()).toEqual([]);
    });

    it('unsubscribes and throws: that is reported', async () => {
      const error = new Error('too late');
      const { at, send, subscription, timers } = ageing({
        onDrop: (_, reason) => {
          if (reason !== 'age') return;
          subscription.unsubscribe();
          throw error;
        },
      });
      send('running', 'a');
      at(10);
      expect(await reported(unhandled)).toBe(error);
      expect(timers()).toEqual([]);
    });

    it('pushes a value of the same key: the key is one, and the order stays', () => {
      const scheduler = new VirtualTimeScheduler();
      const source = new Subject<string>();
      const { project, started, finish } = heldInners<string>();
      source
        .pipe(
          bufferedMergeMap(project, {
            key: letter,
            maxAge: 10,
            scheduler,
            onDrop: () => {
              source.next('a4');
            },
          }),
        )
        .subscribe();
      source.next('a1');
      source.next('a2');
      // Before the timer has had its turn, it is the coming of a3 that shows a2 to be too old.
      scheduler.frame = 10;
      source.next('a3');
      expect(started).toEqual(['a1']);
      finish('a1');
      expect(started).toEqual(['a1', 'a3']);
      finish('a3');
      expect(started).toEqual(['a1', 'a3', 'a4']);
    });
  });

  it(
    'in virtual time',
    marbles((m) => {
      const source = m.hot('  ab-c------|');
      const expected = '      -----a----(c|)'; // b was too old at 4, c would have been at 6
      const dropped = '       ----b---------';
      const seen = new Subject<string>();
      const work = (value: string) => m.cold('-----(x|)', { x: value });
      const result = source.pipe(
        bufferedMergeMap(work, {
          concurrent: 1,
          maxAge: 3,
          scheduler: m.scheduler,
          onDrop: (value) => {
            seen.next(value);
          },
        }),
      );
      m.expect(seen).toBeObservable(dropped);
      m.expect(result).toBeObservable(expected);
    }),
  );
});
