import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter, type Line, type LineSplitterSettings } from '../../src/machines/LineSplitter.js';

type Input = string | Uint8Array;

const utf8 = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

interface Found {
  readonly line: number;
  readonly byteOffset: number;
  readonly text: string | undefined;
  /** Only of a line that is too long. */
  readonly excerpt: string | undefined;
}

const found = (line: number, byteOffset: number, text: Line): Found => ({
  line,
  byteOffset,
  text: typeof text === 'string' ? text : undefined,
  excerpt: typeof text === 'string' ? undefined : text.excerpt,
});

/** Everything that the splitter gives; offsets are asked for where `asks` says so, else they are -1. */
function splitAll(
  inputs: readonly Input[],
  settings: Partial<LineSplitterSettings> = {},
  asks: (line: number) => boolean = () => true,
): Found[] {
  const splitter = new LineSplitter({ maxLineLength: Infinity, skipBlank: false, ...settings });
  const all: Found[] = [];
  const takeAll = () => {
    while (splitter.hasMore) {
      const line = splitter.next();
      all.push(found(splitter.line, asks(splitter.line) ? splitter.byteOffset : -1, line));
    }
    splitter.forget();
  };
  for (const input of inputs) {
    splitter.push(input);
    takeAll();
  }
  splitter.end();
  takeAll();
  return all;
}

/** The same, in the plainest way. */
function naive(bytes: Uint8Array, { maxLineLength = Infinity, skipBlank = false }: Partial<LineSplitterSettings> = {}) {
  const all: Found[] = [];
  let start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  for (let line = 1; start < bytes.length; line++) {
    const end = bytes.indexOf(10, start);
    const isLast = end === -1;
    const raw = bytes.subarray(start, isLast ? bytes.length : end);
    const content = !isLast && raw.at(-1) === 13 ? raw.subarray(0, -1) : raw;
    const text = decode(content);
    if (content.length > maxLineLength) all.push(found(line, start, { excerpt: '' }));
    else if (!(skipBlank && /^[ \t\r]*$/.test(text))) all.push(found(line, start, text));
    start = isLast ? bytes.length : end + 1;
  }
  return all;
}

const anonymous = (all: readonly Found[]) =>
  all.map((each) => ({ ...each, excerpt: each.excerpt === undefined ? undefined : '' }));

const texts = (inputs: readonly Input[], settings?: Partial<LineSplitterSettings>) =>
  splitAll(inputs, settings).map(({ text }) => text);

const cut = <T extends Input>(input: T, at: readonly number[]): T[] => {
  const places = [...new Set([0, ...at.map((each) => each % (input.length + 1)), input.length])].sort((a, b) => a - b);
  return places.slice(1).map((to, i) => input.slice(places[i], to) as T);
};

