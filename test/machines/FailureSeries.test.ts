import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FailureSeries } from '../../src/machines/FailureSeries.js';

describe('FailureSeries', () => {
  it('counts the failures, and knows when the first was', () => {
    const series = new FailureSeries(10);
    expect(series.fail(5)).toBe(true);
    expect([series.length, series.elapsed(5)]).toEqual([1, 0]);
    expect(series.fail(9)).toBe(false);
    expect([series.length, series.elapsed(12)]).toEqual([2, 7]);
  });

  it('does not begin anew with one value: a server that flaps would be hammered', () => {
    const series = new FailureSeries(10);
    series.fail(0);
    for (let at = 1; at < 100; at += 9) {
      series.pass(at);
      series.pass(at + 8);
      expect(series.fail(at + 9)).toBe(false);
    }
    expect(series.length).toBe(12);
  });

  it('begins anew when the source has been fine for that long, to the millisecond', () => {
    const series = new FailureSeries(10);
    series.fail(0);
    series.pass(5);
    expect(series.fail(14.9)).toBe(false);
    series.pass(20);
    series.pass(29);
    expect(series.fail(30)).toBe(true);
    expect([series.length, series.elapsed(31)]).toEqual([1, 1]);
  });

  it('does not take silence for health: time without a value does not count', () => {
    const series = new FailureSeries(10);
    series.fail(0);
    expect(series.fail(1000)).toBe(false);
    series.pass(2000);
    expect(series.fail(2001)).toBe(false);
  });

  it('with 0 begins anew with each value, with Infinity never', () => {
    const [always, never] = [new FailureSeries(0), new FailureSeries(Infinity)];
    for (const series of [always, never]) {
      series.fail(0);
      series.pass(0);
      series.fail(0);
    }
    expect([always.length, never.length]).toEqual([1, 2]);
  });

  it('does what a list of all that has happened says', () => {
    const events = fc.array(fc.record({ gap: fc.nat(9), fails: fc.boolean() }), { maxLength: 50 });
    fc.assert(
      fc.property(events, fc.nat(20), (list, resetAfter) => {
        const series = new FailureSeries(resetAfter);
        let now = 0;
        let row: number[] = [];
        let values: number[] = [];
        for (const { gap, fails } of list) {
          now += gap;
          if (!fails) {
            series.pass(now);
            values.push(now);
          } else {
            if (values.length > 0 && now - Number(values[0]) >= resetAfter) row = [];
            row.push(now);
            values = [];
            expect(series.fail(now)).toBe(row.length === 1);
            expect(series.length).toBe(row.length);
            expect(series.elapsed(now)).toBe(now - Number(row[0]));
          }
          expect(series.isFine).toBe(values.length > 0);
        }
      }),
    );
  });
});
