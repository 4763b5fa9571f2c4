import { Sema } from 'async-sema';
import PQueue from 'p-queue';
import { BoundedQueue } from '../dist/esm/index.js';
import { rounds, timesAsFast } from './compare.mjs';
import { inProcesses } from './processes.mjs';
import { row } from './row.mjs';

export const title = 'A value put into BoundedQueue and taken out, against others: how many times as long they take';

const count = 1000;

/** A bounded queue as one writes it by hand, with arrays: it knows no cancellation, no end and no statistics. */
class ArrayQueue {
  values = [];
  takers = [];
  putters = [];

  constructor(capacity) {
    this.capacity = capacity;
  }
  put(value) {
    if (this.takers.length > 0) this.takers.shift()(value);
    else if (this.values.length < this.capacity) this.values.push(value);
    else return new Promise((admit) => this.putters.push({ value, admit }));
    return Promise.resolve();
  }
  take() {
    if (this.values.length === 0) return new Promise((receive) => this.takers.push(receive));
    const taken = this.values.shift();
    if (this.putters.length > 0) {
      const { value, admit } = this.putters.shift();
      this.values.push(value);
      admit();
    }
    return Promise.resolve(taken);
  }
}

/** The queue of the textbook: a semaphore for what is free, one for what is there. */
class SemaphoreQueue {
  values = [];
  constructor(capacity) {
    this.free = new Sema(capacity, { capacity: count });
    this.filled = new Sema(count, { capacity: count });
    for (let i = 0; i < count; i++) this.filled.tryAcquire();
  }
  async put(value) {
    await this.free.acquire();
    this.values.push(value);
    this.filled.release();
  }
  async take() {
    await this.filled.acquire();
    const value = this.values.shift();
    this.free.release();
    return value;
  }
}

/** Give the sum of what was taken. */
const workloads = {
  'nobody waits': async (queue) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      await queue.put(i);
      const value = await queue.take();
      sum += value;
    }
    return sum;
  },
  'the consumer waits': async (queue) => {
    const consumed = consume(queue);
    for (let i = 0; i < count; i++) {
      await queue.put(i);
      await undefined; // so that it has asked for the next
    }
    return consumed;
  },
  'the producer waits': async (queue) => {
    const produced = produce(queue);
    const sum = await consume(queue);
    await produced;
    return sum;
  },
  'all producers wait': async (queue) => {
    const produced = Promise.all(Array.from({ length: count }, (_, i) => queue.put(i)));
    const sum = await consume(queue);
    await produced;
    return sum;
  },
};

async function produce(queue) {
  for (let i = 0; i < count; i++) await queue.put(i);
}

async function consume(queue) {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const value = await queue.take();
    sum += value;
  }
  return sum;
}

const capacity = 4;
const queues = {
  ours: () => new BoundedQueue({ capacity }),
  'arrays and promises by hand': () => new ArrayQueue(capacity),
  'two semaphores of async-sema': () => new SemaphoreQueue(capacity),
};

/** It has no take(): each value comes as a job of its own. */
async function throughPQueue(workload) {
  const queue = new PQueue({ concurrency: 1 });
  let sum = 0;
  const job = (value) => () => {
    sum += value;
  };
  for (let i = 0; i < count; i++) {
    if (workload === 'nobody waits') await queue.add(job(i));
    else {
      if (workload !== 'all producers wait') await queue.onSizeLessThan(capacity);
      void queue.add(job(i));
    }
  }
  await queue.onIdle();
  return sum;
}

export async function* rows() {
  for (const workload of Object.keys(workloads)) {
    const processes = await inProcesses(import.meta.url, [workload]);
    for (const peer of Object.keys(processes[0])) {
      const ratios = processes.map((ratios) => ratios[peer]);
      yield row(`${workload}: ${peer}`, ratios, { atLeast: 1 });
    }
  }
}

export async function measure(workload) {
  const runs = Object.entries(queues).map(([name, make]) => [name, () => workloads[workload](make())]);
  runs.push(['p-queue', () => throughPQueue(workload)]);
  const checked = runs.map(([name, run]) => [
    name,
    async () => {
      const sum = await run();
      if (sum !== (count * (count - 1)) / 2) throw new Error(`${name}: values are missing: ${sum}`);
    },
  ]);
  const { ours, ...peers } = await rounds(Object.fromEntries(checked), { count: 30, warmUpMs: 60 });
  return Object.fromEntries(Object.entries(peers).map(([name, times]) => [name, timesAsFast(ours, times)]));
}
