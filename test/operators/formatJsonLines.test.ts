import { of, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { formatJsonLines, fromPull, gatedBy, NoJsonError, parseJsonLines } from '../../src/index.js';
import { ManualGate } from '../support/ManualGate.js';

function record(source: Observable<unknown>): unknown[] {
  const log: unknown[] = [];
  source.subscribe({
    next: (value) => log.push(value),
    error: (error: unknown) => log.push(error),
    complete: () => log.push('|'),
  });
  return log;
}

describe('formatJsonLines', () => {
  it('writes each value as a line', () => {
    const values = [{ a: [1, null] }, 'two\nlines\r\u2028\uD83D', null, 1, Number.NaN, new Date(0), { u: undefined }];
    expect(record(of(...values).pipe(formatJsonLines()))).toEqual([
      '{"a":[1,null]}\n',
      '"two\\nlines\\r\u2028\\ud83d"\n',
      'null\n',
      '1\n',
      'null\n',
      '"1970-01-01T00:00:00.000Z"\n',
      '{}\n',
      '|',
    ]);
  });

  it('is what parseJsonLines reads', () => {
    const values = ['\n', { 'ä\r\n': ['😀', -0.5] }, [[]], false];
    expect(record(of(...values).pipe(formatJsonLines(), parseJsonLines()))).toEqual([...values, '|']);
  });

  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  it.each<[string, unknown, RegExp]>([
    ['undefined', undefined, /^formatJsonLines: value 2 has no JSON: it is undefined\. Map it/],
    ['a function', () => {}, /value 2 has no JSON: it is a function/],
    ['a symbol', Symbol('s'), /value 2 has no JSON: it is Symbol\(s\)/],
    [
      'what toJSON says is nothing',
      { toJSON: () => undefined },
      /value 2 has no JSON: toJSON or the replacer gives nothing for it\./,
    ],
    ['a BigInt', 1n, /value 2 has no JSON: .*BigInt/],
    ['a BigInt within', { a: [1n] }, /value 2 has no JSON: .*BigInt/],
    ['a cycle', cycle, /value 2 has no JSON: .*circular/],
  ])('errors for %s, and tells which value it is', (_, value, message) => {
    const log = record(of(1, 2, value, 3).pipe(formatJsonLines()));
    expect(log).toEqual(['1\n', '2\n', expect.any(NoJsonError)]);
    expect(log[2]).toMatchObject({ name: 'NoJsonError', index: 2, where: 'formatJsonLines' });
    expect((log[2] as Error).message).toMatch(message);
  });

  it('has the error of a toJSON as the cause', () => {
    for (const cause of [new Error('mine'), 'mine']) {
      const value = {
        toJSON() {
          throw cause;
        },
      };
      const [error] = record(of(value).pipe(formatJsonLines({ name: 'export' }))) as [NoJsonError];
      expect(error.cause).toBe(cause);
      expect(error.message).toMatch(/^formatJsonLines 'export': value 0 has no JSON: mine\./);
    }
  });

  it.each<[string, unknown, string]>([
    ['an object without a text', Object.create(null), 'what was thrown has no text'],
    ['an object', {}, '[object Object]'],
  ])('takes whatever a toJSON throws: %s', (_, cause, reason) => {
    const value = {
      toJSON() {
        throw cause;
      },
    };
    const [error] = record(of(value).pipe(formatJsonLines())) as [NoJsonError];
    expect(error.cause).toBe(cause);
    expect(error.message).toContain(`has no JSON: ${reason}.`);
  });

  it('says so when the replacer gives nothing', () => {
    const [error] = record(of(5).pipe(formatJsonLines({ replacer: () => undefined }))) as [NoJsonError];
    expect(error.message).toContain('value 0 has no JSON: toJSON or the replacer gives nothing for it.');
  });

  it('has no cause where nothing was thrown', () => {
    expect(record(of(undefined).pipe(formatJsonLines()))[0]).not.toHaveProperty('cause');
  });

  it('takes a replacer, as JSON.stringify does', () => {
    const values = of({ a: 1n, b: 2 });
    const replacer = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
    expect(record(values.pipe(formatJsonLines({ replacer })))).toEqual(['{"a":"1","b":2}\n', '|']);
    expect(record(values.pipe(formatJsonLines({ replacer: ['b'] })))).toEqual(['{"b":2}\n', '|']);
  });

  it('refuses wrong arguments', () => {
    expect(() => formatJsonLines({ replacer: 'a' as never })).toThrow(
      new TypeError("replacer must be a function or an array, got 'a'"),
    );
    expect(() => formatJsonLines({ name: 5 as never })).toThrow(new TypeError('name must be a string, got 5'));
    expect(() => formatJsonLines(2 as never)).toThrow(new TypeError('options must be an object, got 2'));
  });

  it('lets demand through', () => {
    const gate = new ManualGate();
    const log = record(fromPull([1, 2]).pipe(formatJsonLines(), gatedBy(gate)));
    expect(log).toEqual([]);
    gate.ready = true;
    expect(log).toEqual(['1\n', '2\n', '|']);
  });
});
