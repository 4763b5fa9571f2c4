import { isAbsolute, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** The arguments are wrong. */
export class UsageError extends Error {}

export interface Settings {
  /** A path, or `-` for standard input. */
  input: string;
  /** A path, or `-` for standard output. */
  output: string;
  /** Where the records go that could not be enriched. */
  rejected: string;
  /** How many records to leave out, since an earlier run has read them; what comes is then added to the files. */
  skip: number;
  /** How many records to read at most. */
  records: number;
  /** The address of the service; without one, the example starts its own. */
  service: string | undefined;
  /** How long an answer may take, in ms. */
  timeout: number;
  /** How many requests there may be in a second. */
  rate: number;
  /** The share of answers that are 503. */
  failures: number;
}

export const usage = `Usage: npm start -- [options] [file.jsonl | -]

Enriches each record of a JSON Lines file that has "lat" and "lng"; - reads standard input.
Without a file: the cities of GeoNames.

  --records <n>      read at most n records (default: 100000 cities, or the whole file)
  --skip <n>         leave out the first n, and add to the files: goes on where a signal has stopped it
  --out <file>       where the records go, - for standard output (default: examples/data/places.jsonl)
  --rejected <file>  where the bad records go (default: beside the output, as *.rejected.jsonl)
  --service <url>    who is asked (default: a service of its own, started for the purpose)
  --timeout <ms>     how long an answer may take (default: 10000)
  --rate <n>         requests per second, at most (default: 10000)
  --failures <share> how many of the service's answers are 503, 0 to 1 (default: 0.001)
  --help             this text
`;

const inData = (name: string) => relative('', fileURLToPath(new URL(`../../data/${name}`, import.meta.url)));
/** Npm runs this in the root of the package, wherever it was called. */
const asCalled = (path: string) =>
  path === '-' || isAbsolute(path) ? path : relative('', resolve(process.env['INIT_CWD'] ?? '', path));
const cities = inData('cities.jsonl');
const places = inData('places.jsonl');

/** Gives `undefined` if help is asked for. */
export function readArguments(args: string[]): Settings | undefined {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  if (positionals.length > 1) throw new UsageError(`expected one file, got ${positionals.join(', ')}`);
  const [input = cities] = positionals.map(asCalled);
  const output = values.out === undefined ? places : asCalled(values.out);
  return {
    input,
    output,
    rejected:
      values.rejected === undefined
        ? (output === '-' ? places : output).replace(/(\.\w+)?$/, '.rejected.jsonl')
        : asCalled(values.rejected),
    skip: count('--skip', values.skip) ?? 0,
    records: count('--records', values.records) ?? (input === cities ? 100_000 : Infinity),
    service: address('--service', values.service),
    timeout: count('--timeout', values.timeout) ?? 10_000,
    rate: count('--rate', values.rate) ?? 10_000,
    failures: share('--failures', values.failures) ?? 0.001,
  };
}

function parse(args: string[]) {
  const text = { type: 'string' } as const;
  const options = {
    records: text,
    skip: text,
    service: text,
    timeout: text,
    out: text,
    rejected: text,
    rate: text,
    failures: text,
    help: { type: 'boolean' },
  } as const;
  try {
    return parseArgs({ args, allowPositionals: true, options });
  } catch (error) {
    // The first sentence says what is wrong; the others explain how to pass what begins with a dash.
    throw new UsageError((error as Error).message.split(/\.\s|\n/, 1)[0]);
  }
}

function count(name: string, text: string | undefined): number | undefined {
  if (text === undefined || /^[1-9]\d*$/.test(text)) return text === undefined ? text : Number(text);
  throw new UsageError(`${name} must be a positive integer, got '${text}'`);
}

function address(name: string, text: string | undefined): string | undefined {
  if (text === undefined || /^http:\/\/\w/.test(text)) return text;
  throw new UsageError(`${name} must begin with http://, got '${text}'`);
}

function share(name: string, text: string | undefined): number | undefined {
  const value = text === undefined ? undefined : Number(text || NaN);
  if (value === undefined || (value >= 0 && value <= 1)) return value;
  throw new UsageError(`${name} must be a number from 0 to 1, got '${String(text)}'`);
}
