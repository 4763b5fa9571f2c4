import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { FileStore } from '../../examples/node-service/FileStore.js';
import { lines, RecordService, soon } from '../support/RecordService.js';

// The compiled service in a process of its own. `npm test` builds it first.
vi.setConfig({ testTimeout: 60_000 }); // a bound for what hangs, not for what is slow

const run = promisify(execFile);
const main = 'examples/dist/node-service/main.js';
const bad = '{"id":1}\n{"id":\n\n42\n{"id":2}\n';

let service: RecordService;

beforeAll(async () => {
  service = await RecordService.startFor();
});

afterEach(() => {
  for (const file of service.files) rmSync(join(service.folder, file));
});

afterAll(() => service.stop());

describe('an upload', () => {
  it('is kept, with what was found out of each record, and given back', async () => {
    const body = '{"id":1}\r\n\n{"id":2,"name":"Zoë"}'; // no line feed at its end
    const { status, body: summary } = await service.send('/records/a', body);
    expect(status).toBe(201);
    expect(JSON.parse(summary)).toEqual({
      ...{ name: 'a', accepted: 2, rejected: 0, bytes: Buffer.byteLength(body), rejections: [] },
    });
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
    const records = [
      { id: 1, sha256: sha256('{"id":1}') },
      { id: 2, name: 'Zoë', sha256: sha256('{"id":2,"name":"Zoë"}') },
    ];
    expect(service.read('a')).toEqual(records);
    const back = await service.get('/records/a');
    expect(back).toMatchObject({ status: 200, headers: { 'content-type': 'application/x-ndjson' } });
    expect(back.body).toBe(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    expect((await service.get('/records/a?limit=1')).body).toBe(`${JSON.stringify(records[0])}\n`);
    expect((await service.get('/records/a?limit=0')).body).toBe('');
    await service.isAtRest(['a.jsonl']);
  });

  it('replaces the one before as a PUT, and not as a POST', async () => {
    expect(await service.send('/records/a', lines(1), { method: 'POST' })).toMatchObject({ status: 201 });
    const second = await service.send('/records/a', lines(2), { method: 'POST' });
    expect(second).toMatchObject({ status: 409, body: '{"error":"there is a a already; PUT would replace it"}\n' });
    const early = service.begin('/records/a', { method: 'POST' });
    void early.write(lines(1)); // and no more
    expect(await early.answer).toMatchObject({ status: 409 });
    expect(service.read('a')).toHaveLength(1);
    expect(await service.send('/records/a', lines(3))).toMatchObject({ status: 200 });
    expect(service.read('a')).toHaveLength(3);
    await service.isAtRest(['a.jsonl']);
  });

  it('is seen by nobody before it is whole, and by one POST where two have the same name', async () => {
    const uploads = ['POST', 'POST'].map((method) => service.begin('/records/a', { method }));
    for (const upload of uploads) await upload.write(lines(1));
    await soon(() => {
      expect(service.files).toEqual([expect.stringMatching(/\.part$/), expect.stringMatching(/\.part$/)]);
    });
    expect(await service.get('/records/a')).toMatchObject({ status: 404 });
    for (const { request } of uploads) request.end(lines(1));
    const answers = await Promise.all(uploads.map(({ answer }) => answer));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    await service.isAtRest(['a.jsonl']);
  });

  it('fails at the first line that is no record, or leaves such lines out, as it is asked to', async () => {
    const failed = await service.send('/records/a', bad);
    expect(failed).toMatchObject({ status: 422 });
    expect(failed.body).toMatch(/^\{"error":"line 2: not JSON: /);
    await service.isAtRest([]);

    const skipped = await service.send('/records/a?onError=skip', bad);
    expect(skipped).toMatchObject({ status: 201 });
    expect(JSON.parse(skipped.body)).toMatchObject({
      ...{ accepted: 2, rejected: 2 },
      rejections: [
        { line: 2, reason: expect.stringContaining('not JSON: ') as string },
        { line: 4, reason: 'not an object' },
      ],
    });
    expect(service.read('a').map(({ id }) => id)).toEqual([1, 2]);
    expect(await service.send('/records/a?onError=maybe', bad)).toMatchObject({ status: 400 });
  });

  it('counts all lines that it leaves out, and tells the first 100', async () => {
    const { body } = await service.send('/records/a?onError=skip', 'no\n'.repeat(5000));
    const { accepted, rejected, rejections } = JSON.parse(body) as Record<string, unknown>;
    expect({ accepted, rejected }).toEqual({ accepted: 0, rejected: 5000 });
    expect(rejections).toHaveLength(100);
  });

  it('cannot give anything another prototype', async () => {
    const body = [
      ...['{"id":1,"__proto__":{"polluted":true}}', '{"id":2,"in":[{"__proto__":{"polluted":true}}]}'],
      ...['{"id":3,"constructor":{"prototype":{"polluted":true}}}', '{"id":4,"toString":null,"toJSON":5}'],
    ].join('\n');
    const { body: summary } = await service.send('/records/a?onError=skip', body);
    expect(JSON.parse(summary)).toMatchObject({
      rejections: [
        { line: 1, reason: 'has a key __proto__' },
        { line: 2, reason: 'has a key __proto__' },
      ],
    });
    const kept: object[] = [
      { id: 3, constructor: { prototype: { polluted: true } } },
      { id: 4, toString: null, toJSON: 5 },
    ];
    expect(service.read('a')).toMatchObject(kept);
    expect(await service.health()).not.toHaveProperty('polluted');
  });

  it('may be packed', async () => {
    const answer = await service.send('/records/a', gzipSync(lines(1000)), { headers: { 'content-encoding': 'gzip' } });
    expect(JSON.parse(answer.body)).toMatchObject({ accepted: 1000, bytes: lines(1000).length });
    expect(service.read('a')).toHaveLength(1000);
  });

  it('may be empty', async () => {
    expect(await service.send('/records/a', '')).toMatchObject({ status: 201 });
    expect((await service.get('/records/a')).body).toBe('');
  });
});

it.each([
  ['GET', '/', 404],
  ['GET', '/records', 404],
  ['GET', '/records/', 404],
  ['GET', '/records/none', 404],
  ['GET', '/records/none/more', 404],
  ['GET', '/records/.none.part', 400],
  ['GET', '/records/..%2Fpackage.json', 400],
  ['PUT', '/records/../../up', 404],
  ['GET', `/records/${'a'.repeat(65)}`, 400],
  ['GET', '/records/a?limit=-1', 400],
  ['GET', '//', 400],
  ['DELETE', '/records/none', 405],
  ['POST', '/health', 404],
])('%s %s is %i', async (method, path, status) => {
  const answer = await service.get(path, method);
  expect(answer.status).toBe(status);
  expect(JSON.parse(answer.body)).toEqual({ error: expect.any(String) as string });
  if (status === 405) expect(answer.headers.allow).toBe('GET, PUT, POST');
});

it('closes and removes a draft that nobody has written to', async () => {
  const store = await FileStore.in(service.folder, 0);
  const draft = await store.create('a', { replace: true });
  expect(service.files).toEqual([expect.stringMatching(/^\.a\..+\.part$/)]);
  await draft.discard();
  expect(service.files).toEqual([]);
  expect(draft.stream.closed).toBe(true);
});

it('sweeps up after a service that was killed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'record-service-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  writeFileSync(join(folder, '.a.1234.part'), '{"id":1}\n{"i');
  writeFileSync(join(folder, 'b.jsonl'), '{"id":2}\n');
  const second = await RecordService.start('--dir', folder);
  expect(await second.get('/records/b')).toMatchObject({ body: '{"id":2}\n' });
  expect(readdirSync(folder)).toEqual(['b.jsonl']);
});

it('leaves alone what another one writes that runs already, and that it was started beside by mistake', async () => {
  const upload = service.begin('/records/a');
  await upload.write(lines(1));
  await soon(() => {
    expect(service.files).toHaveLength(1);
  });
  const args = [main, '--port', String(service.port), '--dir', service.folder];
  await expect(run(process.execPath, args)).rejects.toMatchObject({ code: 2 });
  upload.request.end(lines(1));
  expect(await upload.answer).toMatchObject({ status: 201 });
  expect(service.read('a')).toHaveLength(2);
});

describe('what cannot be done', () => {
  it.each([
    [['--fast'], "Unknown option '--fast'"],
    [['--port', '70000'], "--port must be an integer from 0 to 65535, got '70000'"],
    [['--rate', '1e3'], "--rate must be an integer from 1 to 2147483647, got '1e3'"],
  ])('refuses %j in one line, and says how it is used', async (args, message) => {
    const failed = await run(process.execPath, [main, ...args]).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 2, stdout: '' });
    expect((failed as { stderr: string }).stderr).toMatch(`node-service: ${message}\n\nUsage: `);
  });

  it('says why it cannot listen', async () => {
    const { port, folder } = service;
    const failed = await run(process.execPath, [main, '--port', String(port), '--dir', folder]).catch(
      (error: unknown) => error,
    );
    expect(failed).toMatchObject({ code: 2, stderr: expect.stringContaining('EADDRINUSE') as string });
  });
});

it('does what its README shows', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'readme-'));
  onTestFinished(() => {
    rmSync(cwd, { recursive: true });
  });
  const readme = readFileSync('examples/node-service/README.md', 'utf8');
  const transcripts = [...readme.matchAll(/^```console\n([\s\S]*?)^```/gm)].map(([, text = '']) => text);
  const steps = transcripts.flatMap((text) => text.split(/^\$ /m).slice(1));
  expect(steps.length).toBeGreaterThan(4);
  for (const step of steps) {
    const [command = '', ...output] = step.split(/(?<!\\)\n/);
    const { stdout } = await run('bash', ['-c', command.replaceAll(':8080', `:${String(service.port)}`)], { cwd });
    expect(stdout, command).toBe(output.join('\n'));
  }
});
