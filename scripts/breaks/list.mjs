// Defects that somebody could make: each breaks one promise in one place. `code` stands once in `file`.
const merge = 'src/internal/merge';
const operators = 'src/operators';

/** A value is gone, and nobody is told. */
const lossless = [
  {
    name: 'bufferedMergeMap: forgets values that wait when it ends',
    file: `${merge}/MergeOperation.ts`,
    code: 'for (const value of this.intake.takeAll()) this.drops.value(value);',
    broken: 'this.intake.takeAll();',
  },
  {
    name: 'bufferedMergeMap: forgets results that wait when it ends',
    file: `${merge}/MergeOperation.ts`,
    code: 'for (const result of this.outlet?.takeAll() ?? []) this.drops.result(result);',
    broken: 'this.outlet?.takeAll();',
  },
  {
    name: 'bufferedMergeMap: does not tell what gives way to newer values',
    file: `${merge}/Intake.ts`,
    code: 'for (const value of values) this.drops.value(value, reason);',
    broken: '',
  },
  {
    name: 'bufferedMergeMap: completes with work under way',
    file: `${merge}/MergeOperation.ts`,
    code: 'this.sourceCompleted && this.active === 0 &&',
    broken: 'this.sourceCompleted &&',
  },
  {
    name: 'batchWithin: forgets the batch that is open when it ends',
    file: `${operators}/batchWithin.ts`,
    code: 'for (const value of batches.takeAll()) losses.tell(onDrop, value);',
    broken: 'batches.takeAll();',
  },
  {
    name: 'batchWithin: leaves out the last batch',
    file: `${operators}/batchWithin.ts`,
    code: ' || (sourceCompleted && batches.held > 0)',
    broken: '',
  },
  {
    name: 'conflate: forgets what waits when it ends',
    file: 'src/internal/conflation.ts',
    code: 'losses.tell(onDrop, merged);',
    broken: '',
  },
  {
    name: 'conflate: completes with a value that waits',
    file: 'src/internal/conflation.ts',
    code: 'else if (waiting !== none) passage.wait();',
    broken: 'else if (waiting !== none && !sourceCompleted) passage.wait();',
  },
  {
    name: 'latest: does not tell what is replaced',
    file: `${operators}/latest.ts`,
    code: 'losses.tellOverflow(onDrop, replaced);',
    broken: 'void losses, replaced;',
  },
  {
    name: 'pausableBackpressure: forgets what waits when it ends',
    file: 'src/internal/PausableLine.ts',
    code: 'for (const value of this.waiting.takeAll()) this.losses.tell(this.settings.onDrop, value);',
    broken: 'this.waiting.takeAll();',
  },
  {
    name: 'pausableBackpressure: does not tell what it drops in a pause',
    file: 'src/internal/PausableLine.ts',
    code: "settings.onDrop(value, 'paused');",
    broken: '',
  },
  {
    name: 'demandWindow: forgets values that wait outside',
    file: 'src/internal/window/WindowEntrance.ts',
    code: 'for (const value of waiting.takeAll()) losses.tell(settings.onDrop, value);',
    broken: 'waiting.takeAll(); void losses, settings;',
  },
  {
    name: 'shareDemand: forgets values that wait',
    file: 'src/internal/queueSubscriber.ts',
    code: 'for (const value of waiting.takeAll()) losses.tell(onDrop, value);',
    broken: 'waiting.takeAll();',
  },
  {
    name: 'zipPull: forgets values that wait for another input',
    file: 'src/internal/ZipOperation.ts',
    code: 'for (const value of values) this.drop(value, this.reasonAtEnd, input);',
    broken: 'void values, input;',
  },
  {
    name: 'rateLimit: forgets values that wait for permits',
    file: 'src/internal/limiter/LimitedValues.ts',
    code: 'for (const { value } of dropped) this.losses.tell(this.settings.onDrop, value.value);',
    broken: '',
  },
  {
    name: 'rateLimit: does not tell what the rate drops',
    file: 'src/internal/limiter/LimitedValues.ts',
    code: "settings.onDrop(value, 'rate-limit');",
    broken: 'void value;',
  },
  {
    name: 'keyedSessions: forgets values that wait when it ends',
    file: 'src/internal/sessions/SessionsOperation.ts',
    code: 'for (const value of lanes.takeAll()) end.drops.value(value);',
    broken: 'lanes.takeAll();',
  },
  {
    name: 'keyedSessions: does not tell what gives way to newer values',
    file: 'src/internal/sessions/SessionIntake.ts',
    code: "for (const each of dropped) end.drops.value(each.value, 'overflow');",
    broken: '',
  },
  {
    name: 'keyedSessions: completes with sessions that are open',
    file: 'src/internal/sessions/SessionsOperation.ts',
    code: 'if (intake.isOver && lanes.keys === 0)',
    broken: 'if (intake.isOver)',
  },
  {
    name: 'splitLines: leaves out a last line without line feed',
    file: 'src/internal/lineSubscriber.ts',
    code: 'lines.end();',
    broken: '',
  },
];

