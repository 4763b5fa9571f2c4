import { asapScheduler, asyncScheduler, queueScheduler } from 'rxjs';
import { cooperativeScheduler, idleScheduler, priorityScheduler } from '../dist/esm/schedulers/index.js';
import { rounds, timesAsFast } from './compare.mjs';
import { inProcesses } from './processes.mjs';
import { row } from './row.mjs';

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
}

export async function measure(workload, peers) {
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
