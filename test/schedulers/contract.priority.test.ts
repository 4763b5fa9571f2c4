import { vi } from 'vitest';
import { priorityScheduler } from '../../src/schedulers/priorityScheduler.js';
import { schedulerContract, type Stage } from './contract.js';
import { stubNoPostTask, stubPostTask } from './platforms.js';
import { inFakeTime } from './stages.js';

for (const priority of ['user-blocking', 'user-visible', 'background'] as const) {
  const on = (stub: () => unknown) => (): Stage => {
    stub();
    const stage = inFakeTime(() => priorityScheduler(priority));
    return {
      ...stage,
      close: () => {
        stage.close?.();
        vi.unstubAllGlobals();
      },
    };
  };
  schedulerContract(`priorityScheduler('${priority}')`, on(stubNoPostTask));
  schedulerContract(`priorityScheduler('${priority}') with postTask`, on(stubPostTask));
}
