import { NEVER, of, Subject, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { bufferedMergeMap, type BufferedMergeMapOptions } from '../../src/index.js';
import { heldInners } from '../support/heldInners.js';
import { marbles } from '../support/marbles.js';
import { record } from '../support/record.js';
import { collectUnhandled, reported } from '../support/unhandled.js';

interface Job {
  readonly name: string;
  readonly priority: number;
  readonly key?: string;
}

type Options = BufferedMergeMapOptions<Job, Job>;

/** `low` waits at 0, and nothing runs but what the test holds. In virtual time. */
function prioritized(options: Options) {
  const scheduler = new VirtualTimeScheduler();
  const source = new Subject<Job>();
  const inners = heldInners<Job>();
  const dropped: string[] = [];
  const { log, subscription } = record(
    source.pipe(
      bufferedMergeMap(inners.project, {
        concurrent: 1,
        priority: ({ priority }) => priority,
        onDrop: ({ name }, reason) => dropped.push(`${name} ${reason}`),
        scheduler,
        ...options,
      }),
    ),
  );
  const send = (name: string, priority = 0, key?: string) => {
    source.next({ name, priority, ...(key !== undefined && { key }) });
  };
  const at = (frame: number, act: () => void) => {
    scheduler.schedule(act, frame - scheduler.frame);
    scheduler.flush();
  };
  const started = () => inners.started.map(({ name }) => name);
  const finishLast = () => {
    inners.finish(inners.started.at(-1) as Job);
  };
  /** Lets one after the other run, and gives their names. */
  const run = () => {
    for (let before = -1; before !== inners.started.length;) {
      before = inners.started.length;
      finishLast();
    }
    return started();
  };
  return { source, send, at, started, finishLast, run, log, dropped, subscription };
}

describe('bufferedMergeMap with priorities', () => {
  const unhandled = collectUnhandled();

  it.each([
    [{ priority: 1 as never }, 'priority must be a function, got 1'],
    [{ priority: null as never }, 'priority must be a function, got null'],
    [{ ageing: -1 }, 'ageing must be a number of milliseconds from 0 to 2147483647 or Infinity, got -1'],
    [{ ageing: NaN }, 'ageing must be a number of milliseconds from 0 to 2147483647 or Infinity, got NaN'],
    [{ ageing: '1' as never }, "ageing must be a number of milliseconds from 0 to 2147483647 or Infinity, got '1'"],
  ] as [Options, string][])('checks what it is called with: %o', (options, message) => {
    expect(() => bufferedMergeMap((value: Job) => of(value), options)).toThrow(message);
  });

  it('the highest goes first, of the same priority the one that has waited longest', () => {
    const { send, run } = prioritized({});
    send('running');
    send('b', 1);
    send('a', 2);
    send('d', 0);
    send('c', 1);
    send('e', -1);
    expect(run()).toEqual(['running', 'a', 'b', 'c', 'd', 'e']);
  });

  it('starts at once what finds a slot, whatever its priority', () => {
    const { send, started } = prioritized({ concurrent: 2 });
    send('low', -100);
    send('high', 100);
    expect(started()).toEqual(['low', 'high']);
  });

  it('a value that comes while slots are filled is compared with those that wait', () => {
    const limit = new Subject<number>();
    const started: string[] = [];
    const source = new Subject<Job>();
    source
      .pipe(
        bufferedMergeMap(
          ({ name }) => {
            started.push(name);
            if (name === 'middle') source.next({ name: 'high', priority: 3 });
            return NEVER;
          },
          { concurrent: limit, priority: ({ priority }) => priority },
        ),
      )
      .subscribe();
    source.next({ name: 'low', priority: 1 });
    source.next({ name: 'middle', priority: 2 });
    limit.next(2);
    expect(started).toEqual(['middle', 'high']);
  });

  it('asks for the priority of each value once, when it comes', () => {
    const asked: string[] = [];
    const { send, run } = prioritized({
      priority: ({ name, priority }) => {
        asked.push(name);
        return priority;
      },
    });
    send('running');
    send('low', 1);
    send('high', 2);
    run();
    expect(asked).toEqual(['running', 'low', 'high']);
  });

  it('takes infinite ones', () => {
    const { send, run } = prioritized({});
    send('running');
    send('never before others', -Infinity);
    send('low', -1e9);
    send('high', 1e9);
    send('always first', Infinity);
    send('always second', Infinity);
    expect(run()).toEqual(['running', 'always first', 'always second', 'high', 'low', 'never before others']);
  });

  describe('while they wait, they age', () => {
    /** Who is the next: who has waited since 0, or who comes then with one step more. */
    const nextAt = (frame: number, steps: number, options: Options) => {
      const { send, at, finishLast, started } = prioritized(options);
      send('running');
      send('old', 5);
      at(frame, () => {
        send('young', 5 + steps);
        finishLast();
      });
      return started().at(-1);
    };

    it('by 1 a second', () => {
      expect([nextAt(999, 1, {}), nextAt(1000, 1, {}), nextAt(1001, 1, {})]).toEqual(['young', 'old', 'old']);
    });

    it('with ageing, by 1 in so much time', () => {
      expect([nextAt(29, 3, { ageing: 10 }), nextAt(30, 3, { ageing: 10 })]).toEqual(['young', 'old']);
    });

    it('with ageing of Infinity, never', () => {
      expect(nextAt(1e9, 1, { ageing: Infinity })).toBe('young');
    });

    it('with ageing of 0, at once: first come, first served', () => {
      expect(nextAt(1, 1e9, { ageing: 0 })).toBe('old');
      const { send, run } = prioritized({ ageing: 0 });
      send('running');
      send('a', 1);
      send('b', Infinity);
      send('c', -Infinity);
      expect(run()).toEqual(['running', 'a', 'b', 'c']);
    });

    it('so that none starves', () => {
      const { send, at, started, finishLast } = prioritized({ ageing: 10 });
      send('running');
      send('low', 0);
      for (let frame = 1; frame <= 200; frame++) {
        at(frame, () => {
          send(`high ${String(frame)}`, 10);
          finishLast();
        });
      }
      expect(started().indexOf('low')).toBe(100); // 10 steps of 10 ms, one start in each
    });
  });

  describe('with keys', () => {
    const key = (job: Job) => job.key;

    it('the highest of those that may start: order within a key stays', () => {
      const { send, run } = prioritized({ key });
      send('running', 0, 'x');
      send('a1', 1, 'a');
      send('a2', 9, 'a');
      send('b1', 5, 'b');
      send('b2', 4, 'b');
      expect(run()).toEqual(['running', 'b1', 'b2', 'a1', 'a2']);
    });

    it('once the first of a key has gone, the next goes by its own priority', () => {
      const { send, run } = prioritized({ key });
      send('running', 0, 'x');
      send('a1', 5, 'a');
      send('a2', 9, 'a');
      send('b1', 6, 'b');
      send('b2', 4, 'b');
      expect(run()).toEqual(['running', 'b1', 'a1', 'a2', 'b2']);
    });

    it('the highest waits while its key is busy', () => {
      const { send, started, finishLast } = prioritized({ key, concurrent: 2 });
      send('a1', 0, 'a');
      send('b1', 0, 'b');
      send('a2', 9, 'a');
      send('c1', 1, 'c');
      finishLast(); // b1
      expect(started()).toEqual(['a1', 'b1', 'c1']);
    });

    it('with concurrentPerKey, too, they start in order', () => {
      const { send, run } = prioritized({ key, concurrentPerKey: 3 });
      send('running', 0, 'a');
      send('a1', 1, 'a');
      send('a2', 2, 'a');
      send('a3', 3, 'a');
      expect(run()).toEqual(['running', 'a1', 'a2', 'a3']);
    });
  });

  it('drop-oldest drops what has waited longest, whatever its priority; the order of the others stays', () => {
    const { send, run, dropped } = prioritized({ bufferSize: 3, overflow: 'drop-oldest' });
    send('running');
    [7, 1, 9, 3, 8, 2].forEach((priority) => {
      send(String(priority), priority);
    });
    expect(dropped).toEqual(['7 overflow', '1 overflow', '9 overflow']);
    expect(run()).toEqual(['running', '8', '3', '2']);
  });

  it('hands over what waits in the order in which it came', () => {
    const { send, subscription, dropped } = prioritized({});
    send('running');
    [3, 1, 2].forEach((priority) => {
      send(String(priority), priority);
    });
    subscription.unsubscribe();
    expect(dropped).toEqual(['3 unsubscribe', '1 unsubscribe', '2 unsubscribe']);
  });

  it('ordered: results in the order of the starts', () => {
    const source = new Subject<Job>();
    const { project, finish } = heldInners<Job>();
    const { log } = record(
      source.pipe(bufferedMergeMap(project, { concurrent: 2, ordered: true, priority: ({ priority }) => priority })),
    );
    const jobs = ['a', 'b', 'low', 'high'].map((name, priority) => ({ name, priority }));
    for (const job of jobs) source.next(job);
    const [a, b, low, high] = jobs as [Job, Job, Job, Job];
    finish(b, a, low, high);
    expect(log).toEqual([a, b, high, low]);
  });

  describe('priority that', () => {
    it('throws: that is the error, and its value is handed over', () => {
      const error = new Error('priority');
      const { send, log, dropped } = prioritized({
        priority: ({ priority }) => {
          if (priority === 13) throw error;
          return priority;
        },
      });
      send('running');
      send('waiting');
      send('unlucky', 13);
      expect(log).toEqual([['error', error]]);
      expect(dropped).toEqual(['waiting error', 'unlucky error']);
    });

    it.each([
      [NaN, 'priority must give a number, got NaN'],
      [undefined, 'priority must give a number, got undefined'],
      ['high', "priority must give a number, got 'high'"],
      [3n, 'priority must give a number, got 3'],
    ])('gives no number: %s', (priority, message) => {
      const { send, log, dropped } = prioritized({ priority: () => priority as number });
      send('a');
      expect(log).toEqual([['error', new RangeError(message)]]);
      expect(dropped).toEqual(['a error']);
    });

    it('unsubscribes: nothing is started any more', () => {
      const { send, subscription, started, dropped } = prioritized({
        priority: () => {
          subscription.unsubscribe();
          return 1;
        },
      });
      send('a');
      expect([started(), dropped]).toEqual([[], ['a unsubscribe']]);
    });

    it('unsubscribes and throws: that is reported', async () => {
      const error = new Error('too late');
      const { send, subscription } = prioritized({
        priority: () => {
          subscription.unsubscribe();
          throw error;
        },
      });
      send('a');
      expect(await reported(unhandled)).toBe(error);
    });

    it('pushes into the source: what it brings in is asked and placed before', () => {
      const act: { first?: () => void } = {};
      const { send, run } = prioritized({
        priority: ({ priority }) => {
          const { first } = act;
          delete act.first;
          first?.();
          return priority;
        },
      });
      send('running');
      act.first = () => {
        send('inner', 1);
      };
      send('outer', 1);
      expect(run()).toEqual(['running', 'inner', 'outer']);
    });
  });

  it.each([
    ['5 0  7ms 1 60ms |', '20ms 5 19ms 1 19ms 0 9ms |'],
    ['5 0 10ms 1 57ms |', '20ms 5 19ms 0 19ms 1 9ms |'],
  ])('in virtual time: %s', (values, expected) => {
    marbles((m) => {
      const work = (value: string) => m.cold('20ms (x|)', { x: value });
      const operator = bufferedMergeMap(work, { concurrent: 1, priority: Number, ageing: 10, scheduler: m.scheduler });
      m.expect(m.hot(values).pipe(operator)).toBeObservable(expected);
    })();
  });
});
