import { parseArgs } from 'node:util';
import { mostRecords } from './records.mjs';

/** More than one process can do in this time, so that the first run does not come to the end of its input. */
export const recordsPerMinute = 120_000;

export const usage = `Usage: npm run soak -- [--minutes <n>] [--seed <n>]

  --minutes <n>  how long it takes, such as 0.5 (default: 5)
  --seed <n>     a non-negative integer: the faults of an earlier soak, which has printed it (default: a new one)
`;

/** Gives `problem` if they are wrong. */
export function readArguments(args) {
  try {
    const { values } = parseArgs({ args, options: { minutes: { type: 'string' }, seed: { type: 'string' } } });
    const minutes = Number(values.minutes ?? 5);
    if (!(minutes > 0 && minutes * recordsPerMinute < mostRecords))
      return {
        problem: `--minutes must be a positive number below ${mostRecords / recordsPerMinute}, got '${values.minutes}'`,
      };
    if (!/^\d+$/.test(values.seed ?? '0'))
      return { problem: `--seed must be a non-negative integer, got '${values.seed}'` };
    return { minutes, seed: values.seed === undefined ? undefined : Number(values.seed) };
  } catch (error) {
    return { problem: error.message };
  }
}
