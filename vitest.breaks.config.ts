import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { patience } from './test/patience.js';

interface Break {
  readonly file: string;
  readonly code: string;
  readonly broken: string;
}

const { file, code, broken } = JSON.parse(process.env['BREAK'] ?? '{}') as Break;

// The random pipelines, on sources of which one has the defect that `scripts/breaks/run.mjs` names.
export default defineConfig({
  plugins: [
    {
      name: 'break',
      enforce: 'pre',
      transform: (source, id) => (id === resolve(file) ? source.replace(code, () => broken) : undefined),
    },
  ],
  test: { ...patience, include: ['test/properties/promises.test.ts'] },
});
