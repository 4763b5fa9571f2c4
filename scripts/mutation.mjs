// Changes the sources in every small way that Stryker knows, one area after the other, and prints how many of the changes the tests notice.
// npm run test:mutation [-- [area ...] [--mutate <file>,...]]   Default: all areas. What survives is explained in docs/mutation.md.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { parseArgs } from 'node:util';

const internal = (...names) => names.map((name) => `internal/${name}`);

/**
 * What belongs together: files and folders of src, and the tests that decide about them, which are those of the capability itself: names of
 * test files, in whatever folder, or whole folders. Tests of everything would notice more, and take days.
 */
const areas = {
  machines: { sources: ['machines/'], tests: ['machines/'] },
  link: {
    sources: ['link/'],
    tests: ['link/', 'gatedBy', 'ungated', 'fromPull', 'bufferedMergeMap', 'takeUntilAborted', 'usingAsync'],
  },
  queueing: {
    sources: [
      'operators/bufferedMergeMap.ts',
      'resources/adaptiveConcurrency.ts',
      'options/concurrency.ts',
      'options/queue.ts',
      'options/name.ts',
      ...internal('merge/', 'arguments.ts', 'drainLoop.ts', 'LeanSubscriber.ts', 'operate.ts'),
    ],
    tests: ['bufferedMergeMap', 'drainLoop', 'arguments', 'operate', 'gracefulShutdown', 'usePool'],
  },
  pulling: {
    sources: [
      'sources/abortable.ts',
      'sources/fromPull.ts',
      'sources/usingAsync.ts',
      ...internal(
        'abortableWork.ts',
        'answerCleanup.ts',
        'innerPull.ts',
        'isCancellation.ts',
        'macrotask.ts',
        'pull.ts',
      ),
      ...internal('puller.ts', 'releaseErrorOf.ts', 'reportUnhandled.ts', 'resolveOnce.ts', 'ResourceUse.ts'),
      ...internal('runCleanup.ts', 'UseCanceller.ts', 'workContext.ts'),
    ],
    tests: ['abortable', 'fromPull', 'usingAsync', 'innerPull', 'cancellation', 'toAbortSignal'],
  },
  pausing: {
    sources: [
      'operators/batchWithin.ts',
      'operators/conflate.ts',
      'operators/gatedBy.ts',
      'operators/latest.ts',
      'operators/pausableBackpressure.ts',
      'operators/settle.ts',
      'operators/ungated.ts',
      'sources/whileOnline.ts',
      'sources/whileVisible.ts',
      ...internal('conflation.ts', 'Losses.ts', 'Pace.ts', 'PausableLine.ts', 'pausedWhile.ts'),
    ],
    tests: [
      'batchWithin',
      'conflate',
      'gatedBy',
      'latest',
      'pausableBackpressure',
      'settle',
      'ungated',
      'whileOnline',
      'whileVisible',
    ],
  },
  sharing: {
    sources: [
      'operators/demandWindow.ts',
      'operators/shareDemand.ts',
      'sources/zipPull.ts',
      ...internal('window/', 'Multicast.ts', 'queueSubscriber.ts', 'ZipOperation.ts'),
    ],
    tests: ['demandWindow', 'shareDemand', 'zipPull'],
  },
  lines: {
    sources: [
      'operators/formatJsonLines.ts',
      'operators/parseJsonLines.ts',
      'operators/splitLines.ts',
      'options/lines.ts',
      ...internal('lineSubscriber.ts'),
    ],
    tests: ['formatJsonLines', 'parseJsonLines', 'splitLines', 'jsonLines', 'readJsonLines'],
  },
  streams: {
    sources: [
      'node/fromReadable.ts',
      'node/readJsonLines.ts',
      'node/toNodeReadable.ts',
      'node/writeTo.ts',
      'options/writing.ts',
      'sinks/toAsyncIterable.ts',
      'sinks/toReadableStream.ts',
      'sinks/writeToStream.ts',
      ...internal('nodeStream.ts', 'ObservableIterator.ts', 'Reads.ts', 'StreamFeed.ts', 'StreamWriter.ts'),
      ...internal('WebStreamWriter.ts', 'writeAll.ts'),
    ],
    tests: [
      'fromReadable',
      'ObservableIterator',
      'readJsonLines',
      'streams',
      'toAsyncIterable',
      'toNodeReadable',
      'toReadableStream',
      'writeTo',
      'writeToStream',
    ],
  },
  tasks: {
    sources: [
      'resources/taskScope.ts',
      'sinks/gather.ts',
      'sinks/toAbortSignal.ts',
      ...internal('gather/', 'tasks/', 'abortLine.ts', 'Completion.ts'),
    ],
    tests: ['Completion', 'gather', 'taskScope', 'takeUntilAborted', 'toAbortSignal'],
  },
  cancelling: {
    sources: [
      'operators/takeUntilAborted.ts',
      'operators/timeoutWithCleanup.ts',
      'options/cleanup.ts',
      'options/signal.ts',
      ...internal('timeout/'),
    ],
    tests: ['cancellation', 'gather', 'takeUntilAborted', 'timeoutWithCleanup'],
  },
  shutdown: {
    sources: [
      'node/createShutdown.ts',
      'node/processSignals.ts',
      'operators/gracefulShutdown.ts',
      'resources/createShutdown.ts',
      ...internal('shutdown/'),
    ],
    tests: ['createShutdown', 'gracefulShutdown', 'processShutdown', 'processSignals'],
  },
  recovery: {
    sources: [
      'operators/circuitBreaker.ts',
      'operators/deadLetter.ts',
      'operators/hedge.ts',
      'operators/retryBackoff.ts',
      'options/breaker.ts',
      'resources/createCircuitBreaker.ts',
      'resources/fromRetryAfter.ts',
      ...internal('breaker/', 'hedge/', 'letters/', 'retry/', 'StopRequest.ts'),
    ],
    tests: ['circuitBreaker', 'createCircuitBreaker', 'deadLetter', 'fromRetryAfter', 'hedge', 'retryBackoff'],
  },
  limiting: {
    sources: [
      'operators/rateLimit.ts',
      'options/limit.ts',
      'options/limiter.ts',
      'resources/createRateLimiter.ts',
      ...internal('limiter/', 'Alarm.ts'),
    ],
    tests: ['createRateLimiter', 'rateLimit'],
  },
  pooling: {
    sources: [
      'operators/usePool.ts',
      'resources/BoundedQueue.ts',
      'resources/createPool.ts',
      ...internal('pool/', 'queue/', 'WaitingCall.ts'),
    ],
    tests: ['BoundedQueue', 'createPool', 'usePool'],
  },
  sessions: { sources: ['operators/keyedSessions.ts', ...internal('sessions/')], tests: ['keyedSessions'] },
  scheduling: { sources: ['schedulers/', ...internal('scheduling/')], tests: ['schedulers/', 'pacedScheduler'] },
};

