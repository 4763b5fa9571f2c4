import {
  concat,
  config,
  from,
  map,
  NEVER,
  Observable,
  of,
  Subject,
  take,
  tap,
  throwError,
  type MonoTypeOperatorFunction,
  type Subscriber,
} from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  bufferedMergeMap,
  BufferOverflowError,
  findGate,
  fromPull,
  gatedBy,
  LineTooLongError,
  splitLines,
  toAsyncIterable,
  ungated,
} from '../../src/index.js';
import { ManualGate } from '../support/ManualGate.js';
import { marbles } from '../support/marbles.js';
import { settle, turn } from '../support/settle.js';

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

/** Closes `gate` with each value, as a consumer does that takes one at a time. */
function onePerOpening<T>(gate: ManualGate): MonoTypeOperatorFunction<T> {
  return (source) =>
    source.pipe(
      map((value) => {
        gate.ready = false;
        return value;
      }),
      gatedBy(gate),
    );
}

describe('splitLines', () => {
  it('gives lines of strings and of bytes, also mixed', () => {
    const euro = utf8('€');
    const { log } = record(
      from(['a\r', utf8('\nb'), utf8('c\n'), euro.subarray(0, 1), euro.subarray(1)]).pipe(splitLines()),
    );
    expect(log).toEqual(['a', 'bc', '€', '|']);
  });

  it('completes without a line when nothing came', () => {
    expect(record(of('', new Uint8Array(0)).pipe(splitLines())).log).toEqual(['|']);
  });

  it('takes its options', () => {
    expect(() => splitLines({ maxLineLength: Infinity })).not.toThrow();
    expect(() => splitLines({ maxLineLength: 0 })).toThrow(
      new RangeError('maxLineLength must be a positive integer or Infinity, got 0'),
    );
    expect(() => splitLines(80 as never)).toThrow(new TypeError('options must be an object, got 80'));
  });

  it.each([
    ['a number', 5, '5'],
    ['an ArrayBuffer', new ArrayBuffer(2), 'an object'],
    ['other numbers', new Uint16Array(2), 'an object'],
    ['null', null, 'null'],
  ])('refuses %s as a chunk, after the lines before', (_, chunk, shown) => {
    const error = new TypeError(`splitLines takes strings and bytes (Uint8Array), got ${shown}`);
    const source = from(['a\nb\nc', chunk as never]);
    expect(record(source.pipe(splitLines())).log).toEqual(['a', 'b', error]);
    expect(record(source.pipe(splitLines(), gatedBy(new ManualGate()))).log).toEqual(['a', 'b', error]);
  });

  it('takes bytes of another realm', () => {
    class Uint8ArrayOfElsewhere extends Uint8Array {
      static override [Symbol.hasInstance]() {
        return false;
      }
    }
    expect(record(of(new Uint8ArrayOfElsewhere([97, 10])).pipe(splitLines())).log).toEqual(['a', '|']);
  });

  describe('with a line that is too long', () => {
    const fail = (source: Observable<string>) => record(source.pipe(splitLines({ maxLineLength: 5, name: 'log' }))).log;
    const error = new LineTooLongError("splitLines 'log'", 2, 2, '123456', 5);

    it('errors after the lines before, and says where', () => {
      expect(fail(of('a\n123456\nb\n'))).toEqual(['a', error]);
      expect(error.message).toBe(
        `splitLines 'log': line 2, at byte 2, is longer than 5 bytes: "123456". ` +
          'Pass a larger or infinite maxLineLength if lines may be so long.',
      );
      expect(error).toMatchObject({ name: 'LineTooLongError', line: 2, byteOffset: 2, excerpt: '123456', limit: 5 });
    });

    it('errors before its end has come', () => {
      expect(fail(concat(of('a\n', '123', '45', '6'), NEVER))).toEqual(['a', error]);
    });

    it('takes 1 MiB by default', () => {
      const line = 'x'.repeat(1_048_576);
      expect(record(of(`${line}\n`).pipe(splitLines())).log).toEqual([line, '|']);
      expect(record(of(`${line}x\n`).pipe(splitLines())).log).toEqual([expect.any(LineTooLongError)]);
      expect(record(of(`${line}x`).pipe(splitLines({ maxLineLength: Infinity }))).log).toEqual([`${line}x`, '|']);
    });
  });

  describe('above a gate', () => {
    it('gives one line for each time that it opens, and asks for the next chunk when all have gone', () => {
      const gate = new ManualGate();
      let pulled = 0;
      const chunks = ['a\nb\nc', 'd\n', 'e\n\nf'].map((chunk) => () => {
        pulled++;
        return chunk;
      });
      const source = fromPull(function* () {
        for (const chunk of chunks) yield chunk();
      });
      const { log } = record(source.pipe(splitLines(), onePerOpening(gate)));
      const steps: unknown[] = [];
      for (let i = 0; i < 7; i++) {
        steps.push([pulled, ...log.splice(0)]);
        gate.ready = true;
      }
      expect(steps).toEqual([[0], [1, 'a'], [1, 'b'], [2, 'cd'], [3, 'e'], [3, ''], [3, 'f', '|']]);
      expect(gate.waiters.size).toBe(0);
    });

    it('completes when the last line has gone, without being asked for more', () => {
      const gate = new ManualGate(true);
      const source = new Subject<string>();
      const { log } = record(source.pipe(splitLines(), onePerOpening(gate)));
      source.next('a\n');
      source.complete();
      expect(log).toEqual(['a', '|']);
    });

    it('keeps completion behind the lines that wait', () => {
      const gate = new ManualGate();
      const { log } = record(of('a\nb').pipe(splitLines(), onePerOpening(gate)));
      expect(log).toEqual([]);
      gate.ready = true;
      expect(log).toEqual(['a']);
      gate.ready = true;
      expect(log).toEqual(['a', 'b', '|']);
    });

    it('keeps an error of the source behind the lines that wait, and gives nothing of the line that it cut off', () => {
      const gate = new ManualGate();
      const error = new Error('source');
      const source = concat(
        of('a\nb\nc'),
        throwError(() => error),
      );
      const { log } = record(source.pipe(splitLines(), onePerOpening(gate)));
      gate.ready = true;
      expect(log).toEqual(['a']);
      gate.ready = true;
      expect(log).toEqual(['a', 'b', error]);
      expect(gate.waiters.size).toBe(0);
    });

    it('lets the lines of a chunk go when the next one comes from a source that cannot wait', () => {
      const gate = new ManualGate(true);
      const source = new Subject<string>();
      const { log } = record(source.pipe(splitLines(), onePerOpening(gate)));
      source.next('a\nb\nc\nd');
      expect(log).toEqual(['a']);
      source.next('e\nf\ng\nh');
      expect(log).toEqual(['a', 'b', 'c']);
      gate.ready = true;
      expect(log).toEqual(['a', 'b', 'c', 'de']);
      expect(gate.waiters.size).toBe(1);
      source.next('i\n');
      expect(log).toEqual(['a', 'b', 'c', 'de', 'f', 'g']);
      source.complete();
      gate.ready = true;
      expect(log).toEqual(['a', 'b', 'c', 'de', 'f', 'g', 'hi', '|']);
      expect(gate.waiters.size).toBe(0);
    });

    it('leaves what a consumer then cannot take to its overflow', () => {
      const source = new Subject<string>();
      const work = bufferedMergeMap(() => NEVER, { concurrent: 1, highWaterMark: 0, bufferSize: 2 });
      const { log } = record(source.pipe(splitLines(), work));
      source.next('a\nb\nc\nd\n');
      expect(log).toEqual([]);
      source.next('e\n');
      expect(log).toEqual([expect.any(BufferOverflowError)]);
    });

    it('waits no longer when the lines have gone otherwise', () => {
      const gate = new ManualGate();
      const source = new Subject<string>();
      record(source.pipe(splitLines(), gatedBy(gate)));
      source.next('a\nb\n');
      expect(gate.waiters.size).toBe(1);
      source.next('c');
      expect(gate.waiters.size).toBe(0);
    });

    it('takes chunks that come while a line goes out in their order, without nesting', () => {
      const source = new Subject<string>();
      const log: string[] = [];
      let depth = 0;
      source.pipe(splitLines()).subscribe((line) => {
        expect(++depth).toBe(1);
        log.push(line);
        if (line === 'a')
          ['c', 'd\ne', '\n'].forEach((chunk) => {
            source.next(chunk);
          });
        if (line === 'e') source.complete();
        depth--;
      });
      source.next('a\nb');
      expect(log).toEqual(['a', 'bcd', 'e']);
    });

    it('tells sources to wait while what they brought last has not begun', () => {
      const gate = new ManualGate(true);
      const seen: unknown[] = [];
      let producer!: Subscriber<string>;
      new Observable<string>((subscriber) => (producer = subscriber))
        .pipe(
          splitLines(),
          tap((line) => {
            if (line !== 'a') return;
            seen.push(findGate(producer)?.ready);
            producer.next('b\n');
            seen.push(findGate(producer)?.ready);
          }),
          gatedBy(gate),
        )
        .subscribe((line) => seen.push(line));
      producer.next('a\n');
      expect(seen).toEqual([true, false, 'a', 'b']);
      expect(findGate(producer)?.ready).toBe(true);
    });

    it('gives the last line when the source completes while a line goes out', () => {
      const source = new Subject<string>();
      const lines = source.pipe(splitLines());
      const log: unknown[] = [];
      lines.subscribe({
        next: (line) => {
          log.push(line);
          source.complete();
        },
        complete: () => log.push('|'),
      });
      source.next('a\nb\nc');
      expect(log).toEqual(['a', 'b', 'c', '|']);
    });

    it('forgets its lines when it is unsubscribed inside next', () => {
      const gate = new ManualGate(true);
      expect(record(of('a\nb\nc').pipe(splitLines(), gatedBy(gate), take(2))).log).toEqual(['a', 'b', '|']);
      expect(gate.waiters.size).toBe(0);
    });

    it('emits nothing more when it is unsubscribed while lines wait', () => {
      const gate = new ManualGate();
      const { log, subscription } = record(of('a\nb\nc').pipe(splitLines(), gatedBy(gate)));
      expect(gate.waiters.size).toBe(1);
      subscription.unsubscribe();
      expect(gate.waiters.size).toBe(0);
      gate.ready = true;
      expect(log).toEqual([]);
    });

    it.each(['complete', 'error'] as const)(
      'has nothing more to say when the consumer ends with the last line (the source: %s)',
      async (end) => {
        const said: unknown[] = [];
        config.onStoppedNotification = (notification) => said.push(notification);
        onTestFinished(() => {
          config.onStoppedNotification = null;
        });
        const gate = new ManualGate();
        const source = new Subject<string>();
        const { log } = record(source.pipe(splitLines(), onePerOpening(gate), take(2)));
        source.next('a\nb\n');
        source[end](new Error('source'));
        for (let i = 0; i < 2; i++) gate.ready = true;
        expect(log).toEqual(['a', 'b', '|']);
        await turn(); // RxJS tells of what comes after the end in a task of its own
        expect(said).toEqual([]);
      },
    );

    it('heeds no gate below ungated()', () => {
      const gate = new ManualGate();
      expect(record(of('a\nb').pipe(splitLines(), ungated(), gatedBy(gate))).log).toEqual(['a', 'b', '|']);
    });

    it('turns what goes wrong while the gate opens into its error', () => {
      const gate = new ManualGate();
      const { log } = record(of('a\n123\n').pipe(splitLines({ maxLineLength: 2 }), onePerOpening(gate)));
      gate.ready = true;
      gate.ready = true;
      expect(log).toEqual(['a', expect.any(LineTooLongError)]);
    });

    it('gives a loop one line for each turn, and asks for a chunk no sooner than for its first line', async () => {
      const chunks = Array.from({ length: 20 }, (_, i) => `${i}\n`.repeat(i) + String(i));
      let pulled = 0;
      const source = fromPull(function* () {
        for (const chunk of chunks) {
          pulled++;
          yield utf8(chunk);
        }
      });
      const lines: string[] = [];
      const pulledFor: number[] = [];
      for await (const line of toAsyncIterable(source.pipe(splitLines()))) {
        lines.push(line);
        await settle(3);
        pulledFor.push(pulled);
      }
      expect(lines).toEqual(chunks.join('').split('\n'));
      expect(pulledFor).toEqual([...chunks.flatMap((_, i) => Array<number>(i).fill(i + 1)), 20]);
    });
  });

  it(
    'passes lines on in the moment in which their end comes',
    marbles((m) => {
      const chunks = { a: '1', b: '2\n3', c: '\n4\n', d: '5' };
      const source = m.hot('-a-b-c-d-|', chunks);
      const lines = { v: '12', w: '3', x: '4', y: '5' };
      m.expect(source.pipe(splitLines())).toBeObservable('---v-(wx)(y|)', lines);
      m.expect(source).toHaveSubscriptions('^--------!');
    }),
  );

  it('may be subscribed to by many', () => {
    const lines = from(['a\nb', 'c']).pipe(splitLines());
    expect([record(lines).log, record(lines).log]).toEqual([
      ['a', 'bc', '|'],
      ['a', 'bc', '|'],
    ]);
  });
});
