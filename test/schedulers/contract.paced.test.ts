import { config, queueScheduler, VirtualTimeScheduler, type SchedulerLike } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { pacedScheduler } from '../../src/schedulers/pacedScheduler.js';
import { schedulerContract, type Stage } from './contract.js';
import { inFakeTime, inVirtualTime } from './stages.js';

// A limit that nobody reaches: what is left is a scheduler as any other.
const generous = { limit: 1000, interval: 1 };

/** Virtual time, and what work throws is reported in real time. */
function onVirtualTime(create: () => VirtualTimeScheduler, wrap: (scheduler: SchedulerLike) => SchedulerLike): Stage {
  const below = inVirtualTime(create);
  const errors: unknown[] = [];
  config.onUnhandledError = (error) => errors.push(error);
  return {
    ...below,
    scheduler: wrap(below.scheduler),
    pass: async (ms) => {
      await below.pass(ms);
      await new Promise((resolve) => setTimeout(resolve)); // behind those that report
      if (errors.length > 0) throw errors.shift();
    },
    close: () => {
      config.onUnhandledError = null;
    },
  };
}

// Not 'spaced', which starts no two in the same millisecond.
for (const algorithm of ['sliding-window', 'token-bucket', 'fixed-window'] as const)
  schedulerContract(`pacedScheduler, ${algorithm}`, () => inFakeTime(() => pacedScheduler({ ...generous, algorithm })));
schedulerContract('pacedScheduler on the VirtualTimeScheduler', () =>
  onVirtualTime(
    () => new VirtualTimeScheduler(),
    (scheduler) => pacedScheduler({ ...generous, scheduler }),
  ),
);
schedulerContract('pacedScheduler on the TestScheduler', () =>
  onVirtualTime(
    () => new TestScheduler(() => undefined),
    (scheduler) => pacedScheduler({ ...generous, scheduler }),
  ),
);
schedulerContract(
  'pacedScheduler on the queueScheduler',
  () => inFakeTime(() => pacedScheduler({ ...generous, scheduler: queueScheduler })),
  { startsAtOnce: true },
);
