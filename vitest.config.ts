import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/leaks/**', 'test/browser/**'] },
      },
      {
        test: {
          name: 'leaks',
          include: ['test/leaks/**/*.test.ts'],
          pool: 'forks',
          execArgv: ['--expose-gc'],
          fileParallelism: false,
        },
      },
    ],
  },
});
