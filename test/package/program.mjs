// A program that uses every part of the package for real work, and prints a line for each. What it prints hangs on nothing but the
// package: scripts/smoke.mjs runs it on each Node with each RxJS, bundled and minified, and compares.
import assert from 'node:assert/strict';
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  catchError,
  concatMap,
  count,
  defer,
  filter,
  from,
  lastValueFrom,
  map,
  mergeMap,
  Observable,
  of,
  retry,
  scan,
  scheduled,
  Subject,
  take,
  tap,
  toArray,
} from 'rxjs';
import * as flow from 'rxjs-flow-control';
import * as flowNode from 'rxjs-flow-control/node';
import * as flowSchedulers from 'rxjs-flow-control/schedulers';

const tick = (value) => new Promise((resolve) => setImmediate(resolve, value));
const allOf = (source) => lastValueFrom(source.pipe(toArray()));
const outcomeOf = (source) => allOf(source).catch(({ name, message }) => ({ name, message }));

/** Numbers that can wait, and how far they are ahead of `seen.done` at most. */
function pulled(end) {
  const seen = { pulled: 0, done: 0, ahead: 0, closed: false };
  function* numbers() {
    try {
      while (seen.pulled < end) {
        seen.ahead = Math.max(seen.ahead, ++seen.pulled - seen.done);
        yield seen.pulled;
      }
    } finally {
      seen.closed = true;
    }
  }
  return { seen, source: flow.fromPull(numbers) };
}

