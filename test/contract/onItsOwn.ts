/** What has no contract in common with others, by its entry, and the tests that it has instead. */
export const onItsOwn: Readonly<Record<'.' | './node' | './schedulers', Readonly<Record<string, string>>>> = {
  '.': {
    adaptiveConcurrency: 'test/operators/bufferedMergeMap.concurrency.test.ts',
    createCircuitBreaker: 'test/resources/createCircuitBreaker.test.ts',
    createShutdown: 'test/resources/createShutdown.test.ts',
    findCleanupScope: 'test/link/walk.test.ts',
    findGate: 'test/link/walk.test.ts',
    fromRetryAfter: 'test/resources/fromRetryAfter.test.ts',
    taskScope: 'test/resources/taskScope.test.ts',
    toAbortSignal: 'test/sinks/toAbortSignal.test.ts',
    toAsyncIterable: 'test/sinks/toAsyncIterable.test.ts',
    toReadableStream: 'test/sinks/toReadableStream.test.ts',
    writeToStream: 'test/sinks/writeToStream.test.ts',
  },
  './node': {
    createShutdown: 'test/node/createShutdown.test.ts',
    fromReadable: 'test/node/fromReadable.test.ts',
    processSignals: 'test/node/processSignals.test.ts',
    readJsonLines: 'test/node/readJsonLines.test.ts',
    toNodeReadable: 'test/node/toNodeReadable.test.ts',
    writeTo: 'test/node/writeTo.test.ts',
  },
  './schedulers': {
    cooperativeScheduler: 'test/schedulers/contract.test.ts',
    idleScheduler: 'test/schedulers/contract.idle.test.ts',
    pacedScheduler: 'test/schedulers/contract.paced.test.ts',
    priorityScheduler: 'test/schedulers/contract.priority.test.ts',
  },
};
