import { BehaviorSubject, Subject } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { pausableBackpressure } from '../../src/operators/pausableBackpressure.js';
import { whileVisible } from '../../src/sources/whileVisible.js';
import { Platform } from '../support/Platform.js';
import { record } from '../support/record.js';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('whileVisible', () => {
  it('says how it is, then what changes', () => {
    const platform = new Platform().install();
    const { log } = record(whileVisible());
    expect(log).toEqual([false]);
    platform.visible = false;
    platform.visible = false;
    platform.visible = true;
    expect(log).toEqual([false, true, false]);
  });

  it('says that the page is hidden already', () => {
    const platform = new Platform().install();
    const hidden$ = whileVisible();
    platform.visible = false;
    expect(record(hidden$).log).toEqual([true]);
  });

  it('notices a change that it leads to itself', () => {
    const platform = new Platform().install();
    const log: boolean[] = [];
    whileVisible().subscribe((hidden) => {
      log.push(hidden);
      if (log.length === 1) platform.visible = false;
    });
    expect(log).toEqual([false, true]);
  });

  it('takes its listener off', () => {
    const { document } = new Platform().install();
    const { subscription } = record(whileVisible());
    expect(document.listeners).toBe(1);
    subscription.unsubscribe();
    expect(document.listeners).toBe(0);
  });

  it('says that nothing is hidden where there is no page, and stays', () => {
    vi.stubGlobal('document', undefined);
    expect(record(whileVisible()).log).toEqual([false]);
  });

  it('looks for the page when it is subscribed to', () => {
    vi.stubGlobal('document', undefined);
    const hidden$ = whileVisible();
    const platform = new Platform().install();
    platform.visible = false;
    expect(record(hidden$).log).toEqual([true]);
  });

  it('pauses while the page is hidden', () => {
    const platform = new Platform().install();
    const source = new Subject<number>();
    const { log, subscription } = record(source.pipe(pausableBackpressure(whileVisible())));
    source.next(1);
    platform.visible = false;
    source.next(2);
    expect(log).toEqual([1]);
    platform.visible = true;
    expect(log).toEqual([1, 2]);
    subscription.unsubscribe();
    expect(platform.document.listeners).toBe(0);
  });

  it('pauses from the start where the page is hidden', () => {
    const platform = new Platform().install();
    platform.visible = false;
    const { log } = record(new BehaviorSubject(1).pipe(pausableBackpressure(whileVisible())));
    expect(log).toEqual([]);
    platform.visible = true;
    expect(log).toEqual([1]);
  });
});
