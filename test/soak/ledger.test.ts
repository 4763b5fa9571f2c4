import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Ledger } from '../../soak/Ledger.mjs';
import { Records } from '../../soak/records.mjs';

// What the soak would say, if the example were wrong.

const count = 400;
const records = new Records(1, 1, count);
const ids = Array.from({ length: count }, (_, id) => id);
const bad = ids.filter((id) => records.setAside(id) !== undefined);

let folder: string;
let files: { out: string; rejected: string };
let ledger: Ledger;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ledger-'));
  files = { out: join(folder, 'out.jsonl'), rejected: join(folder, 'rejected.jsonl') };
  ledger = new Ledger(records, files);
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Puts records where they belong. */
function write(...which: number[]) {
  for (const id of which) {
    const line = records.located(id);
    if (line === undefined) appendFileSync(files.rejected, `${String(records.setAside(id))}\n`);
    else appendFileSync(files.out, `${line}\n`);
  }
}

const clean = { missing: [], doubled: [], wrong: [] };

describe('a ledger', () => {
  it('finds each record where it belongs, in any order', () => {
    write(...[...ids].reverse());
    expect(bad.length).toBeGreaterThan(0);
    expect(ledger.read(0, count)).toEqual({ ...clean, located: count - bad.length, setAside: bad.length });
  });

  it('misses what is not there, good or bad', () => {
    const [someBad = NaN] = bad;
    write(...ids.filter((id) => id !== 17 && id !== someBad));
    expect(ledger.read(0, count).missing).toEqual([17, someBad].sort((a, b) => a - b));
  });

  it('sees what is there twice, also from another run', () => {
    write(0, 1, 2, 1);
    expect(ledger.read(0, 3)).toMatchObject({ ...clean, doubled: [1] });
    ledger.accept();
    write(3, 2);
    expect(ledger.read(3, 4)).toMatchObject({ ...clean, doubled: [2] });
  });

  it('does not take a record that was not read, one that is changed, nor what is none', () => {
    write(0, 1);
    const lines = [
      records.located(0)?.replace('Xyz', 'xyz'),
      records.located(2)?.replace(/"geohash":"\w+"/, '"geohash":"3"'),
    ];
    appendFileSync(files.out, `${lines.join('\n')}\n\n{"id"\n{}\n`);
    const { wrong } = ledger.read(0, 1);
    expect(wrong).toEqual([records.located(1), ...lines, '', '{"id"', '{}']);
  });

  it('does not take a good record that was set aside, nor a bad one with another line or reason', () => {
    const [first = NaN, second = NaN] = bad;
    const lines = [
      '{"line":1,"reason":"bad"}',
      records.setAside(first)?.replace(/"line":\d+/, '"line":999'),
      records.setAside(second)?.replace('"reason":"', '"reason":"not '),
    ];
    appendFileSync(files.rejected, `${lines.join('\n')}\n`);
    expect(ledger.read(0, count)).toMatchObject({ setAside: 0, wrong: lines });
  });

  it('takes a line that is cut off only from a run that has failed', () => {
    write(0);
    appendFileSync(files.out, '{"id":');
    expect(ledger.read(0, 1, { mayBeCut: true })).toMatchObject(clean);
    ledger.undo(0);
    write(0);
    appendFileSync(files.out, '{"id":');
    expect(ledger.read(0, 1)).toMatchObject({ ...clean, wrong: ['{"id": (cut off)'] });
  });

  it('undoes a run, and only that', () => {
    write(0, 1);
    ledger.read(0, 2);
    ledger.accept();
    const before = readFileSync(files.out, 'utf8');
    write(2, 3);
    ledger.read(2, 4);
    ledger.undo(2);
    expect(readFileSync(files.out, 'utf8')).toBe(before);
    write(2, 3);
    expect(ledger.read(2, 4)).toMatchObject({ ...clean, located: 2 });
    ledger.forget();
    expect(ledger.read(0, 5)).toMatchObject({ located: 4, missing: [4], doubled: [], wrong: [] });
  });
});
