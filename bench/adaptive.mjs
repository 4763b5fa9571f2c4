import { Observable, VirtualTimeScheduler } from 'rxjs';
import { adaptiveConcurrency, bufferedMergeMap, fromPull } from '../dist/esm/index.js';
import { fact, row } from './row.mjs';

export const title =
  'Throughput of a concurrency that finds itself, in times of that of the best fixed one (simulated, in virtual time)';

const seeds = [1, 2, 3, 4, 5];
const settling = 100;
const measured = 400;
const capacity = 32;
const max = 200;

const algorithms = {
  gradient: () => ({ algorithm: 'gradient' }),
  aimd: (latency) => ({ algorithm: 'aimd', maxLatency: 1.5 * latency }),
};

export async function* rows() {
  const most = 3 * capacity;
  const fixed = Array.from({ length: most }, (_, i) => run([{ capacity }], { concurrent: i + 1, seed: 1 })[0]);
  const best = fixed.indexOf(Math.max(...fixed)) + 1;
  yield fact(`The best of the fixed ones from 1 to ${most}, where ${capacity} are served at a time`, String(best));
  for (const concurrent of [4, max]) {
    const times = seeds.map((seed) => run([{ capacity }], { concurrent, seed })[0]);
    yield row(`fixed at ${concurrent}`, inTimesOfBest([capacity], [times])[0], { better: null });
  }
  for (const [name, options] of Object.entries(algorithms)) {
    for (const initial of [1, max]) {
      const [ratios] = adaptive([{ capacity }], { ...options(10), initial });
      yield row(`${name}, from ${initial}`, ratios, { atLeast: 0.85 });
    }
    const phases = [{ capacity }, { capacity: capacity / 2 }, { capacity }];
    const inPhases = adaptive(phases, options(10));
    const what = [`${capacity} are served at a time`, `then ${capacity / 2}`, `then ${capacity} again`];
    for (const [i, ratios] of inPhases.entries()) {
      yield row(`${name}, ${what[i]}, after ${settling} latencies to settle`, ratios, { atLeast: 0.85 });
    }
    for (const [served, latency] of [
      [2, 1],
      [8, 1000],
      [64, 100],
    ]) {
      const [ratios] = adaptive([{ capacity: served, latency }], options(latency));
      yield row(`${name}, ${served} are served at a time, in ${latency} ms`, ratios, { atLeast: 0.85 });
    }
  }
}

/** For each phase, the ratios for each seed. */
function adaptive(phases, options) {
  const runs = seeds.map((seed) => run(phases, { concurrent: adaptiveConcurrency({ max, ...options }), seed }));
  return inTimesOfBest(
    phases.map(({ capacity }) => capacity),
    phases.map((_, i) => runs.map((throughputs) => throughputs[i])),
  );
}

/** The best fixed one is as many as are served at a time: the first row shows that. */
function inTimesOfBest(capacities, throughputs) {
  return throughputs.map((ofPhase, i) =>
    ofPhase.map((throughput, s) => {
      const capacity = capacities[i];
      return throughput / run([{ capacity }], { concurrent: capacity, seed: seeds[s] })[0];
    }),
  );
}

/** How many are answered in the time of one latency, in each phase after it has settled. */
function run(phases, { concurrent, seed }) {
  const scheduler = new VirtualTimeScheduler();
  const service = new Service(scheduler, randomNumbers(seed));
  const answered = [];
  let isCounted = false;
  const subscription = fromPull(endless, { slice: Infinity })
    .pipe(bufferedMergeMap(() => service.answer$, { concurrent, scheduler }))
    .subscribe(() => {
      if (isCounted) answered[answered.length - 1]++;
    });
  let start = 0;
  for (const { capacity, latency = 10 } of phases) {
    scheduler.schedule(() => {
      service.change(capacity, latency);
      isCounted = false;
    }, start);
    scheduler.schedule(
      () => {
        answered.push(0);
        isCounted = true;
      },
      start + settling * latency,
    );
    start += (settling + measured) * latency;
  }
  scheduler.schedule(() => subscription.unsubscribe(), start);
  scheduler.flush();
  return answered.map((count) => count / measured);
}

const endless = {
  *[Symbol.iterator]() {
    for (;;) yield undefined;
  },
};

/**
 * Serves so many at a time; more share that (processor sharing), and each of those that are too many costs all 1 % more. How much
 * work a request is differs widely (exponential distribution).
 */
class Service {
  #scheduler;
  #random;
  #capacity = 1;
  #latency = 1;
  /** How much work each has been given since the beginning, if it was there all the time; and when that was. */
  #given = 0;
  #now = 0;
  #requests = new Set();
  #timer;

  constructor(scheduler, random) {
    this.#scheduler = scheduler;
    this.#random = random;
  }

  answer$ = new Observable((subscriber) => {
    this.#advance();
    const request = { subscriber, due: this.#given - Math.log(1 - this.#random()) };
    this.#requests.add(request);
    this.#wait();
    return () => this.#requests.delete(request);
  });

  change(capacity, latency) {
    this.#advance();
    this.#capacity = capacity;
    this.#latency = latency;
    this.#wait();
  }

  /** What a unit of work takes now. */
  get #pace() {
    const { size } = this.#requests;
    return this.#latency * Math.max(1, size / this.#capacity) * (1 + 0.01 * Math.max(0, size - this.#capacity));
  }

  #advance() {
    const now = this.#scheduler.now();
    this.#given += (now - this.#now) / this.#pace;
    this.#now = now;
  }

  #wait() {
    this.#timer?.unsubscribe();
    let next;
    for (const request of this.#requests) if (!next || request.due < next.due) next = request;
    if (!next) return;
    this.#timer = this.#scheduler.schedule(
      () => {
        this.#advance();
        this.#requests.delete(next);
        next.subscriber.next();
        next.subscriber.complete();
        this.#wait();
      },
      Math.max(0, next.due - this.#given) * this.#pace,
    );
  }
}

/** The same for the same seed (mulberry32). */
function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