describe('LineSplitter', () => {
  it.each<[string, Input[], string[]]>([
    ['nothing', [], []],
    ['an empty chunk', [''], []],
    ['an empty chunk of bytes', [utf8('')], []],
    ['one line', ['a\n'], ['a']],
    ['a last line without an end', ['a\nb'], ['a', 'b']],
    ['empty lines', ['\n\na\n\n'], ['', '', 'a', '']],
    ['CRLF', ['a\r\nb\r\n'], ['a', 'b']],
    ['CRLF over two chunks', ['a\r', '\nb'], ['a', 'b']],
    ['CRLF over two chunks of bytes', [utf8('a\r'), utf8('\nb')], ['a', 'b']],
    ['a CR before CRLF', ['a\r\r\nb'], ['a\r', 'b']],
    ['a lone CR', ['a\rb\nc\r'], ['a\rb', 'c\r']],
    ['a lone CR at the end of a chunk', ['a\r', 'b\n'], ['a\rb']],
    ['NUL', ['a\0b\n\0'], ['a\0b', '\0']],
    ['other ends of line', ['a\u2028b\u2029c\u0085d\ve\f\n'], ['a\u2028b\u2029c\u0085d\ve\f']],
    ['a byte order mark', ['\uFEFFa\n\uFEFFb\n'], ['a', '\uFEFFb']],
    ['two byte order marks', ['\uFEFF\uFEFFa'], ['\uFEFFa']],
    ['nothing but a byte order mark', ['\uFEFF'], []],
    ['a byte order mark and an empty line', ['\uFEFF\n'], ['']],
    ['bytes that are no UTF-8', [new Uint8Array([97, 0xff, 10, 0xf0, 0x9f, 10, 98])], ['a\uFFFD', '\uFFFD', 'b']],
    ['a character that a string cuts short', [utf8('ä').subarray(0, 1), 'b\n'], ['\uFFFDb']],
    ['a surrogate pair over two strings', ['a\uD83D', '\uDE00\n'], ['a😀']],
    ['half a surrogate pair before bytes', ['a\uD83D', utf8('b\n')], ['a\uD83Db']],
    ['half a surrogate pair at the end', ['a\uD83D'], ['a\uD83D']],
    ['half a surrogate pair before an end of line', ['a\uD83D\n\uDE00'], ['a\uD83D', '\uDE00']],
  ])('takes %s', (_, inputs, lines) => {
    expect(texts(inputs)).toEqual(lines);
  });

  it('takes UTF-8 that is cut at every byte', () => {
    const text = '\uFEFFä€😀\r\n\0\rß\n\n😀';
    const bytes = utf8(text);
    const lines = ['ä€😀', '\0\rß', '', '😀'];
    expect(texts([...bytes].map((byte) => new Uint8Array([byte])))).toEqual(lines);
    for (let at = 0; at <= bytes.length; at++) expect(texts(cut(bytes, [at]))).toEqual(lines);
    for (let at = 0; at <= text.length; at++) expect(texts(cut(text, [at]))).toEqual(lines);
  });

  it('does not keep the memory of a chunk that is written again', () => {
    const chunk = utf8('a\nb');
    const splitter = new LineSplitter({ maxLineLength: Infinity, skipBlank: false });
    splitter.push(chunk);
    chunk.fill(120);
    expect(splitter.next()).toBe('a');
    splitter.end();
    expect(splitter.next()).toBe('b');
  });

  it('leaves blank lines out and counts them', () => {
    const lines = splitAll([' \n\ta\n\r\n', '\n', ' ', '\r\nb\n \t\n', '\n c', '\n ', '\n\n '], { skipBlank: true });
    expect(lines).toEqual([found(2, 2, '\ta'), found(6, 11, 'b'), found(9, 17, ' c')]);
  });

  it.each([[['a\n   \n  \nb\n']], [['a\n ', '  \n  \nb\n']], [['a\n   ', '\n ', ' \nb']]])(
    'does not leave out a blank line that is too long: %j',
    (inputs) => {
      const lines = [found(1, 0, 'a'), found(2, 2, { excerpt: '   ' }), found(4, 9, 'b')];
      expect(splitAll(inputs, { skipBlank: true, maxLineLength: 2 })).toEqual(lines);
    },
  );

  it('knows that nothing is left when only blank lines are', () => {
    const splitter = new LineSplitter({ maxLineLength: Infinity, skipBlank: true });
    splitter.push('a\n\n \n');
    expect(splitter.next()).toBe('a');
    expect(splitter.hasMore).toBe(false);
    expect([splitter.line, splitter.byteOffset]).toEqual([1, 0]);
  });

  it.each([
    ['in one chunk', ['1234\n12345\n123\r\n1234\r\n12345']],
    ['at every character', Array.from('1234\n12345\n123\r\n1234\r\n12345')],
    ['in the middle', ['1234', '\n123', '45\n123\r', '\n1234\r', '\n12345']],
  ])('gives what is too long in its place, %s', (_, inputs) => {
    const lines = [
      found(1, 0, '1234'),
      found(2, 5, { excerpt: '12345' }),
      found(3, 11, '123'),
      found(4, 16, '1234'),
      found(5, 22, { excerpt: '12345' }),
    ];
    expect(splitAll(inputs, { maxLineLength: 4 })).toEqual(lines);
    expect(splitAll(inputs.map(utf8), { maxLineLength: 4 })).toEqual(lines);
  });

  it('tells of a line that is too long before its end has come, and passes over the rest', () => {
    const splitter = new LineSplitter({ maxLineLength: 4, skipBlank: false });
    splitter.push('12345');
    expect(splitter.next()).toEqual({ excerpt: '12345' });
    for (const rest of ['6789', utf8('1234'), '\uD83D', utf8('1')]) {
      splitter.push(rest);
      expect(splitter.hasMore).toBe(false);
    }
    splitter.push('6\nab');
    expect(splitter.hasMore).toBe(false);
    splitter.end();
    expect(splitter.next()).toBe('ab');
    expect([splitter.line, splitter.byteOffset]).toEqual([2, 19]);
  });

  it.each([
    ['that it has as a whole', ['a\nb\nc'], 'c'],
    ['that it ends', ['x', 'a\nb\nc'], 'c'],
    ['that it begins and that are too long', ['a\nb\n12345'], undefined],
  ])('lets go of a chunk and of the lines %s, but not of what has come of the next', (_, inputs, next) => {
    for (const everything of [false, true]) {
      const splitter = new LineSplitter({ maxLineLength: 4, skipBlank: false });
      for (const input of inputs) splitter.push(input);
      expect(splitter.hasMore).toBe(true);
      if (everything) splitter.clear();
      else splitter.forget();
      expect(splitter.hasMore).toBe(false);
      splitter.end();
      const last = splitter.hasMore ? splitter.next() : undefined;
      expect(last).toBe(everything ? undefined : next);
    }
  });

  it('counts the bytes of long strings', () => {
    const long = '€😀'.repeat(5000);
    const lines = splitAll(['\uD800', '\uDC00\n', `${long}\n`, `${long}\n`, 'a\n']);
    expect(lines.map(({ byteOffset }) => byteOffset)).toEqual([0, 5, 35_006, 70_007]);
  });

  it('gives half a surrogate pair its place when it makes a line too long', () => {
    expect(splitAll(['\uD83D', utf8('a\nb\n')], { maxLineLength: 2 })).toEqual([
      found(1, 0, { excerpt: '\uD83D' }),
      found(2, 5, 'b'),
    ]);
  });

  const mark = utf8('\uFEFF');
  it.each<[string, Input[]]>([
    ['a string', ['\uFEFFabc\nabcd\n\uFEFFa\n']],
    ['a string of its own', ['', '\uFEFF', '', 'abc\nabcd\n\uFEFFa\n']],
    ['bytes', [utf8('\uFEFFabc\nabcd\n\uFEFFa\n')]],
    ['single bytes', [...utf8('\uFEFFabc\nabcd\n\uFEFFa\n')].map((byte) => new Uint8Array([byte]))],
  ])('does not count a byte order mark as a part of the first line: %s', (_, inputs) => {
    expect(splitAll(inputs, { maxLineLength: 3 })).toEqual([
      found(1, 3, 'abc'),
      found(2, 7, { excerpt: 'abcd' }),
      found(3, 12, { excerpt: '\uFEFFa' }),
    ]);
  });

  it.each<[string, Input[]]>([
    ['and the end', [mark.subarray(0, 2)]],
    ['and a string', [mark.subarray(0, 2), '\uFEFF']],
    ['and other bytes', [mark.subarray(0, 1), mark.subarray(1, 2), utf8('a\n')]],
    ['and bytes of another character', [mark.subarray(0, 2), new Uint8Array([0xbe])]],
  ])('takes half a byte order mark for what it is: %s', (_, inputs) => {
    const bytes = new Uint8Array(inputs.flatMap((input) => [...(typeof input === 'string' ? utf8(input) : input)]));
    expect(splitAll(inputs)).toEqual(naive(bytes));
    expect(anonymous(splitAll(inputs, { maxLineLength: 1 }))).toEqual(naive(bytes, { maxLineLength: 1 }));
  });

  it('counts length in bytes', () => {
    expect(texts(['ää\näää\n'], { maxLineLength: 4 })).toEqual(['ää', undefined]);
  });

  it.each([
    ['a string', (text: string) => text],
    ['bytes', utf8],
  ])('gives the beginning of what is too long as an excerpt, of %s', (_, of) => {
    const long = '\uFEFF' + '😀'.repeat(200);
    const excerpt = '😀'.repeat(80) + '…';
    expect(splitAll([of('😀'.repeat(80))], { maxLineLength: 10 })[0]?.excerpt).toBe('😀'.repeat(80));
    const settings = { maxLineLength: 10 };
    expect(splitAll([of(long)], settings)[0]?.excerpt).toBe(excerpt);
    expect(splitAll([of(`${long}\n`)], settings)[0]?.excerpt).toBe(excerpt);
    expect(splitAll([of('\uFEFF😀'), of(long.slice(3))], settings)[0]?.excerpt).toBe(excerpt);
    expect(splitAll([of('\uFEFF'), of(long.slice(1)), of('\n')], settings)[0]?.excerpt).toBe(excerpt);
    expect(splitAll([of('12345678901\r')], settings)[0]?.excerpt).toBe('12345678901\r');
  });

  const character = fc.constantFrom('a', 'b', 'ä', '€', '😀', '\n', '\n', '\r', '\r\n', '\0', ' ', '\uFEFF', '\uFFFD');
  const text = fc.string({ unit: character, maxLength: 40 });
  const cuts = fc.array(fc.nat(200), { maxLength: 12 });
  const settings = fc.record({
    maxLineLength: fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 12 })),
    skipBlank: fc.boolean(),
  });
  it('equals the naive split, however bytes are cut', () => {
    const byte = fc.oneof(fc.constantFrom(10, 13, 97, 0xc3, 0xa4, 0xf0, 0x9f, 0xef, 0xbb, 0xbf), fc.nat(255));
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      text.map(utf8),
      fc.array(byte, { maxLength: 30 }).map((each) => new Uint8Array(each)),
    );
    fc.assert(
      fc.property(bytes, cuts, settings, (input, at, chosen) => {
        expect(anonymous(splitAll(cut(input, at), chosen))).toEqual(naive(input, chosen));
      }),
      { numRuns: 1000 },
    );
  });

  it('equals the naive split, however strings are cut and mixed with bytes', () => {
    const part = fc.record({ text, asBytes: fc.boolean(), at: cuts });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), settings, fc.func(fc.boolean()), (parts, chosen, asks) => {
        const inputs = parts.flatMap((each): Input[] =>
          cut<Input>(each.asBytes ? utf8(each.text) : each.text, each.at),
        );
        const expected = naive(utf8(parts.map((each) => each.text).join('')), chosen).map((each) =>
          asks(each.line) ? each : { ...each, byteOffset: -1 },
        );
        expect(anonymous(splitAll(inputs, chosen, asks))).toEqual(expected);
      }),
      { numRuns: 1000 },
    );
  });
});
