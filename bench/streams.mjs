import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { lastValueFrom } from 'rxjs';
import { fromPull, toReadableStream, writeToStream } from '../dist/esm/index.js';
import { toNodeReadable } from '../dist/esm/node/index.js';
import { rounds, timesAsFast } from './compare.mjs';
import { inProcesses } from './processes.mjs';
import { row } from './row.mjs';

export const title = 'Values through the streams of the platform: times as fast as its own way';

const count = 1000;

function* numbers() {
  for (let i = 0; i < count; i++) yield i;
}
async function* later() {
  yield* numbers();
}

/** As one writes it by hand: it knows no clean-up that takes time, and no source but an iterable. */
function byHand(iterable) {
  const iterator = iterable[Symbol.asyncIterator]?.() ?? iterable[Symbol.iterator]();
  return new ReadableStream(
    {
      async pull(controller) {
        const next = iterator.next();
        const { done, value } = next instanceof Promise ? await next : next;
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: () => iterator.return(),
    },
    { highWaterMark: 0 },
  );
}

const summing = () => {
  let sum = 0;
  const stream = new WritableStream({ write: (value) => void (sum += value) }, { highWaterMark: 16 });
  return { stream, sum: () => sum };
};

async function read(stream) {
  const reader = stream.getReader();
  let sum = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return sum;
    sum += value;
  }
}

async function readNode(readable) {
  let sum = 0;
  const write = (value, _, done) => {
    sum += value;
    done();
  };
  await pipeline(readable, new Writable({ objectMode: true, write }));
  return sum;
}

const subjects = {
  'toReadableStream, iterable': () => read(toReadableStream(fromPull(numbers()))),
  'by hand, iterable': () => read(byHand(numbers())),
  'ReadableStream.from, iterable': () => read(ReadableStream.from(numbers())),
  'toReadableStream, async': () => read(toReadableStream(fromPull(later()))),
  'by hand, async': () => read(byHand(later())),
  'ReadableStream.from, async': () => read(ReadableStream.from(later())),
  'toNodeReadable, iterable': () => readNode(toNodeReadable(fromPull(numbers()))),
  'Readable.from, iterable': () => readNode(Readable.from(numbers())),
  'toNodeReadable, async': () => readNode(toNodeReadable(fromPull(later()))),
  'Readable.from, async': () => readNode(Readable.from(later())),
  writeToStream: async () => {
    const { stream, sum } = summing();
    await lastValueFrom(fromPull(numbers()).pipe(writeToStream(stream)));
    return sum();
  },
  pipeTo: async () => {
    const { stream, sum } = summing();
    await byHand(numbers()).pipeTo(stream);
    return sum();
  },
};

const pairs = [
  [
    'toReadableStream of an iterable, against a ReadableStream by hand',
    'toReadableStream, iterable',
    'by hand, iterable',
  ],
  ['  against ReadableStream.from', 'toReadableStream, iterable', 'ReadableStream.from, iterable'],
  ['toReadableStream of an async generator, against one by hand', 'toReadableStream, async', 'by hand, async'],
  ['  against ReadableStream.from', 'toReadableStream, async', 'ReadableStream.from, async'],
  [
    'toNodeReadable of an iterable in a pipeline, against Readable.from',
    'toNodeReadable, iterable',
    'Readable.from, iterable',
  ],
  ['toNodeReadable of an async generator', 'toNodeReadable, async', 'Readable.from, async'],
  ['writeToStream, against pipeTo', 'writeToStream', 'pipeTo'],
];

export async function* rows() {
  const processes = await inProcesses(import.meta.url, []);
  for (const [i, [what]] of pairs.entries()) {
    yield row(
      what,
      processes.map((ratios) => ratios[i]),
    );
  }
}

export async function measure() {
  const checked = Object.entries(subjects).map(([name, run]) => [
    name,
    async () => {
      const sum = await run();
      if (sum !== (count * (count - 1)) / 2) throw new Error(`${name}: values are missing: ${sum}`);
    },
  ]);
  const times = await rounds(Object.fromEntries(checked), { count: 15, warmUpMs: 60 });
  return pairs.map(([, candidate, baseline]) => timesAsFast(times[candidate], times[baseline]));
}
