import { BehaviorSubject, map, merge, NEVER, Observable, of, Subject, tap, throwError, timer } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import {
  bufferedMergeMap,
  BufferOverflowError,
  findCleanupScope,
  fromPull,
  gatedBy,
  type BufferedMergeMapOptions,
  type Overflow,
} from '../../src/index.js';
import { heldInners } from '../support/heldInners.js';
import { ManualGate } from '../support/ManualGate.js';
import { marbles } from '../support/marbles.js';
import { record } from '../support/record.js';
import { deferred, settle } from '../support/settle.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

type Options = BufferedMergeMapOptions<string, string>;

/** Values are named by their key and a number: a1, a2, b1. */
const letter = (value: string) => value.slice(0, 1);

/** With a source that cannot wait, and inner sources that the test holds. */
function keyed(options: Options) {
  const source = new Subject<string>();
  const inners = heldInners<string>();
  const dropped: string[] = [];
  const { log, subscription } = record(
    source.pipe(
      bufferedMergeMap(inners.project, {
        key: letter,
        onDrop: (value, reason) => dropped.push(`${value} ${reason}`),
        ...options,
      }),
    ),
  );
  const send = (...values: string[]) => {
    for (const value of values) source.next(value);
  };
  return { ...inners, source, send, log, subscription, dropped };
}

