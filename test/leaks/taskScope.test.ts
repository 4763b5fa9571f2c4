import { NEVER, of, Subject, throwError } from 'rxjs';
import { expect, it } from 'vitest';
import type { TaskContext, TaskScope } from '../../src/internal/tasks/TaskScope.js';
import { taskScope } from '../../src/resources/taskScope.js';
import { heapGrowth, heapUsed, isCollected } from './support.js';

it('remembers no task that has ended: a million short ones in one scope', { timeout: 60_000 }, async () => {
  const { signal } = new AbortController();
  const scope = taskScope({ concurrent: 16, bufferSize: Infinity, onError: 'settle' });
  scope.run(() => NEVER);
  const run = async (count: number) => {
    for (let i = 0; i < count; i++) {
      scope.run(async () => ({ i }), { signal });
      if (i % 10 === 0) scope.run(async () => Promise.reject(new Error())).result.catch(() => undefined);
      if (i % 10 === 1) scope.run(() => NEVER).cancel();
      if (i % 1000 === 999) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await run(100_000);
  const before = await heapUsed();
  await run(900_000);
  expect((await heapUsed()) - before).toBeLessThan(512 * 1024);
  await scope.cancel();
});

it.each(['ended', 'failed', 'cancelled', 'waiting and cancelled'])('lets a task go that has %s', async (how) => {
  const scope = taskScope({ onError: 'settle', concurrent: 2 });
  const block = new Subject<number>();
  scope.run(() => block);
  if (how.startsWith('waiting')) scope.run(() => block);
  const collected = await isCollected(async () => {
    const large = {};
    const task = scope.run(() => {
      if (how === 'failed') throw new Error();
      return large && how === 'ended' ? of(large) : NEVER;
    });
    task.result.catch(() => undefined);
    if (how.endsWith('cancelled')) task.cancel();
    return task;
  });
  expect(collected).toBe(true);
  block.complete();
  await scope.join();
});

it('lets what a task is made of go when it has started, and its value when it has ended and nobody keeps the task', async () => {
  const scope = taskScope();
  const end = new Subject<object>();
  const collected = await isCollected(() => {
    const large = {};
    scope.run<object>(() => (large ? end : NEVER));
    return large;
  });
  expect(collected).toBe(true);
  end.complete();
  await scope.join();
});

it('a task that was cancelled before its start keeps nothing of what it was to do', async () => {
  const scope = taskScope({ concurrent: 1 });
  scope.run(() => NEVER);
  const kept: unknown[] = [];
  const collected = await isCollected(() => {
    const large = {};
    const task = scope.run(() => (large ? of(1) : NEVER));
    task.cancel();
    kept.push(task);
    return large;
  });
  expect([collected, kept.length]).toEqual([true, 1]);
  await scope.cancel();
});

it('a scope that is over is kept by no signal', async () => {
  const { signal } = new AbortController();
  const collected = await isCollected(async () => {
    const scope: TaskScope = taskScope({ signal });
    scope.run(() => of(1), { signal });
    await scope.join();
    return scope;
  });
  expect(collected).toBe(true);
  expect(signal.aborted).toBe(false);
});

it('a task that goes on keeps no scope below it that is over', async () => {
  const scope = taskScope({ onError: 'settle' });
  let fork!: TaskContext['fork'];
  scope.run((context) => {
    fork = context.fork;
    return NEVER;
  });
  const growth = await heapGrowth(async () => {
    const joined = fork();
    joined.run(() => of({}));
    await joined.join();
    const failed = fork();
    failed.run(() => throwError(() => new Error()));
    await Promise.resolve();
    await failed.join().catch(() => undefined);
    await fork().cancel();
  });
  expect(growth).toBeLessThan(64 * 1024);
  await scope.cancel();
});

it('does not grow with use', async () => {
  const { signal } = new AbortController();
  const growth = await heapGrowth(async () => {
    const scope = taskScope({ signal });
    scope.run(({ fork }) => {
      fork().run(async () => ({}));
      return of({});
    });
    scope.run(() => NEVER, { signal }).cancel();
    await scope.join();
    const failing = taskScope({ signal, cleanupTimeout: 1000 });
    failing.run((context) => (context.signal.aborted ? of(1) : NEVER));
    failing.run(async () => Promise.reject(new Error()));
    await failing.join().catch(() => undefined);
  });
  expect(growth).toBeLessThan(64 * 1024);
});
