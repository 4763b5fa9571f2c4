import { asapScheduler, asyncScheduler, queueScheduler, VirtualTimeScheduler } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { cooperativeScheduler } from '../../src/schedulers/index.js';
import { schedulerContract } from './contract.js';
import { inFakeTime, inVirtualTime } from './stages.js';

const virtual = { newActionEachTime: true, errorStopsOthers: true };

// RxJS's own: so that the contract asks for nothing but what its operators get from them.
schedulerContract('asyncScheduler', () => inFakeTime(() => asyncScheduler));
schedulerContract('asapScheduler', () => inFakeTime(() => asapScheduler));
schedulerContract('queueScheduler', () => inFakeTime(() => queueScheduler), { startsAtOnce: true });
schedulerContract('VirtualTimeScheduler', () => inVirtualTime(() => new VirtualTimeScheduler()), virtual);
schedulerContract('TestScheduler', () => inVirtualTime(() => new TestScheduler(() => undefined)), virtual);

schedulerContract('cooperativeScheduler', () => inFakeTime(() => cooperativeScheduler()));
schedulerContract('cooperativeScheduler, one action a slice', () =>
  inFakeTime(() => cooperativeScheduler({ budget: Number.MIN_VALUE })),
);
