import { describe, expect, it } from 'vitest';
import { bestOf, regressions } from '../../bench/expected.mjs';

const more = (value: number, what = 'a') => ({ what, value, better: 'more', result: `${String(value)} x` });
const less = (value: number, what = 'a') => ({ what, value, better: 'less', result: `${String(value)} x` });

describe('npm run bench -- --check', () => {
  it('finds a ratio below 0.85 of what is expected, and says both', () => {
    expect(regressions({ a: 4 }, [more(3.41)])).toEqual([]);
    expect(regressions({ a: 4 }, [more(3.39)])).toEqual(['a: 3.39 x, where 4 x is expected (more is better)']);
  });

  it('finds one that has risen, where less is better', () => {
    expect(regressions({ a: 1 }, [less(1.17)])).toEqual([]);
    expect(regressions({ a: 1 }, [less(1.18)])).toEqual(['a: 1.18 x, where 1 x is expected (less is better)']);
  });

  it('finds what is new and what is gone', () => {
    expect(regressions({ b: 1 }, [more(1)])).toEqual([
      'a: no ratio is expected yet (--record)',
      'b: expected, but not measured any more (--record)',
    ]);
  });

  it('takes the best of several runs, row by row', () => {
    expect(
      bestOf([
        [more(1), less(2, 'b')],
        [more(3), less(5, 'b')],
        [more(2), less(1, 'b')],
      ]),
    ).toEqual([more(3), less(1, 'b')]);
    expect(bestOf([])).toEqual([]);
  });
});
