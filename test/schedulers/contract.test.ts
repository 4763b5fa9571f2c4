import { asapScheduler, asyncScheduler, queueScheduler, VirtualTimeScheduler } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { inject } from 'vitest';
import { cooperativeScheduler } from '../../src/schedulers/index.js';
import { schedulerContract } from './contract.js';
import { inFakeTime, inVirtualTime } from './stages.js';

const virtual = { newActionEachTime: true, errorStopsOthers: true };

// RxJS's own: so that the contract asks for nothing but what its operators get from them.
schedulerContract('asyncScheduler', () => inFakeTime(() => asyncScheduler));
// Up to 7.8.0 it forgets actions when one unsubscribes another: https://github.com/ReactiveX/rxjs/issues/7198
if (!(inject('rxjs') as string | undefined)?.startsWith('rxjs-'))
  schedulerContract('asapScheduler', () => inFakeTime(() => asapScheduler));
schedulerContract('queueScheduler', () => inFakeTime(() => queueScheduler), { startsAtOnce: true });
schedulerContract('VirtualTimeScheduler', () => inVirtualTime(() => new VirtualTimeScheduler()), virtual);
schedulerContract('TestScheduler', () => inVirtualTime(() => new TestScheduler(() => undefined)), virtual);

schedulerContract('cooperativeScheduler', () => inFakeTime(() => cooperativeScheduler()));
schedulerContract('cooperativeScheduler, one action a slice', () =>
  inFakeTime(() => cooperativeScheduler({ budget: Number.MIN_VALUE })),
);
