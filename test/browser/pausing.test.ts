import { Subject } from 'rxjs';
import { cdp } from 'vitest/browser';
import { afterEach, expect, it, vi } from 'vitest';
import { pausableBackpressure } from '../../src/operators/pausableBackpressure.js';
import { whileOnline } from '../../src/sources/whileOnline.js';
import { whileVisible } from '../../src/sources/whileVisible.js';
import { record } from '../support/record.js';

afterEach(() => {
  vi.restoreAllMocks();
});

it('lets values pass while the page is visible', () => {
  const visibility = vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('visible');
  const show = (state: DocumentVisibilityState) => {
    visibility.mockReturnValue(state);
    document.dispatchEvent(new Event('visibilitychange'));
  };
  const source = new Subject<number>();
  const { log, subscription } = record(source.pipe(pausableBackpressure(whileVisible())));
  source.next(1);
  show('hidden');
  source.next(2);
  source.next(3);
  expect(log).toEqual([1]);
  show('visible');
  expect(log).toEqual([1, 2, 3]);
  subscription.unsubscribe();
});

it('lets values pass while there is a network, as the browser says itself', async () => {
  const setOffline = (offline: boolean) =>
    // What navigator.onLine says, and its events; the connection with the test runner stays.
    cdp().send('Network.overrideNetworkState', {
      offline,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: -1,
    });
  const source = new Subject<number>();
  const { log, subscription } = record(source.pipe(pausableBackpressure(whileOnline())));
  const offline = record(whileOnline());
  source.next(1);
  await setOffline(true);
  try {
    await vi.waitFor(() => {
      expect(offline.log).toEqual([false, true]);
    });
    source.next(2);
    expect(log).toEqual([1]);
  } finally {
    await setOffline(false);
  }
  await vi.waitFor(() => {
    expect(log).toEqual([1, 2]);
  });
  expect(offline.log).toEqual([false, true, false]);
  subscription.unsubscribe();
  offline.subscription.unsubscribe();
});
