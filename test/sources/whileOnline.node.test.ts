import { Subject } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { pausableBackpressure } from '../../src/operators/pausableBackpressure.js';
import { whileOnline } from '../../src/sources/whileOnline.js';
import { Platform } from '../support/Platform.js';
import { record } from '../support/record.js';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('whileOnline', () => {
  it('says how it is, then what changes', () => {
    const platform = new Platform().install();
    const { log } = record(whileOnline());
    expect(log).toEqual([false]);
    platform.online = false;
    platform.online = false;
    platform.online = true;
    platform.online = true;
    expect(log).toEqual([false, true, false]);
  });

  it('says that there is no network already', () => {
    const platform = new Platform().install();
    const offline$ = whileOnline();
    platform.online = false;
    expect(record(offline$).log).toEqual([true]);
  });

  it('takes its listeners off', () => {
    const { window } = new Platform().install();
    const { subscription } = record(whileOnline());
    expect(window.listeners).toBe(2);
    subscription.unsubscribe();
    expect(window.listeners).toBe(0);
  });

  it.each([
    ['no navigator', 'navigator', undefined],
    ['a navigator that does not know (Node 21 and later)', 'navigator', { userAgent: 'Node.js/22' }],
    ['nothing that tells of events', 'addEventListener', undefined],
    ['nothing that stops to tell of events', 'removeEventListener', undefined],
  ])('says that it is online where there is %s, and stays', (_, name, value) => {
    const platform = new Platform().install();
    platform.online = false;
    vi.stubGlobal(name, value);
    expect(record(whileOnline()).log).toEqual([false]);
    expect(platform.window.listeners).toBe(0);
  });

  it('pauses while there is no network', () => {
    const platform = new Platform().install();
    const source = new Subject<number>();
    const { log, subscription } = record(source.pipe(pausableBackpressure(whileOnline())));
    source.next(1);
    platform.online = false;
    source.next(2);
    expect(log).toEqual([1]);
    platform.online = true;
    expect(log).toEqual([1, 2]);
    subscription.unsubscribe();
    expect(platform.window.listeners).toBe(0);
  });
});
