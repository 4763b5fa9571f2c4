import { spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

// The compiled program in a process of its own, as `npm start` runs it. `npm test` builds it first.
vi.setConfig({ testTimeout: 60_000 }); // a bound for what hangs, not for what is slow

const json = JSON.stringify;

const paris = { name: 'Paris', lat: 48.85341, lng: 2.3488 };
const bergen = { name: 'Bergen', lat: 60.39299, lng: 5.32415 };

let folder: string;
let out: string;
let rejected: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pipeline-'));
  out = join(folder, 'out.jsonl');
  rejected = join(folder, 'out.rejected.jsonl');
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('what goes in and what comes out', () => {
  it('enriches cities, each once, and reports what it did', async () => {
    const { code, stderr } = await run('--records', '500', '--out', out, '--failures', '0.02');

    expect(code).toBe(0);
    expect(new Set(linesOf(out).map((city) => json(city))).size).toBe(500);
    expect(linesOf(out)).toContainEqual({
      ...{ name: 'Vila', country: 'AD', admin1: '03', lat: 42.53176, lng: 1.56654 },
      place: { utm: '31T', geohash: 'sp91gws', solarOffset: 6 },
    });
    const report = reportIn(stderr);
    expect(report).toMatchObject({ 'records in': 500, 'records out': 500, 'bad records': 0, dropped: 0 });
    expect(report['most that waited']).toBe(64);
    expect(report['retries']).toBeGreaterThan(0);
  });

  it('sets bad records aside, with line number and reason', async () => {
    const input = write(`${json(paris)}\n{"name":\n\n${json(bergen)}\n{"name":"Nowhere"}\n42\n{"lat":91,"lng":0}\n`);
    const { code, stderr } = await run(input, '--out', out);

    expect(code).toBe(0);
    expect(linesOf(out)).toHaveLength(2);
    expect(linesOf(out)).toContainEqual({ ...bergen, place: { utm: '32V', geohash: 'u4ez94h', solarOffset: 21 } });
    const reasons = new Map(linesOf(rejected).map(({ line, reason }) => [line, reason]));
    expect([...reasons.keys()].sort()).toEqual([2, 5, 6, 7]);
    expect(reasons.get(2)).toContain('JSON');
    expect(reasons.get(5)).toContain('got lat undefined, lng undefined');
    expect(reasons.get(7)).toContain('got lat 91, lng 0');
    expect(reportIn(stderr)).toMatchObject({ 'records in': 6, 'records out': 2, 'bad records': 4, dropped: 0 });
  });

  it('reads standard input and writes to standard output', async () => {
    const program = start('-', '--out', '-', '--rejected', rejected);
    program.stdin.end(`${json(paris)}\r\n${json(bergen)}`);
    const { code, stdout, stderr } = await outcomeOf(program);

    expect(code).toBe(0);
    expect(
      parsed(stdout)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['Bergen', 'Paris']);
    expect(reportIn(stderr)).toMatchObject({ 'records in': 2, 'records out': 2 });
  });

  it('makes nothing of nothing', async () => {
    const { code, stderr } = await run(write(''), '--out', out);

    expect(code).toBe(0);
    expect(readFileSync(out, 'utf8')).toBe('');
    expect(reportIn(stderr)).toMatchObject({ 'records in': 0, 'records out': 0, dropped: 0 });
  });
});

describe('what cannot be done', () => {
  it.each([
    ['a path that does not exist', ['nowhere.jsonl'], 'cannot read nowhere.jsonl: no such file or directory'],
    ['a directory', ['src'], 'cannot read src: is a directory'],
    ['an output in no folder', ['--out', 'nowhere/out'], 'cannot write nowhere/out: no such file or directory'],
  ])('refuses %s in one line', async (_, args, message) => {
    const { code, stdout, stderr } = await run(...args);

    expect(stderr).toBe(`pipeline: ${message}\n`);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  it.each([
    [['--fast'], "Unknown option '--fast'"],
    [['--records'], "Option '--records <value>' argument missing"],
    [['--records', '1e3'], "--records must be a positive integer, got '1e3'"],
    [['--service', 'https://a'], "--service must begin with http://, got 'https://a'"],
    [['--failures', '2'], "--failures must be a number from 0 to 1, got '2'"],
    [['a.jsonl', 'b.jsonl'], 'expected one file, got a.jsonl, b.jsonl'],
  ])('refuses %j in one line, and says how it is used', async (args, message) => {
    const { code, stdout, stderr } = await run(...args);

    expect(stderr.split('\n', 3)).toEqual([`pipeline: ${message}`, '', expect.stringContaining('Usage: ')]);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  it('does not write over its input', async () => {
    const input = write(json(paris));
    const { code, stderr } = await run(input, '--out', join(folder, '.', 'input.jsonl'));

    expect(stderr).toContain('the same file');
    expect(code).toBe(2);
    expect(readFileSync(input, 'utf8')).toBe(json(paris));
  });

  it('leaves the output alone if the input is missing', async () => {
    writeFileSync(out, 'precious');
    const { code } = await run('nowhere.jsonl', '--out', out);

    expect(code).toBe(2);
    expect(readFileSync(out, 'utf8')).toBe('precious');
  });

  it('fails if the service does not recover, and says how much is missing', async () => {
    const { code, stderr } = await run('--records', '100', '--out', out, '--failures', '1');

    expect(code).toBe(1);
    expect(stderr).toContain('pipeline: the service answered 503');
    expect(reportIn(stderr)).toMatchObject({ 'records in': 80, 'records out': 0, 'bad records': 0, dropped: 80 });
  });

  it.runIf(existsSync('/dev/full'))('fails if the side file cannot be written', async () => {
    const { code, stderr } = await run(write('no JSON\n'), '--out', out, '--rejected', '/dev/full');

    expect(code).toBe(1);
    expect(stderr).toMatch(/pipeline: ENOSPC.*\n$/);
    expect(reportIn(stderr)).toMatchObject({ 'records in': 1, 'bad records': 0, dropped: 1 });
  });

  it('ends when nobody reads its output any more', async () => {
    const program = start('--out', '-', '--rejected', rejected);
    await once(program.stdout, 'data');
    program.stdout.destroy();
    await said(program, 'pipeline: nobody reads the output any more\n');
    const code = await exitCodeOf(program);

    expect(code).toBe(141);
  });
});

describe('a service that fails', () => {
  const place = json({ utm: '31U', geohash: 'u09tvw0', solarOffset: 9 });

  it('is asked again when it does not answer', async () => {
    const service = await serve(
      () => undefined,
      (_, response) => response.write(place.slice(0, 9)),
      (_, response) => response.writeHead(503).write('half an'),
      (_, response) => response.end(place),
    );
    const { code, stderr } = await run(write(json(paris)), '--out', out, '--service', service, '--timeout', '100');

    expect(code).toBe(0);
    expect(linesOf(out)).toEqual([{ ...paris, place: JSON.parse(place) as object }]);
    expect(reportIn(stderr)).toMatchObject({ 'records out': 1, retries: 3 });
  });

  it('is at fault, and not the record, when it answers 429', async () => {
    const service = await serve(
      (_, response) => response.writeHead(429, { 'retry-after': '0' }).end('{}'),
      (_, response) => response.end(place),
    );
    const { code, stderr } = await run(write(json(paris)), '--out', out, '--service', service);

    expect(code).toBe(0);
    expect(reportIn(stderr)).toMatchObject({ 'records out': 1, 'bad records': 0, retries: 1 });
  });

  it('is left alone for as long as it says, whatever else it says', async () => {
    const times: number[] = [];
    const service = await serve(
      (_, response) => {
        times.push(performance.now());
        response.writeHead(502, { 'retry-after': '1' }).end('<h1>Bad Gateway</h1>');
      },
      (_, response) => {
        times.push(performance.now());
        response.end(place);
      },
    );
    const { code } = await run(write(json(paris)), '--out', out, '--service', service);

    expect(code).toBe(0);
    const [failed = NaN, asked = NaN] = times;
    expect(asked - failed).toBeGreaterThan(990); // a timer may be a little early
  });
});

describe('a signal', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s: finishes what has been read, and exits with %i', async (signal, exitCode) => {
    const program = start('--out', out);
    while (!statSync(out, { throwIfNoEntry: false })?.size) await sleep(20);
    program.kill(signal);
    await sleep(20);
    program.kill(signal); // as under npm, which passes on what the terminal has sent already
    const { code, stderr } = await outcomeOf(program);

    expect(code).toBe(exitCode);
    const report = reportIn(stderr);
    expect(report['records in']).toBeLessThan(100_000);
    expect(report).toMatchObject({ 'records out': report['records in'], 'bad records': 0, dropped: 0 });
    expect(readFileSync(out, 'utf8')).toMatch(/\}\n$/);
    expect(linesOf(out)).toHaveLength(report['records out'] ?? NaN);
  });

  it('leaves off where another run can go on', async () => {
    const cities = Array.from(
      { length: 2000 },
      (_, id) => `${json({ ...paris, id, ...(id % 100 === 7 && { lat: 91 }) })}\n\n`,
    );
    const input = write(cities.join(''));
    const program = start(input, '--out', out, '--rate', '200'); // so that it takes 10 s
    while (!statSync(out, { throwIfNoEntry: false })?.size) await sleep(5);
    program.kill('SIGTERM');
    const { code, stderr } = await outcomeOf(program);
    expect(code).toBe(143);
    const { 'records in': read = NaN } = reportIn(stderr);
    expect(read).toBeLessThan(2000);
    expect(stderr).toContain(`pipeline: --skip ${read} goes on from here\n`);

    const rest = await run(input, '--out', out, '--skip', String(read));

    expect(rest.code).toBe(0);
    expect(reportIn(rest.stderr)).toMatchObject({ 'records in': 2000 - read, dropped: 0 });
    const bad = linesOf(rejected).map(({ line }) => ((line as number) - 1) / 2);
    expect(bad.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => 100 * i + 7));
    const ids = [...linesOf(out).map(({ id }) => id as number), ...bad];
    expect(ids.sort((a, b) => a - b)).toEqual(cities.map((_, id) => id));
  });

  it('says how to go on with the rest of what was asked for', async () => {
    const input = write(`${json(paris)}\n`.repeat(2000));
    const program = start(input, '--out', out, '--records', '1900', '--rate', '200');
    while (!statSync(out, { throwIfNoEntry: false })?.size) await sleep(5);
    program.kill('SIGTERM');
    const { stderr } = await outcomeOf(program);
    const { 'records in': read = NaN } = reportIn(stderr);
    expect(stderr).toContain(`pipeline: --skip ${read} --records ${1900 - read} goes on from here\n`);
  });

  it('says nothing of that where it has read nothing', async () => {
    const program = start('-', '--out', out);
    await said(program, ' in, ');
    program.kill('SIGTERM');
    const { code, stderr } = await outcomeOf(program);
    expect(code).toBe(143);
    expect(reportIn(stderr)).toMatchObject({ 'records in': 0 });
    expect(stderr).not.toContain('goes on');
  });

  it('exits at once on the second', async () => {
    const large = json({ ...paris, history: 'x'.repeat(500_000) });
    const program = start(write(`${large}\n${large}\n`), '--out', '-', '--rejected', rejected);
    await once(program.stdout, 'readable'); // nobody reads more of it, so it is never finished
    program.kill('SIGINT');
    await said(program, 'stopping');
    await sleep(700); // sooner, it would be the same request
    program.kill('SIGINT');
    const code = await exitCodeOf(program);

    expect(code).toBe(130);
  });
});

