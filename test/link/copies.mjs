// Loads copies of the package into one process, lets them work together, and prints what was seen: copies.test.ts reads it.
import { pathToFileURL } from 'node:url';

// Node would print the line in which it happened: the whole minified bundle.
process.on('uncaughtException', ({ stack }) => {
  console.error(stack);
  process.exit(1);
});

const copies = await Promise.all(
  process.argv.slice(2).map(async (file) => ({ file, ...(await import(pathToFileURL(file).href)) })),
);
const tick = (value) => new Promise((resolve) => setImmediate(resolve, value));

/** How far a source ran ahead of the results, at most. */
async function pace(source, ...consumers) {
  let pulled = 0;
  let done = 0;
  let ahead = 0;
  function* values() {
    while (pulled < 30) {
      ahead = Math.max(ahead, ++pulled - done);
      yield pulled;
    }
  }
  const paced = consumers.reduce(
    (above, { map, bufferedMergeMap }) =>
      above.pipe(
        map((value) => value),
        bufferedMergeMap(tick, { concurrent: 1, highWaterMark: 0 }),
      ),
    source.fromPull(values()).pipe(source.map((value) => value)),
  );
  await new Promise((resolve, reject) => {
    paced.subscribe({ next: () => done++, error: reject, complete: resolve });
  });
  return { done, ahead };
}

/** Whether a consumer waited for the clean-up of the source. */
async function waitsForCleanup(source, consumer) {
  let cleaned = false;
  async function* values() {
    try {
      yield 1;
      yield 2;
    } finally {
      await tick();
      await tick();
      cleaned = true;
    }
  }
  const iterable = consumer.toAsyncIterable(source.fromPull(values).pipe(source.map((value) => value)));
  // eslint-disable-next-line no-unused-vars
  for await (const _ of iterable) break;
  return cleaned;
}

const pairs = [];
for (const source of copies)
  for (const consumer of copies)
    pairs.push({
      source: source.file,
      consumer: consumer.file,
      ...(await pace(source, consumer)),
      waits: await waitsForCleanup(source, consumer),
    });

const chain = await pace(...copies);
console.log(JSON.stringify({ pairs, chain: { ...chain, consumers: copies.length - 1 } }));
