// Of what is mutated (`--mutate a,b`) machines are pure, and proved by their own tests: these alone decide, and in seconds.
const { argv } = process;
const mutated = argv.flatMap((argument, i) => (/^(?:--mutate|-m)$/.test(argv[i - 1] ?? '') ? argument.split(',') : []));
const isMachines = mutated.length > 0 && mutated.every((file) => file.startsWith('src/machines/'));

export default {
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'vitest.stryker.config.ts', dir: isMachines ? 'test/machines' : 'test' },
  ignorePatterns: ['dist', 'docs/api', 'examples', 'bench', '.temp', 'reports', 'coverage'],
  mutate: ['src/**/*.ts', '!src/**/index.ts'],
  coverageAnalysis: 'perTest',
  concurrency: 2,
  timeoutMS: 5000,
  incremental: true,
  incrementalFile: 'reports/stryker-incremental.json',
  reporters: ['clear-text', 'json'],
  clearTextReporter: { allowColor: false, reportTests: false },
  ignoreStatic: true,
  disableTypeChecks: false,
  allowEmpty: true,
  thresholds: { high: 95, low: 85, break: 80 },
  warnings: { unknownOptions: true },
};
