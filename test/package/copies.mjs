// Runs in an empty project that has the packed package installed (scripts/smoke.sh).
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { firstValueFrom, map, Observable, take, toArray } from 'rxjs';

const require = createRequire(import.meta.url);
const name = 'rxjs-flow-control';
const { exports } = require(`${name}/package.json`);

for (const path of Object.keys(exports).filter((path) => !path.endsWith('.json'))) {
  const own = (entry) =>
    Object.keys(entry)
      .filter((key) => key !== 'default' && key !== 'module.exports' && key !== '__esModule')
      .sort();
  const id = name + path.slice(1);
  assert.deepEqual(own(require(id)), own(await import(id)), id);
}
assert.throws(() => require(`${name}/dist/esm/index.js`), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' });

const esm = await import(name);
const cjs = require(name);
assert.notEqual(esm.fromPull, cjs.fromPull);

/** Pulls from one copy of the package, works in the other, and counts how far the source is ahead of the consumer. */
async function mapSlowly(source, sink) {
  const seen = { pulled: 0, done: 0, ahead: 0 };
  function* numbers() {
    for (let i = 0; i < 100; i++) {
      seen.pulled++;
      seen.ahead = Math.max(seen.ahead, seen.pulled - seen.done);
      yield i;
    }
  }
  const work = async (value) => {
    await new Promise((resolve) => setImmediate(resolve));
    seen.done++;
    return value;
  };
  const results = source.fromPull(numbers).pipe(
    map((x) => x + 1),
    sink.bufferedMergeMap(work, { concurrent: 2, highWaterMark: 2, ordered: true }),
  );
  const values = [];
  for await (const value of sink.toAsyncIterable(results)) values.push(value);
  assert.deepEqual(
    values,
    Array.from({ length: 100 }, (_, i) => i + 1),
  );
  return seen.ahead;
}

for (const source of [esm, cjs])
  for (const sink of [esm, cjs]) assert.ok((await mapSlowly(source, sink)) <= 5, 'the link holds across copies');

for (const { bufferedMergeMap, BufferOverflowError, fromPull, gatedBy, ungated } of [esm, cjs]) {
  assert.throws(() => bufferedMergeMap((x) => [x], { concurrent: 0 }), RangeError);

  const burst = new Observable((subscriber) => {
    for (let i = 0; i < 10; i++) subscriber.next(i);
  });
  const overflow = firstValueFrom(burst.pipe(bufferedMergeMap(() => new Promise(() => {}), { bufferSize: 2 })));
  await assert.rejects(overflow, (error) => error instanceof BufferOverflowError && error.waiting === 2);

  let pulls = 0;
  const source = fromPull(
    (function* () {
      for (;;) yield pulls++;
    })(),
  );
  const closed = { ready: false, onReady: () => () => {} };
  const subscription = source.pipe(gatedBy(closed)).subscribe();
  await new Promise((resolve) => setImmediate(resolve));
  subscription.unsubscribe();
  assert.equal(pulls, 0, 'a closed gate is heeded');
  const free = fromPull([1, 2, 3]).pipe(ungated(), gatedBy(closed), take(3), toArray());
  assert.deepEqual(await firstValueFrom(free), [1, 2, 3], 'ungated stands above the gate');
}

console.log(`${process.version}: ok`);
