import 'reflect-metadata';
import { Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { firstValueFrom, Subject } from 'rxjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { bufferedMergeMap } from '../../src/operators/bufferedMergeMap.js';
import { gracefulShutdown } from '../../src/operators/gracefulShutdown.js';
import { record } from '../support/record.js';
import { deferred } from '../support/settle.js';
import { FlowShutdown } from './nestShutdown.js';

Logger.overrideLogger(false);

/** An application with one pipeline, of which the work ends when the test says so. */
async function application() {
  class AppModule {
    readonly name = 'app';
  }
  Module({ providers: [FlowShutdown] })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule);
  const { shutdown } = app.get(FlowShutdown);
  const [orders, work, begun] = [new Subject<string>(), deferred(), deferred()];
  const { log } = record(
    orders.pipe(
      gracefulShutdown(
        (order$) =>
          order$.pipe(
            bufferedMergeMap(async (order) => {
              begun.resolve();
              await work.promise;
              return order;
            }),
          ),
        { on: shutdown },
      ),
    ),
  );
  orders.next('order');
  await begun.promise;
  return { app, shutdown, work, log };
}

describe('an application of NestJS', () => {
  it('waits in close() for the work that runs', async () => {
    const { app, shutdown, work, log } = await application();
    let closed = false;
    const closing = app.close().then(() => (closed = true));
    await firstValueFrom(shutdown.stopping$);
    expect([closed, log]).toEqual([false, []]);
    work.resolve();
    await closing;
    expect(log).toEqual(['order', 'complete']);
    expect(await shutdown.done).toMatchObject({ reason: undefined, clean: true });
  });

  it('ends by the signal that it has got, when the work is done, and ignores a second one', async () => {
    const kill = vi.spyOn(process, 'kill').mockImplementation(() => true);
    onTestFinished(() => {
      kill.mockRestore();
    });
    const { app, shutdown, work } = await application();
    app.enableShutdownHooks(['SIGHUP']);
    process.emit('SIGHUP', 'SIGHUP');
    process.emit('SIGHUP', 'SIGHUP');
    await firstValueFrom(shutdown.stopping$);
    expect([shutdown.signal.aborted, kill.mock.calls]).toEqual([false, []]);
    work.resolve();
    await vi.waitFor(() => {
      expect(kill).toHaveBeenCalledWith(process.pid, 'SIGHUP');
    });
    expect(await shutdown.done).toMatchObject({ reason: 'SIGHUP', clean: true });
  });
});
