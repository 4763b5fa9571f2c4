import { map, type MonoTypeOperatorFunction } from 'rxjs';
import { batchWithin } from 'rxjs-flow-control';

/** Joins lines to texts of about 64 KiB, because to write each by itself would take much longer. */
export const inBlocks = (): MonoTypeOperatorFunction<string> => (source) =>
  source.pipe(
    batchWithin({ size: 65_536, weigh: (line) => line.length }),
    map((lines) => lines.join('')),
  );
