import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { lastValueFrom, toArray, type Observable } from 'rxjs';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import {
  bufferedMergeMap,
  JsonLineError,
  LineTooLongError,
  type InvalidLineError,
  type JsonLine,
} from '../../src/index.js';
import { readJsonLines } from '../../src/node/index.js';
import { collectUnhandled } from '../support/unhandled.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'readJsonLines-'));
  mkdirSync(join(folder, 'directory'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function fileOf(text: string | Uint8Array): string {
  const path = join(folder, 'file.jsonl');
  writeFileSync(path, text);
  return path;
}

const allOf = <T>(source: Observable<T>) => lastValueFrom(source.pipe(toArray()));

async function logOf(source: Observable<unknown>): Promise<unknown[]> {
  const log: unknown[] = [];
  await source.forEach((value) => log.push(value)).catch((error: unknown) => log.push(error));
  return log;
}

describe('readJsonLines', () => {
  collectUnhandled();

  it('gives the values of a file that is larger than a chunk', async () => {
    const values = Array.from({ length: 5000 }, (_, id) => ({ id, text: `${'ä😀'.repeat(id % 50)}\n` }));
    const path = fileOf(`\uFEFF${values.map((value) => JSON.stringify(value)).join('\r\n')}`);
    expect(await allOf(readJsonLines(path))).toEqual(values);
    expect(await allOf(readJsonLines(Buffer.from(path)))).toEqual(values);
    expect(await allOf(readJsonLines(pathToFileURL(path)))).toEqual(values);
    const slow = readJsonLines(path).pipe(bufferedMergeMap((value) => Promise.resolve(value), { concurrent: 1 }));
    expect(await allOf(slow)).toEqual(values);
  });

  it('gives nothing of an empty file', async () => {
    expect(await logOf(readJsonLines(fileOf('')))).toEqual([]);
    expect(await logOf(readJsonLines(fileOf('\uFEFF')))).toEqual([]);
  });

  it('errors for a missing file', async () => {
    const path = join(folder, 'missing.jsonl');
    const [error] = await logOf(readJsonLines(path));
    expect(error).toMatchObject({ code: 'ENOENT', path });
    expect((error as Error).message).toBe(`ENOENT: no such file or directory, open '${path}'`);
  });

  it('errors for a directory, and says which', async () => {
    const path = join(folder, 'directory');
    const [error] = await logOf(readJsonLines(path));
    expect(error).toMatchObject({
      code: 'EISDIR',
      path,
      message: `EISDIR: illegal operation on a directory, read '${path}'`,
    });
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a number', 3],
    ['an empty string', ''],
    ['a string with NUL', 'a\0b'],
    ['a web address', new URL('https://example.org/a.jsonl')],
  ])('refuses %s as a path at the call', (_, path) => {
    expect(() => readJsonLines(path as string)).toThrow(TypeError);
    if (path instanceof URL) return;
    expect(() => readJsonLines(path as string)).toThrow(/^path must be the path of a file, .*, got /);
  });

  it.each(['file:///orders.jsonl', 'FILE:///orders.jsonl'])('says what to pass instead of %s', (path) => {
    expect(() => readJsonLines(path)).toThrow(
      new TypeError(`path must be a URL object if it is a URL: pass new URL('${path}')`),
    );
  });

  it('takes the path of a folder that is called like the scheme of a URL', () => {
    expect(() => readJsonLines('backup/file://orders.jsonl')).not.toThrow();
  });

  it('refuses wrong options at the call', () => {
    expect(() => readJsonLines('a', 3 as never)).toThrow(new TypeError('options must be an object, got 3'));
    expect(() => readJsonLines('a', null as never)).toThrow(new TypeError('options must be an object, got null'));
    expect(() => readJsonLines('a', { onError: 'skip', onSkip: 1 as never })).toThrow(TypeError);
    expect(() => readJsonLines('a', { maxLineLength: -1 })).toThrow(RangeError);
  });

  it('names the file in the errors of lines', async () => {
    const path = fileOf('1\n\n{\n');
    const [, error] = await logOf(readJsonLines(path));
    expect(error).toBeInstanceOf(JsonLineError);
    expect(error).toMatchObject({ where: `parseJsonLines '${path}'`, line: 3, byteOffset: 3 });
    const [, unnamed] = await logOf(readJsonLines(path, { name: undefined } as never));
    expect(unnamed).toMatchObject({ where: `parseJsonLines '${path}'` });
    const [, named] = await logOf(readJsonLines(path, { name: 'orders' }));
    expect(named).toMatchObject({ where: "parseJsonLines 'orders'" });
  });

  it('takes what parseJsonLines takes', async () => {
    const path = fileOf(`1\n"${'x'.repeat(300_000)}"\n2\n?\n3`);
    const skipped: InvalidLineError[] = [];
    const onSkip = (error: InvalidLineError) => skipped.push(error);
    const values = readJsonLines<number>(path, { maxLineLength: 100_000, onError: 'skip', onSkip });
    expectTypeOf(values).toEqualTypeOf<Observable<number>>();
    expect(await allOf(values)).toEqual([1, 2, 3]);
    expect(skipped).toMatchObject([
      { line: 2, byteOffset: 2 },
      { line: 4, byteOffset: 300_007 },
    ]);
    expect(skipped[0]).toBeInstanceOf(LineTooLongError);
    const lines = readJsonLines<number>(path, { onError: 'emit' });
    expectTypeOf(lines).toEqualTypeOf<Observable<JsonLine<number>>>();
    expect((await allOf(lines)).map(({ ok, line }) => [ok, line])).toEqual(
      [true, true, true, false, true].map((ok, i) => [ok, i + 1]),
    );
  });
});
