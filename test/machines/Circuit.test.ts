import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Circuit, type CallOutcome, type CircuitCall } from '../../src/machines/Circuit.js';
import { ConsecutiveFailures } from '../../src/machines/ConsecutiveFailures.js';
import { CountWindow } from '../../src/machines/CountWindow.js';
import type { FailurePolicy } from '../../src/machines/FailurePolicy.js';
import { FailureRatio } from '../../src/machines/FailureRatio.js';
import { TimeWindow } from '../../src/machines/TimeWindow.js';
import { CircuitModel, type ModelRules } from '../support/CircuitModel.js';

interface Policy {
  readonly name: string;
  readonly policy: () => FailurePolicy;
  /** The same in one line. */
  readonly opens: ModelRules['opens'];
}

const policies: readonly Policy[] = [
  ...[1, 2, 3].map((limit): Policy => ({
    name: `${String(limit)} in a row`,
    policy: () => new ConsecutiveFailures(limit),
    opens: (outcomes) => outcomes.length >= limit && outcomes.slice(-limit).every(({ failed }) => failed),
  })),
  ...[0.07, 0.3, 0.5, 1].flatMap((ratio) =>
    [1, 3].flatMap((minimum) => [
      ...[3, 5].map((size): Policy => ({
        name: `${String(ratio)} of the last ${String(size)}, at least ${String(minimum)}`,
        policy: () => new FailureRatio(ratio, minimum, new CountWindow(size)),
        opens: (outcomes) => isReached(outcomes.slice(-size), ratio, minimum),
      })),
      ...[10, 25, 300].map((length): Policy => ({
        name: `${String(ratio)} of the last ${String(length)} ms, at least ${String(minimum)}`,
        policy: () => new FailureRatio(ratio, minimum, new TimeWindow(length)),
        opens: (outcomes, now) => {
          const tenth = (at: number) => Math.floor((at * 10) / length);
          return isReached(
            outcomes.filter(({ at }) => tenth(at) > tenth(now) - 10),
            ratio,
            minimum,
          );
        },
      })),
    ]),
  ),
];

function isReached(outcomes: readonly { failed: boolean }[], ratio: number, minimum: number): boolean {
  const failures = outcomes.filter(({ failed }) => failed).length;
  return outcomes.length >= minimum && failures / outcomes.length >= ratio;
}

const outcomes = fc.array(fc.record({ gap: fc.oneof(fc.nat(3), fc.nat(40), fc.nat(700)), failed: fc.boolean() }), {
  maxLength: 60,
  size: 'max',
});

describe.each(policies)('$name', ({ policy, opens }) => {
  it('is reached when the plain rule says so, and forgets everything when it is reset', () => {
    fc.assert(
      fc.property(outcomes, fc.nat(20), (given, resetAt) => {
        const machine = policy();
        let seen: { at: number; failed: boolean }[] = [];
        let now = 0;
        for (const [i, { gap, failed }] of given.entries()) {
          if (i === resetAt) {
            machine.reset();
            seen = [];
            expect(machine.isReached).toBe(false);
          }
          now += gap;
          machine.record(now, failed);
          seen.push({ at: now, failed });
          expect(machine.isReached).toBe(opens(seen, now));
        }
      }),
      { numRuns: 50 },
    );
  });
});

it('a share of the calls that is written with decimals is reached exactly', () => {
  const policy = new FailureRatio(0.07, 100, new CountWindow(100)); // 0.07 * 100 > 7
  for (let i = 0; i < 100; i++) policy.record(0, i < 7);
  expect(policy.isReached).toBe(true);
});

it('a window of time forgets a call after nine tenths of it at the earliest, and ten at the latest', () => {
  const window = new TimeWindow(100);
  window.add(9, true);
  window.add(99, false);
  expect([window.calls, window.failures]).toEqual([2, 1]);
  window.add(100, false);
  expect([window.calls, window.failures]).toEqual([2, 0]);
  window.add(1e9, false);
  expect([window.calls, window.failures]).toEqual([1, 0]);
});

const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.constant({ kind: 'start' as const }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('end' as const),
        nth: fc.nat(3),
        outcome: fc.constantFrom<CallOutcome>('success', 'failure', 'failure', 'none'),
      }),
    },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.oneof(fc.nat(4), fc.nat(40)) }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'open' as const }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'close' as const }) },
  ),
  { maxLength: 80, size: 'max' },
);

