// Checked by `npm run typecheck`.
import { BehaviorSubject, of, type Observable } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';
import { bufferedMergeMap, type BufferedMergeMapOptions, type DropReason } from '../../src/index.js';
import { type AdaptiveConcurrency, type Concurrency } from '../../src/options/concurrency.js';
import { adaptiveConcurrency, type AdaptiveConcurrencyOptions } from '../../src/resources/adaptiveConcurrency.js';

interface Job {
  readonly user: string;
  readonly urgency: number;
}
const jobs = of<Job>({ user: 'a', urgency: 1 });
const work = (job: Job) => Promise.resolve(job.user.length);

describe('bufferedMergeMap', () => {
  it('knows the value in key, priority and onDrop', () => {
    const result = jobs.pipe(
      bufferedMergeMap(work, {
        key: (job) => {
          expectTypeOf(job).toEqualTypeOf<Job>();
          return job.user;
        },
        priority: (job) => {
          expectTypeOf(job).toEqualTypeOf<Job>();
          return job.urgency;
        },
        onDrop: (job, reason) => {
          expectTypeOf(job).toEqualTypeOf<Job>();
          expectTypeOf(reason).toEqualTypeOf<DropReason | 'age'>();
        },
        onDropResult: (length, reason) => {
          expectTypeOf(length).toEqualTypeOf<number>();
          expectTypeOf(reason).toEqualTypeOf<'error' | 'unsubscribe'>();
        },
        concurrentPerKey: 2,
        maxPerKey: Infinity,
        ageing: 100,
        maxAge: 1000,
      }),
    );
    expectTypeOf(result).toEqualTypeOf<Observable<number>>();
  });

  it('takes any key', () => {
    void jobs.pipe(bufferedMergeMap(work, { key: (job) => job }));
    void jobs.pipe(bufferedMergeMap(work, { key: () => undefined }));
    void of('a').pipe(bufferedMergeMap((letter: string) => [letter], { key: String, priority: Number }));
  });

  it('takes a number, an Observable of numbers, or one that finds itself', () => {
    void jobs.pipe(bufferedMergeMap(work, { concurrent: 4 }));
    void jobs.pipe(bufferedMergeMap(work, { concurrent: of(1, 2) }));
    void jobs.pipe(bufferedMergeMap(work, { concurrent: new BehaviorSubject(4) }));
    void jobs.pipe(bufferedMergeMap(work, { concurrent: adaptiveConcurrency() }));
    expectTypeOf<BufferedMergeMapOptions<Job, number>['concurrent']>().toEqualTypeOf<Concurrency | undefined>();
  });

  it('refuses what it cannot take', () => {
    // @ts-expect-error a priority is a number
    void jobs.pipe(bufferedMergeMap(work, { priority: (job) => job.user }));
    // @ts-expect-error a function of the value, not its name
    void jobs.pipe(bufferedMergeMap(work, { key: 'user' }));
    // @ts-expect-error no such field
    void jobs.pipe(bufferedMergeMap(work, { key: (job) => job.name as string }));
    // @ts-expect-error an Observable of numbers
    void jobs.pipe(bufferedMergeMap(work, { concurrent: of('1') }));
    // @ts-expect-error no Promise
    void jobs.pipe(bufferedMergeMap(work, { concurrent: Promise.resolve(1) }));
    // @ts-expect-error it is made by adaptiveConcurrency()
    void jobs.pipe(bufferedMergeMap(work, { concurrent: adaptiveConcurrency }));
    // @ts-expect-error a number of ms
    void jobs.pipe(bufferedMergeMap(work, { maxAge: '1s' }));
  });
});

describe('adaptiveConcurrency', () => {
  it('takes options or none', () => {
    expectTypeOf(adaptiveConcurrency()).toEqualTypeOf<AdaptiveConcurrency>();
    expectTypeOf(adaptiveConcurrency({ algorithm: 'aimd', min: 1, max: 8, initial: 2 })).toExtend<Concurrency>();
    expectTypeOf<AdaptiveConcurrencyOptions['algorithm']>().toEqualTypeOf<'aimd' | 'gradient' | undefined>();
    // @ts-expect-error no such algorithm
    adaptiveConcurrency({ algorithm: 'vegas' });
  });
});
