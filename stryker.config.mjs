// What is changed, and which tests decide about it, is said by scripts/mutation.mjs.
export default {
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'vitest.stryker.config.ts', dir: 'test' },
  ignorePatterns: ['dist', 'docs/api', 'examples', 'bench', '.temp', 'reports', 'coverage'],
  coverageAnalysis: 'perTest',
  concurrency: Number(process.env.MUTATION_WORKERS ?? 2),
  timeoutMS: 5000,
  // A list that a change makes grow without end: so much, and Node says that it is out of memory, which Stryker takes for a change that is noticed.
  // Without it V8 gives up first, and Stryker with it.
  testRunnerNodeArgs: ['--max-old-space-size=1024'],
  reporters: ['clear-text', 'json'],
  jsonReporter: { fileName: process.env.MUTATION_REPORT },
  clearTextReporter: { allowColor: false, reportTests: false },
  ignoreStatic: true,
  disableTypeChecks: false,
  thresholds: { high: 95, low: 90, break: 90 },
};
