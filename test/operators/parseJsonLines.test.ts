import { concat, map, of, Subject, take, throwError, type Observable } from 'rxjs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  fromPull,
  gatedBy,
  JsonLineError,
  LineTooLongError,
  parseJsonLines,
  type InvalidLineError,
  type JsonLine,
} from '../../src/index.js';
import { ManualGate } from '../support/ManualGate.js';

const utf8 = (text: string) => new TextEncoder().encode(text);

function record<T>(source: Observable<T>) {
  const log: unknown[] = [];
  const subscription = source.subscribe({
    next: (value) => log.push(value),
    error: (error: unknown) => log.push(error),
    complete: () => log.push('|'),
  });
  return { log, subscription };
}

const syntaxErrorOf = (text: string) => {
  try {
    JSON.parse(text);
  } catch (error) {
    return error as SyntaxError;
  }
  throw new Error(`${text} is JSON`);
};
const invalid = (line: number, byteOffset: number, text: string) =>
  new JsonLineError('parseJsonLines', line, byteOffset, text, syntaxErrorOf(text).message, syntaxErrorOf(text));

describe('parseJsonLines', () => {
  it('gives values of strings and of bytes', () => {
    const { log } = record(of('{"a":[1,', '2]}\r\n"', utf8('ä\\n"\nnull\n'), 'true').pipe(parseJsonLines()));
    expect(log).toEqual([{ a: [1, 2] }, 'ä\n', null, true, '|']);
  });

  it('leaves blank lines out', () => {
    expect(record(of('\n1\n \t\r\n\n2\n\n', '\n ').pipe(parseJsonLines())).log).toEqual([1, 2, '|']);
    expect(record(of('\uFEFF').pipe(parseJsonLines())).log).toEqual(['|']);
  });

  it('takes whatever JSON takes for white space, also a lone CR', () => {
    expect(record(of(' [1,\r2]\r\t\r\n3\r').pipe(parseJsonLines())).log).toEqual([[1, 2], 3, '|']);
  });

  it('takes a byte order mark, but only at the beginning', () => {
    const error = invalid(2, 5, '\uFEFF2');
    expect(record(of('\uFEFF1\n\uFEFF2\n').pipe(parseJsonLines())).log).toEqual([1, error]);
  });

  it('does not take NUL for anything', () => {
    expect(record(of('1\n\0\n').pipe(parseJsonLines())).log).toEqual([1, invalid(2, 2, '\0')]);
  });

  it('hands what it parses to the reviver', () => {
    const reviver = (key: string, value: unknown) => (key === 'at' ? new Date(value as string) : value);
    expect(record(of('{"at":"1970-01-01"}\n').pipe(parseJsonLines({ reviver }))).log).toEqual([
      { at: new Date(0) },
      '|',
    ]);
  });

  it('refuses wrong arguments', () => {
    expect(() => parseJsonLines({ maxLineLength: 1.5 })).toThrow(RangeError);
    expect(() => parseJsonLines(null as never)).toThrow(TypeError);
    expect(() => parseJsonLines({ onError: 'ignore' as never })).toThrow(
      new RangeError("onError must be one of 'throw', 'skip', 'emit', got 'ignore'"),
    );
    expect(() => parseJsonLines({ onError: 'skip', onSkip: 1 as never })).toThrow(
      new TypeError('onSkip must be a function, got 1'),
    );
    expect(() => parseJsonLines({ reviver: {} as never })).toThrow(
      new TypeError('reviver must be a function, got an object'),
    );
  });

  it('has types for each onError', () => {
    type Bytes = Observable<string | Uint8Array>;
    expectTypeOf(parseJsonLines()).toEqualTypeOf<(source: Bytes) => Observable<unknown>>();
    expectTypeOf(parseJsonLines<1>({ onError: 'throw' })).returns.toEqualTypeOf<Observable<1>>();
    expectTypeOf(parseJsonLines<1>({ onError: 'skip', onSkip: () => {} })).returns.toEqualTypeOf<Observable<1>>();
    expectTypeOf(parseJsonLines<1>({ onError: 'skip' })).returns.toEqualTypeOf<Observable<1>>();
    expectTypeOf(parseJsonLines<1>({ onError: 'emit' })).returns.toEqualTypeOf<Observable<JsonLine<1>>>();
    // @ts-expect-error nothing is skipped
    parseJsonLines({ onSkip: () => {} });
    const line = { ok: true, line: 1, value: 1 } as JsonLine<number>;
    expectTypeOf(line.line).toEqualTypeOf<number>();
    if (line.ok) expectTypeOf(line.value).toEqualTypeOf<number>();
    else expectTypeOf(line.error).toEqualTypeOf<InvalidLineError>();
    const { value, error } = line;
    if (error) expectTypeOf(value).toEqualTypeOf<undefined>();
    else expectTypeOf(value).toEqualTypeOf<number>();
    expectTypeOf(of('1').pipe(parseJsonLines<1>())).toEqualTypeOf<Observable<1>>();
    expectTypeOf(of(utf8('1')).pipe(parseJsonLines<1>())).toEqualTypeOf<Observable<1>>();
  });

  const oversized = '"' + 'x'.repeat(500) + '"';
  const hostile = `1\r\n{"a":\n\n${oversized}\n"ä"\n{"a":"ä"} x\n2\n`;
  const first = invalid(2, 3, '{"a":');
  const second = new LineTooLongError('parseJsonLines', 4, 10, `${oversized.slice(0, 80)}…`, 400);
  const third = invalid(6, 518, '{"a":"ä"} x');
  const chunkings: [string, (string | Uint8Array)[]][] = [
    ['one string', [hostile]],
    ['bytes', [utf8(hostile)]],
    ['single characters', Array.from(hostile)],
    ['single bytes', [...utf8(hostile)].map((byte) => new Uint8Array([byte]))],
  ];

  describe.each(chunkings)('with invalid lines in %s', (_, chunks) => {
    const source = of(...chunks);

    it("throws the error of the first, after the values before (onError: 'throw')", () => {
      expect(record(source.pipe(parseJsonLines({ maxLineLength: 400 }))).log).toEqual([1, first]);
    });

    it("leaves them out and shows each (onError: 'skip')", () => {
      const skipped: InvalidLineError[] = [];
      const { log } = record(
        source.pipe(parseJsonLines({ maxLineLength: 400, onError: 'skip', onSkip: (error) => skipped.push(error) })),
      );
      expect(log).toEqual([1, 'ä', 2, '|']);
      expect(skipped).toEqual([first, second, third]);
    });

    it("leaves them out in silence where there is no onSkip (onError: 'skip')", () => {
      expect(record(source.pipe(parseJsonLines({ maxLineLength: 400, onError: 'skip' }))).log).toEqual([
        1,
        'ä',
        2,
        '|',
      ]);
    });

    it("emits what each line is (onError: 'emit')", () => {
      const { log } = record(source.pipe(parseJsonLines({ maxLineLength: 400, onError: 'emit' })));
      expect(log).toEqual([
        { ok: true, line: 1, value: 1 },
        { ok: false, line: 2, error: first },
        { ok: false, line: 4, error: second },
        { ok: true, line: 5, value: 'ä' },
        { ok: false, line: 6, error: third },
        { ok: true, line: 7, value: 2 },
        '|',
      ]);
    });
  });

  it('says what is wrong, where, and how the line begins', () => {
    const text = `{"text":"${'x'.repeat(200)}`;
    const { log } = record(of(`1\n${text}\n`).pipe(parseJsonLines({ name: 'import' })));
    const error = log[1] as JsonLineError;
    expect(error).toBeInstanceOf(JsonLineError);
    expect(error).toMatchObject({
      name: 'JsonLineError',
      where: "parseJsonLines 'import'",
      line: 2,
      byteOffset: 2,
      excerpt: `${text.slice(0, 80)}…`,
    });
    expect(error.cause).toBeInstanceOf(SyntaxError);
    expect(error.message).toBe(
      `parseJsonLines 'import': line 2, at byte 2, cannot be read as JSON: ` +
        `${JSON.stringify(error.excerpt)} (${(error.cause as Error).message}).`,
    );
  });

  it('takes a line for invalid that the reviver refuses', () => {
    const refusal = new RangeError('too much');
    const reviver = (_: string, value: unknown) => {
      if (value === 2) throw refusal;
      return value;
    };
    const { log } = record(of('1\n2\n3\n').pipe(parseJsonLines({ reviver, onError: 'emit' })));
    expect(log[1]).toMatchObject({ ok: false, error: { line: 2, cause: refusal } });
    expect(log).toHaveLength(4);
    const thrower = () => {
      throw 'no error';
    };
    expect(record(of('1\n').pipe(parseJsonLines({ reviver: thrower }))).log).toEqual([
      new JsonLineError('parseJsonLines', 1, 0, '1', 'no error', 'no error'),
    ]);
  });

  it.each<[string, unknown, string]>([
    ['a SyntaxError', new SyntaxError('mine'), 'mine'],
    ['an object without a text', Object.create(null), 'what was thrown has no text'],
    ['a symbol', Symbol('mine'), 'Symbol(mine)'],
  ])('has as the cause just what the reviver threw: %s', (_, refusal, reason) => {
    const reviver = () => {
      throw refusal;
    };
    const { log } = record(of('1\n').pipe(parseJsonLines({ reviver })));
    expect((log[0] as JsonLineError).cause).toBe(refusal);
    expect((log[0] as JsonLineError).message).toBe(
      `parseJsonLines: line 1, at byte 0, cannot be read as JSON: "1" (${reason}).`,
    );
  });

  it('has as the cause what JSON.parse threw, with a reviver too', () => {
    const reviver = () => {
      throw new Error('reviver');
    };
    expect(record(of('{\n').pipe(parseJsonLines({ reviver }))).log).toEqual([invalid(1, 0, '{')]);
  });

  it('errors with what onSkip throws', () => {
    const onSkip = (error: InvalidLineError) => {
      throw error.cause;
    };
    expect(record(of('1\nx\n2\n').pipe(parseJsonLines({ onError: 'skip', onSkip }))).log).toEqual([
      1,
      syntaxErrorOf('x'),
    ]);
  });

  it('goes on at the next line when one that is too long ends with the source', () => {
    const source = of('[1]\n"', ...Array<string>(100).fill('x'.repeat(100)));
    const { log } = record(source.pipe(parseJsonLines({ maxLineLength: 1000, onError: 'emit' })));
    expect(log).toEqual([
      { ok: true, line: 1, value: [1] },
      { ok: false, line: 2, error: expect.any(LineTooLongError) as unknown },
      '|',
    ]);
  });

  describe('above a gate', () => {
    /** Lets one through for each time that the gate opens. */
    const gated = <T>(source: Observable<T>) => {
      const gate = new ManualGate();
      const { log, subscription } = record(
        source.pipe(
          map((value) => {
            gate.ready = false;
            return value;
          }),
          gatedBy(gate),
        ),
      );
      const step = () => {
        gate.ready = true;
        return log.splice(0);
      };
      return { gate, log, step, subscription };
    };

    it('parses a line when it may be emitted, and no sooner', () => {
      const parsed: unknown[] = [];
      const reviver = (_: string, value: unknown) => {
        parsed.push(value);
        return value;
      };
      const { step } = gated(fromPull(['1\n2\n3', '4\n5\n']).pipe(parseJsonLines({ reviver })));
      expect(parsed).toEqual([]);
      for (const value of [1, 2, 34]) expect([step(), parsed.splice(0)]).toEqual([[value], [value]]);
      expect([step(), parsed]).toEqual([[5], [5]]);
      expect(step()).toEqual(['|']);
    });

    it('skips what is invalid on the way to the next value, each in its turn', () => {
      const skipped: number[] = [];
      const onSkip = ({ line }: InvalidLineError) => skipped.push(line);
      const { step } = gated(of('1\nx\ny\n2\nz\n').pipe(parseJsonLines({ onError: 'skip', onSkip })));
      expect([step(), skipped.splice(0)]).toEqual([[1], []]);
      expect([step(), skipped.splice(0)]).toEqual([[2], [2, 3]]);
      expect([step(), skipped.splice(0)]).toEqual([['|'], [5]]);
    });

    it('completes with the last value where only blank lines follow', () => {
      const { step, gate } = gated(of('1\n2\n\n \n').pipe(parseJsonLines()));
      expect(step()).toEqual([1]);
      expect(step()).toEqual([2, '|']);
      expect(gate.waiters.size).toBe(0);
    });

    it('keeps errors behind the values that wait', () => {
      const error = new Error('source');
      const { step } = gated(
        concat(
          of('1\n2\n3'),
          throwError(() => error),
        ).pipe(parseJsonLines()),
      );
      expect([step(), step()]).toEqual([[1], [2, error]]);
    });

    it('errors with an invalid line when its turn has come', () => {
      const { step, gate } = gated(of('1\nx\n2\n').pipe(parseJsonLines()));
      expect([step(), step()]).toEqual([[1], [invalid(2, 2, 'x')]]);
      expect(gate.waiters.size).toBe(0);
    });

    it('knows where lines are that waited while another chunk came', () => {
      const source = new Subject<string>();
      const { step, log } = gated(source.pipe(parseJsonLines({ onError: 'emit' })));
      source.next('1\n2\nx\n\ny');
      expect(step()).toEqual([{ ok: true, line: 1, value: 1 }]);
      source.next('y\nzz\n');
      expect(log.splice(0)).toEqual([
        { ok: true, line: 2, value: 2 },
        { ok: false, line: 3, error: invalid(3, 4, 'x') },
      ]);
      expect(step()).toEqual([{ ok: false, line: 5, error: invalid(5, 7, 'yy') }]);
      expect(step()).toEqual([{ ok: false, line: 6, error: invalid(6, 10, 'zz') }]);
    });

    it('stops when it is unsubscribed from within onSkip', () => {
      const skipped: number[] = [];
      const source = new Subject<string>();
      const subscription = source
        .pipe(
          parseJsonLines({
            onError: 'skip',
            onSkip: ({ line }) => {
              skipped.push(line);
              subscription.unsubscribe();
            },
          }),
        )
        .subscribe((value) => skipped.push(value as number));
      source.next('x\ny\n1\n');
      expect(skipped).toEqual([1]);
    });

    it('stops at take', () => {
      let parsed = 0;
      const reviver = () => ++parsed;
      expect(record(of('1\n1\n1\n').pipe(parseJsonLines({ reviver }), take(2))).log).toEqual([1, 2, '|']);
      expect(parsed).toBe(2);
    });
  });
});
