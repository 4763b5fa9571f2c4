import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { browserProjects } from './test/browser/project.js';
import { patience } from './test/patience.js';
import { versionProjects } from './test/reach/versions.js';

export default defineConfig({
  test: {
    maxWorkers: availableParallelism(), // by default one is left free, which on two is half the machine
    reporters: process.env['CI'] ? ['default', ['json', { outputFile: 'reports/tests.json' }]] : ['default'],
    projects: [
      {
        test: {
          ...patience,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/leaks/**', 'test/browser/**'],
          provide: { rxjs: 'rxjs' },
        },
      },
      {
        test: {
          ...patience,
          name: 'leaks',
          include: ['test/leaks/**/*.test.ts'],
          pool: 'forks',
          execArgv: ['--expose-gc'],
          fileParallelism: false,
        },
      },
      ...browserProjects(),
      ...versionProjects(),
    ],
  },
});
