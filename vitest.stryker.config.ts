import { defineConfig } from 'vitest/config';

// What Stryker runs once for each mutant: the unit tests, without those that read the sources (which it has rewritten).
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/{leaks,browser,reach}/**', 'test/{architecture,changes,docs}.test.ts'],
  },
});
