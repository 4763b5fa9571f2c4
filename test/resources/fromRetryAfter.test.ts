import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { fromRetryAfter } from '../../src/resources/fromRetryAfter.js';

const now = Date.UTC(2026, 10, 23, 12, 0, 0);
const scheduler = { now: () => now, schedule: () => new VirtualTimeScheduler().schedule(() => {}) };
const parse = (header: unknown) => fromRetryAfter({ headers: { 'retry-after': header } }, { scheduler });

describe('fromRetryAfter', () => {
  it.each<[string | number, number]>([
    ['0', 0],
    ['120', 120_000],
    [' 3 ', 3000],
    ['1.5', 1500],
    ['0.25', 250],
    [7, 7000],
  ])('reads seconds: %o', (header, ms) => {
    expect(parse(header)).toBe(ms);
  });

  it.each(['Mon, 23 Nov 2026 12:00:30 GMT', 'Monday, 23-Nov-26 12:00:30 GMT', 'Mon Nov 23 12:00:30 2026'])(
    'reads each form of a date, and in GMT: %s',
    (header) => {
      expect(parse(header)).toBe(30_000);
    },
  );

  it.each([
    ['Fri, 01 Jan 2027 12:00:00 GMT', Date.UTC(2027, 0, 1, 12)],
    ['Mon, 23 Nov 2099 12:00:00 GMT', Date.UTC(2099, 10, 23, 12)],
  ])('reads the first month, and a year of four digits as it is: %s', (header, time) => {
    expect(parse(header)).toBe(time - now);
  });

  it('finds the header among others, however it is written', () => {
    const headers = { get: 'no function', 'content-type': '9', 'Retry-After': '2' };
    expect(fromRetryAfter({ headers }, { scheduler })).toBe(2000);
  });

  it('reads a day of one digit', () => {
    expect(parse('Tue Dec  1 12:00:00 2026')).toBe(8 * 24 * 3_600_000);
  });

  it('takes a date that has passed for now', () => {
    expect(parse('Sun, 06 Nov 1994 08:49:37 GMT')).toBe(0);
  });

  it.each([
    ['94', 0],
    ['26', 30_000],
    ['77', 0],
  ])('takes a year of two digits for one that is at most 50 years ahead: %s', (year, ms) => {
    expect(parse(`Monday, 23-Nov-${year} 12:00:30 GMT`)).toBe(ms);
  });

  it('a year of two digits 50 years ahead is ahead', () => {
    expect(parse('Monday, 23-Nov-76 12:00:00 GMT')).toBe(Date.UTC(2076, 10, 23, 12) - now);
  });

  it.each([
    undefined,
    null,
    '',
    '-1',
    'soon',
    '1e3',
    '0x10',
    '2026-11-23',
    'Mon, 23 Nov 2026 12:00:30 CET',
    'Mon, 23 Foo 2026 12:00:30 GMT',
    '9'.repeat(400),
    ['1'],
  ])('is undefined for %o', (header) => {
    expect(parse(header)).toBeUndefined();
  });

  it('reads the headers of fetch, and of clients that give objects', () => {
    expect(fromRetryAfter(new Response('', { headers: { 'Retry-After': '5' } }))).toBe(5000);
    expect(fromRetryAfter(new Response(''))).toBeUndefined();
    expect(fromRetryAfter({ headers: { 'Retry-After': '5' } })).toBe(5000);
  });

  it('reads a date by the clock of the platform, where nothing else is said', () => {
    const wait = fromRetryAfter({ headers: { 'retry-after': 'Mon, 23 Nov 2076 12:00:30 GMT' } });
    expect(wait).toBeGreaterThan(0);
  });

  it.each([undefined, null, {}, { headers: null }, { headers: 'x' }, 5])('refuses %o as a response', (response) => {
    expect(() => fromRetryAfter(response as never)).toThrow(/^response must have headers, got /);
  });

  it('refuses other options', () => {
    expect(() => fromRetryAfter({ headers: {} }, 5 as never)).toThrow(TypeError);
    expect(() => fromRetryAfter({ headers: {} }, { scheduler: 5 as never })).toThrow(TypeError);
  });
});
