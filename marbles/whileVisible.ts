import { finalize, ignoreElements, merge, tap } from 'rxjs';
import { vi } from 'vitest';
import { whileVisible } from '../src/sources/whileVisible.js';
import { Platform } from '../test/support/Platform.js';
import { type MarbleSpec } from './spec.js';

const spec: MarbleSpec = {
  name: 'whileVisible',
  call: 'whileVisible()',
  inputs: { page: '---h--v---' },
  output: 'f--t--f---',
  values: { f: false, t: true },
  apply: ({ page }) => {
    if (!page) throw new Error('no page');
    const platform = new Platform().install();
    const events = page.pipe(tap((mark) => (platform.visible = mark === 'v')));
    return merge(whileVisible(), events.pipe(ignoreElements())).pipe(finalize(() => vi.unstubAllGlobals()));
  },
};

export default spec;
