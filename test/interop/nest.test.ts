import { text } from 'node:stream/consumers';
import { NEVER, of } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { abortable } from '../../src/sources/abortable.js';
import { deferred } from '../support/settle.js';
import { collectUnhandled } from '../support/unhandled.js';
import { answering, nestApp } from './nestApp.js';
import { ClientLimit } from './nestClientLimit.js';
import { Exports } from './nestExports.js';
import { TimeLimit } from './nestTimeLimit.js';

collectUnhandled();
describe('a limit for each client, as a guard', () => {
  it('refuses what is too much, and takes all behind a proxy for one', async () => {
    const ask = await nestApp(answering(() => 'hello', { guard: ClientLimit }));
    const statuses: (number | undefined)[] = [];
    for (let i = 0; i < 101; i++) {
      const response = await ask({ 'X-Forwarded-For': `10.0.0.${i}` });
      response.resume();
      statuses.push(response.statusCode);
    }
    expect(statuses.slice(0, 100).every((status) => status === 200)).toBe(true);
    expect(statuses[100]).toBe(429);
  });

  it('has a limit of its own for each address', () => {
    const guard = new ClientLimit();
    const from = (ip: string) => ({ switchToHttp: () => ({ getRequest: () => ({ ip }) }) }) as never;
    for (let i = 0; i < 100; i++) guard.canActivate(from('10.0.0.1'));
    expect(() => guard.canActivate(from('10.0.0.1'))).toThrow('Too many requests');
    expect(guard.canActivate(from('10.0.0.2'))).toBe(true);
  });
});

describe('a limit of time, as an interceptor', () => {
  it('answers 408, and not before the work has stopped', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
    try {
      const [begun, aborted, cleanup] = [deferred(), deferred(), deferred()];
      const work = abortable(async (signal) => {
        begun.resolve();
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve);
        });
        aborted.resolve();
        await cleanup.promise;
        signal.throwIfAborted();
      });
      const ask = await nestApp(answering(() => work, { interceptor: TimeLimit }));
      let status: number | undefined;
      const asked = ask().then((response) => {
        response.resume();
        status = response.statusCode;
      });
      await begun.promise;
      await vi.advanceTimersByTimeAsync(5000);
      await aborted.promise;
      for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
      expect(status).toBeUndefined();
      cleanup.resolve();
      await asked;
      expect(status).toBe(408);
    } finally {
      vi.useRealTimers();
    }
  });

  it('lets pass what is in time', async () => {
    const ask = await nestApp(answering(() => of('hello'), { interceptor: TimeLimit }));
    expect(await text(await ask())).toBe('hello');
  });
});

describe('an observable that a handler gives', () => {
  it('is unsubscribed when the client leaves: abortable work is told', async () => {
    const [begun, aborted] = [deferred(), deferred()];
    const work = abortable((signal) => {
      signal.addEventListener('abort', () => {
        aborted.resolve();
      });
      begun.resolve();
      return NEVER;
    });
    const ask = await nestApp(answering(() => work));
    const request = ask.open();
    await begun.promise;
    request.destroy();
    await aborted.promise;
  });

  it('answers with its last value', async () => {
    const ask = await nestApp(answering(() => of('first', 'last')));
    expect(await text(await ask())).toBe('last');
  });
});

describe('rows that are streamed', () => {
  it('arrive', async () => {
    async function* rows() {
      for (let id = 1; id <= 3; id++) yield { id };
    }
    const ask = await nestApp(answering(() => new Exports().jsonLines(rows)));
    const response = await ask();
    expect(response.headers['content-type']).toContain('application/jsonl');
    expect(await text(response)).toBe('{"id":1}\n{"id":2}\n{"id":3}\n');
  });

  it('are read no faster than the client reads, and are closed when it leaves', async () => {
    const closed = deferred();
    let isClosed = false;
    const filling = 'x'.repeat(10_000);
    let read = 0;
    async function* rows() {
      try {
        for (; read < 1_000_000; read++) yield { read, filling };
      } finally {
        isClosed = true;
        closed.resolve();
      }
    }
    const ask = await nestApp(answering(() => new Exports().jsonLines(rows)));
    const response = await ask(); // and is not read
    let before = -1;
    while (before !== read) {
      before = read;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(read).toBeLessThan(5000); // the buffers of the sockets
    expect(isClosed).toBe(false);
    response.destroy();
    await closed.promise;
    expect(read).toBeLessThan(5000);
  });

  it('answer 400 when they fail before the first', async () => {
    async function* rows(): AsyncGenerator<never> {
      throw new Error('no database');
    }
    const ask = await nestApp(answering(() => new Exports().jsonLines(rows)));
    const response = await ask();
    response.resume();
    expect(response.statusCode).toBe(400);
  });

  it('break off the response when they fail', async () => {
    async function* rows() {
      yield { id: 1 };
      await new Promise((resolve) => setImmediate(resolve));
      throw new Error('no database');
    }
    const ask = await nestApp(answering(() => new Exports().jsonLines(rows)));
    await expect(ask().then(text)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});
