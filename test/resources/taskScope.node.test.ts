import { NEVER, of, throwError } from 'rxjs';
import { expect, it } from 'vitest';
import { taskScope } from '../../src/resources/taskScope.js';
import { collectRejections } from '../support/rejections.js';
import { turn } from '../support/settle.js';

// Loud as promises are: what nobody asks for is an unhandled rejection.
const rejections = collectRejections();
const reason = new Error('reason');
const failing = () => throwError(() => reason);

it('a scope that nobody joins is loud when it has failed', async () => {
  const scope = taskScope();
  const task = scope.run(failing);
  await turn();
  expect(rejections).toEqual([new AggregateError([reason], 'taskScope: reason')]);
  expect(task.state).toBe('rejected');
  await expect(task.result).rejects.toBe(reason);
});

it('a scope that is joined in the same turn is not, and its results are not, read or not', async () => {
  const scope = taskScope();
  void scope.run(() => NEVER).result;
  scope.run(failing);
  await expect(scope.join()).rejects.toThrow('reason');
  await turn();
  expect(rejections).toEqual([]);
});

it('neither is one that is cancelled, or in which a task is', async () => {
  const scope = taskScope({ onError: 'settle' });
  const [first] = [scope.run(() => NEVER), scope.run(() => NEVER).result];
  first.cancel(reason);
  void scope.cancel(reason);
  await turn();
  expect(rejections).toEqual([]);
});

it('a cancel that nobody waits for is loud when clean-up fails, once', async () => {
  const scope = taskScope();
  const cleanUp = new Error('clean-up');
  scope.run(
    ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reject(cleanUp);
        });
      }),
  );
  void scope.cancel();
  void scope.cancel();
  await turn();
  expect(rejections).toEqual([new AggregateError([cleanUp], 'taskScope: clean-up')]);
});

it('with settle, a result that nobody looks at is loud, and join is not', async () => {
  const scope = taskScope({ onError: 'settle' });
  scope.run(failing);
  const seen = scope.run(failing);
  await expect(seen.result).rejects.toBe(reason);
  await scope.join();
  await turn();
  expect(rejections).toEqual([reason]);
});

it('a scope below a task is loud through the task, and only there', async () => {
  const scope = taskScope();
  const task = scope.run(async ({ fork }) => {
    fork().run(failing);
    await turn();
  });
  const joined = scope.join();
  joined.catch(() => undefined);
  await turn();
  await turn();
  expect([task.state, rejections]).toEqual(['rejected', []]);
});

it('a scope below a task is loud by itself when its cancel is not awaited', async () => {
  const scope = taskScope();
  const task = scope.run(({ fork }) => {
    const child = fork();
    child.run(
      ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            reject(reason);
          });
        }),
    );
    void child.cancel();
    return of(1);
  });
  await scope.join();
  await turn();
  expect([task.state, rejections]).toEqual(['fulfilled', [new AggregateError([reason], 'taskScope: reason')]]);
});
