import pLimit from 'p-limit';
import PQueue from 'p-queue';
import { taskScope } from '../dist/esm/index.js';
import { rounds, shuffled, timesAsFast } from './compare.mjs';
import { inProcesses } from './processes.mjs';
import { row } from './row.mjs';

export const title = 'A task of taskScope, 16 at a time, against others: how many times as long they take';

const concurrent = 16;
const work = async () => 1;

/** Each runs so many tasks, and waits for all. They give the sum of the results, or how many have ended. */
const subjects = {
  ours: async (count) => {
    const scope = taskScope({ concurrent, bufferSize: Infinity });
    const results = [];
    for (let i = 0; i < count; i++) results.push(scope.run(work).result);
    await scope.join();
    return sum(await Promise.all(results));
  },
  'ours, when nobody asks for the results': async (count) => {
    const scope = taskScope({ concurrent, bufferSize: Infinity });
    let ended = 0;
    for (let i = 0; i < count; i++) scope.run(() => work((ended += 1)));
    await scope.join();
    return ended;
  },
  'p-limit': async (count) => {
    const limit = pLimit(concurrent);
    const results = [];
    for (let i = 0; i < count; i++) results.push(limit(work));
    return sum(await Promise.all(results));
  },
  'p-queue': async (count) => {
    const queue = new PQueue({ concurrency: concurrent });
    const results = [];
    for (let i = 0; i < count; i++) results.push(queue.add(work));
    await queue.onIdle();
    return sum(await Promise.all(results));
  },
};

const sum = (results) => results.reduce((total, result) => total + result, 0);

export async function* rows() {
  for (const count of [1000, 1_000_000]) {
    const processes = await inProcesses(import.meta.url, [count], { processes: count > 1000 ? 1 : 5 });
    for (const peer of Object.keys(processes[0])) {
      const ratios = processes.map((ratios) => ratios[peer]);
      yield row(`${count} tasks: ${peer}`, ratios, peer.startsWith('ours') ? {} : { atLeast: 1 });
    }
  }
}

export async function measure(count) {
  const runs = Object.fromEntries(
    Object.entries(subjects).map(([name, run]) => [
      name,
      async (tasks = Number(count)) => {
        const ended = await run(tasks);
        if (ended !== tasks) throw new Error(`${name}: tasks are missing: ${ended}`);
      },
    ]),
  );
  const times = count > 1000 ? await once(runs) : await rounds(runs, { count: 20, warmUpMs: 60 });
  const { ours, ...peers } = times;
  return Object.fromEntries(Object.entries(peers).map(([name, each]) => [name, timesAsFast(ours, each)]));
}

/** Too long for rounds: each has its turn once, after some that are shorter. */
async function once(runs) {
  const times = {};
  for (const run of Object.values(runs)) for (let i = 0; i < 5; i++) await run(20_000);
  for (const name of shuffled(Object.keys(runs))) {
    const start = process.cpuUsage();
    await runs[name]();
    const { user, system } = process.cpuUsage(start);
    times[name] = [user + system];
  }
  return Object.fromEntries(Object.keys(runs).map((name) => [name, times[name]]));
}
