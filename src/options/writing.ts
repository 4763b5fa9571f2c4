import { noop } from 'rxjs';
import { booleanOf, optionalFunction, optionsObject } from '../internal/arguments.js';
import type { WriteSettings } from '../internal/writeAll.js';
import { readName, type NameOptions } from './name.js';
import { readQueueOptions, type DropReason, type QueueOptions } from './queue.js';

/** Options of everything that writes to a stream. */
interface WriteOptions<T> extends QueueOptions, NameOptions {
  end?: boolean;
  onDrop?: (value: T, reason: DropReason) => void;
}

export function readWriteOptions<T>(operator: string, options: WriteOptions<T>): WriteSettings<T> {
  const { end = true } = optionsObject(options);
  return {
    ...readQueueOptions(options, 0),
    end: booleanOf('end', end),
    onDrop: optionalFunction('onDrop', options.onDrop) ?? noop,
    where: readName(operator, options),
  };
}
