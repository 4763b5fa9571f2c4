import type { Context } from './Context.js';

/** What a look from outside is told. */
export function health({ running, records }: Context, stopping: boolean): object {
  const { waiting, keys } = records.statistics();
  const { rss, heapUsed } = process.memoryUsage();
  return { status: stopping ? 'stopping' : 'ok', ...running, limiter: { waiting, keys }, memory: { rss, heapUsed } };
}
