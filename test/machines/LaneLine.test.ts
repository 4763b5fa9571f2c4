import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Overflow } from '../../src/machines/BoundedBuffer.js';
import type { LaneTicket } from '../../src/machines/Lane.js';
import { LaneLine, type LaneRules } from '../../src/machines/LaneLine.js';

interface Value {
  readonly key: string;
  readonly rank: number;
  readonly since: number;
}

/** What waits, as one array in the order of arrival, and the keys of what runs. */
class Model {
  waiting: Value[] = [];
  running: string[] = [];

  constructor(private readonly rules: Omit<LaneRules<Value>, 'rank'>) {}

  /** Values without key have nothing in common. */
  sharesLane(key: string): (other: Value) => boolean {
    return (other) => this.rules.key !== undefined && other.key === key;
  }

  mayRun(key: string): boolean {
    const { rules } = this;
    return !rules.key || this.running.filter((each) => each === key).length < rules.concurrentPerKey;
  }

  /** The first of each lane that may start, the lowest rank first. */
  get startable(): Value[] {
    const { waiting, rules } = this;
    return waiting
      .filter((value) => this.mayRun(value.key) && (!rules.key || waiting.find(this.sharesLane(value.key)) === value))
      .sort((a, b) => a.rank - b.rank || waiting.indexOf(a) - waiting.indexOf(b));
  }

  isClear({ key }: Value): boolean {
    return this.startable.length === 0 && !this.waiting.some(this.sharesLane(key)) && this.mayRun(key);
  }

  isFull({ key }: Value): boolean {
    return this.waiting.filter(this.sharesLane(key)).length >= this.rules.maxPerKey;
  }

  offer(value: Value): Value[] | undefined {
    const { bufferSize, overflow } = this.rules;
    const isFull = this.isFull(value);
    const rivals = isFull ? this.waiting.filter(this.sharesLane(value.key)) : this.waiting;
    if (!isFull && this.waiting.length < bufferSize) return this.replace([], value);
    if (overflow === 'error') return undefined;
    if (overflow === 'drop-newest' || rivals.length === 0) return [value];
    return this.replace(overflow === 'drop-oldest' ? rivals.slice(0, 1) : rivals, value);
  }

  private replace(dropped: Value[], value: Value): Value[] {
    this.waiting = [...this.waiting.filter((each) => !dropped.includes(each)), value];
    return dropped;
  }

  take(values: Value[]): Value[] {
    this.waiting = this.waiting.filter((value) => !values.includes(value));
    return values;
  }
}

type Step =
  | { readonly do: 'send'; readonly key: string; readonly rank: number; readonly slot: boolean }
  | { readonly do: 'next' | 'take all' }
  | { readonly do: 'end'; readonly which: number }
  | { readonly do: 'wait' | 'take old'; readonly ms: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        do: fc.constant('send' as const),
        key: fc.constantFrom('a', 'b', 'c', 'd'),
        rank: fc.integer({ min: -3, max: 3 }),
        slot: fc.boolean(),
      }),
    },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('next' as const) }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('end' as const), which: fc.nat(9) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('take old' as const), ms: fc.nat(6) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('take all' as const) }) },
  ),
  { maxLength: 100, size: 'max' },
);

const limits = fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1, max: 3 }) }, fc.constant(Infinity));
const rules = fc.record({
  bufferSize: fc.oneof({ weight: 3, arbitrary: fc.nat(8) }, fc.constant(Infinity)),
  overflow: fc.constantFrom<Overflow>('error', 'drop-oldest', 'drop-newest', 'drop-buffer'),
  key: fc.constantFrom(({ key }: Value) => key, undefined),
  concurrentPerKey: limits,
  maxPerKey: limits,
});

/** How many keys it remembers. */
const keysIn = (line: object) =>
  Object.values(line).reduce<number>((sum, field) => sum + (field instanceof Map ? field.size : 0), 0);

