import { vi } from 'vitest';
import { idleScheduler } from '../../src/schedulers/idleScheduler.js';
import { schedulerContract, type Stage } from './contract.js';
import { stubIdleLoop, stubNoIdleCallback } from './platforms.js';
import { inFakeTime } from './stages.js';

const on =
  (stub: () => unknown, { timeout = Infinity, turnsPerMs = 5 } = {}) =>
  (): Stage => {
    stub();
    const stage = inFakeTime(() => idleScheduler({ timeout }), turnsPerMs);
    return {
      ...stage,
      close: () => {
        stage.close?.();
        vi.unstubAllGlobals();
      },
    };
  };
const noTime = () => {
  stubIdleLoop(() => 0);
};

schedulerContract('idleScheduler', on(stubIdleLoop));
schedulerContract('idleScheduler with a timeout', on(stubIdleLoop, { timeout: 10 }));
schedulerContract('idleScheduler, one action a slice', on(noTime, { turnsPerMs: 40 }));
schedulerContract('idleScheduler where nobody tells who is idle', on(stubNoIdleCallback));
