import { asapScheduler, asyncScheduler, count as counted, lastValueFrom, observeOn, queueScheduler, range } from 'rxjs';
import { cooperativeScheduler, idleScheduler, priorityScheduler } from '../dist/esm/schedulers/index.js';
import { rounds, timesAsFast } from './compare.mjs';
import { inProcesses } from './processes.mjs';
import { digits, fact, row } from './row.mjs';

export const title = '100 000 actions of a scheduler, against those of RxJS: how many times as long they take there';

const count = 100_000;

const ours = {
  cooperativeScheduler: cooperativeScheduler(),
  priorityScheduler: priorityScheduler('user-visible'),
  idleScheduler: idleScheduler(),
};
/** `asyncScheduler` is the one that leaves the event loop its turn too. */
const theirs = { asyncScheduler, asapScheduler, queueScheduler };

/** Settle when all have run. */
const workloads = {
  'scheduled at once': (scheduler) =>
    new Promise((resolve) => {
      let left = count;
      const work = () => {
        if (--left === 0) resolve();
      };
      scheduler.schedule(() => {
        for (let i = 0; i < count; i++) scheduler.schedule(work);
      });
    }),
  'one that schedules itself': (scheduler) =>
    new Promise((resolve) => {
      scheduler.schedule(
        function (left) {
          if (left > 0) this.schedule(left - 1);
          else resolve();
        },
        0,
        count,
      );
    }),
};

export async function* rows() {
  for (const workload of Object.keys(workloads)) {
    // Not against asyncScheduler, where each time is a timer of a millisecond.
    const peers = Object.keys(theirs).filter((peer) => peer !== 'asyncScheduler' || workload === 'scheduled at once');
    const processes = await inProcesses(import.meta.url, [workload, peers], { processes: 3 });
    for (const [name, ratios] of Object.entries(processes[0])) {
      for (const peer of Object.keys(ratios)) {
        const values = processes.map((each) => each[name][peer]);
        yield row(`${workload}: ${peer} / ${name}`, values, peer === 'asyncScheduler' ? { atLeast: 1 } : {});
      }
    }
  }
  // What RxJS keeps for each value that waits, whatever the scheduler: the doc comments warn of it.
  for (const name of ['cooperativeScheduler', 'asyncScheduler']) {
    const [ratio] = await inProcesses(import.meta.url, [crowded, name], { processes: 1 });
    yield fact(`observeOn(${name}): a value of 64 000 that wait / of 16 000`, `${digits(ratio)} x`);
  }
}

const crowded = 'crowded';

/** How many times as long a value takes through `observeOn` where four times as many wait. */
async function slowdown(scheduler) {
  const timePerValue = async (waiting) => {
    const start = performance.now();
    await lastValueFrom(range(0, waiting).pipe(observeOn(scheduler), counted()));
    return (performance.now() - start) / waiting;
  };
  await timePerValue(16_000);
  const few = await timePerValue(16_000);
  return (await timePerValue(64_000)) / few;
}

export async function measure(workload, peers) {
  if (workload === crowded) return slowdown({ ...ours, ...theirs }[peers]);
  const schedulers = { ...ours, ...Object.fromEntries(peers.split(',').map((peer) => [peer, theirs[peer]])) };
  const runs = Object.entries(schedulers).map(([name, scheduler]) => [name, () => workloads[workload](scheduler)]);
  const times = await rounds(Object.fromEntries(runs), { count: 3, warmUpMs: 1 }); // some take a second
  return Object.fromEntries(
    Object.keys(ours).map((name) => [
      name,
      Object.fromEntries(peers.split(',').map((peer) => [peer, timesAsFast(times[name], times[peer])])),
    ]),
  );
}
