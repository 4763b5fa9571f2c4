// What the lint gate has to find (eslint.config.js), proven on faults that are made on purpose.
import { ESLint } from 'eslint';
import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it, vi } from 'vitest';

vi.setConfig({ testTimeout: 60_000 }); // the first of them loads the compiler

let eslint: ESLint;
beforeAll(() => {
  eslint = new ESLint();
});

const wanted = [
  'no-eval',
  'no-new-func',
  'no-restricted-syntax',
  'no-script-url',
  'regexp/no-super-linear-backtracking',
  'regexp/no-super-linear-move',
];

it.each(['src/index.ts', 'src/node/readJsonLines.ts', 'examples/pipeline/main.ts', 'scripts/build.mjs'])(
  'the rules are on in %s',
  async (file) => {
    const { rules } = (await eslint.calculateConfigForFile(file)) as { rules: Record<string, [number, ...unknown[]]> };
    for (const rule of wanted) expect(rules[rule]?.[0], rule).toBe(2);
    const impliedEval = file.endsWith('.ts') ? '@typescript-eslint/no-implied-eval' : 'no-implied-eval';
    expect(rules[impliedEval]?.[0]).toBe(2);
  },
);

describe('a fault is found', () => {
  it.each([
    ['eval(text);', 'no-eval'],
    ['new Function(text);', 'no-new-func'],
    ['setTimeout("text", 1);', 'no-implied-eval'],
    ['/^(a+)+$/.test(text);', 'regexp/no-super-linear-backtracking'],
    ['/^(\\w+\\s?)*$/.test(text);', 'regexp/no-super-linear-backtracking'],
    ['text.replace(/\\s+$/, "");', 'regexp/no-super-linear-move'],
    ['new RegExp(text).test(text);', 'no-restricted-syntax'],
    ['RegExp("a").test(text);', 'no-restricted-syntax'],
    ['text.__proto__ = text;', 'no-restricted-syntax'],
  ])('%s', async (line, rule) => {
    const [result] = await eslint.lintText(`const text = process.argv[2];\n${line}\n`, {
      filePath: 'scripts/fault.mjs',
    });
    expect(result?.messages.map(({ ruleId }) => ruleId)).toContain(rule);
  });
});

it('nothing in src, examples and scripts asks to be let off', () => {
  const files = ['src', 'examples/pipeline', 'scripts']
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`))
    .filter((file) => /\.(ts|mjs)$/.test(file));
  expect(files.length).toBeGreaterThan(100);
  for (const file of files) {
    const disabled = readFileSync(file, 'utf8').match(/eslint-disable.*/g) ?? [];
    for (const rule of wanted) expect(disabled.join('\n'), file).not.toContain(rule);
    expect(
      disabled.filter((comment) => /eslint-disable(-next-line|-line)? *(\*\/)?$/.test(comment)),
      file,
    ).toEqual([]);
  }
});
