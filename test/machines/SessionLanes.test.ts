import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SessionLane } from '../../src/machines/SessionLane.js';
import { SessionLanes, type SessionLaneRules } from '../../src/machines/SessionLanes.js';

type Lane = SessionLane<string, number, string>;

const rulesOf = (rules: Partial<SessionLaneRules> = {}): SessionLaneRules => ({
  bufferSize: Infinity,
  bufferSizePerKey: Infinity,
  highWaterMarkPerKey: Infinity,
  overflow: 'error',
  maxSessions: Infinity,
  ...rules,
});

/** The same, in arrays. */
class Model {
  waiting: { key: string; value: number }[] = [];
  line: string[] = [];
  /** The share of each that lives. */
  live = new Map<string, number>();

  constructor(private readonly rules: SessionLaneRules) {}

  sizeOf(key: string): number {
    return this.waiting.filter((each) => each.key === key).length;
  }

  knows(key: string): boolean {
    return this.live.has(key) || this.line.includes(key);
  }

  offer(key: string, value: number): number[] | undefined {
    const { bufferSize, bufferSizePerKey, overflow } = this.rules;
    const isKeyFull = this.sizeOf(key) >= bufferSizePerKey;
    const dropped: number[] = [];
    if (isKeyFull || this.waiting.length >= bufferSize) {
      if (overflow === 'error') return undefined;
      if (overflow === 'drop-newest') return [value];
      const candidates = this.waiting.filter((each) => !isKeyFull || each.key === key);
      dropped.push(...(overflow === 'drop-oldest' ? candidates.slice(0, 1) : candidates).map((each) => each.value));
    }
    if (!this.knows(key)) this.line.push(key);
    this.waiting.push({ key, value });
    for (const each of dropped) this.remove(each);
    return dropped;
  }

  remove(value: number): void {
    const { key } = this.waiting.find((each) => each.value === value) as { key: string };
    this.waiting = this.waiting.filter((each) => each.value !== value);
    const share = this.live.get(key);
    if (share !== undefined) this.live.set(key, share - 1);
    else if (this.sizeOf(key) === 0) this.line = this.line.filter((each) => each !== key);
  }
}

const steps = fc.array(
  fc.tuple(
    fc.constantFrom('offer', 'offer', 'offer', 'start', 'shift', 'shift', 'seal', 'end', 'takeAll'),
    fc.constantFrom('a', 'b', 'c', 'd'),
  ),
  { maxLength: 60 },
);

const rules = fc.record({
  bufferSize: fc.constantFrom(1, 2, 5, Infinity),
  bufferSizePerKey: fc.constantFrom(1, 2, Infinity),
  highWaterMarkPerKey: fc.constantFrom(1, 2, Infinity),
  overflow: fc.constantFrom('error' as const, 'drop-oldest' as const, 'drop-newest' as const, 'drop-buffer' as const),
  maxSessions: fc.constantFrom(1, 2, Infinity),
});

