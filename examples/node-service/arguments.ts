import { fileURLToPath } from 'node:url';
import { isAbsolute, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** The arguments are wrong. */
export class UsageError extends Error {}

export interface Settings {
  port: number;
  /** Where the files are kept. */
  dir: string;
  /** How many records of an upload are worked on at a time. */
  concurrency: number;
  /** How many records a client may send in a second. */
  rate: number;
  /** How many uploads a client may begin in a second. */
  starts: number;
  /** How long a body may be, in bytes, packed and unpacked. */
  maxBytes: number;
  /** How long a line may be, in bytes. */
  maxLine: number;
  /** How long a client may send, or read, next to nothing, in ms. */
  idle: number;
  /** How long uploads may go on after a signal, in ms. */
  drain: number;
  /** How much slower than it is the disk seems for each write, in ms. */
  diskDelay: number;
}

export const usage = `Usage: npm run example:service -- [options]

Takes uploads of JSON Lines (PUT or POST /records/:name), keeps them as files, and gives them back (GET /records/:name).

  --port <n>         where it listens, on 127.0.0.1 only; 0 takes any that is free (default: 8080)
  --dir <folder>     where the files are kept, for this service alone (default: examples/data/records)
  --concurrency <n>  how many records of an upload are worked on at a time (default: 16)
  --rate <n>         how many records a client may send in a second; more are slowed down (default: 50000)
  --starts <n>       how many uploads a client may begin in a second; more are refused (default: 20)
  --max-bytes <n>    how long a body may be (default: 1073741824)
  --max-line <n>     how many bytes a line may have (default: 65536)
  --idle <ms>        how long a client may send or read next to nothing (default: 10000)
  --drain <ms>       how long uploads may go on after a signal (default: 10000)
  --disk-delay <ms>  makes the disk so much slower for each write (default: 0)
  --help             this text
`;

const defaultFolder = relative('', fileURLToPath(new URL('../../data/records', import.meta.url)));
/** Npm runs this in the root of the package, wherever it was called. */
const asCalled = (path: string) =>
  isAbsolute(path) ? path : relative('', resolve(process.env['INIT_CWD'] ?? '', path)) || '.';

/** Gives `undefined` if help is asked for. */
export function readArguments(args: string[]): Settings | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  return {
    port: integer('--port', values.port, 0, 65_535) ?? 8080,
    dir: values.dir === undefined ? defaultFolder : asCalled(values.dir),
    concurrency: integer('--concurrency', values.concurrency, 1) ?? 16,
    rate: integer('--rate', values.rate, 1) ?? 50_000,
    starts: integer('--starts', values.starts, 1) ?? 20,
    maxBytes: integer('--max-bytes', values['max-bytes'], 1) ?? 2 ** 30,
    maxLine: integer('--max-line', values['max-line'], 1) ?? 65_536,
    idle: integer('--idle', values.idle, 1) ?? 10_000,
    drain: integer('--drain', values.drain, 0) ?? 10_000,
    diskDelay: integer('--disk-delay', values['disk-delay'], 0) ?? 0,
  };
}

function parse(args: string[]) {
  const text = { type: 'string' } as const;
  const options = {
    ...{ port: text, dir: text, concurrency: text, rate: text, starts: text, idle: text, drain: text },
    ...{ 'max-bytes': text, 'max-line': text, 'disk-delay': text },
    help: { type: 'boolean' },
  } as const;
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    // The first sentence says what is wrong; the others explain how to pass what begins with a dash.
    throw new UsageError((error as Error).message.split(/\n|\. /, 1)[0]?.replace(/\.$/, ''));
  }
}

/** As large as a timer can hold, where nothing else is said. */
function integer(name: string, text: string | undefined, min: number, max = 2 ** 31 - 1): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`${name} must be an integer from ${String(min)} to ${String(max)}, got '${text}'`);
}
