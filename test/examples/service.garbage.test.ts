import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { lines, RecordService } from '../support/RecordService.js';

vi.setConfig({ testTimeout: 60_000 }); // a bound for what hangs, not for what is slow

describe('a client that sends garbage', () => {
  const zipped = gzipSync(lines(1000));
  const gzip = { 'content-encoding': 'gzip' };
  const chunked = { 'transfer-encoding': 'chunked' }; // else its length is known before
  const broken = Buffer.from('{"id":1,"text":"\xff\xfe"}\n', 'latin1');

  it('gets the right answer, nothing is kept, and the service lives', async () => {
    const service = await RecordService.start('--max-bytes', '2000000', '--max-line', '1000');
    const answers: [
      what: string,
      status: number,
      error: string,
      body: string | Buffer,
      headers?: Record<string, string>,
      query?: string,
    ][] = [
      ['no JSON', 422, 'line 1: not JSON', 'hello\n'],
      ['a number', 422, 'line 1: not an object', '42\n'],
      ['an array', 422, 'line 2: not an object', '{}\n[]\n'],
      ['null', 422, 'line 1: not an object', 'null'],
      ['half a record', 422, 'line 1001: not JSON', `${lines(1000)}{"id":`],
      ['too deep', 422, 'line 1: deeper than 32', `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`],
      ['far too deep', 422, 'line 1: deeper than 32', `{"a":${'['.repeat(450)}${']'.repeat(450)}}`],
      ['a long line', 422, 'line 2: longer than 1000 bytes', `{}\n{"id":"${'x'.repeat(1000)}"}\n{}\n`],
      ['no UTF-8', 400, 'the body is not UTF-8', broken],
      ['no UTF-8, to be skipped', 400, 'the body is not UTF-8', broken, {}, '?onError=skip'],
      ['half a character', 400, 'the body is not UTF-8', Buffer.from('{"id":1}\n{"id":"é').subarray(0, -1)],
      [
        'noise',
        400,
        'the body is not UTF-8',
        Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * i * 7919) % 256)),
      ],
      ['UTF-16', 422, 'line 1: not JSON', Buffer.from('{"id":1}\n', 'utf16le')],
      ['too much', 413, 'the body is longer than 2000000 bytes', lines(2500, 'x'.repeat(900)), chunked],
      [
        'an endless line',
        413,
        'the body is longer than 2000000 bytes',
        'x'.repeat(2_000_001),
        chunked,
        '?onError=skip',
      ],
      ['no gzip', 400, 'the body is not gzip: incorrect header check', lines(1), gzip],
      ['half a gzip', 400, 'the body is not gzip: unexpected end of file', zipped.subarray(0, -10), gzip],
      ['a bomb', 413, 'the body is longer than 2000000 bytes', gzipSync(Buffer.alloc(50_000_000, '\n')), gzip],
      ['empty bombs', 413, 'the body is longer', Buffer.alloc(2_200_000, gzipSync('')), { ...gzip, ...chunked }],
      ['brotli', 415, 'the content-encoding must be gzip', 'anything', { 'content-encoding': 'br' }],
      ['a form', 415, 'the content-type must be', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }],
      ['one document', 415, 'the content-type must be', '{}', { 'content-type': 'application/json' }],
    ];
    for (const [what, status, error, body, headers = {}, query = ''] of answers) {
      const answer = await service.send(`/records/a${query}`, body, { headers }).catch(String);
      expect(answer, what).toMatchObject({ status, body: expect.stringContaining(`{"error":"${error}`) as string });
    }
    await service.isAtRest([]);
    expect(service.program.stderr.split('\n')).toHaveLength(2);
  });

  it('is answered before it has sent it all, and then no longer listened to', async () => {
    const service = await RecordService.start('--max-line', '1000');
    const upload = service.begin('/records/a');
    let ended = false;
    upload.request.on('error', () => {
      ended = true;
    });
    const answered = upload.answer.then(({ status, headers }) => ({ status, connection: headers.connection }));
    while (!ended && upload.request.socket?.destroyed !== true) {
      upload.request.write('x'.repeat(65_536)); // a line without an end
      await new Promise(setImmediate);
    }
    expect(await answered).toEqual({ status: 422, connection: 'close' });
    await service.isAtRest([]);
  });

  it.each([
    ['PUT', 422],
    ['POST', 409],
  ])('is answered also if it reads nothing before it has sent all: %s', async (method, status) => {
    const service = await RecordService.start('--max-line', '1000');
    await service.send('/records/a', lines(1));
    const socket = service.connect().pause();
    const headers = 'host: a\r\ncontent-type: application/x-ndjson\r\ncontent-length: 20000000\r\n\r\n';
    const failure = await new Promise((resolve) => {
      socket.write(`${method} /records/a HTTP/1.1\r\n${headers}${'x'.repeat(20_000_000)}`, resolve);
    });
    expect(failure).toBeFalsy();
    expect(await text(socket)).toMatch(`HTTP/1.1 ${status} `);
  });

  it('knows what is too long before it is sent', async () => {
    const service = await RecordService.start('--max-bytes', '100');
    const headers = { 'content-length': '101', expect: '100-continue' };
    const upload = service.begin('/records/a', { headers });
    let told = false;
    upload.request.on('continue', () => {
      told = true;
    });
    upload.request.flushHeaders();
    expect(await upload.answer).toMatchObject({ status: 413 });
    expect(told).toBe(false);

    const short = service.begin('/records/a', { headers: { ...headers, 'content-length': '9' } });
    short.request.flushHeaders();
    await new Promise((resolve) => short.request.on('continue', resolve));
    short.request.end('{"id":1}\n');
    expect(await short.answer).toMatchObject({ status: 201 });
  });

  it('instead of HTTP, too', async () => {
    const service = await RecordService.start();
    const put = 'PUT /records/a HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-ndjson\r\n';
    expect(await service.say('\u0016\u0003\u0001 hello\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
    expect(await service.say('GET / HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /); // no host
    expect(await service.say(`GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431 /,
    );
    expect(await service.say(`${put}content-length: many\r\n\r\n{}`)).toMatch(/^HTTP\/1.1 400 /);
    expect(await service.say(`${put}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\nnot a length\r\n`)).toMatch(
      /^HTTP\/1.1 400 /,
    );
    await service.isAtRest([]);
  });
});