it('SessionLanes does what arrays do', () => {
  fc.assert(
    fc.property(rules, steps, (given, program) => {
      const lanes = new SessionLanes<string, number, string>(given);
      const model = new Model(given);
      let next = 0;
      for (const [step, key] of program) {
        const lane = lanes.get(key);
        if (step === 'offer') {
          const value = next++;
          if (!lane && lanes.hasFreeSlot) {
            lanes.open(key, value);
            model.line.push(key);
            model.waiting.push({ key, value });
          } else {
            const dropped = lanes.offer(key, value);
            expect(dropped?.map((entry) => entry.value)).toEqual(model.offer(key, value));
          }
        } else if (step === 'start') {
          const first = lanes.next;
          const expected = model.live.size < given.maxSessions ? model.line[0] : undefined;
          expect(first?.key).toBe(expected);
          if (!first) continue;
          lanes.start(first, `session of ${first.key}`);
          model.line.shift();
          model.live.set(first.key, Infinity);
        } else if (step === 'shift' && lane && lane.size > 0) {
          const value = lanes.shift(lane);
          expect(value).toBe(model.waiting.find((each) => each.key === key)?.value);
          model.remove(value);
        } else if (step === 'seal' && lane?.session) {
          lanes.seal(lane);
          model.live.set(key, Math.min(model.live.get(key) ?? 0, model.sizeOf(key)));
        } else if (step === 'end' && lane?.session) {
          lanes.end(lane);
          model.live.delete(key);
          if (model.sizeOf(key) > 0) model.line.push(key);
        } else if (step === 'takeAll' && program.length % 7 === 0) {
          expect(lanes.takeAll()).toEqual(model.waiting.map(({ value }) => value));
          for (const { value } of [...model.waiting]) model.remove(value);
        }
        const keys = ['a', 'b', 'c', 'd'];
        expect(lanes.size).toBe(model.waiting.length);
        expect([lanes.live, lanes.pending, lanes.keys]).toEqual([
          model.live.size,
          model.line.length,
          model.live.size + model.line.length,
        ]);
        expect(lanes.full).toBe(keys.filter((each) => model.sizeOf(each) >= given.highWaterMarkPerKey).length);
        expect(lanes.hasFreeSlot).toBe(model.live.size + model.line.length < given.maxSessions);
        for (const each of keys) {
          expect(lanes.get(each) !== undefined).toBe(model.knows(each));
          expect(lanes.get(each)?.share ?? Infinity).toBe(model.live.get(each) ?? lanes.get(each)?.share ?? Infinity);
          expect(lanes.get(each)?.size ?? 0).toBe(model.sizeOf(each));
        }
      }
    }),
    { numRuns: 1000 },
  );
});

describe('a key', () => {
  const start = (lanes: SessionLanes<string, number, string>, key: string): Lane => {
    lanes.open(key, 1);
    const lane = lanes.next as Lane;
    lanes.start(lane, 'session');
    return lane;
  };

  it('is forgotten when its session is over and nothing waits', () => {
    const lanes = new SessionLanes<string, number, string>(rulesOf());
    const lane = start(lanes, 'a');
    lanes.shift(lane);
    expect(lanes.keys).toBe(1);
    lanes.end(lane);
    expect([lanes.keys, lanes.live, lanes.pending]).toEqual([0, 0, 0]);
    expect(lane.session).toBe(undefined);
  });

  it('has an open share again in its next session', () => {
    const lanes = new SessionLanes<string, number, string>(rulesOf());
    const lane = start(lanes, 'a');
    lanes.seal(lane);
    lanes.offer('a', 2);
    lanes.shift(lane);
    expect(lane.share).toBe(0);
    lanes.end(lane);
    expect(lanes.next).toBe(lane);
    lanes.start(lane, 'next');
    expect(lane.share).toBe(Infinity);
  });

  it('of which a value has left does not keep it', () => {
    const lanes = new SessionLanes<string, number, string>(rulesOf());
    const lane = start(lanes, 'a');
    lanes.shift(lane);
    expect([lane.first, lane.last]).toEqual([undefined, undefined]);
  });

  it('is told of what it loses, also where nothing else of it is known', () => {
    const lanes = new SessionLanes<string, number, string>(rulesOf({ bufferSize: 1, overflow: 'drop-newest' }));
    lanes.open('a', 1);
    const dropped = ['a', 'b'].flatMap((key) => lanes.offer(key, 2) ?? []);
    expect(dropped.map(({ lane, value }) => [lane.key, value])).toEqual([
      ['a', 2],
      ['b', 2],
    ]);
    expect(lanes.get('b')).toBe(undefined);
  });

  it('says how many slots are short', () => {
    const lanes = new SessionLanes<string, number, string>(rulesOf({ maxSessions: 1 }));
    expect(lanes.shortage).toBe(-1);
    start(lanes, 'a');
    expect(lanes.shortage).toBe(0);
    lanes.offer('b', 1);
    expect(lanes.shortage).toBe(1);
  });
});