describe('bufferedMergeMap with keys', () => {
  const unhandled = collectUnhandled();

  it.each([
    [{ key: 'id' as never }, "key must be a function, got 'id'"],
    [{ key: null as never }, 'key must be a function, got null'],
    [{ key: letter, concurrentPerKey: 0 }, 'concurrentPerKey must be a positive integer or Infinity, got 0'],
    [{ key: letter, concurrentPerKey: 1.5 }, 'concurrentPerKey must be a positive integer or Infinity, got 1.5'],
    [
      { key: letter, concurrentPerKey: null as never },
      'concurrentPerKey must be a positive integer or Infinity, got null',
    ],
    [{ key: letter, maxPerKey: 0 }, 'maxPerKey must be a positive integer or Infinity, got 0'],
    [{ key: letter, maxPerKey: '9' as never }, "maxPerKey must be a positive integer or Infinity, got '9'"],
    [{ concurrentPerKey: 2 }, 'concurrentPerKey and maxPerKey need a key'],
    [{ maxPerKey: 2 }, 'concurrentPerKey and maxPerKey need a key'],
    [{ concurrentPerKey: null as never }, 'concurrentPerKey and maxPerKey need a key'],
  ] as [Options, string][])('checks what it is called with: %o', (options, message) => {
    expect(() => bufferedMergeMap((value: string) => of(value), options)).toThrow(message);
  });

  describe('order', () => {
    it('values of a key go one after the other, those of others pass them', () => {
      const { send, started, finish, log } = keyed({ concurrent: 3 });
      send('a1', 'a2', 'a3', 'b1', 'b2', 'c1', 'd1');
      expect(started).toEqual(['a1', 'b1', 'c1']);
      finish('b1');
      expect(started).toEqual(['a1', 'b1', 'c1', 'b2']);
      finish('a1');
      expect(started).toEqual(['a1', 'b1', 'c1', 'b2', 'a2']);
      finish('b2', 'c1', 'a2', 'd1', 'a3');
      expect(log).toEqual(['b1', 'a1', 'b2', 'c1', 'a2', 'd1', 'a3']);
    });

    it('a free slot goes to the one that has waited longest', () => {
      const { send, started, finish } = keyed({ concurrent: 2 });
      send('a1', 'b1', 'b2', 'a2', 'c1');
      finish('a1');
      expect(started).toEqual(['a1', 'b1', 'a2']);
      finish('b1');
      expect(started).toEqual(['a1', 'b1', 'a2', 'b2']);
      finish('b2');
      expect(started.at(-1)).toBe('c1');
    });

    it('with concurrentPerKey, so many of a key run, and they start in order', () => {
      const { send, started, finish, log } = keyed({ concurrent: 3, concurrentPerKey: 2 });
      send('a1', 'a2', 'a3', 'a4', 'b1', 'b2');
      expect(started).toEqual(['a1', 'a2', 'b1']);
      finish('a2');
      expect(started).toEqual(['a1', 'a2', 'b1', 'a3']);
      finish('a3', 'a1');
      expect(started).toEqual(['a1', 'a2', 'b1', 'a3', 'a4', 'b2']);
      expect(log).toEqual(['a2', 'a3', 'a1']);
    });

    it('no more run than concurrent says, whatever concurrentPerKey allows', () => {
      const { send, started } = keyed({ concurrent: 2, concurrentPerKey: Infinity });
      send('a1', 'a2', 'a3', 'b1');
      expect(started).toEqual(['a1', 'a2']);
    });

    it('of results, too, whatever the inner sources are', async () => {
      const seen: string[] = [];
      const inners = [
        (value: string) => Promise.resolve(value),
        (value: string) => [value],
        (value: string) => of(value),
        async function* (value: string) {
          await Promise.resolve();
          yield value;
        },
        (value: string) => timer(0).pipe(map(() => value)),
      ];
      const values = Array.from({ length: 40 }, (_, i) => `${'abc'.charAt(i % 3)}${String(i)}`);
      await new Promise<void>((resolve) => {
        fromPull(values)
          .pipe(
            bufferedMergeMap((value, i) => inners[i % inners.length]?.(value) ?? [], { concurrent: 2, key: letter }),
          )
          .subscribe({ next: (value) => seen.push(value), complete: resolve });
      });
      for (const key of 'abc') {
        const ofKey = (list: string[]) => list.filter((value) => letter(value) === key);
        expect(ofKey(seen)).toEqual(ofKey(values));
      }
    });

    it('asks for the key of each value once, when it comes', () => {
      const asked: string[] = [];
      const { send, finish } = keyed({
        concurrent: 1,
        key: (value) => {
          asked.push(value);
          return letter(value);
        },
      });
      send('a1', 'a2', 'b1');
      finish('a1', 'a2');
      expect(asked).toEqual(['a1', 'a2', 'b1']);
    });

    it('an undefined key is a key', () => {
      const { send, started } = keyed({ key: () => undefined });
      send('a1', 'b1');
      expect(started).toEqual(['a1']);
    });

    it(
      'in virtual time',
      marbles((m) => {
        const source = m.hot('   12a3b----------|');
        const expected = '       -----12a--3b---|';
        const work = (value: string) => m.cold('-----(x|)', { x: value });
        const kind = (value: string) => /\d/.test(value);
        const result = source.pipe(
          bufferedMergeMap(work, { concurrent: 3, key: kind, concurrentPerKey: 2, scheduler: m.scheduler }),
        );
        m.expect(result).toBeObservable(expected);
      }),
    );

    it('ordered: results in the order of the starts', () => {
      const { send, started, finish, log } = keyed({ concurrent: 2, ordered: true });
      send('a1', 'a2', 'b1', 'b2');
      expect(started).toEqual(['a1', 'b1']);
      finish('b1'); // waits for its turn, in its slot, and keeps its key busy
      expect([started, log]).toEqual([['a1', 'b1'], []]);
      finish('a1');
      expect(log).toEqual(['a1', 'b1']);
      expect(started).toEqual(['a1', 'b1', 'b2', 'a2']); // b1 has gone before a1 leaves its slot
      finish('a2', 'b2');
      expect(log).toEqual(['a1', 'b1', 'b2', 'a2']);
    });
  });

  describe('a key is busy', () => {
    it('until the clean-up has settled', async () => {
      const { promise, resolve } = deferred();
      const started: string[] = [];
      const source = new Subject<string>();
      const { log } = record(
        source.pipe(
          bufferedMergeMap(
            (value) =>
              new Observable<string>((subscriber) => {
                started.push(value);
                const scope = findCleanupScope(subscriber);
                subscriber.add(() => scope?.track(promise));
                subscriber.next(value);
                subscriber.complete();
              }),
            { key: letter },
          ),
        ),
      );
      source.next('a1');
      source.next('a2');
      source.next('b1');
      expect(started).toEqual(['a1', 'b1']);
      resolve();
      await settle();
      expect(started).toEqual(['a1', 'b1', 'a2']);
      expect(log).toEqual(['a1', 'b1', 'a2']);
    });

    it('until its result has gone, where the consumer below is full', () => {
      const gate = new ManualGate();
      const source = new Subject<string>();
      const { project, started, finish } = heldInners<string>();
      const { log } = record(source.pipe(bufferedMergeMap(project, { concurrent: 3, key: letter }), gatedBy(gate)));
      for (const value of ['a1', 'a2', 'b1']) source.next(value);
      finish('a1');
      expect([started, log]).toEqual([['a1', 'b1'], []]);
      gate.ready = true;
      expect([started, log]).toEqual([['a1', 'b1', 'a2'], ['a1']]);
    });

    it('no longer, when its inner source was empty', () => {
      const { send, started, inner } = keyed({});
      send('a1', 'a2');
      inner('a1').complete();
      expect(started).toEqual(['a1', 'a2']);
    });
  });

  describe('a full key', () => {
    const full = (overflow: Overflow) => {
      const all = keyed({ concurrent: 2, maxPerKey: 2, bufferSize: 6, overflow });
      all.send('a1', 'b1', 'b2', 'a2', 'a3', 'c1', 'a4');
      return all;
    };

    it.each([
      ['drop-oldest', ['a2 overflow'], ['b2', 'a3', 'c1', 'a4']],
      ['drop-newest', ['a4 overflow'], ['b2', 'a2', 'c1', 'a3']],
      ['drop-buffer', ['a2 overflow', 'a3 overflow'], ['b2', 'c1', 'a4']],
    ] as [Overflow, string[], string[]][])('%s: among its own', (overflow, lost, left) => {
      const { dropped, started, finish, log } = full(overflow);
      expect(dropped).toEqual(lost);
      for (const value of started) finish(value); // it grows meanwhile
      const byKey = (values: string[]) => [...values].sort();
      expect(byKey(started.slice(2))).toEqual(byKey(left));
      expect(started.filter((value) => letter(value) === 'a')).toEqual([
        'a1',
        ...left.filter((v) => letter(v) === 'a'),
      ]);
      expect(log).toEqual(started);
    });

    it('error: says that it is a key that is full', () => {
      const { log, dropped } = full('error');
      const [, error] = log[0] as [string, BufferOverflowError];
      expect(error).toBeInstanceOf(BufferOverflowError);
      expect(error).toMatchObject({ where: 'bufferedMergeMap', what: 'values of a key', waiting: 2 });
      expect(error.message).toBe(
        'bufferedMergeMap: 2 values of a key wait already, and what emits them cannot be suspended. ' +
          'Use a source that can (fromPull), a larger or infinite maxPerKey, ' +
          "or a policy that drops (overflow: 'drop-oldest', 'drop-newest' or 'drop-buffer').",
      );
      expect(dropped).toEqual(['b2 error', 'a2 error', 'a3 error', 'c1 error', 'a4 overflow']);
    });

    it('lets the others pass', () => {
      const { send, started, dropped } = keyed({ concurrent: 3, maxPerKey: 1, overflow: 'drop-newest' });
      send('a1', 'a2', 'a3', 'b1', 'a4', 'c1', 'b2');
      expect(started).toEqual(['a1', 'b1', 'c1']);
      expect(dropped).toEqual(['a3 overflow', 'a4 overflow']);
    });

    it('does not count those that run', () => {
      const { send, dropped, log } = keyed({ concurrentPerKey: 2, maxPerKey: 1 });
      send('a1', 'a2', 'a3');
      expect([dropped, log]).toEqual([[], []]);
    });
  });

  describe('when the whole is full, overflow looks at all keys', () => {
    it.each([
      ['drop-oldest', ['a2 overflow'], ['b2', 'c1', 'd1']],
      ['drop-newest', ['d1 overflow'], ['a2', 'b2', 'c1']],
      ['drop-buffer', ['a2 overflow', 'b2 overflow', 'c1 overflow'], ['d1']],
    ] as [Overflow, string[], string[]][])('%s', (overflow, lost, left) => {
      const { send, dropped, started, finish } = keyed({ concurrent: 2, bufferSize: 3, overflow });
      send('a1', 'b1', 'a2', 'b2', 'c1', 'd1');
      expect(dropped).toEqual(lost);
      for (const value of started) finish(value); // it grows meanwhile
      expect(started.slice(2).sort()).toEqual(left);
    });

    it('error', () => {
      const { send, log, dropped } = keyed({ concurrent: 1, bufferSize: 2 });
      send('a1', 'b1', 'c1', 'd1');
      expect(log).toMatchObject([['error', { what: 'values', waiting: 2 }]]);
      expect(dropped).toEqual(['b1 error', 'c1 error', 'd1 overflow']);
    });

    it('the oldest that gives way may be one that could start: the next of its key can', () => {
      const { send, started, finish, dropped } = keyed({ concurrent: 1, bufferSize: 3, overflow: 'drop-oldest' });
      send('x1', 'a1', 'a2', 'b1', 'c1');
      expect(dropped).toEqual(['a1 overflow']);
      finish('x1', 'a2', 'b1', 'c1');
      expect(started).toEqual(['x1', 'a2', 'b1', 'c1']);
    });
  });

  describe('asks for', () => {
    /** How many are read of a source that can wait. */
    const reads = (values: Iterable<string>, options: Options) => {
      const read: string[] = [];
      const inners = heldInners<string>();
      const { log, subscription } = record(
        fromPull(values).pipe(
          tap((value) => read.push(value)),
          bufferedMergeMap(inners.project, { key: letter, ...options }),
        ),
      );
      return { ...inners, read, log, subscription };
    };
    const same = (count: number) => Array.from({ length: count }, (_, i) => `a${String(i)}`);

    it('up to bufferSize while a slot is free and all that wait have to wait for their key', () => {
      const { read, started, finish } = reads([...same(4), 'b1', 'c1', 'd1', 'e1'], {
        concurrent: 2,
        highWaterMark: 1,
        bufferSize: 5,
      });
      expect(read).toHaveLength(5); // b1 takes the slot: three of a wait, more than the mark
      expect(started).toEqual(['a0', 'b1']);
      finish('b1'); // a slot is free again
      expect(started).toEqual(['a0', 'b1', 'c1']);
      expect(read).toHaveLength(6);
    });

    it('no more than bufferSize then', () => {
      const { read } = reads(same(100), { concurrent: 4, highWaterMark: 1, bufferSize: 5 });
      expect(read).toHaveLength(6);
    });

    it('no more than highWaterMark while no slot is free', () => {
      const { read, finish } = reads(['a1', 'b1', 'c1', 'a2', 'd1', 'e1'], { concurrent: 2, highWaterMark: 1 });
      expect(read).toEqual(['a1', 'b1', 'c1']);
      finish('a1');
      expect(read).toEqual(['a1', 'b1', 'c1', 'a2']);
    });

    it('nothing, with a highWaterMark of 0, while no slot is free', () => {
      const { read, finish } = reads(['a1', 'b1', 'c1', 'd1'], { concurrent: 2, highWaterMark: 0 });
      expect(read).toEqual(['a1', 'b1']);
      finish('a1');
      expect(read).toEqual(['a1', 'b1', 'c1']);
    });

    it('another as soon as the full whole has room', () => {
      const { read, finish } = reads(same(10), { concurrent: 4, highWaterMark: 0, bufferSize: 2 });
      expect(read).toHaveLength(3);
      finish('a0');
      expect(read).toHaveLength(4);
    });

    it.each([
      { concurrent: 1, bufferSize: 0 },
      { concurrent: 4, bufferSize: 0 },
      { concurrent: 4, concurrentPerKey: 2, bufferSize: 0 },
      { concurrent: 4, highWaterMark: 0, bufferSize: 1 },
      { concurrent: Infinity, bufferSize: 1 },
      { concurrent: Infinity, highWaterMark: 0 },
    ])('all, in the end, with %o: neither a deadlock nor an overflow', (options) => {
      const values = [...same(5), 'b1', 'b2', ...same(5).map((value) => `${value}'`), 'c1'];
      const { started, finish, log } = reads(values, options);
      for (const value of started) finish(value); // it grows meanwhile
      expect(log.at(-1)).toBe('complete');
      expect(log.slice(0, -1).sort()).toEqual([...values].sort());
    });

    it('what several sources have: none is starved by a key that is busy', () => {
      const { project, started } = heldInners<string>();
      record(
        merge(fromPull(same(100)), fromPull(['b1', 'b2'])).pipe(
          bufferedMergeMap(project, { concurrent: 2, bufferSize: 8, key: letter }),
        ),
      );
      expect(started).toEqual(['a0']); // eight of a came first, and fill the whole
      const other = heldInners<string>();
      record(
        merge(fromPull(same(4)), fromPull(['b1', 'b2'])).pipe(
          bufferedMergeMap(other.project, { concurrent: 2, bufferSize: 8, key: letter }),
        ),
      );
      expect(other.started).toEqual(['a0', 'b1']);
    });
  });

  describe('key that', () => {
    it('throws: that is the error; its value is handed over, and those that wait in the order in which they came', () => {
      const error = new Error('key');
      const { send, log, dropped, source } = keyed({
        concurrent: 1,
        key: (value) => {
          if (value === 'x1') throw error;
          return letter(value);
        },
      });
      send('a1', 'b1', 'a2', 'c1', 'b2', 'x1', 'd1');
      expect(log).toEqual([['error', error]]);
      expect(dropped).toEqual(['b1 error', 'a2 error', 'c1 error', 'b2 error', 'x1 error']);
      expect(source.observed).toBe(false);
    });

    it('unsubscribes: nothing is started any more', () => {
      const act = { key: letter };
      const { send, subscription, started, dropped } = keyed({ key: (value) => act.key(value) });
      send('a1', 'a2');
      act.key = () => {
        subscription.unsubscribe();
        return 'b';
      };
      send('b1', 'c1');
      expect(started).toEqual(['a1']);
      expect(dropped).toEqual(['a2 unsubscribe', 'b1 unsubscribe']);
    });

    it('unsubscribes and throws: that is reported', async () => {
      const error = new Error('too late');
      const act = { key: letter };
      const { send, subscription, dropped } = keyed({ key: (value) => act.key(value) });
      act.key = () => {
        subscription.unsubscribe();
        throw error;
      };
      send('b1');
      expect(dropped).toEqual(['b1 unsubscribe']);
      expect(await reported(unhandled)).toBe(error);
    });

    it('completes the source: its value is the last', () => {
      const act = { key: letter };
      const { send, source, started, finish, log } = keyed({ key: (value) => act.key(value) });
      act.key = (value) => {
        source.complete();
        return letter(value);
      };
      send('a1');
      expect([started, log]).toEqual([['a1'], []]);
      finish('a1');
      expect(log).toEqual(['a1', 'complete']);
    });

    it('completes the source, and its value is dropped: that is the end', () => {
      const limit = new BehaviorSubject(0);
      const act = { key: letter };
      const { send, source, log, dropped } = keyed({
        key: (value) => act.key(value),
        concurrent: limit,
        bufferSize: 0,
        overflow: 'drop-newest',
      });
      act.key = (value) => {
        source.complete();
        return letter(value);
      };
      send('a1');
      expect([dropped, log]).toEqual([['a1 overflow'], ['complete']]);
    });

    it('pushes into the source: what it brings in comes first, and the key is one', () => {
      const act: { key: (value: string) => string } = { key: letter };
      const { send, started, finish, log } = keyed({ concurrent: 4, key: (value) => act.key(value) });
      act.key = (value) => {
        act.key = letter;
        send('a1', 'a2');
        return letter(value);
      };
      send('a3');
      expect(started).toEqual(['a1']);
      finish('a1');
      expect(started).toEqual(['a1', 'a2']);
      finish('a2', 'a3');
      expect(log).toEqual(['a1', 'a2', 'a3']);
    });
  });

  it('onDrop that pushes a value of the same key: they start in the order in which they came', () => {
    const source = new Subject<string>();
    const { project, started, finish } = heldInners<string>();
    source
      .pipe(
        bufferedMergeMap(project, {
          key: letter,
          maxPerKey: 1,
          overflow: 'drop-oldest',
          onDrop: (value) => {
            if (value === 'a2') source.next('b1');
          },
        }),
      )
      .subscribe();
    for (const value of ['a1', 'a2', 'a3']) source.next(value);
    expect(started).toEqual(['a1', 'b1']);
    finish('a1');
    expect(started).toEqual(['a1', 'b1', 'a3']);
  });

  describe('hands over what waits, in the order in which it came', () => {
    const waiting = () => {
      const all = keyed({ concurrent: 2 });
      all.send('a1', 'b1', 'b2', 'a2', 'c1', 'a3', 'b3', 'd1');
      return all;
    };
    const names = ['b2', 'a2', 'c1', 'a3', 'b3', 'd1'];

    it('on unsubscription', () => {
      const { subscription, dropped } = waiting();
      subscription.unsubscribe();
      expect(dropped).toEqual(names.map((name) => `${name} unsubscribe`));
    });

    it.each([
      ['of the source', ({ source }: ReturnType<typeof keyed>) => source],
      ['of an inner source', ({ inner }: ReturnType<typeof keyed>) => inner('b1')],
    ])('on an error %s', (_, failing) => {
      const all = waiting();
      failing(all).error('failed');
      expect(all.dropped).toEqual(names.map((name) => `${name} error`));
      expect(all.log).toEqual([['error', 'failed']]);
    });

    it('on an error of project, without those that have started', () => {
      const dropped: string[] = [];
      const source = new Subject<string>();
      const { project, finish } = heldInners<string>();
      const { log } = record(
        source.pipe(
          bufferedMergeMap((value) => (value === 'a2' ? throwError(() => 'failed') : project(value)), {
            key: letter,
            onDrop: (value) => dropped.push(value),
          }),
        ),
      );
      for (const value of ['a1', 'b1', 'b2', 'a2', 'a3']) source.next(value);
      finish('a1');
      expect(log).toEqual(['a1', ['error', 'failed']]);
      expect(dropped).toEqual(['b2', 'a3']);
    });
  });

  it('completes after those that wait for their key', () => {
    const { source, send, finish, log } = keyed({});
    send('a1', 'a2');
    source.complete();
    finish('a1');
    expect(log).toEqual(['a1']);
    finish('a2');
    expect(log).toEqual(['a1', 'a2', 'complete']);
  });

  it('keeps nothing of one subscription for the next', () => {
    const inners = heldInners<string>();
    const operator = bufferedMergeMap(inners.project, { key: letter });
    const first = of('a1', 'a2').pipe(operator).subscribe();
    of('a3').pipe(operator).subscribe();
    expect(inners.started).toEqual(['a1', 'a3']);
    first.unsubscribe();
  });

  it('gives project the index of the start', () => {
    const project = vi.fn((_value: string, _index: number) => NEVER);
    of('a1', 'a2', 'b1')
      .pipe(bufferedMergeMap(project, { key: letter }))
      .subscribe();
    expect(project.mock.calls.map(([value, index]) => [value, index])).toEqual([
      ['a1', 0],
      ['b1', 1],
    ]);
  });

  describe('does not grow the stack or the cost', () => {
    const many = 200_000;

    it.each([1, 100, many])(
      'with so many keys, behind a slow value: %i',
      (keys) => {
        const source = new Subject<number>();
        const slow = new Subject<number>();
        let results = 0;
        let completed = false;
        source
          .pipe(
            bufferedMergeMap((n) => (n === 0 ? slow : of(n)), {
              concurrent: 1,
              bufferSize: Infinity,
              key: (n) => n % keys,
            }),
          )
          .subscribe({ next: () => results++, complete: () => (completed = true) });
        for (let i = 0; i < many; i++) source.next(i);
        source.complete();
        slow.complete();
        expect([results, completed]).toEqual([many - 1, true]);
      },
      20_000,
    );

    it('with a consumer that pushes into the source each time', () => {
      const source = new Subject<number>();
      let results = 0;
      source.pipe(bufferedMergeMap((n) => [n], { concurrent: 1, key: () => 0 })).subscribe((n) => {
        results++;
        if (n < many) source.next(n + 1);
      });
      source.next(1);
      expect(results).toBe(many);
    });
  });
});