const run = (...args: string[]) => outcomeOf(start(...args));

const start = (...args: string[]) => spawn(process.execPath, ['examples/dist/pipeline/main.js', ...args]);

type Program = ReturnType<typeof start>;

async function outcomeOf(program: Program) {
  const [stdout, stderr] = [text(program.stdout), text(program.stderr)];
  return { code: await exitCodeOf(program), stdout: await stdout, stderr: await stderr };
}

async function exitCodeOf(program: Program) {
  const [code] = (await once(program, 'exit')) as [number | null];
  return code;
}

async function said(program: Program, words: string) {
  for await (const chunk of on(program.stderr, 'data')) if (String(chunk).includes(words)) return;
}

/** Starts a service that answers so the first time, so the second ... */
async function serve(...answers: RequestListener[]): Promise<string> {
  const server = createServer((request, response) => answers.shift()?.(request, response)).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function write(content: string): string {
  const path = join(folder, 'input.jsonl');
  writeFileSync(path, content);
  return path;
}

type Line = Record<string, unknown>;

const linesOf = (path: string) => parsed(readFileSync(path, 'utf8'));

const parsed = (content: string) =>
  content
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);

/** The figures of the table. */
function reportIn(stderr: string): Record<string, number> {
  const rows = stderr.matchAll(/│ (\w[\w ]*\w) +│ +([\d,.]+)/g);
  return Object.fromEntries(
    Array.from(rows, ([, name = '', figure = '']) => [name, Number(figure.replaceAll(',', ''))]),
  );
}
