// Loads two installed copies of the package, each as ESM and as CommonJS, and lets them work together (scripts/smoke.mjs lays them out).
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { firstValueFrom, from, lastValueFrom, map, Subject, toArray } from 'rxjs';

const require = createRequire(import.meta.url);
const name = 'rxjs-flow-control';
const { exports } = require(`${name}/package.json`);

const namesOf = (entry) =>
  Object.keys(entry)
    .filter((key) => key !== 'default' && key !== 'module.exports' && key !== '__esModule')
    .sort();
for (const path of Object.keys(exports).filter((path) => !path.endsWith('.json'))) {
  const id = name + path.slice(1);
  assert.deepEqual(namesOf(require(id)), namesOf(await import(id)), id);
}
assert.throws(() => require(`${name}/dist/esm/index.js`), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' });

const copies = {
  'ESM of one': await import(name),
  'CommonJS of one': require(name),
  'ESM of the other': await import(new URL('other/copy.mjs', import.meta.url)),
  'CommonJS of the other': require(fileURLToPath(new URL('other/copy.cjs', import.meta.url))),
};
assert.equal(new Set(Object.values(copies).map(({ fromPull }) => fromPull)).size, 4, 'there are four of them');

const tick = (value) => new Promise((resolve) => setImmediate(resolve, value));
const allOf = (source) => lastValueFrom(source.pipe(toArray()));

/** How far a source of one copy is ahead of a queue of another, with an operator of RxJS in between. */
async function pace(source, sink) {
  const seen = { pulled: 0, done: 0, ahead: 0 };
  function* numbers() {
    while (seen.pulled < 100) {
      seen.ahead = Math.max(seen.ahead, ++seen.pulled - seen.done);
      yield seen.pulled;
    }
  }
  const results = source.fromPull(numbers).pipe(
    map((value) => value + 1),
    sink.bufferedMergeMap(tick, { concurrent: 2, highWaterMark: 2, ordered: true }),
    map((value) => (seen.done++, value)),
  );
  assert.deepEqual(
    await allOf(results),
    Array.from({ length: 100 }, (_, index) => index + 2),
  );
  return seen.ahead;
}

/** Whether who reads waits until the other has cleaned up. */
async function waitsForCleanup(source, sink) {
  let isReleased = false;
  const release = async () => {
    await tick();
    await tick();
    isReleased = true;
  };
  const values = source.usingAsync({ acquire: async () => 1, use: (value) => [value, value], release });
  for await (const value of sink.toAsyncIterable(values.pipe(map(String)))) if (value) break;
  return isReleased;
}

/** Whether a shutdown of one copy lets a pipeline of another finish what it has begun. */
async function drains(owner, operators) {
  const shutdown = owner.createShutdown();
  const jobs = new Subject();
  const finish = (job$) => job$.pipe(operators.bufferedMergeMap(tick, { concurrent: 1 }));
  const done = allOf(jobs.pipe(operators.gracefulShutdown(finish, { on: shutdown })));
  for (const job of [1, 2, 3]) jobs.next(job);
  const { clean } = await shutdown.stop('deploy');
  jobs.next(4);
  return clean && (await done).join() === '1,2,3';
}

/** Whether the limiter, the breaker, the pool and the queue of one copy serve the operators of another. */
async function serves(owner, operators) {
  const limiter = owner.createRateLimiter({ limit: 3, interval: 60_000 });
  await allOf(from([1, 2]).pipe(operators.rateLimit(limiter)));
  const breaker = owner.createCircuitBreaker({ threshold: { consecutive: 1 }, openFor: 60_000 });
  const failing = operators.abortable(async () => Promise.reject(new Error('down')));
  await assert.rejects(firstValueFrom(failing.pipe(operators.circuitBreaker(breaker))), { message: 'down' });
  const pool = owner.createPool({ create: async () => 'connection', max: 1 });
  const used = await allOf(from([1, 2]).pipe(operators.usePool(pool, (n) => tick(n))));
  const queue = new owner.BoundedQueue({ capacity: 1 });
  const taken = allOf(from(queue).pipe(operators.bufferedMergeMap(tick, { concurrent: 1, highWaterMark: 0 })));
  for (const job of [1, 2, 3]) await queue.put(job);
  queue.close();
  await pool.drain();
  return [limiter.tryAcquire(), limiter.tryAcquire(), breaker.state.status, used.join(), (await taken).join()].join(
    ' ',
  );
}

for (const [source, ofSource] of Object.entries(copies)) {
  for (const [sink, ofSink] of Object.entries(copies)) {
    const where = `${source}, ${sink}`;
    assert.equal(await pace(ofSource, ofSink), 4, `two at work and two that wait: ${where}`);
    assert.ok(await waitsForCleanup(ofSource, ofSink), where);
    assert.ok(await drains(ofSource, ofSink), where);
    assert.equal(await serves(ofSource, ofSink), 'true false open 1,2 1,2,3', where);
    const { BufferOverflowError } = ofSource;
    const overflow = firstValueFrom(
      from([1, 2, 3]).pipe(
        ofSink.bufferedMergeMap(() => new Promise(() => undefined), { concurrent: 1, bufferSize: 1 }),
      ),
    );
    await assert.rejects(overflow, ({ name }) => name === BufferOverflowError.name, where);
  }
}
console.log(`${Object.keys(copies).length ** 2} pairs of copies`);
