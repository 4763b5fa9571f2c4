// With the plugins of the package, which the root has installed.
import js from '@eslint/js';
import rxjsX from 'eslint-plugin-rxjs-x';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const globals = Object.fromEntries(
  [
    ...Object.getOwnPropertyNames(globalThis), // of Node
    ...['document', 'requestAnimationFrame', 'CanvasRenderingContext2D', 'MutationObserver', 'PerformanceObserver'],
  ].map((name) => [name, 'readonly']),
);

export default defineConfig(
  globalIgnores(['dist', '.temp']),
  js.configs.recommended,
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked, rxjsX.configs.strict],
    languageOptions: {
      parserOptions: { project: ['tsconfig.app.json', 'tsconfig.spec.json'], tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      // A class with a decorator is a component or a service, also if all of it is in the decorator.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
    },
  },
  {
    files: ['**/*.spec.ts'],
    rules: { 'rxjs-x/no-ignored-error': 'off' },
  },
  { files: ['**/*.{js,mjs}'], languageOptions: { globals } },
);
