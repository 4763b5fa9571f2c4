import { angularApp, show } from './angularApp.js';
import { HttpClient } from '@angular/common/http';
import { Component, DestroyRef, effect, inject, Injectable, NgZone, ɵNoopNgZone as NoopNgZone } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { lastValueFrom, scan, Subject, throwError, toArray } from 'rxjs';
import { beforeEach, afterEach, describe, expect, it, vi } from 'vitest';
import { toSignal } from '@angular/core/rxjs-interop';
import { bufferedMergeMap } from '../../src/operators/bufferedMergeMap.js';
import { conflate } from '../../src/operators/conflate.js';
import { gracefulShutdown } from '../../src/operators/gracefulShutdown.js';
import { takeUntilAborted } from '../../src/operators/takeUntilAborted.js';
import { createRateLimiter } from '../../src/resources/createRateLimiter.js';
import { createShutdown } from '../../src/resources/createShutdown.js';
import { fromPull } from '../../src/sources/fromPull.js';
import { stopWhenDestroyed } from '../recipes/stopWhenDestroyed.js';
import { record } from '../support/record.js';
import { turn } from '../support/settle.js';
import { collectUnhandled, reported } from '../support/unhandled.js';
import { Drafts } from './angularDrafts.js';
import { atMostEvery, Sales, SALES } from './angularSales.js';
import { FIND, Search } from './angularSearch.js';
import { UserPage } from './angularUserPage.js';
import { API_LIMITER, Users } from './angularUsers.js';

const unhandled = collectUnhandled();

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const settled = () => vi.advanceTimersByTimeAsync(0);

describe('an application of Angular', () => {
  it('runs without zones', () => {
    angularApp();
    expect(TestBed.inject(NgZone)).toBeInstanceOf(NoopNgZone);
    expect('Zone' in globalThis).toBe(false);
  });
});