/** Values overtake each other, or come where nothing may come any more. */
const order = [
  {
    name: 'bufferedMergeMap: what comes overtakes what waits',
    file: `${merge}/Intake.ts`,
    code: 'slots.hasFree && line.isClear(ticket)',
    broken: 'slots.hasFree',
  },
  {
    name: 'bufferedMergeMap: `ordered` lets each result pass',
    file: 'src/machines/ResultLine.ts',
    code: 'return this.turns.first?.slot === slot && this.isClear(slot);',
    broken: 'return this.isClear(slot);',
  },
  {
    name: 'demandWindow: what comes overtakes what waits',
    file: 'src/internal/window/WindowEntrance.ts',
    code: 'if (waiting.size === 0 && occupancy.hasRoom && this.passage.isOpen)',
    broken: 'if (occupancy.hasRoom && this.passage.isOpen)',
  },
  {
    name: 'demandWindow: a result overtakes those that wait',
    file: 'src/internal/window/WindowExit.ts',
    code: 'else if (waiting.size === 0 && this.passage.isOpen)',
    broken: 'else if (this.passage.isOpen)',
  },
];

/** More waits, or runs, than was allowed. */
const bounds = [
  {
    name: 'bufferedMergeMap: starts one more than `concurrent`',
    file: `${merge}/MergeOperation.ts`,
    code: 'return this.active < this.slots.value;',
    broken: 'return this.active <= this.slots.value;',
  },
  {
    name: 'bufferedMergeMap: does not look at what is below',
    file: `${merge}/ResultOutlet.ts`,
    code: 'this.line.mayPass(slot) && (!below || below.ready)',
    broken: 'this.line.mayPass(slot)',
  },
  {
    name: 'bufferedMergeMap: asks for one more than `highWaterMark`',
    file: `${merge}/Intake.ts`,
    code: 'line.size < highWaterMark ||',
    broken: 'line.size <= highWaterMark ||',
  },
  {
    name: 'bufferedMergeMap: starts one more than `concurrentPerKey`',
    file: 'src/machines/LaneLine.ts',
    code: 'lane.running < this.rules.concurrentPerKey;',
    broken: 'lane.running <= this.rules.concurrentPerKey;',
  },
  {
    name: 'batchWithin: lets a full batch grow on below a consumer that is full',
    file: `${operators}/batchWithin.ts`,
    code: 'new LevelGate(() => !batches.hasFull)',
    broken: 'new LevelGate(() => true)',
  },
  {
    name: 'pausableBackpressure: asks for one more than `highWaterMark`',
    file: 'src/internal/PausableLine.ts',
    code: "return mode === 'buffer' && this.waiting.size < highWaterMark;",
    broken: "return mode === 'buffer' && this.waiting.size <= highWaterMark;",
  },
  {
    name: 'demandWindow: lets one more in',
    file: 'src/internal/window/DemandWindow.ts',
    code: 'this.inside < this.settings.size',
    broken: 'this.inside <= this.settings.size',
  },
  {
    name: 'demandWindow: does not look at what is below',
    file: 'src/internal/window/WindowExit.ts',
    code: 'while (waiting.size > 0 && passage.isOpen)',
    broken: 'while (waiting.size > 0)',
  },
  {
    name: 'shareDemand: asks for one more than `highWaterMark`',
    file: 'src/internal/queueSubscriber.ts',
    code: 'waiting.size < highWaterMark)',
    broken: 'waiting.size <= highWaterMark)',
  },
  {
    name: 'zipPull: lets an input run one more ahead',
    file: 'src/internal/ZipOperation.ts',
    code: 'this.waiting.sizeOf(input) < this.settings.highWaterMark',
    broken: 'this.waiting.sizeOf(input) <= this.settings.highWaterMark',
  },
  {
    name: 'rateLimit: asks on while values wait',
    file: 'src/internal/limiter/LimitedValues.ts',
    code: 'this.waiting.size === 0 || this.waiting.size < highWaterMark',
    broken: 'this.waiting.size === 0 || this.waiting.size <= highWaterMark + 1',
  },
  {
    name: 'keyedSessions: asks for one more than `highWaterMark`',
    file: 'src/internal/sessions/SessionIntake.ts',
    code: 'lanes.size < settings.highWaterMark)',
    broken: 'lanes.size <= settings.highWaterMark + 1)',
  },
  {
    name: 'toAsyncIterable: asks for one more than `highWaterMark`',
    file: 'src/internal/ObservableIterator.ts',
    code: 'this.values.size < this.settings.highWaterMark',
    broken: 'this.values.size <= this.settings.highWaterMark',
  },
  {
    name: 'what is below is not seen through operators of RxJS',
    file: 'src/link/walk.ts',
    code: 'link = (link.destination ?? link.partialObserver) as Chained | null | undefined;',
    broken: 'link = undefined;',
  },
];

