import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TimeLimits, type TimeLimit } from '../../src/machines/TimeLimits.js';

describe('TimeLimits', () => {
  it('limits the whole from the beginning', () => {
    const limits = new TimeLimits({ total: 10 }, 5);
    expect([limits.due, limits.limit, limits.limitsSilence]).toEqual([15, 'total', false]);
    limits.count(7);
    limits.pass();
    limits.pause();
    expect([limits.due, limits.limit]).toEqual([15, 'total']);
  });

  it('limits silence only while that counts', () => {
    const limits = new TimeLimits({ each: 10 }, 0);
    expect(limits.due).toBe(Infinity);
    limits.count(5);
    expect([limits.due, limits.limit]).toEqual([15, 'each']);
    limits.pause();
    expect(limits.due).toBe(Infinity);
    limits.count(20);
    limits.pass();
    expect(limits.due).toBe(Infinity);
  });

  it('has a limit of its own for the first value', () => {
    const limits = new TimeLimits({ first: 0, each: 3 }, 0);
    limits.count(1);
    expect([limits.due, limits.limit]).toEqual([1, 'first']);
    limits.pass();
    limits.count(1);
    expect([limits.due, limits.limit]).toEqual([4, 'each']);
  });

  it('does not limit silence after the first value unless told to', () => {
    const limits = new TimeLimits({ first: 3 }, 0);
    expect(limits.limitsSilence).toBe(true);
    limits.pass();
    expect(limits.limitsSilence).toBe(false);
    limits.count(1);
    expect(limits.due).toBe(Infinity);
  });

  it('does what a model does that keeps the whole history', () => {
    const limit = fc.option(fc.nat(20), { nil: undefined });
    fc.assert(
      fc.property(
        fc.record({ first: limit, each: limit, total: limit }),
        fc.array(fc.tuple(fc.nat(5), fc.constantFrom('pass', 'count', 'pause')), { maxLength: 20 }),
        (given, steps) => {
          const settings = Object.fromEntries(Object.entries(given).filter(([, ms]) => ms !== undefined)) as Partial<
            Record<TimeLimit, number>
          >;
          const limits = new TimeLimits(settings, 0);
          let now = 0;
          const history: { at: number; step: string }[] = [];
          for (const [gap, step] of steps) {
            now += gap;
            history.push({ at: now, step });
            if (step === 'pass') limits.pass();
            else if (step === 'count') limits.count(now);
            else limits.pause();

            const values = history.filter((each) => each.step === 'pass').length;
            const last = history.at(-1);
            const name = values > 0 || settings.first === undefined ? 'each' : 'first';
            const silence = last?.step === 'count' ? last.at + (settings[name] ?? Infinity) : Infinity;
            const whole = settings.total ?? Infinity;
            expect(limits.due).toBe(Math.min(silence, whole));
            if (limits.due < Infinity) expect(limits.limit).toBe(whole <= silence ? 'total' : name);
          }
        },
      ),
    );
  });
});
