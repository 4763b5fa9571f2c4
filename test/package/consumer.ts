// Compiled in an empty project that has the packed package installed, with skipLibCheck off (scripts/smoke.sh).
import { map, of, type Observable } from 'rxjs';
import {
  bufferedMergeMap,
  BufferOverflowError,
  findGate,
  fromPull,
  gatedBy,
  parseJsonLines,
  splitLines,
  toAsyncIterable,
  ungated,
  type BufferedMergeMapOptions,
  type DropReason,
  type Gate,
} from 'rxjs-flow-control';
import * as nodeEntry from 'rxjs-flow-control/node';
import { cooperativeScheduler } from 'rxjs-flow-control/schedulers';

const options: BufferedMergeMapOptions<number, string> = {
  overflow: 'drop-oldest',
  onDrop: (value: number, reason: DropReason) => {
    console.log(value, reason);
  },
  onDropResult: (result: string, reason: 'error' | 'unsubscribe') => {
    console.log(result, reason);
  },
};
export const fixed: Observable<string> = of(1, 2).pipe(bufferedMergeMap((value: number) => [value.toFixed()], options));
interface Place {
  name: string;
}
const keep: (result: Place) => void = () => undefined;
export const places: Observable<Place> = of(1, 2).pipe(
  bufferedMergeMap(async (id) => ({ name: String(id) }), { onDropResult: keep }),
);
const placeOptions: BufferedMergeMapOptions<number, Place> = { onDropResult: keep, ordered: true };
export const inOrder: Observable<Place> = of(1, 2).pipe(
  bufferedMergeMap(async (id) => ({ name: String(id) }), placeOptions),
);
export const texts: Observable<string> = of(1, 2).pipe(
  bufferedMergeMap(async (value, _index, { signal }) => (signal.aborted ? '' : value.toFixed()), { concurrent: 2 }),
);
export const pulled: Observable<number> = fromPull<number>(async function* () {
  yield 1;
}).pipe(ungated());
export const streamed: Observable<Uint8Array> = fromPull(new ReadableStream<Uint8Array>());
export const streamedLines: Observable<string> = fromPull(new ReadableStream<Uint8Array>()).pipe(splitLines());
export const body = (response: Response): Observable<unknown> =>
  response.body ? fromPull(response.body).pipe(parseJsonLines()) : of();
export const longs: Observable<bigint> = fromPull({ getReader: () => longReader });
declare const longReader: {
  read(): Promise<{ done: boolean; value?: bigint }>;
  cancel(): Promise<void>;
  releaseLock(): void;
};
export const iterable: AsyncIterable<string> = toAsyncIterable(texts, { highWaterMark: 2 });
export const gated = (gate: Gate): Observable<string> => pulled.pipe(map(String), gatedBy(gate));
export const isOverflow = (error: unknown): boolean => error instanceof BufferOverflowError && error.waiting > 0;
export const entries: object[] = [nodeEntry, cooperativeScheduler, findGate];

// @ts-expect-error a string is no number of inner sources
bufferedMergeMap((value: number) => of(value), { concurrent: '5' });
// @ts-expect-error a number can not be pulled
fromPull(5);