/** Nobody is woken: the pipeline stands still for ever. */
const progress = [
  {
    name: 'bufferedMergeMap: a slot that gets free asks for nothing',
    file: `${merge}/Intake.ts`,
    code: 'this.expiry?.watch();\n    this.wake();',
    broken: 'this.expiry?.watch();',
  },
  {
    name: 'bufferedMergeMap: results that have left ask for nothing',
    file: `${merge}/ResultOutlet.ts`,
    code: 'this.sharedGate?.wake();',
    broken: '',
  },
  {
    name: 'bufferedMergeMap: the inner source whose turn it is is not asked',
    file: `${merge}/MergeOperation.ts`,
    code: 'slot?.gate?.wake();',
    broken: '',
  },
  {
    name: 'bufferedMergeMap: a result that waits does not wait for what is below',
    file: `${merge}/ResultOutlet.ts`,
    code: 'this.cancelBelow ??= below.onReady(this.resume);',
    broken: '',
  },
  {
    name: 'pausableBackpressure: the end of a pause asks for nothing',
    file: 'src/internal/PausableLine.ts',
    code: 'this.gate.wake();',
    broken: '',
  },
  {
    name: 'rateLimit: a value that has left asks for nothing',
    file: 'src/internal/limiter/LimitedValues.ts',
    code: 'else this.demand.wake();',
    broken: '',
  },
  {
    name: 'demandWindow: room inside asks for nothing',
    file: 'src/internal/window/WindowEntrance.ts',
    code: 'this.gate.wake();',
    broken: '',
  },
  {
    name: 'demandWindow: a result that leaves lets nobody in',
    file: 'src/internal/window/WindowExit.ts',
    code: 'occupancy.useRoom();',
    broken: '',
  },
  {
    name: 'keyedSessions: sessions that go on ask for nothing',
    file: 'src/internal/sessions/SessionsOperation.ts',
    code: 'end.onThrow,\n      wake,',
    broken: 'end.onThrow,',
  },
  {
    name: 'zipPull: a tuple that has left asks for nothing',
    file: 'src/internal/ZipOperation.ts',
    code: 'else for (const gate of this.gates) gate.wake();',
    broken: '',
  },
  {
    name: 'batchWithin: a batch that has left asks for nothing',
    file: `${operators}/batchWithin.ts`,
    code: 'gate.wake();',
    broken: '',
  },
  {
    name: 'toAsyncIterable: a read asks for nothing',
    file: 'src/internal/ObservableIterator.ts',
    code: 'this.gate.wake();',
    broken: '',
  },
  {
    name: 'splitLines: lines that are out ask for nothing',
    file: 'src/internal/lineSubscriber.ts',
    code: 'else gate?.wake();',
    broken: '',
  },
  {
    name: 'usePool: a resource that is given back serves nobody',
    file: 'src/internal/pool/PoolEngine.ts',
    code: 'tell?.();\n    this.work();',
    broken: 'tell?.();',
  },
];

/** The end comes before what has to be over. */
const cleanUp = [
  {
    name: 'bufferedMergeMap: work that is aborted is not waited for',
    file: `${merge}/Works.ts`,
    code: 'if (end) this.expectCleanup().track(end);',
    broken: 'void end;',
  },
  {
    name: 'bufferedMergeMap: work is not told to stop',
    file: `${merge}/Works.ts`,
    code: 'for (const work of this.listening) this.awaitEnd(work);',
    broken: '',
  },
  {
    name: 'bufferedMergeMap: its error does not wait',
    file: `${merge}/MergeOperation.ts`,
    code: 'if (!cleanups) {',
    broken: 'if (cleanups ?? true) {',
  },
  {
    name: 'what is to be cleaned up is not handed to the scope below',
    file: 'src/link/Cleanups.ts',
    code: 'if (handedOn) this.below?.track(handedOn);',
    broken: '',
  },
  {
    name: 'nobody waits for clean-up',
    file: 'src/link/Cleanups.ts',
    code: 'if (this.pending === 0) finish();',
    broken: 'if (this.pending >= 0) finish();',
  },
  {
    name: 'takeUntilAborted: does not listen to what is cleaned up',
    file: `${operators}/takeUntilAborted.ts`,
    code: 'cleanupScope: cleanups,',
    broken: '',
  },
  {
    name: 'retryBackoff: the next attempt does not wait for the clean-up of the last',
    file: 'src/internal/retry/RetryOperation.ts',
    code: 'cleanupScope: cleanups,',
    broken: '',
  },
  {
    name: 'fromPull: nobody waits for `return()` of the iterator',
    file: 'src/internal/pull.ts',
    code: 'if (scope) scope.track(cleanup);',
    broken: 'if (scope) void cleanup;',
  },
  {
    name: 'usePool: a resource is given back before its use is cleaned up',
    file: 'src/internal/pool/PoolUse.ts',
    code: 'cleanupScope: this.cleanups,',
    broken: '',
  },
  {
    name: 'gracefulShutdown: does not wait for what it cuts off',
    file: 'src/internal/shutdown/GracefulOperation.ts',
    code: 'cleanupScope: this.cleanups,',
    broken: '',
  },
];

const of = (promise, breaks) => breaks.map((each) => ({ promise, ...each }));

/** @type {{ promise: string, name: string, file: string, code: string, broken: string }[]} */
export const breaks = [
  ...of('lossless', lossless),
  ...of('order', order),
  ...of('bounds', bounds),
  ...of('progress', progress),
  ...of('clean-up', cleanUp),
];
