import { map, type OperatorFunction } from 'rxjs';
import { batchWithin, timeoutWithCleanup } from 'rxjs-flow-control';

/**
 * Fails when a client sends less than 1 KiB in `ms`, be it nothing or a byte now and then. While it is we who do not read,
 * because the disk is slow or the rate is reached, no time passes.
 */
export const steadily =
  (ms: number): OperatorFunction<Buffer, Buffer> =>
  (source) =>
    source.pipe(
      batchWithin({ size: 1024, weigh: (chunk) => chunk.length }),
      map((chunks) => Buffer.concat(chunks)),
      timeoutWithCleanup({ each: ms }),
    );
