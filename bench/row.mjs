import { median } from './compare.mjs';

/**
 * A row of the table: `values`, one for each process, as their median and range; and whether the median is as claimed. It is held
 * (bench/expected.json) with what is `better`: `'more'`, `'less'`, or `null` if it says nothing about this package.
 */
export function row(what, values, { unit = ' x', atLeast, atMost, better = atMost ? 'less' : 'more' } = {}) {
  const value = median(values);
  return {
    what,
    value,
    better,
    result: digits(value) + unit,
    range: values.length > 1 ? `${digits(Math.min(...values))} .. ${digits(Math.max(...values))}` : '',
    target: atLeast ? `>= ${atLeast}${unit}` : atMost ? `<= ${atMost}${unit}` : '',
    isMet: atLeast ? value >= atLeast : atMost ? value <= atMost : undefined,
  };
}

/** A figure that is what it is: nothing is claimed, or it was checked elsewhere. */
export function fact(what, result, target = '', isMet = undefined) {
  return { what, result, range: '', target, isMet };
}

export function digits(value) {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
