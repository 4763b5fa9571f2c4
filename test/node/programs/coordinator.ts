// A program that stops: what it does before, meanwhile and afterwards says its argument. It says what happens, a line each.
import { once } from 'node:events';
import { createShutdown, type ProcessShutdownOptions } from '../../../src/node/createShutdown.js';

export interface Scenario extends Pick<
  ProcessShutdownOptions,
  'signals' | 'exit' | 'sameWithin' | 'drainTimeout' | 'cleanupTimeout'
> {
  /** Something that holds the event loop for ever. */
  holds?: boolean;
  /** A number is how many ms it takes; `'stuck'` ends when it is aborted, and `'deaf'` never. */
  drain?: 'stuck' | 'deaf' | number;
  /** How many ms the program is busy, and hears nothing, when it is told to stop. */
  busy?: number;
  close?: 'deaf' | number;
  /** It is busy for ever once it is aborted. */
  hangs?: boolean;
  /** The exit code that it sets while it drains. */
  exitCode?: number;
  /** It stops itself. */
  stops?: boolean;
  /** How much it writes to standard output and standard error when it is told to stop. */
  writes?: number;
  /** It ends standard output after that. */
  ends?: boolean;
}

const scenario = JSON.parse(process.argv[2] ?? '{}') as Scenario;
const {
  holds = false,
  drain,
  busy = 0,
  close,
  hangs = false,
  exitCode,
  stops = false,
  writes = 0,
  ends = false,
  ...options
} = scenario;

const say = (words: string) => {
  console.error(words);
};
const never = new Promise<never>(() => {});
const wait = (time: 'deaf' | number) => (time === 'deaf' ? never : new Promise((resolve) => setTimeout(resolve, time)));
const spin = (ms: number) => {
  const start = performance.now();
  while (performance.now() - start < ms);
};

const shutdown = createShutdown(options);
if (drain !== undefined)
  shutdown.drain('work', async ({ reason, signal }) => {
    say(`drain ${String(reason)}`);
    spin(busy);
    if (exitCode !== undefined) process.exitCode = exitCode;
    if (writes > 0) {
      process.stdout.write(`${'x'.repeat(writes)}\n`);
      process.stderr.write(`${'y'.repeat(writes)}\n`);
      if (ends) process.stdout.end();
    }
    if (drain === 'stuck') await once(signal, 'abort');
    else await wait(drain);
    say('drained');
  });
if (close !== undefined)
  shutdown.add('resource', async ({ reason }) => {
    say(`close ${String(reason)}`);
    await wait(close);
    say('closed');
  });
shutdown.signal.addEventListener('abort', () => {
  say('aborted');
  if (hangs) spin(Infinity);
});
shutdown.stopping$.subscribe(() => {
  setTimeout(say, 60, 'later').unref();
});
void shutdown.done.then(() => {
  say('done');
  setTimeout(say, 30, 'alive').unref();
});
if (holds) {
  const timer = setInterval(() => {}, 1000);
  if (options.exit === false) void shutdown.done.then(() => setTimeout(clearInterval, 50, timer));
}
if (stops) void shutdown.stop('enough');
say('ready');