const jobs = {
  async exports() {
    return [flow, flowSchedulers, flowNode].map((entry) => Object.keys(entry).sort().join(' '));
  },

  /** Of a source behind operators of RxJS no more is taken than the consumer can work on. */
  async demand() {
    const { source, seen } = pulled(1000);
    const sum = source.pipe(
      map((value) => value * 2),
      filter((value) => value % 4 === 0),
      tap(() => undefined),
      retry(1),
      flow.bufferedMergeMap(tick, { concurrent: 3, highWaterMark: 2, ordered: true }),
      tap(() => (seen.done += 2)), // every second one passes the filter
      scan((total, value) => total + value, 0),
    );
    const total = await lastValueFrom(sum);
    assert.equal(seen.ahead, 10, 'three at work and two that wait, each with the one that was filtered out before it');
    const free = pulled(1000);
    await lastValueFrom(free.source.pipe(mergeMap(tick, 3)));
    assert.equal(free.seen.ahead, 1000, 'without a consumer that can be full, all of it');
    return { total, pulled: seen.pulled };
  },

  async queue() {
    const queue = new flow.BoundedQueue({ capacity: 2 });
    const results = allOf(from(queue).pipe(flow.bufferedMergeMap(tick, { concurrent: 1, highWaterMark: 0 })));
    for (let job = 0; job < 10; job++) await queue.put(job);
    queue.close();
    const batches = flow.fromPull([1, 2, 3, 4, 5]).pipe(flow.batchWithin({ size: 2, time: 1000 }));
    return [await results, await allOf(batches)];
  },

  async overflow() {
    const burst = new Observable((subscriber) => {
      for (let value = 0; value < 6; value++) subscriber.next(value);
      subscriber.complete();
    });
    const dropped = [];
    const options = { concurrent: 1, bufferSize: 2, overflow: 'drop-oldest' };
    const onDrop = (value, reason) => dropped.push(`${value} ${reason}`);
    const kept = await allOf(burst.pipe(flow.bufferedMergeMap(tick, { ...options, onDrop })));
    const failed = await outcomeOf(
      burst.pipe(flow.bufferedMergeMap(tick, { ...options, overflow: 'error', name: 'q' })),
    );
    return { kept, dropped, failed };
  },

  async iteration() {
    const { source, seen } = pulled(100);
    const values = [];
    for await (const value of flow.toAsyncIterable(source.pipe(map((value) => value * 10)))) {
      seen.done = values.push(value);
      if (values.length === 3) break;
    }
    assert.ok(seen.ahead <= 2, `${seen.ahead} ahead`);
    return { values, closed: seen.closed };
  },

  async cancellation() {
    const log = [];
    const work = flow.abortable(async (signal) => {
      signal.addEventListener('abort', () => log.push('aborted'));
      return new Promise(() => undefined);
    });
    const subscription = work.subscribe();
    await tick();
    subscription.unsubscribe();

    const rows = flow.usingAsync({
      acquire: async () => 'connection',
      use: () => of(1, 2),
      release: async (_connection, { kind }) => {
        await tick();
        log.push(`released: ${kind}`);
      },
    });
    await lastValueFrom(rows);
    log.push('over');

    const slow = flow.abortable(
      (signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => setTimeout(reject, 5, signal.reason));
        }),
    );
    const { name } = await outcomeOf(slow.pipe(flow.timeoutWithCleanup({ total: 10 })));
    const controller = new AbortController();
    const untilAborted = allOf(new Subject().pipe(flow.takeUntilAborted(controller.signal))).catch(
      (error) => error.name,
    );
    controller.abort();
    return { log, name, untilAborted: await untilAborted };
  },

  async shutdown() {
    const log = [];
    const shutdown = flow.createShutdown({ drainTimeout: 5000 });
    shutdown.add('database', async () => void log.push('database closed'));
    const jobs = new Subject();
    const drained = allOf(
      jobs.pipe(flow.gracefulShutdown((job$) => job$.pipe(flow.bufferedMergeMap(tick)), { on: shutdown })),
    );
    for (const job of ['a', 'b', 'c']) jobs.next(job);
    const stopped = shutdown.stop('deploy');
    jobs.next('too late');
    log.push((await drained).join());
    const { reason, clean } = await stopped;
    return { reason, clean, log };
  },

  async jsonLines() {
    const bytes = new TextEncoder().encode('\uFEFF{"id":1,"text":"ä😀"}\r\n{"__proto__":{"isAdmin":true}}\n[1,\n"end"');
    const byOne = flow.fromPull(Array.from(bytes, (byte) => Uint8Array.of(byte)));
    const lines = await allOf(byOne.pipe(flow.parseJsonLines({ onError: 'emit' })));
    const bad = lines
      .filter(({ ok }) => !ok)
      .map(({ error }) => ({ name: error.name, line: error.line, at: error.byteOffset }));
    const good = from(lines).pipe(
      filter(({ ok }) => ok),
      map(({ value }) => value),
      flow.formatJsonLines(),
    );
    const long = of('x'.repeat(100)).pipe(flow.splitLines({ maxLineLength: 10 }));
    return { text: (await allOf(good)).join(''), bad, long: (await outcomeOf(long)).name, admin: {}.isAdmin === true };
  },

  async limits() {
    const limiter = flow.createRateLimiter({ limit: 2, interval: 20 });
    const begin = performance.now();
    const passed = await allOf(flow.fromPull([1, 2, 3, 4]).pipe(flow.rateLimit(limiter)));
    assert.ok(performance.now() - begin >= 19, 'two of them wait for an interval');
    let made = 0;
    const closed = [];
    const pool = flow.createPool({ create: async () => ++made, destroy: (each) => void closed.push(each), max: 2 });
    const squares = await allOf(of(1, 2, 3, 4, 5).pipe(flow.usePool(pool, (n) => tick(n * n), { ordered: true })));
    await pool.drain();
    return { passed, squares, made, closed: closed.sort() };
  },

  async recovery() {
    let calls = 0;
    const flaky = defer(async () => {
      if (++calls < 3) throw new Error(`call ${calls}`);
      return `call ${calls}`;
    });
    const answer = await lastValueFrom(flaky.pipe(flow.retryBackoff({ initialDelay: 1, jitter: 'none' })));
    const breaker = flow.createCircuitBreaker({ threshold: { consecutive: 2 }, openFor: 60_000 });
    const ask = (id) =>
      defer(async () => Promise.reject(new Error(`${id} failed`))).pipe(
        flow.circuitBreaker(breaker),
        catchError(({ name }) => of(name)),
      );
    const letters = [];
    const to = async ({ value, attempts }) => void letters.push({ value, attempts });
    const sent = await allOf(
      flow
        .fromPull([1, 2, 3])
        .pipe(
          flow.bufferedMergeMap(
            (order) =>
              defer(async () => (order === 2 ? Promise.reject(new Error('no')) : order)).pipe(
                flow.deadLetter(order, { to }),
              ),
            { concurrent: 1 },
          ),
        ),
    );
    const hedged = flow.abortable(async () => 'first').pipe(flow.hedge({ after: 60_000 }));
    return {
      answer,
      asked: await allOf(of(1, 2, 3).pipe(concatMap(ask))),
      letters,
      sent,
      hedged: await lastValueFrom(hedged),
    };
  },

  async sessions() {
    const counts = flow.fromPull(['a', 'b', '__proto__', 'a', '__proto__']).pipe(
      flow.keyedSessions(
        (key) => key,
        ({ key, values }) =>
          values.pipe(
            count(),
            map((n) => `${key} ${n}`),
          ),
      ),
    );
    const scope = flow.taskScope({ concurrent: 1 });
    const tasks = [1, 2, 3].map((n) => scope.run(() => tick(n)));
    await scope.join();
    const results = await Promise.all(tasks.map(({ result }) => result));
    return {
      counts: (await allOf(counts)).sort(),
      results,
      gathered: await flow.gather([() => tick('x'), () => of(1, 2)]),
    };
  },

  async sharing() {
    const { source, seen } = pulled(20);
    const shared = source.pipe(flow.shareDemand('all'));
    const paused$ = of(false);
    const slow = allOf(
      shared.pipe(
        flow.bufferedMergeMap(tick, { concurrent: 1, highWaterMark: 0 }),
        tap(() => seen.done++),
      ),
    );
    const fast = allOf(shared.pipe(flow.pausableBackpressure(paused$)));
    assert.equal((await slow).length, 20);
    assert.ok(seen.ahead <= 2, `${seen.ahead} ahead`);
    return { fast: (await fast).length, zipped: await allOf(flow.zipPull([pulled(3).source, of('a', 'b')])) };
  },

  async scheduling() {
    const log = [];
    const values = Array.from({ length: 100_000 }, (_, index) => index);
    setTimeout(() => log.push('a timer has its turn'));
    const counted = scheduled(values, flowSchedulers.cooperativeScheduler({ budget: 1 })).pipe(count());
    log.push(`${await lastValueFrom(counted)} values`);
    return log;
  },

  async files() {
    const folder = mkdtempSync(join(tmpdir(), 'rxjs-flow-control-'));
    try {
      const path = join(folder, 'records.jsonl');
      const copy = join(folder, 'copy.txt');
      const records = Array.from({ length: 3000 }, (_, id) => ({ id, text: 'ä'.repeat(id % 40) }));
      const output = createWriteStream(path, { highWaterMark: 64 });
      const written = await lastValueFrom(
        flow.fromPull(records).pipe(flow.formatJsonLines(), flowNode.writeTo(output)),
      );
      assert.deepEqual(await allOf(flowNode.readJsonLines(path)), records);
      const stream = createReadStream(path, { highWaterMark: 1000 });
      await lastValueFrom(flowNode.fromReadable(stream).pipe(flowNode.writeTo(() => createWriteStream(copy))));
      assert.deepEqual(readFileSync(copy), readFileSync(path));
      const missing = await outcomeOf(flowNode.readJsonLines(join(folder, 'missing')).pipe(take(1)));
      return { written, missing: missing.message.split(':', 1)[0] };
    } finally {
      rmSync(folder, { recursive: true });
    }
  },

  async refusals() {
    const message = (call) => {
      try {
        return call();
      } catch (error) {
        return `${error.name}: ${error.message}`;
      }
    };
    return [
      message(() => flow.bufferedMergeMap((x) => [x], { concurrent: 0 })),
      message(() => flow.fromPull(5)),
      message(() => flow.parseJsonLines({ maxLineLength: 1.5 })),
    ];
  },
};

// In a function, because a bundle in CommonJS has no await outside of one.
async function main() {
  for (const [name, job] of Object.entries(jobs)) console.log(JSON.stringify({ [name]: await job() }));
}
main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
