import { once } from 'node:events';
import type { ClientRequest } from 'node:http';
import { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { angularApp } from './angularApp.js';
import { ApplicationRef, computed, Injector, signal, type Signal, type WritableSignal } from '@angular/core';
import { rxResource, toObservable, toSignal } from '@angular/core/rxjs-interop';
import { TestBed } from '@angular/core/testing';
import { from, lastValueFrom, noop, take, tap, type Observable } from 'rxjs';
import {
  abortable,
  fromPull,
  takeUntilAborted,
  toAsyncIterable,
  toReadableStream,
  writeToStream,
} from '../../src/index.js';
import { fromReadable, toNodeReadable, writeTo } from '../../src/node/index.js';
import { onTestFinished } from 'vitest';
import { deferred } from '../support/settle.js';
import { answering, nestApp } from './nestApp.js';
import type { Outlet, Probe, Sighting } from './measure.js';

interface Bridge extends Sighting {
  /** As they stand in the table. */
  readonly name: string;
  readonly by: string;
  readonly errors: string;
}

export interface ToRxJS extends Bridge {
  readonly open: (probe: Probe) => Observable<unknown>;
  /** Something that has these values at once. */
  readonly give: (values: readonly unknown[]) => Observable<unknown>;
  readonly fail: (error: Error) => Observable<unknown>;
}

async function* failing(error: Error): AsyncGenerator<never> {
  throw error;
}
async function* each(values: readonly unknown[]): AsyncGenerator {
  yield* values;
}

const streamOf = (probe: Probe) =>
  new ReadableStream<number>({
    pull: (controller) => {
      controller.enqueue(probe.take());
    },
    cancel: () => probe.stop(),
  });

const streamWith = (values: readonly unknown[]) =>
  new ReadableStream({
    start: (controller) => {
      for (const value of values) controller.enqueue(value);
      controller.close();
    },
  });

const failingStream = (error: Error) =>
  new ReadableStream<never>({
    start: (controller) => {
      controller.error(error);
    },
  });

const readableOf = (probe: Probe) =>
  new Readable({
    objectMode: true,
    highWaterMark: 1,
    read() {
      this.push(probe.take());
    },
    destroy: (error, callback) => {
      void probe.stop().then(() => {
        callback(error);
      });
    },
  });

/** In an application of its own, which looks at the signal for the first time when all this is set up. */
function observed(value: Signal<unknown>): Observable<unknown> {
  angularApp();
  return toObservable(value, { injector: TestBed.inject(Injector) });
}

async function setAll(value: WritableSignal<number>, values: AsyncIterable<number>): Promise<void> {
  let over = false;
  onTestFinished(() => {
    over = true;
  });
  for await (const each of values) {
    if (over) break;
    value.set(each);
  }
}

const source = (row: ToRxJS) => row;

export const toRxJS: readonly ToRxJS[] = [
  source({
    name: '(async) iterable, generator',
    by: '`fromPull`',
    demand: true,
    values: 'each',
    stop: 'waited for',
    errors: 'yes',
    open: (probe) => fromPull(() => probe.values()),
    give: (values) => fromPull(values),
    fail: (error) => fromPull(failing(error)),
  }),
  source({
    name: '',
    by: '`from` of RxJS, for comparison',
    demand: false,
    values: 'each',
    stop: 'told',
    errors: 'yes',
    open: (probe) => from(probe.values()),
    give: (values) => from(each(values)),
    fail: (error) => from(failing(error)),
  }),
  source({
    name: 'web `ReadableStream`',
    by: '`fromPull`',
    demand: true,
    values: 'each',
    stop: 'waited for',
    errors: 'yes',
    open: (probe) => fromPull(streamOf(probe)),
    give: (values) => fromPull(streamWith(values)),
    fail: (error) => fromPull(failingStream(error)),
  }),
  source({
    name: 'Node `Readable`',
    by: '`fromReadable`',
    demand: true,
    values: 'each',
    stop: 'waited for',
    errors: 'yes',
    open: (probe) => fromReadable(readableOf(probe)),
    give: (values) => fromReadable(Readable.from(values)),
    fail: (error) => fromReadable(Readable.from(failing(error))),
  }),
  source({
    name: 'work that takes an `AbortSignal`',
    by: '`abortable`',
    demand: true,
    values: 'each',
    stop: 'waited for',
    errors: 'yes',
    open: (probe) => abortable(() => probe.values()),
    give: (values) => abortable(() => each(values)),
    fail: (error) => abortable(() => Promise.reject(error)),
  }),
  source({
    name: 'signal of Angular',
    by: '`toObservable`',
    demand: false,
    values: 'the last',
    stop: 'not told',
    errors: 'yes',
    open: (probe) => {
      const value = signal(0);
      void setAll(value, probe.values());
      return observed(value);
    },
    give: (values) => {
      const value = signal<unknown>(undefined);
      for (const each of values) value.set(each);
      return observed(value).pipe(take(1));
    },
    fail: (error) =>
      observed(
        computed(() => {
          throw error;
        }),
      ),
  }),
];

export interface FromRxJS extends Bridge {
  readonly open: (source: Observable<unknown>) => Outlet;
}

async function collected(values: AsyncIterable<unknown>): Promise<readonly unknown[]> {
  const all: unknown[] = [];
  for await (const value of values) all.push(value);
  return all;
}

const outlet = (row: FromRxJS) => row;

export const fromRxJS: readonly FromRxJS[] = [
  outlet({
    name: '`for await`',
    by: '`toAsyncIterable`',
    demand: true,
    values: 'each',
    stop: 'waited for',
    errors: 'yes',
    open: (source) => {
      const values = toAsyncIterable(source);
      const iterator = values[Symbol.asyncIterator]();
      return {
        takeOne: () => iterator.next(),
        all: () => collected(values),
        stop: () => iterator.return?.(),
      };
    },
  }),
  outlet({
    name: 'web `ReadableStream`',
    by: '`toReadableStream`',
    demand: true,
    values: 'each',
    stop: 'waited for',
    errors: 'yes',
    open: (source) => {
      const stream = toReadableStream(source);
      let reader: ReadableStreamDefaultReader | undefined;
      return {
        takeOne: () => (reader = stream.getReader()).read(),
        all: () => collected(stream),
        stop: () => reader?.cancel(),
      };
    },
  }),
  outlet({
    name: 'web `WritableStream`',
    by: '`writeToStream`',
    demand: true,
    values: 'each',
    stop: 'told',
    errors: 'yes',
    open: (source) => {
      const [written, slow] = [new Array<unknown>(), deferred()];
      let controller: WritableStreamDefaultController | undefined;
      const stream = new WritableStream({
        start: (given) => {
          controller = given;
        },
        write: (value) => (written.push(value) > 3 ? slow.promise : undefined),
      });
      const over = lastValueFrom(source.pipe(writeToStream(stream)));
      return {
        all: () => over.then(() => written),
        stop: () => {
          controller?.error(new Error('no more'));
          slow.resolve();
          return over.catch(noop);
        },
      };
    },
  }),
  outlet({
    name: 'Node `Readable`',
    by: '`toNodeReadable`',
    demand: true,
    values: 'each',
    stop: 'waited for',
    errors: 'yes',
    open: (source) => {
      const readable = toNodeReadable(source);
      return {
        takeOne: () => once(readable, 'readable').then(() => readable.read() as unknown),
        all: () => collected(readable),
        stop: () => {
          readable.destroy();
          return once(readable, 'close');
        },
      };
    },
  }),
  outlet({
    name: 'Node `Writable`',
    by: '`writeTo`',
    demand: true,
    values: 'each',
    stop: 'told',
    errors: 'yes',
    open: (source) => {
      const written: unknown[] = [];
      const writable = new Writable({
        objectMode: true,
        highWaterMark: 1,
        write: (value, _, written$) => {
          if (written.push(value) <= 3) written$();
        },
      });
      const over = lastValueFrom(source.pipe(writeTo<unknown>(writable)));
      return {
        all: () => over.then(() => written),
        stop: () => {
          writable.destroy();
          return over.catch(noop);
        },
      };
    },
  }),
  outlet({
    name: 'promise',
    by: '`lastValueFrom` of RxJS, and `takeUntilAborted`',
    demand: false,
    values: 'the last',
    stop: 'waited for',
    errors: 'yes',
    open: (source) => {
      const controller = new AbortController();
      const last = lastValueFrom(source.pipe(takeUntilAborted(controller.signal)));
      last.catch(noop);
      return {
        all: async () => [await last],
        stop: () => {
          controller.abort();
          return last;
        },
      };
    },
  }),
  outlet({
    name: 'signal of Angular',
    by: '`toSignal`',
    demand: false,
    values: 'the last',
    stop: 'told',
    errors: 'when it is read',
    open: (source) => {
      const { destroy } = angularApp();
      const value = toSignal(source, { injector: TestBed.inject(Injector) });
      return { all: async () => [value()], stop: destroy };
    },
  }),
  outlet({
    name: 'resource of Angular',
    by: '`rxResource`',
    demand: false,
    values: 'the last',
    stop: 'told',
    errors: 'in `error()`',
    open: (source) => {
      const { destroy } = angularApp();
      const given = rxResource({ stream: () => source, injector: TestBed.inject(Injector) });
      return {
        all: async () => {
          await TestBed.inject(ApplicationRef).whenStable();
          const error = given.error();
          if (error) throw error;
          return [given.value()];
        },
        stop: destroy,
      };
    },
  }),
  outlet({
    name: 'response of NestJS',
    by: 'a handler that gives an observable',
    demand: false,
    values: 'the last',
    stop: 'told',
    errors: 'to the exception filters',
    open: (source) => {
      const failures: unknown[] = [];
      const over = nestApp(answering(() => source.pipe(tap({ error: (error: unknown) => failures.push(error) }))));
      let request: ClientRequest | undefined;
      return {
        takeOne: async () => {
          request = (await over).open();
        },
        all: async () => {
          const response = await (await over)();
          const body = await text(response);
          if (response.statusCode === 500) throw failures[0];
          return [body];
        },
        stop: () => {
          request?.destroy();
        },
      };
    },
  }),
];