describe('requests of HttpClient in bufferedMergeMap', () => {
  it('run four at a time, and give their results in order', async () => {
    const { http } = angularApp();
    const { log } = record(TestBed.inject(Users).load([1, 2, 3, 4, 5, 6]));
    await settled();
    const open = () => http.match(() => true);
    const first = open();
    expect(first.map(({ request }) => request.url)).toEqual([1, 2, 3, 4].map((id) => `/api/users/${id}`));
    first[1]?.flush({ id: 2 });
    await settled();
    expect(log).toEqual([]);
    first[0]?.flush({ id: 1 });
    await settled();
    expect(log).toEqual([{ id: 1 }, { id: 2 }]);
    expect(open().map(({ request }) => request.url)).toEqual(['/api/users/5', '/api/users/6']);
  });

  it('read only as many ids ahead as may wait', async () => {
    angularApp();
    let read = 0;
    function* ids() {
      for (let id = 1; id <= 100; id++) yield (read = id);
    }
    record(TestBed.inject(Users).load(ids()));
    await settled();
    expect(read).toBe(8);
  });

  it('are cancelled by unsubscribing', async () => {
    const { http } = angularApp();
    const { subscription } = record(TestBed.inject(Users).load([1, 2]));
    await settled();
    const requests = http.match(() => true);
    subscription.unsubscribe();
    expect(requests.map(({ cancelled }) => cancelled)).toEqual([true, true]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('are cancelled when their time is up, and tried again', async () => {
    const { http } = angularApp();
    const { log } = record(TestBed.inject(Users).one(7));
    await settled();
    const [late] = http.match('/api/users/7');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(late?.cancelled).toBe(true);
    await vi.advanceTimersByTimeAsync(100);
    http.expectOne('/api/users/7').flush({ id: 7 });
    expect(log).toEqual([{ id: 7 }, 'complete']);
  });

  it('wait as long as the server asks, and are not tried again for what the client did wrong', async () => {
    const { http } = angularApp();
    const { log } = record(TestBed.inject(Users).one(7));
    await settled();
    const busy = { status: 503, statusText: 'busy', headers: { 'Retry-After': '7' } };
    http.expectOne('/api/users/7').flush('', busy);
    await vi.advanceTimersByTimeAsync(6999);
    http.expectNone('/api/users/7');
    await vi.advanceTimersByTimeAsync(1);
    http.expectOne('/api/users/7').flush('', { status: 404, statusText: 'none' });
    expect(log).toMatchObject([['error', { status: 404 }]]);
  });

  it('are tried again when there is no connection', async () => {
    const { http } = angularApp();
    record(TestBed.inject(Users).one(7));
    await settled();
    http.expectOne('/api/users/7').error(new Event('error') as ProgressEvent);
    await vi.advanceTimersByTimeAsync(100);
    http.expectOne('/api/users/7');
  });

  it('share one limit in the whole application, and attempts that wait for it leave the line', async () => {
    const limiter = createRateLimiter({ limit: 1, interval: 1000 });
    const { http } = angularApp({ provide: API_LIMITER, useValue: limiter });
    const users = TestBed.inject(Users);
    record(users.one(1));
    const second = record(users.one(2));
    record(users.one(3));
    await settled();
    expect(http.match(() => true)).toHaveLength(1);
    second.subscription.unsubscribe();
    expect(limiter.statistics()).toMatchObject({ taken: 1, waiting: 1 });
    await vi.advanceTimersByTimeAsync(1000);
    expect(http.match(() => true).map(({ request }) => request.url)).toEqual(['/api/users/3']);
  });

  it('take a permit for every attempt', async () => {
    const { http } = angularApp();
    record(TestBed.inject(Users).one(1));
    await settled();
    http.expectOne(() => true).flush('', { status: 503, statusText: 'busy' });
    await vi.advanceTimersByTimeAsync(100);
    http.expectOne(() => true);
    expect(TestBed.inject(API_LIMITER).statistics().taken).toBe(2);
  });

  it('have one limiter for each application', () => {
    angularApp();
    expect(TestBed.inject(API_LIMITER)).toBe(TestBed.inject(API_LIMITER));
  });
});

describe('a promise of what comes until a signal is aborted', () => {
  it('rejects with onAbort: error behind toArray, and resolves with what has come where it stands before', async () => {
    const controller = new AbortController();
    const source = new Subject<number>();
    const [whole, part] = [
      lastValueFrom(source.pipe(toArray(), takeUntilAborted(controller.signal, { onAbort: 'error' }))),
      lastValueFrom(source.pipe(takeUntilAborted(controller.signal), toArray())),
    ];
    source.next(1);
    controller.abort(new Error('not wanted'));
    await expect(whole).rejects.toThrow('not wanted');
    expect(await part).toEqual([1]);
  });
});

describe('a queue in a service', () => {
  const put = (id: string, text: string) => ({ id, text });

  it('saves one draft of an id at a time, and of those that wait only the newest', async () => {
    const { http } = angularApp();
    const drafts = TestBed.inject(Drafts);
    for (const text of ['a', 'ab', 'abc']) drafts.save(put('1', text));
    drafts.save(put('2', 'x'));
    const bodies = () => http.match(() => true).map((request) => [request, request.request.body as unknown] as const);
    const first = bodies();
    expect(first.map(([, body]) => body)).toEqual([put('1', 'a'), put('2', 'x')]);
    first[0]?.[0].flush(null);
    await settled();
    expect(bodies().map(([, body]) => body)).toEqual([put('1', 'abc')]);
  });

  it('goes on when a request fails, and says so', () => {
    const { http } = angularApp();
    const drafts = TestBed.inject(Drafts);
    drafts.save(put('1', 'a'));
    http.expectOne('/api/drafts/1').flush('', { status: 500, statusText: 'no' });
    expect(drafts.failed()).toEqual(put('1', 'a'));
    drafts.save(put('1', 'b'));
    http.expectOne('/api/drafts/1').flush(null);
  });

  it('would end with the first error that passes', () => {
    const drafts = new Subject<string>();
    const put = vi.fn(() => throwError(() => new Error('no')));
    record(drafts.pipe(bufferedMergeMap(put)));
    for (const draft of ['a', 'b']) drafts.next(draft);
    expect(put).toHaveBeenCalledTimes(1);
  });

  it('is cut off when the application ends', () => {
    const { http, destroy } = angularApp();
    TestBed.inject(Drafts).save(put('1', 'a'));
    const request = http.expectOne('/api/drafts/1');
    destroy();
    expect(request.cancelled).toBe(true);
  });
});

describe('a service whose work is finished after it is destroyed', () => {
  @Injectable()
  class Settings {
    private readonly http = inject(HttpClient);
    private readonly changed = new Subject<string>();
    readonly shutdown = stopWhenDestroyed(createShutdown(), inject(DestroyRef));
    readonly saved = record(
      this.changed.pipe(
        gracefulShutdown(
          (setting$) => setting$.pipe(bufferedMergeMap((setting) => this.http.put('/api', setting), { concurrent: 1 })),
          { on: this.shutdown },
        ),
      ),
    );

    change(setting: string): void {
      this.changed.next(setting);
    }
  }

  it("has Angular's DestroyRef", async () => {
    @Component({ selector: 'app-settings', template: '', providers: [Settings] })
    class SettingsPage {
      readonly settings = inject(Settings);
    }
    const { http } = angularApp();
    const { component, destroy } = show(SettingsPage);
    const { settings } = component;
    settings.change('a');
    settings.change('b');
    destroy();
    settings.change('too late');
    http.expectOne('/api').flush('a saved');
    await settled();
    http.expectOne('/api').flush('b saved');
    expect(await settings.shutdown.done).toMatchObject({ reason: 'destroyed', clean: true, dropped: 0 });
    expect(settings.saved.log).toEqual(['a saved', 'b saved', 'complete']);
  });
});

describe('a signal of what comes too fast', () => {
  const fast = () => {
    const sales = new Subject<number>();
    angularApp({ provide: SALES, useValue: sales });
    return { sales, ...show(Sales) };
  };

  it('has the sum of what came in between, four times a second, and no news of a sum that is the same', async () => {
    const { sales, shown } = fast();
    const seen = [shown()];
    for (let ms = 0; ms < 1000; ms++) {
      sales.next(1);
      await vi.advanceTimersByTimeAsync(1);
      if (seen.at(-1) !== shown()) seen.push(shown());
    }
    expect(seen).toEqual([0, 1, 249, 250].map((sum) => `sold just now: ${sum}`));
  });

  it('loses nothing before it', async () => {
    const sales = new Subject<number>();
    const add = (sum: number, amount: number) => sum + amount;
    const { log } = record(sales.pipe(conflate(add), atMostEvery(250)));
    for (let ms = 0; ms < 1000; ms++) {
      sales.next(1);
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(log).toEqual([1, 249, 250, 250, 250]);
  });

  it('sees every value, and keeps the last, where nothing before it can be full', () => {
    const sales = new Subject<number>();
    angularApp();
    const merge = vi.fn((sum: number, amount: number) => sum + amount);
    const last = TestBed.runInInjectionContext(() => toSignal(sales.pipe(conflate(merge))));
    sales.next(1);
    sales.next(2);
    expect(last()).toBe(2);
    expect(merge).not.toHaveBeenCalled();
  });

  it('leaves no timer and no subscription when its component is destroyed', async () => {
    const { sales, destroy } = fast();
    sales.next(1);
    expect(sales.observed).toBe(true);
    destroy();
    expect(sales.observed).toBe(false);
    await vi.advanceTimersByTimeAsync(20); // Angular's own
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a search', () => {
  it('aborts the last one when the next begins, and when the component is destroyed', async () => {
    const searches: { term: string; signal: AbortSignal; answer: (found: string[]) => void }[] = [];
    angularApp({
      provide: FIND,
      useValue: (term: string, signal: AbortSignal) =>
        new Promise((answer) => {
          searches.push({ term, signal, answer });
        }),
    });
    const { component, shown, destroy } = show(Search);
    for (const term of ['r', 'rx']) {
      component.term.set(term);
      await settled();
    }
    component.term.set('rxj');
    component.term.set('rxjs');
    await settled();
    expect(searches.map(({ term, signal }) => [term, signal.aborted])).toEqual([
      ['', true],
      ['r', true],
      ['rx', true],
      ['rxjs', false], // of two in one turn it sees the last
    ]);
    searches.at(-1)?.answer(['a', 'b']);
    await vi.advanceTimersByTimeAsync(20);
    expect(shown()).toBe('found: a, b');
    component.term.set('flow');
    await settled();
    destroy();
    expect(searches.at(-1)).toMatchObject({ term: 'flow', signal: { aborted: true } });
  });
});

describe('what signals lose', () => {
  const inApp = <T>(create: () => T): T => TestBed.runInInjectionContext(create);

  it('an effect is not run for a value that is equal, and for the last of several in one turn', () => {
    angularApp();
    const sums = new Subject<number>();
    const sum = inApp(() => toSignal(sums));
    const seen: unknown[] = [];
    inApp(() => effect(() => void seen.push(sum())));
    for (const values of [[250], [250], [1, 2, 3]]) {
      for (const value of values) sums.next(value);
      TestBed.tick();
    }
    expect(seen).toEqual([250, 3]);
  });

  it('nothing of what was added up before', () => {
    angularApp();
    const amounts = new Subject<number>();
    const total = inApp(() => toSignal(amounts.pipe(scan((sum, amount) => sum + amount, 0))));
    for (const amount of [1, 2, 3]) amounts.next(amount);
    expect(total()).toBe(6);
  });

  it('the error comes whenever it is read, and no value any more', () => {
    angularApp();
    const values = new Subject<number>();
    const last = inApp(() => toSignal(values));
    values.error(new Error('lost'));
    values.next(1);
    for (let i = 0; i < 2; i++) expect(last).toThrow('lost');
  });

  it('the search stays in error', async () => {
    const find = vi.fn(() => Promise.reject(new Error('no index')));
    angularApp({ provide: FIND, useValue: find });
    const { found, term } = inApp(() => new Search());
    await settled();
    expect(found).toThrow('no index');
    term.set('rx');
    await settled();
    expect(find).toHaveBeenCalledTimes(1);
    expect(found).toThrow('no index');
  });

  it('nobody waits for the clean-up, and what fails is reported', async () => {
    vi.useRealTimers();
    const { destroy } = angularApp();
    const values = new ReadableStream<number>({ cancel: () => Promise.reject(new Error('not closed')) });
    inApp(() => toSignal(fromPull(values)));
    await turn();
    destroy();
    expect(await reported(unhandled)).toMatchObject({ message: 'not closed' });
  });
});

describe('a resource', () => {
  it('cancels its request when what it depends on changes, and when it is destroyed', async () => {
    const { http } = angularApp();
    const { component, shown, destroy } = show(UserPage);
    await settled();
    const requests = () => http.match(() => true);
    const before = requests();
    expect(before.map(({ request }) => request.url)).toEqual([1, 2, 3].map((id) => `/api/users/${id}`));
    component.id.set(4);
    component.friendIds.set([5]);
    await vi.advanceTimersByTimeAsync(20);
    expect(before.map(({ cancelled }) => cancelled)).toEqual([true, true, true]);
    const [user, friend] = requests();
    user?.flush({ id: 4 });
    friend?.flush({ id: 5 });
    await vi.advanceTimersByTimeAsync(20);
    expect(shown()).toBe('4, friends: 1');
    component.id.set(6);
    component.friendIds.set([7]);
    await vi.advanceTimersByTimeAsync(20);
    const after = requests();
    expect(after).toHaveLength(2);
    destroy();
    expect(after.map(({ cancelled }) => cancelled)).toEqual([true, true]);
  });

  it('has the error in its state', async () => {
    const { http } = angularApp();
    const { component, shown } = show(UserPage);
    await settled();
    http.expectOne('/api/users/1').flush('', { status: 404, statusText: 'none' });
    await vi.advanceTimersByTimeAsync(20);
    expect(component.user.status()).toBe('error');
    expect(component.user.error()).toMatchObject({ status: 404 });
    expect(() => component.user.value()).toThrow('error state');
    expect(shown()).toBe('..., friends: ...');
  });
});
