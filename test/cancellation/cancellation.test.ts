import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { watch } from './measure.js';
import { native, ours, type Row } from './table.js';

const inTable = (rows: readonly Row[]) =>
  [
    '|  | torn down when | before the clean-up is over it | a scope below waits |',
    '| --- | --- | --- | --- |',
    ...rows.map(
      ({ name, when, meanwhile, reaches }) =>
        `| ${name} | ${when} | ${meanwhile === 'nothing' ? 'does nothing' : meanwhile} | ${reaches ? 'yes' : 'no'} |`,
    ),
  ].join('\n');

/** As a table is written, whatever its columns are padded with. */
const unpadded = (text: string) => text.replace(/ +/g, ' ').replace(/-{3,}/g, '---');

describe.each([
  ['RxJS', native],
  ['this package', ours],
])('who waits for clean-up: %s', (_, rows) => {
  it.each(rows.map((row) => [`${row.name}, when ${row.when}`, row] as const))('%s', (__, row) => {
    expect(watch(row)).toEqual({ told: true, meanwhile: row.meanwhile, reaches: row.reaches });
  });

  it('is told in docs/cancellation.md', () => {
    expect(unpadded(readFileSync('docs/cancellation.md', 'utf8'))).toContain(unpadded(inTable(rows)));
  });
});

describe('the recipes in docs/cancellation.md', () => {
  it.each(['drainHttpServer', 'nestShutdown', 'stopWhenDestroyed'])('%s is what is tested', (name) => {
    const recipe = readFileSync(`test/recipes/${name}.ts`, 'utf8');
    const [, code = ''] = /^(?:import .*\n)*\n([^]*)$/.exec(recipe) ?? [];
    expect(code).not.toBe('');
    expect(readFileSync('docs/cancellation.md', 'utf8')).toContain(code);
  });
});
