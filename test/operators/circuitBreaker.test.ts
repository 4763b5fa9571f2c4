import {
  concat,
  defer,
  EMPTY,
  firstValueFrom,
  map,
  mergeMap,
  NEVER,
  Observable,
  of,
  retry,
  Subject,
  switchMap,
  take,
  takeUntil,
  throwError,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { fromPull, gatedBy } from '../../src/index.js';
import { CircuitOpenError } from '../../src/errors/CircuitOpenError.js';
import { circuitBreaker } from '../../src/operators/circuitBreaker.js';
import { timeoutWithCleanup } from '../../src/operators/timeoutWithCleanup.js';
import type { CircuitBreakerOptions } from '../../src/options/breaker.js';
import { createCircuitBreaker } from '../../src/resources/createCircuitBreaker.js';
import { abortable } from '../../src/sources/abortable.js';
import { CountingCanceller } from '../support/CountingCanceller.js';
import { ManualGate } from '../support/ManualGate.js';
import { marbles } from '../support/marbles.js';
import { record } from '../support/record.js';

const broken = new Error('broken');
const fails = throwError(() => broken);

/** At a time that stands still unless it is set. */
function breakerAt(options: CircuitBreakerOptions = {}) {
  const scheduler = new VirtualTimeScheduler();
  const breaker = createCircuitBreaker({ threshold: { consecutive: 1 }, openFor: 10, scheduler, ...options });
  const at = (frame: number) => {
    scheduler.schedule(() => undefined, frame - scheduler.frame);
    scheduler.maxFrames = frame;
    scheduler.flush();
  };
  return { breaker, scheduler, at };
}

describe('circuitBreaker', () => {
  it(
    'opens after failures in a row, refuses without a subscription, and tries one call when time is over',
    marbles((m) => {
      const breaker = createCircuitBreaker({ threshold: { consecutive: 2 }, openFor: 5, scheduler: m.scheduler });
      const answers = [m.cold('-#'), m.cold('-#'), m.cold('-a|'), m.cold('-b|')];
      const started: number[] = [];
      const ask = defer(() => {
        started.push(m.scheduler.frame);
        return answers.shift() ?? NEVER;
      }).pipe(circuitBreaker(breaker));
      const refused = new CircuitOpenError('createCircuitBreaker', 'open', 3);

      m.expect(ask).toBeObservable('-#');
      m.expect(m.hot('--x').pipe(mergeMap(() => ask))).toBeObservable('---#');
      m.expect(m.hot('-----x').pipe(mergeMap(() => ask))).toBeObservable('-----#', undefined, refused);
      m.expect(m.hot('---------x').pipe(mergeMap(() => ask))).toBeObservable('----------a');
      m.expect(m.hot('------------x').pipe(mergeMap(() => ask))).toBeObservable('-------------b');
      m.expect(breaker.state$.pipe(map(({ status }) => status.charAt(0)))).toBeObservable('c--o----h--c');
      m.flush();
      expect(started).toEqual([0, 2, 9, 12]);
    }),
  );

  it(
    'with a trial that fails is open again, for as long as openFor says for the second time',
    marbles((m) => {
      const openFor = vi.fn((openings: number) => openings * 2);
      const breaker = createCircuitBreaker({ threshold: { consecutive: 1 }, openFor, scheduler: m.scheduler });
      m.hot('-x--x----x').subscribe(() => {
        record(fails.pipe(circuitBreaker(breaker)));
      });
      const states = breaker.state$.pipe(map(({ status }) => status.charAt(0)));
      // Opened in the frames 1, 4 and 9: for 2, 4 and 6.
      m.expect(states.pipe(takeUntil(m.hot('----------------x')))).toBeObservable('co-ho---ho-----h|');
      m.flush();
      expect(openFor.mock.calls).toEqual([[1], [2], [3]]);
    }),
  );

  it('is shared: what fails in one pipeline is refused in the other', () => {
    const { breaker } = breakerAt({ threshold: { consecutive: 2 } });
    const one = fails.pipe(circuitBreaker(breaker));
    const other = fails.pipe(circuitBreaker(breaker));
    expect(record(one).log).toEqual([['error', broken]]);
    expect(record(other).log).toEqual([['error', broken]]);
    expect(record(one).log).toEqual([['error', expect.any(CircuitOpenError)]]);
    expect(record(of(1).pipe(circuitBreaker(breaker))).log).toEqual([['error', expect.any(CircuitOpenError)]]);
  });

  it('with options has a breaker for all subscriptions to its result, so that retry runs into it', () => {
    let calls = 0;
    const work = defer(() => {
      calls++;
      return fails;
    });
    const { log } = record(work.pipe(circuitBreaker({ threshold: { consecutive: 3 }, name: 'api' }), retry(10)));
    expect(calls).toBe(3);
    expect(log).toMatchObject([['error', { where: "circuitBreaker 'api'", status: 'open' }]]);
  });

  it('is told of the end before the consumer, who may come back at once', () => {
    const { breaker } = breakerAt();
    const seen: string[] = [];
    fails.pipe(circuitBreaker(breaker)).subscribe({ error: () => seen.push(breaker.state.status) });
    const { breaker: other, at } = breakerAt();
    record(fails.pipe(circuitBreaker(other)));
    at(10);
    EMPTY.pipe(circuitBreaker(other)).subscribe({ complete: () => seen.push(other.state.status) });
    expect(seen).toEqual(['open', 'closed']);
  });

  it('late failures, of calls that began before it opened, do not open it for longer (opossum 385)', () => {
    const { breaker, at } = breakerAt();
    const [first, second, third] = [new Subject(), new Subject(), new Subject()];
    for (const call of [first, second, third]) record(call.pipe(circuitBreaker(breaker)));
    first.error(broken);
    at(4);
    second.error(broken);
    expect(breaker.state).toMatchObject({ status: 'open', since: 0, until: 10, openings: 1 });
    at(10);
    third.error(broken);
    expect(breaker.state).toMatchObject({ status: 'half-open', since: 10 });
    expect(breaker.statistics()).toMatchObject({ failed: 3, openings: 1, running: 0 });
  });

  it('late successes, of calls that began before it opened, do not close it', () => {
    const { breaker, at } = breakerAt();
    const [early, late] = [new Subject(), new Subject()];
    for (const call of [early, late]) record(call.pipe(circuitBreaker(breaker)));
    record(fails.pipe(circuitBreaker(breaker)));
    early.complete();
    expect(breaker.state.status).toBe('open');
    at(10);
    late.complete();
    expect(breaker.state.status).toBe('half-open');
    expect(breaker.statistics().succeeded).toBe(2);
  });

  it('late failures of trials do not count after another trial has closed it', () => {
    const { breaker, at } = breakerAt({ probes: 2, successes: 1 });
    record(fails.pipe(circuitBreaker(breaker)));
    at(10);
    const [quick, slow] = [new Subject(), new Subject()];
    for (const call of [quick, slow]) record(call.pipe(circuitBreaker(breaker)));
    quick.complete();
    slow.error(broken);
    expect(breaker.state.status).toBe('closed');
  });

  it('lets no more than `probes` calls pass while half-open, and not a flood (opossum 119)', () => {
    const { breaker, at } = breakerAt({ probes: 2 });
    record(fails.pipe(circuitBreaker(breaker)));
    at(10);
    const call = new Subject();
    const calls = Array.from({ length: 5 }, () => record(call.pipe(circuitBreaker(breaker))));
    expect(calls.map(({ log }) => log)).toMatchObject([
      [],
      [],
      ...[1, 2, 3].map(() => [['error', { name: 'CircuitOpenError', status: 'half-open', retryAfter: 10 }]]),
    ]);
    call.complete();
    expect(breaker.state).toMatchObject({ status: 'closed' });
    expect(breaker.statistics()).toMatchObject({ refused: 3, succeeded: 2, failed: 1, running: 0 });
  });

  it('a trial that is unsubscribed gives its place back (resilience4j 935)', () => {
    const { breaker, at } = breakerAt();
    record(fails.pipe(circuitBreaker(breaker)));
    at(10);
    const trial = record(NEVER.pipe(circuitBreaker(breaker)));
    expect(record(EMPTY.pipe(circuitBreaker(breaker))).log).toMatchObject([['error', { status: 'half-open' }]]);
    trial.subscription.unsubscribe();
    expect(breaker.state.status).toBe('half-open');
    expect(record(EMPTY.pipe(circuitBreaker(breaker))).log).toEqual(['complete']);
    expect(breaker.state.status).toBe('closed');
    expect(breaker.statistics()).toMatchObject({ ignored: 1, succeeded: 1, failed: 1, refused: 1 });
  });

  it('an unsubscribed call counts as neither, between failures as well', () => {
    const { breaker } = breakerAt({ threshold: { consecutive: 2 } });
    record(fails.pipe(circuitBreaker(breaker)));
    record(NEVER.pipe(circuitBreaker(breaker))).subscription.unsubscribe();
    new Subject().pipe(circuitBreaker(breaker), takeUntil(of(1))).subscribe();
    record(fails.pipe(circuitBreaker(breaker)));
    expect(breaker.state.status).toBe('open');
  });

  it('a call of which somebody switches away counts as neither', () => {
    const { breaker } = breakerAt();
    const calls = new Subject<Observable<never>>();
    calls.pipe(switchMap((call) => call.pipe(circuitBreaker(breaker)))).subscribe();
    calls.next(NEVER);
    calls.next(NEVER);
    expect(breaker.statistics()).toMatchObject({ ignored: 1, running: 1, succeeded: 0 });
  });

  it.each([
    ['take(1)', (call: Observable<number>) => Promise.resolve(record(call.pipe(take(1))))],
    ['firstValueFrom', (call: Observable<number>) => firstValueFrom(call)],
  ])('a call of which %s has enough is a success, so that a trial closes it', async (_, consume) => {
    const { breaker, at } = breakerAt();
    record(fails.pipe(circuitBreaker(breaker)));
    at(10);
    await consume(concat(of(1), NEVER).pipe(circuitBreaker(breaker)));
    expect(breaker.state.status).toBe('closed');
    expect(breaker.statistics()).toMatchObject({ succeeded: 1, ignored: 0, running: 0 });
  });

  it('is unsubscribed after a value that was pushed inside of next: that is no success', () => {
    const { breaker } = breakerAt();
    const source = new Subject<number>();
    const { subscription } = record(source.pipe(circuitBreaker(breaker)));
    source.next(1);
    subscription.unsubscribe();
    expect(breaker.statistics()).toMatchObject({ succeeded: 0, ignored: 1 });
    const other = source.pipe(circuitBreaker(breaker)).subscribe((value) => {
      if (value < 3) source.next(value + 1);
      else return;
      if (value === 1) other.unsubscribe();
    });
    source.next(1);
    expect(breaker.statistics()).toMatchObject({ succeeded: 1, ignored: 1 });
  });

  it('an error that is no failure is a success, and one that is ignored is nothing', () => {
    const isFailure = vi.fn((error: unknown) => error !== 404);
    const { breaker, at } = breakerAt({ isFailure, isIgnored: (error) => error === 'aborted' });
    const call = (error: unknown) => record(throwError(() => error).pipe(circuitBreaker(breaker))).log;
    expect(call(404)).toEqual([['error', 404]]);
    expect(call('aborted')).toEqual([['error', 'aborted']]);
    expect(breaker.statistics()).toMatchObject({ succeeded: 1, ignored: 1, failed: 0 });
    expect(isFailure).toHaveBeenCalledTimes(1);
    call(500);
    at(10);
    call('aborted');
    expect(breaker.state.status).toBe('half-open');
    call(404);
    expect(breaker.state.status).toBe('closed');
  });

  it('a success that comes too late is a failure', () => {
    const { breaker, at } = breakerAt({ slowAfter: 5 });
    const [quick, slow] = [new Subject(), new Subject()];
    for (const call of [quick, slow]) record(call.pipe(circuitBreaker(breaker)));
    at(4);
    quick.complete();
    expect(breaker.state.status).toBe('closed');
    at(5);
    slow.complete();
    expect(breaker.state.status).toBe('open');
    expect(breaker.statistics()).toMatchObject({ succeeded: 1, failed: 1 });
  });

  it('a trial that hangs opens it again as soon as it is too slow, without a timer (resilience4j 2028)', () => {
    const { breaker, scheduler, at } = breakerAt({ slowAfter: 5 });
    record(fails.pipe(circuitBreaker(breaker)));
    at(10);
    record(NEVER.pipe(circuitBreaker(breaker)));
    at(14);
    expect(breaker.state.status).toBe('half-open');
    at(100);
    expect(scheduler.actions).toEqual([]);
    expect(breaker.state).toEqual({ status: 'half-open', since: 25, openings: 2 });
    expect(breaker.statistics()).toMatchObject({ running: 1, openings: 2 });
    expect(record(EMPTY.pipe(circuitBreaker(breaker))).log).toEqual(['complete']);
    expect(breaker.state.status).toBe('closed');
  });

  it('a call that a consumer below has asked to stop tells nothing of the other side', () => {
    const scheduler = new VirtualTimeScheduler();
    const breaker = createCircuitBreaker({ threshold: { consecutive: 1 }, scheduler });
    const work = abortable(
      (signal) =>
        new Observable<never>((subscriber) => {
          signal.addEventListener('abort', () => {
            subscriber.error(signal.reason);
          });
        }),
    );
    const { log } = record(work.pipe(circuitBreaker(breaker), timeoutWithCleanup({ total: 5, scheduler })));
    scheduler.flush();
    expect(log).toMatchObject([['error', { name: 'TimeoutWithCleanupError' }]]);
    expect(breaker.statistics()).toMatchObject({ failed: 0, ignored: 1, running: 0 });
    expect(breaker.state.status).toBe('closed');
  });

  it('listens for a request to stop only while the call runs, however it ends', () => {
    const { breaker } = breakerAt({ threshold: { consecutive: 10 } });
    const canceller = new CountingCanceller();
    const call = (source: Observable<unknown>) => record(source.pipe(circuitBreaker(breaker), canceller.below));
    const { subscription } = call(NEVER);
    expect(canceller.size).toBe(1);
    call(EMPTY);
    call(fails);
    breaker.open();
    call(EMPTY);
    expect(canceller.size).toBe(1);
    subscription.unsubscribe();
    expect(canceller.size).toBe(0);
  });

  it('with a timeout above it, a call that hangs is a failure', () => {
    const scheduler = new VirtualTimeScheduler();
    const breaker = createCircuitBreaker({ threshold: { consecutive: 1 }, scheduler });
    record(NEVER.pipe(timeoutWithCleanup({ total: 5, scheduler }), circuitBreaker(breaker)));
    scheduler.flush();
    expect(breaker.state.status).toBe('open');
  });

  it.each(['isFailure', 'isIgnored'] as const)('what %s throws is the error, and the call does not count', (name) => {
    const thrown = new Error(name);
    const { breaker } = breakerAt({
      [name]: () => {
        throw thrown;
      },
    });
    expect(record(fails.pipe(circuitBreaker(breaker))).log).toEqual([['error', thrown]]);
    expect(breaker.statistics()).toMatchObject({ running: 0, ignored: 1, failed: 0 });
    expect(breaker.state.status).toBe('closed');
  });

  it.each(['isFailure', 'isIgnored'] as const)('%s has to give a boolean', (name) => {
    const { breaker } = breakerAt({ name: 'api', [name]: () => 1 as never });
    expect(record(fails.pipe(circuitBreaker(breaker))).log).toEqual([
      ['error', new TypeError(`createCircuitBreaker 'api': what ${name} gives must be a boolean, got 1`)],
    ]);
  });

  it('what openFor throws, or gives that is no time, is the error of the call; it stays closed, and the call has ended', () => {
    const thrown = new Error('openFor');
    const openFor = vi.fn((): number => {
      throw thrown;
    });
    const { breaker } = breakerAt({ openFor });
    expect(record(fails.pipe(circuitBreaker(breaker))).log).toEqual([['error', thrown]]);
    openFor.mockImplementation(() => -1);
    expect(record(fails.pipe(circuitBreaker(breaker))).log).toMatchObject([['error', { name: 'RangeError' }]]);
    expect(breaker.state.status).toBe('closed');
    expect(breaker.statistics()).toMatchObject({ running: 0, failed: 2, ignored: 0, openings: 0 });
  });

  it('takes no place on trial for a subscriber that is closed already', () => {
    const { breaker, at } = breakerAt();
    record(fails.pipe(circuitBreaker(breaker)));
    at(10);
    of(1)
      .pipe(
        mergeMap(() => NEVER.pipe(circuitBreaker(breaker))),
        takeUntil(of(1)),
      )
      .subscribe();
    const closed = new Observable<never>((subscriber) => {
      subscriber.complete();
      NEVER.pipe(circuitBreaker(breaker)).subscribe(subscriber);
    });
    closed.subscribe();
    expect(breaker.statistics()).toMatchObject({ running: 0, refused: 0, ignored: 0 });
  });

  it('does not begin a call that is unsubscribed by who is told that there may be trials', () => {
    const { breaker, scheduler } = breakerAt();
    record(fails.pipe(circuitBreaker(breaker)));
    let begun = 0;
    const source = new Observable(() => {
      begun++;
    });
    const enough = new Subject<void>();
    breaker.state$.subscribe(({ status }) => {
      if (status === 'half-open') enough.next();
    });
    scheduler.frame = 10; // its timer is late: the call that comes is what brings the news
    record(source.pipe(circuitBreaker(breaker), takeUntil(enough)));
    expect(begun).toBe(0);
    expect(breaker.statistics()).toMatchObject({ running: 0, ignored: 1 });
  });

  it('an error in the teardown of the source does not take the place with it', () => {
    const { breaker, at } = breakerAt();
    record(fails.pipe(circuitBreaker(breaker)));
    at(10);
    const { subscription } = record(
      new Observable(() => () => {
        throw broken;
      }).pipe(circuitBreaker(breaker)),
    );
    expect(() => {
      subscription.unsubscribe();
    }).toThrow();
    expect(breaker.statistics()).toMatchObject({ running: 0, ignored: 1 });
  });

  it('passes demand on: a source that can wait sees the gate below', () => {
    const gate = new ManualGate();
    const { breaker } = breakerAt();
    const { log } = record(fromPull([1, 2, 3]).pipe(circuitBreaker(breaker), gatedBy(gate)));
    expect(log).toEqual([]);
    gate.pass();
    gate.ready = true;
    expect(log).toEqual([1, 2, 3, 'complete']);
  });

  it('lets a million values of a synchronous source pass', () => {
    let seen = 0;
    new Observable<number>((subscriber) => {
      for (let i = 0; i < 1_000_000; i++) subscriber.next(i);
      subscriber.complete();
    })
      .pipe(circuitBreaker({}))
      .subscribe(() => seen++);
    expect(seen).toBe(1_000_000);
  });

  it('says in its error when to try again, or who has to let it', () => {
    const { breaker } = breakerAt({ name: 'api' });
    breaker.open();
    const [[, error]] = record(EMPTY.pipe(circuitBreaker(breaker))).log as [[string, CircuitOpenError]];
    expect(error).toMatchObject({ where: "createCircuitBreaker 'api'", retryAfter: Infinity, status: 'open' });
    expect(error.message).toContain('after close()');
    expect(new CircuitOpenError('x', 'half-open', 7).message).toMatch(/on trial.*in 7 ms/);
    expect(new CircuitOpenError('x', 'open', 7).message).toMatch(/too much has failed.*in 7 ms/);
  });

  it('refuses what is neither a breaker nor options', () => {
    expect(() => circuitBreaker(5 as never)).toThrow(new TypeError('options must be an object, got 5'));
    expect(() => circuitBreaker(null as never)).toThrow(new TypeError('options must be an object, got null'));
    expect(() => circuitBreaker({ ...createCircuitBreaker() })).toThrow(
      new TypeError('breaker must be what createCircuitBreaker gives, got an object'),
    );
    expect(() => circuitBreaker()).not.toThrow();
    expect(() => circuitBreaker({ probes: 0 })).toThrow(new RangeError('probes must be a positive integer, got 0'));
  });

  it('is over with time by retry after what the error says', () => {
    const scheduler = new VirtualTimeScheduler();
    const breaker = createCircuitBreaker({ threshold: { consecutive: 1 }, openFor: 30, scheduler });
    let calls = 0;
    const work = defer(() => (++calls === 1 ? fails : of('answer')));
    const { log } = record(
      work.pipe(
        circuitBreaker(breaker),
        retry({
          delay: (error) => timer(error instanceof CircuitOpenError ? error.retryAfter : 0, scheduler),
        }),
      ),
    );
    scheduler.flush();
    expect(log).toEqual(['answer', 'complete']);
    expect(scheduler.frame).toBe(30);
    expect(breaker.statistics()).toMatchObject({ refused: 1, failed: 1, succeeded: 1 });
  });
});
