import { afterEach, beforeEach } from 'vitest';

/** Collects the rejections that nobody has handled when Node looks, in place of vitest, which would fail the run. */
export function collectRejections(): unknown[] {
  const rejections: unknown[] = [];
  const collect = (error: unknown) => rejections.push(error);
  let others: NodeJS.UnhandledRejectionListener[] = [];
  beforeEach(() => {
    rejections.length = 0;
    others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', collect);
  });
  afterEach(() => {
    process.off('unhandledRejection', collect);
    for (const listener of others) process.on('unhandledRejection', listener);
  });
  return rejections;
}
