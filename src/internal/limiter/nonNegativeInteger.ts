import { check } from '../arguments.js';

export function nonNegativeInteger(name: string, value: number): number {
  return check(Number.isInteger(value) && value >= 0, RangeError, name, 'be a non-negative integer', value);
}
