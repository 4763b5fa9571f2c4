import { from, Observable, Subject, type Subscriber } from 'rxjs';
import { expect, it } from 'vitest';
import {
  gatedBy,
  JsonLineError,
  LineTooLongError,
  parseJsonLines,
  splitLines,
  type JsonLine,
} from '../../src/index.js';
import { ManualGate } from '../support/ManualGate.js';
import { isCollected } from './support.js';

const MiB = 1_048_576;
const utf8 = (text: string) => new TextEncoder().encode(text);

/** Bytes of arrays too, which live outside of the heap. */
async function memory(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc?.();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

it.each([
  ['bytes', new Uint8Array(65_536).fill(120)],
  ['strings', 'x'.repeat(65_536)],
])(
  'a line of 200 MB in %s takes no more memory than maxLineLength, and the stream goes on behind it',
  async (_, chunk) => {
    const source = new Subject<string | Uint8Array>();
    const results: JsonLine<unknown>[] = [];
    source.pipe(parseJsonLines({ onError: 'emit' })).subscribe((line) => results.push(line));
    const before = await memory();
    let most = 0;
    source.next('1\n');
    for (let i = 0; i < 3_200; i++) {
      source.next(typeof chunk === 'string' ? chunk : chunk.slice());
      if (i % 400 === 5) most = Math.max(most, (await memory()) - before);
    }
    source.next('\n2\n');
    source.complete();
    expect(most).toBeLessThan(4 * MiB);
    expect(results).toMatchObject([{ value: 1 }, { ok: false }, { value: 2 }]);
    expect(results[1]?.error).toBeInstanceOf(LineTooLongError);
    expect(results[1]?.error).toMatchObject({ line: 2, byteOffset: 2 });
    expect((await memory()) - before).toBeLessThan(MiB / 2);
  },
);

it('a line that comes byte by byte takes little more memory than its size', async () => {
  const source = new Subject<Uint8Array>();
  source.pipe(splitLines()).subscribe();
  const before = await memory();
  for (let i = 0; i < MiB / 4; i++) source.next(new Uint8Array([120]));
  expect((await memory()) - before).toBeLessThan(MiB);
});

it.each([
  ['no reviver', {}],
  ['a reviver', { reviver: (_: string, value: unknown) => value }],
])('an error keeps nothing of the chunk that its line was in, with %s', async (_, options) => {
  const errors: unknown[] = [];
  const before = await memory();
  // Not a Subject: the stack of an error keeps its closures, and those the chunk.
  function* chunks() {
    for (let i = 0; i < 100; i++) yield utf8(`"${'x'.repeat(200_000)}\n"${'y'.repeat(200_000)}"\n`);
  }
  from(chunks())
    .pipe(parseJsonLines({ ...options, onError: 'skip', onSkip: (error) => errors.push(error) }))
    .subscribe();
  expect(errors).toHaveLength(100);
  expect(errors[0]).toBeInstanceOf(JsonLineError);
  expect((await memory()) - before).toBeLessThan(MiB);
});

it.each(['unsubscribed', 'out of lines'])('a chunk can be collected when it is %s', async (end) => {
  // A producer that keeps its subscriber.
  const producers: Subscriber<Uint8Array>[] = [];
  const gate = new ManualGate();
  const collected = await isCollected(() => {
    const chunk = utf8('a\nb\n'.repeat(1000));
    const subscription = new Observable<Uint8Array>((subscriber) => {
      producers.push(subscriber);
    })
      .pipe(splitLines(), gatedBy(gate))
      .subscribe();
    producers[0]?.next(chunk);
    expect(gate.waiters.size).toBe(1);
    if (end === 'unsubscribed') subscription.unsubscribe();
    else gate.ready = true;
    return chunk;
  });
  expect(collected).toBe(true);
  expect(producers).toHaveLength(1);
});

it('a chunk that comes while a line goes out can be collected when it is unsubscribed in that moment', async () => {
  const producers: Subscriber<Uint8Array>[] = [];
  const chunks: WeakRef<object>[] = [];
  const push = (text: string) => {
    const chunk = utf8(text);
    chunks.push(new WeakRef(chunk));
    producers[0]?.next(chunk);
  };
  const subscription = new Observable<Uint8Array>((subscriber) => {
    producers.push(subscriber);
  })
    .pipe(splitLines())
    .subscribe(() => {
      push('b\n'.repeat(1000));
      subscription.unsubscribe();
    });
  push('a\n');
  await memory();
  expect(chunks.map((chunk) => chunk.deref())).toEqual([undefined, undefined]);
  expect(producers).toHaveLength(1);
});

it('the line under way can be collected when it is unsubscribed', async () => {
  const producers: Subscriber<Uint8Array>[] = [];
  const subscription = new Observable<Uint8Array>((subscriber) => {
    producers.push(subscriber);
  })
    .pipe(splitLines())
    .subscribe();
  const before = await memory();
  producers[0]?.next(new Uint8Array(MiB / 2));
  expect((await memory()) - before).toBeGreaterThan(MiB / 4);
  subscription.unsubscribe();
  expect((await memory()) - before).toBeLessThan(MiB / 4);
  expect(producers).toHaveLength(1);
});

it('is a check that can fail', async () => {
  const gate = new ManualGate();
  const producers: Subscriber<Uint8Array>[] = [];
  const collected = await isCollected(() => {
    const chunk = utf8('a\nb\n');
    new Observable<Uint8Array>((subscriber) => {
      producers.push(subscriber);
      subscriber.next(chunk);
    })
      .pipe(splitLines(), gatedBy(gate))
      .subscribe();
    return chunk;
  });
  expect(collected).toBe(false);
  expect(gate.waiters.size).toBe(1);
});
