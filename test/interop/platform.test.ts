import { EventEmitter, on } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline, Readable, Writable } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import { randomBytes } from 'node:crypto';
import {
  firstValueFrom,
  from,
  fromEvent,
  lastValueFrom,
  NEVER,
  noop,
  of,
  retry,
  take,
  takeUntil,
  type Observable,
} from 'rxjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { abortable, fromPull, SourceConsumedError, takeUntilAborted, toReadableStream } from '../../src/index.js';
import { fromReadable, toNodeReadable, writeTo } from '../../src/node/index.js';
import { CountedSignal } from '../support/CountedSignal.js';
import { record } from '../support/record.js';
import { deferred, turn } from '../support/settle.js';
import { collectUnhandled } from '../support/unhandled.js';

collectUnhandled();
const turns = async () => {
  for (let i = 0; i < 20; i++) await turn();
};

describe('streams of Node', () => {
  const broken = () =>
    new Readable({
      read() {
        this.destroy(new Error('no disk'));
      },
    });

  it('give the error of each of them through pipeline', async () => {
    const { log } = record(fromReadable(() => pipeline(broken(), createGunzip(), noop)));
    await turns();
    expect(log).toMatchObject([['error', { message: 'no disk' }]]);
  });

  it('give no error through pipe: the observable never ends', async () => {
    const file = broken();
    let unhandled: unknown;
    file.on('error', (error) => (unhandled = error)); // else the program would end
    const { log, subscription } = record(fromReadable(() => file.pipe(createGunzip())));
    await turns();
    expect(unhandled).toMatchObject({ message: 'no disk' });
    expect(log).toEqual([]);
    subscription.unsubscribe();
  });

  it('are finished when writeTo completes, and those behind them are not', async () => {
    const written = deferred();
    const gzip = createGzip();
    const file = new Writable({
      write: (_, __, done) => {
        void written.promise.then(() => {
          done();
        });
      },
    });
    gzip.pipe(file);
    expect(await lastValueFrom(of('abc').pipe(writeTo(gzip)))).toBe(1);
    expect(file.writableFinished).toBe(false);
    written.resolve();
  });
});

describe('web streams', () => {
  /** Reads one chunk, and then no more. */
  async function readAhead(open: (noise: Observable<Uint8Array<ArrayBuffer>>) => AsyncIterable<unknown>) {
    let read = 0;
    function* noise() {
      for (; read < 5000; read++) yield new Uint8Array(randomBytes(1000));
    }
    const chunks = open(fromPull(noise))[Symbol.asyncIterator]();
    onTestFinished(() => chunks.return?.().then(noop));
    await chunks.next();
    await turns();
    return () => read;
  }

  it('hold the source back through other streams', async () => {
    const read = await readAhead((noise) => toReadableStream(noise).pipeThrough(new TextDecoderStream('latin1')));
    expect(read()).toBeLessThan(10);
  });

  it('are read far ahead by the CompressionStream of Node 20 and 22, as the page says', async () => {
    const read = await readAhead((noise) => toReadableStream(noise).pipeThrough(new CompressionStream('gzip')));
    if (Number.parseInt(process.versions.node) < 24) {
      await vi.waitFor(
        () => {
          expect(read()).toBeGreaterThan(1000);
        },
        { timeout: 50_000 },
      );
    } else expect(read()).toBeLessThan(1000);
  });

  it('are not read far ahead by zlib', async () => {
    const read = await readAhead((noise) => pipeline(toNodeReadable(noise), createGzip(), noop));
    expect(read()).toBeLessThan(200);
  });

  it('can be read once, and retry asks anew only where the request stands before it', async () => {
    const body = () => {
      let isFirst = true;
      return new ReadableStream<string>({
        pull: (controller) => {
          if (isFirst) controller.enqueue('a');
          else controller.error(new Error('connection lost'));
          isFirst = false;
        },
      });
    };
    const { log } = record(fromPull(body()).pipe(retry(1)));
    await turns();
    expect(log).toEqual(['a', ['error', expect.any(SourceConsumedError)]]);
    const anew = record(fromPull(body).pipe(retry(1)));
    await turns();
    expect(anew.log).toEqual(['a', 'a', ['error', new Error('connection lost')]]);
  });

  it('close the connection of a fetch when what has come of it is unsubscribed', async () => {
    const closed = deferred();
    const server = createServer((_, response) => {
      response.write('first');
      response.on('close', closed.resolve);
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const response = await firstValueFrom(
      abortable((signal) => fetch(`http://127.0.0.1:${String(port)}/`, { signal })),
    );
    await firstValueFrom(fromPull(response.body as ReadableStream<Uint8Array>));
    await closed.promise;
  });
});

describe('async iterators', () => {
  it('of events hold all that nobody has read yet', async () => {
    const emitter = new EventEmitter();
    const events = on(emitter, 'value');
    for (let i = 0; i < 5000; i++) emitter.emit('value', i);
    expect(await lastValueFrom(fromPull<unknown[]>(events).pipe(take(5000)))).toEqual([4999]);
  });

  it('are told by from only when their next value comes', async () => {
    const next = deferred();
    let isClosed = false;
    async function* values() {
      try {
        yield 1;
        await next.promise;
        yield 2;
      } finally {
        isClosed = true;
      }
    }
    const { subscription } = record(from(values()));
    await turns();
    subscription.unsubscribe();
    await turns();
    expect(isClosed).toBe(false);
    next.resolve();
    await turns();
    expect(isClosed).toBe(true);
  });

  it('clean up after what they await, unless the signal tells them', async () => {
    const closed: string[] = [];
    async function* values(name: string, signal?: AbortSignal) {
      try {
        yield 1;
        await new Promise((resolve) => signal?.addEventListener('abort', resolve));
      } finally {
        closed.push(name);
      }
    }
    const [deaf, told] = [
      record(fromPull(() => values('deaf'))),
      record(fromPull(({ signal }) => values('told', signal))),
    ];
    await turns();
    deaf.subscription.unsubscribe();
    told.subscription.unsubscribe();
    await turns();
    expect(closed).toEqual(['told']);
  });
});

describe('an AbortSignal', () => {
  it('keeps no listener when the stream ends first', async () => {
    const counted = new CountedSignal();
    const ended = record(of(1).pipe(takeUntilAborted(counted.signal)));
    const running = record(NEVER.pipe(takeUntilAborted(counted.signal)));
    expect(ended.log).toEqual([1, 'complete']);
    expect(counted.listeners).toBe(1);
    running.subscription.unsubscribe();
    expect(counted.listeners).toBe(0);
  });

  it('that was aborted before ends takeUntilAborted, and no takeUntil over its event', () => {
    const signal = AbortSignal.abort();
    expect(record(NEVER.pipe(takeUntilAborted(signal))).log).toEqual(['complete']);
    expect(record(NEVER.pipe(takeUntil(fromEvent(signal, 'abort')))).log).toEqual([]);
  });
});
