import { finalize, ignoreElements, merge, tap } from 'rxjs';
import { vi } from 'vitest';
import { whileOnline } from '../src/sources/whileOnline.js';
import { Platform } from '../test/support/Platform.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'whileOnline',
  call: 'whileOnline()',
  inputs: { network: '---x--o---' },
  output: 'f--t--f---',
  values: { f: false, t: true },
  apply: ({ network }) => {
    if (!network) throw new Error('no network');
    const platform = new Platform().install();
    const events = network.pipe(tap((mark) => (platform.online = mark === 'o')));
    return merge(whileOnline(), events.pipe(ignoreElements())).pipe(finalize(() => vi.unstubAllGlobals()));
  },
};

export default spec;