describe('Circuit', () => {
  it.each([true, false])(
    'is at each moment what the plain model is that looks in each millisecond (looked at between calls: %s)',
    (looks) => {
      fc.assert(
        fc.property(
          steps,
          fc.record({
            policy: fc.constantFrom(...policies.filter(({ name }) => /^(1|2) in|^0.5 of the last (5|25)/.test(name))),
            open: fc.nat(12),
            probes: fc.integer({ min: 1, max: 3 }),
            successes: fc.integer({ min: 1, max: 4 }),
            slowAfter: fc.constantFrom(Infinity, Infinity, 1, 7),
          }),
          (program, { policy, open, ...rules }) => {
            const openFor = (openings: number) => open * openings;
            const history: string[] = [];
            let now = 0;
            const circuit = new Circuit(
              { ...rules, policy: policy.policy(), openFor },
              ({ status, since }) => history.push(`${String(since)} ${status}`),
              0,
            );
            const model = new CircuitModel({ ...rules, opens: policy.opens, openFor });
            const running = new Map<number, CircuitCall>();
            let id = 0;
            for (const step of program) {
              if (step.kind === 'wait')
                for (const until = now + step.ms; now < until;) {
                  now++;
                  model.tick(now);
                  if (!looks) continue;
                  circuit.advance(now);
                  expect(circuit.state.status).toBe(model.status);
                  expect(circuit.due).toBeGreaterThan(now);
                }
              else if (step.kind === 'start') {
                const call = circuit.start(now);
                expect(call !== undefined).toBe(model.start(id, now));
                if (call) running.set(id, call);
                id++;
              } else if (step.kind === 'end') {
                const [key, call] = [...running][step.nth % Math.max(1, running.size)] ?? [];
                if (key === undefined || !call) continue;
                running.delete(key);
                circuit.end(call, now, circuit.judge(call, now, step.outcome));
                model.end(key, now, step.outcome);
              } else {
                circuit[step.kind](now);
                model[step.kind](now);
              }
              model.tick(now);
            }
            circuit.advance(now);
            expect(history).toEqual(model.history);
          },
        ),
        { numRuns: 400 },
      );
    },
  );

  const rules = { policy: new ConsecutiveFailures(1), openFor: () => 10, probes: 1, successes: 1, slowAfter: Infinity };

  it('says how long it refuses: until it tries, and while others are on trial as long as it was open', () => {
    const circuit = new Circuit(rules, () => undefined, 0);
    circuit.end(circuit.start(0) as CircuitCall, 0, 'failure');
    expect(circuit.retryAfter(4)).toBe(6);
    circuit.start(10);
    expect(circuit.start(11)).toBeUndefined();
    expect(circuit.retryAfter(11)).toBe(10);
    circuit.open(12);
    expect(circuit.retryAfter(12)).toBe(Infinity);
  });

  it('counts the successes of a trial anew each time that it is half-open', () => {
    const circuit = new Circuit({ ...rules, successes: 2 }, () => undefined, 0);
    const call = (now: number, outcome: CallOutcome) => {
      circuit.end(circuit.start(now) as CircuitCall, now, outcome);
      return circuit.state.status;
    };
    expect([call(0, 'failure'), call(10, 'success'), call(11, 'failure')]).toEqual(['open', 'half-open', 'open']);
    expect([call(21, 'success'), call(22, 'success')]).toEqual(['half-open', 'closed']);
  });

  it('counts how often it has opened in a row, by itself or by hand', () => {
    const circuit = new Circuit(rules, () => undefined, 0);
    circuit.open(0);
    expect(circuit.state).toMatchObject({ openings: 1, byHand: true });
    circuit.close(0);
    circuit.end(circuit.start(0) as CircuitCall, 0, 'failure');
    expect(circuit.state).toMatchObject({ openings: 1, byHand: false });
    circuit.open(5);
    expect(circuit.state).toMatchObject({ openings: 2, byHand: true });
    circuit.open(6); // nothing new
    expect(circuit.state).toMatchObject({ since: 5, openings: 2 });
  });

  it('gives calls that have not ended', () => {
    expect(new Circuit(rules, () => undefined, 0).start(0)?.ended).toBe(false);
  });

  it('gives states that cannot be changed', () => {
    const { state } = new Circuit(rules, () => undefined, 0);
    expect(Object.isFrozen(state)).toBe(true);
  });

  it('changes nothing, and does not try again at once, when openFor throws', () => {
    const circuit = new Circuit(
      {
        ...rules,
        slowAfter: 5,
        openFor: (openings) => {
          if (openings === 2) throw new Error('openFor');
          return 10;
        },
      },
      () => undefined,
      0,
    );
    circuit.end(circuit.start(0) as CircuitCall, 0, 'failure');
    const trial = circuit.start(10) as CircuitCall;
    expect(() => {
      circuit.advance(15);
    }).toThrow('openFor');
    expect(circuit.state.status).toBe('half-open');
    expect(circuit.due).toBe(Infinity);
    circuit.advance(16);
    expect(circuit.start(16)).toBeDefined();
    expect(() => {
      circuit.end(trial, 16, 'failure');
    }).toThrow('openFor');
  });
});