describe('LaneLine', () => {
  it('does what an array does in which one looks for the next', () => {
    fc.assert(
      fc.property(rules, steps, (rules, steps) => {
        const line = new LaneLine<Value>({ ...rules, rank: ({ rank }) => rank });
        const model = new Model(rules);
        const running: LaneTicket<Value>[] = [];
        let now = 0;

        for (const step of steps) {
          if (step.do === 'send') {
            const value = { key: step.key, rank: step.rank, since: now };
            const ticket = line.admit(value, () => now);
            expect(line.isClear(ticket)).toBe(model.isClear(value));
            expect(line.fullLane(ticket) !== undefined).toBe(model.isFull(value));
            if (step.slot && line.isClear(ticket)) {
              line.enter(ticket);
              running.push(ticket);
              model.running.push(value.key);
            } else expect(line.offer(value, ticket)).toEqual(model.offer(value));
          } else if (step.do === 'next' && model.startable.length > 0) {
            const [expected] = model.take(model.startable.slice(0, 1));
            line.takeNext((value, ticket) => {
              expect(value).toBe(expected);
              expect(line.size).toBe(model.waiting.length); // it has left before it is told
              running.push(ticket);
              model.running.push(value.key);
            });
          } else if (step.do === 'end' && running.length > 0) {
            const index = step.which % running.length;
            line.leave(running.splice(index, 1)[0] as LaneTicket<Value>);
            model.running.splice(index, 1);
          } else if (step.do === 'wait') now += step.ms;
          else if (step.do === 'take old') {
            const old = model.waiting.filter(({ since }) => since <= now - step.ms);
            expect(line.takeSince(now - step.ms)).toEqual(model.take(old));
          } else if (step.do === 'take all') expect(line.takeAll()).toEqual(model.take(model.waiting));

          const { waiting, startable } = model;
          const keys = new Set(rules.key ? [...waiting.map(({ key }) => key), ...model.running] : []);
          expect([line.size, line.hasNext, line.oldest, line.takesAny, keysIn(line)]).toEqual([
            waiting.length,
            startable.length > 0,
            waiting[0]?.since,
            waiting.length === 0 && keys.size === 0,
            keys.size,
          ]);
          expect(line.size).toBeLessThanOrEqual(rules.bufferSize);
        }
      }),
      { numRuns: 500 },
    );
  });

  const lineOf = (rules: Partial<LaneRules<Value>>) =>
    new LaneLine<Value>({
      bufferSize: Infinity,
      overflow: 'error',
      key: ({ key }) => key,
      concurrentPerKey: 1,
      maxPerKey: Infinity,
      rank: ({ rank }) => rank,
      ...rules,
    });

  const send = (line: LaneLine<Value>, key: string, rank: number) => {
    const value = { key, rank, since: 0 };
    return line.offer(
      value,
      line.admit(value, () => 0),
    );
  };

  const order = (line: LaneLine<Value>) => {
    const names: string[] = [];
    while (line.hasNext) {
      line.takeNext(({ key, rank }, ticket) => {
        names.push(`${key}${String(rank)}`);
        line.leave(ticket);
      });
    }
    return names;
  };

  it('once the first of a lane has gone, the next has the rank that is its own', () => {
    const line = lineOf({});
    send(line, 'a', 9); // holds up who is behind it
    send(line, 'a', 1);
    send(line, 'b', 8);
    send(line, 'b', 5);
    send(line, 'c', 3);
    expect(order(line)).toEqual(['c3', 'b8', 'b5', 'a9', 'a1']);
    const other = lineOf({});
    send(other, 'a', 5);
    send(other, 'a', 1);
    send(other, 'b', 3);
    send(other, 'b', 2);
    send(other, 'c', 6);
    expect(order(other)).toEqual(['b3', 'b2', 'a5', 'a1', 'c6']);
  });

  it('nobody overtakes within a lane of which several may run', () => {
    const line = lineOf({ concurrentPerKey: 3 });
    send(line, 'a', 3);
    send(line, 'a', 1);
    send(line, 'a', 2);
    const names: number[] = [];
    while (line.hasNext) line.takeNext(({ rank }) => names.push(rank));
    expect(names).toEqual([3, 1, 2]);
  });

  it('what key and rank bring in while they are asked comes first, and into the same lane', () => {
    const inner = { key: 'a', rank: 1, since: 0 };
    const outer = { key: 'a', rank: 2, since: 0 };
    let asked = 0;
    const line: LaneLine<Value> = lineOf({
      key: ({ key }) => {
        if (++asked === 1) {
          const ticket = line.admit(inner, () => 0);
          expect(line.isClear(ticket)).toBe(true);
          line.enter(ticket);
        }
        return key;
      },
    });
    const ticket = line.admit(outer, () => 0);
    expect(line.isClear(ticket)).toBe(false);
    expect(line.offer(outer, ticket)).toEqual([]);
    expect([line.hasNext, keysIn(line)]).toEqual([false, 1]);
  });

  it('knows keys as a Map does', () => {
    const keys = [undefined, null, NaN, 0, '0', false, ''];
    const line = new LaneLine<unknown>({
      bufferSize: Infinity,
      overflow: 'error',
      key: (value) => value,
      concurrentPerKey: 1,
      maxPerKey: Infinity,
      rank: () => 0,
    });
    for (const key of [...keys, -0, ...keys]) {
      line.offer(
        key,
        line.admit(key, () => 0),
      );
    }
    expect(keysIn(line)).toBe(keys.length);
    const started: unknown[] = [];
    while (line.hasNext) line.takeNext((key) => started.push(key));
    expect(started).toEqual(keys);
  });

  it('keeps nothing of a value that has left: neither it nor who is behind it', () => {
    const line = lineOf({});
    send(line, 'a', 1);
    send(line, 'a', 2);
    line.takeNext((_, ticket) => {
      expect([ticket.value, ticket.behind, ticket.previous, ticket.following, ticket.place]).toEqual([
        undefined,
        undefined,
        undefined,
        undefined,
        -1,
      ]);
      expect(ticket.lane.waiting).toBe(1);
    });
  });

  it.each(['of one key', 'of keys of their own'])(
    'costs little for each, however many wait %s',
    (keys) => {
      const count = 50_000; // minutes, if each that leaves made it look through the others
      const line = lineOf({ bufferSize: count, overflow: 'drop-oldest' });
      const key = (i: number) => (keys === 'of one key' ? 'a' : String(i));
      for (let i = 0; i < 2 * count; i++) send(line, key(i), i % 10);
      expect(line.size).toBe(count);
      let started = 0;
      for (; started < count / 2; started++) {
        line.takeNext((_, ticket) => {
          line.leave(ticket);
        });
      }
      expect(line.takeAll()).toHaveLength(count / 2);
      expect([line.size, line.hasNext, keysIn(line)]).toEqual([0, false, 0]);
    },
    15_000,
  );
});
