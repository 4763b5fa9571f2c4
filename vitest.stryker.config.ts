import { defineConfig } from 'vitest/config';
import { patience } from './test/patience.js';

// What Stryker runs once for each mutant: of the unit tests those that `scripts/mutation.mjs` names. Not those that read the sources (which it
// has rewritten), that want the package built, or that start other processes (which have no mutants).
export default defineConfig({
  test: {
    ...patience,
    setupFiles: ['test/support/forMutations.ts'],
    dir: 'test',
    include: process.env['MUTATION_TESTS']?.split(' ') ?? ['**/*.test.ts'],
    exclude: [
      '{browser,examples,interop,leaks,package,reach,recipes,security,soak}/**',
      '{architecture,changes,docs}.test.ts',
      'link/copies.test.ts',
      'node/shutdown.test.ts',
    ],
  },
});