/** Without the errors, which are made of what they say. */
const files = readdirSync('src', { recursive: true })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts') && !/(^|\/)index\.ts$/.test(file) && !file.startsWith('errors/'));

const isIn = (file, source) => (source.endsWith('/') ? file.startsWith(source) : file === source);

/** The files of each area, each of them in one and no other. */
function filesOf() {
  const area = Object.entries(areas).map(([name, { sources }]) => {
    for (const source of sources)
      if (!files.some((file) => isIn(file, source))) throw new Error(`src/${source} of area ${name} is not there`);
    return [name, files.filter((file) => sources.some((source) => isIn(file, source)))];
  });
  for (const file of files) {
    const of = area.filter(([, mine]) => mine.includes(file));
    if (of.length !== 1)
      throw new Error(`src/${file} belongs to ${String(of.length)} areas of scripts/mutation.mjs, not 1`);
  }
  return Object.fromEntries(area);
}

/** Which of the unit tests, for vitest.stryker.config.ts. */
const globs = ({ tests }) =>
  tests.map((test) => (test.endsWith('/') ? `${test}**/*.test.ts` : `**/${test}{.*,}.test.ts`)).join(' ');

function run(area, mutated) {
  const report = `reports/mutation/${area}.json`;
  rmSync(report, { force: true }); // that of an earlier run says nothing about this one
  const { status } = spawnSync(
    'npx',
    ['stryker', 'run', '--mutate', mutated.map((file) => `src/${file}`).join(','), '--force'],
    { stdio: 'inherit', env: { ...process.env, MUTATION_TESTS: globs(areas[area]), MUTATION_REPORT: report } },
  );
  if (status !== 0) process.exitCode = 1;
  if (!existsSync(report)) throw new Error(`Stryker came to no end with ${area}`);
  const results = Object.values(JSON.parse(readFileSync(report, 'utf8')).files).flatMap(({ mutants }) => mutants);
  const noticed = results.filter((mutant) => ['Killed', 'Timeout'].includes(mutant.status)).length;
  const survived = results.filter((mutant) => ['Survived', 'NoCoverage'].includes(mutant.status)).length;
  return { area, changes: noticed + survived, noticed };
}

const { positionals, values } = parseArgs({ allowPositionals: true, options: { mutate: { type: 'string' } } });
const all = filesOf();
const asked = values.mutate?.split(',').map((file) => file.replace(/^src\//, ''));
for (const file of asked ?? []) if (!files.includes(file)) throw new Error(`src/${file} is no file that is changed`);
const chosen =
  positionals.length > 0
    ? positionals
    : Object.keys(areas).filter((area) => !asked || all[area].some((file) => asked.includes(file)));
for (const area of chosen)
  if (!(area in areas)) throw new Error(`no area ${area}; there are ${Object.keys(areas).join(', ')}`);

const rows = chosen.map((area) => run(area, asked ? all[area].filter((file) => asked.includes(file)) : all[area]));
const total = (key) => rows.reduce((sum, row) => sum + row[key], 0);
rows.push({ area: 'all', changes: total('changes'), noticed: total('noticed') });
console.table(rows.map((row) => ({ ...row, score: `${((100 * row.noticed) / row.changes).toFixed(1)} %` })));
