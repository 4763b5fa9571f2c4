import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fromRxJS, toRxJS, type FromRxJS, type ToRxJS } from './bridges.js';

const page = readFileSync('docs/interop.md', 'utf8');

const inTable = (heading: string, rows: readonly (FromRxJS | ToRxJS)[]) =>
  [
    `| ${heading} | by | demand | values | clean-up | errors |`,
    '| --- | --- | --- | --- | --- | --- |',
    ...rows.map(
      ({ name, by, demand, values, stop, errors }) =>
        `| ${name} | ${by} | ${demand ? 'yes' : 'no'} | ${values} | ${stop} | ${errors} |`,
    ),
    '\n', // no row more
  ].join('\n');

/** As a table is written, whatever its columns are padded with. */
const unpadded = (text: string) => text.replace(/ +/g, ' ').replace(/-{3,}/g, '---');

describe('docs/interop.md', () => {
  it.each([
    ['from', toRxJS],
    ['to', fromRxJS],
  ])('has the table of what was found: %s', (heading, rows) => {
    expect(unpadded(page)).toContain(unpadded(inTable(heading, rows)));
  });

  const programs = readdirSync('test/interop').filter((name) => /^(angular|nest)(?!App)[A-Z]\w*\.ts$/.test(name));

  it('has the programs of Angular and NestJS', () => {
    expect(programs).toHaveLength(8);
  });

  it.each(programs)('%s is what is tested', (name) => {
    const program = readFileSync(`test/interop/${name}`, 'utf8')
      .replaceAll("'../../src/index.js'", "'rxjs-flow-control'")
      .replaceAll("'../../src/node/index.js'", "'rxjs-flow-control/node'");
    expect(page).toContain(`\`\`\`ts\n${program}\`\`\``);
  });
});
