import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { lines, RecordService, soon } from '../support/RecordService.js';

vi.setConfig({ testTimeout: 60_000 }); // a bound for what hangs, not for what is slow

describe('a client that is fast', () => {
  it('has 100 000 records kept, in their order', async () => {
    const service = await RecordService.start();
    const body = lines(100_000, 'as fast as it goes');
    const start = performance.now();
    const answer = await service.send('/records/fast', body);
    const seconds = (performance.now() - start) / 1000;
    expect(JSON.parse(answer.body)).toMatchObject({ accepted: 100_000, rejected: 0, bytes: body.length });
    expect(service.read('fast').every(({ id }, index) => id === index)).toBe(true);
    expect(service.read('fast')).toHaveLength(100_000);
    console.log(`100 000 records in ${seconds.toFixed(1)} s: ${(100_000 / seconds).toFixed(0)}/s`);
    await service.isAtRest(['fast.jsonl']);
  });
});

describe('a client that goes', () => {
  it.runIf(existsSync('/proc/self/fd'))('leaves nothing behind, nor do 200', async () => {
    const service = await RecordService.start('--disk-delay', '1');
    const abort = async (size: number) => {
      const upload = service.begin(size % 2 === 0 ? '/records/a' : '/records/b?onError=skip');
      await upload.write(lines(size));
      upload.request.destroy();
      await upload.answer.catch(() => {});
    };
    await abort(10);
    await service.isAtRest([]);
    const before = service.descriptors.length;
    for (let round = 0; round < 8; round++)
      await Promise.all(Array.from({ length: 25 }, (_, size) => abort(round * 100 + size)));
    await service.isAtRest([]);
    // The connection that asks for the health is on its way out.
    await soon(() => {
      expect(service.descriptors.length).toBeLessThanOrEqual(before);
    });
    expect(await service.send('/records/a', lines(10))).toMatchObject({ status: 201 });
    expect(service.read('a')).toHaveLength(10);
    expect(service.program.stderr.split('\n')).toHaveLength(2); // it has told nobody but where it listens
  });

  it('while it has to wait leaves nothing either, once what it has sent is through', async () => {
    const service = await RecordService.start('--disk-delay', '30');
    const upload = service.begin('/records/a');
    void upload.write(lines(20_000, 'more than anybody has taken'));
    await soon(() => {
      expect(service.files).toHaveLength(1);
    });
    await sleep(50);
    upload.request.destroy();
    await service.isAtRest([]);
  });

  it('after it was refused, and has not read that, is no matter', async () => {
    const service = await RecordService.start();
    await service.send('/records/a', lines(1));
    for (let i = 0; i < 20; i++) {
      const upload = service.begin('/records/a', { method: 'POST' });
      void upload.write(lines(1000));
      await sleep(i);
      upload.request.destroy();
    }
    await service.isAtRest(['a.jsonl']);
  });

  it('in the middle of what it gets has the file closed', async () => {
    const service = await RecordService.start();
    writeFileSync(join(service.folder, 'a.jsonl'), lines(20_000, 'x'.repeat(1000)));
    const before = service.descriptors.length;
    for (let i = 0; i < 20; i++) {
      const socket = service.connect();
      socket.write('GET /records/a HTTP/1.1\r\nhost: a\r\n\r\n');
      await new Promise((resolve) => socket.once('data', resolve));
      socket.destroy();
    }
    await service.isAtRest(['a.jsonl']);
    await soon(() => {
      expect(service.descriptors.length).toBeLessThanOrEqual(before);
    });
  });
});

describe.skipIf(process.platform !== 'linux')('a client that wants nothing', () => {
  it('has the file closed all the same', async () => {
    const service = await RecordService.start();
    writeFileSync(join(service.folder, 'a.jsonl'), lines(1));
    const before = service.descriptors.length;
    for (let i = 0; i < 20; i++)
      expect(await service.get('/records/a?limit=0')).toMatchObject({ status: 200, body: '' });
    await soon(() => {
      expect(service.descriptors.length).toBeLessThanOrEqual(before);
    });
    expect(service.program.stderr.split('\n')).toHaveLength(2); // the collector of garbage has found none, either
  });
});

describe('a client that is slow', () => {
  const put = 'PUT /records/a HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-ndjson\r\ncontent-length: 1000\r\n';

  it('is given up: in its headers, in its body, and a byte now and then does not help', async () => {
    const service = await RecordService.start('--idle', '400');
    const drip = service.connect();
    drip.write(`${put}\r\n`);
    const timer = setInterval(() => {
      drip.write(' ');
    }, 50);
    const dripped = once(drip, 'data').then(String);
    const answers = await Promise.all([service.say(put), service.say(`${put}\r\n{"id":1}`), dripped]);
    clearInterval(timer);
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1.1 408 /);
    await service.isAtRest([]);
  });

  it('because we do not read is not given up', async () => {
    const service = await RecordService.start('--idle', '200', '--rate', '1000');
    const answer = await service.send('/records/a', lines(1500));
    expect(answer).toMatchObject({ status: 201 });
  });
});

describe('two clients', () => {
  // Linux has all of 127.0.0.0/8.
  const other = { localAddress: '127.0.0.2' };

  it.runIf(process.platform === 'linux')('have a rate each: one is slowed down, the other is not', async () => {
    const service = await RecordService.start('--rate', '1000');
    const done: string[] = [];
    const start = performance.now();
    const many = service.send('/records/many', lines(2900)).then(() => {
      done.push('many');
      return performance.now() - start;
    });
    await soon(async () => {
      expect((await service.health()).limiter.waiting).toBeGreaterThan(0);
    });
    await service.send('/records/few', lines(900), other).then(() => done.push('few'));
    expect(await many).toBeGreaterThan(1900); // 1000 at once, then 1000 in each second
    expect(done).toEqual(['few', 'many']);
    expect(service.read('many')).toHaveLength(2900);
    expect(service.read('few')).toHaveLength(900);
  });

  it.runIf(process.platform === 'linux')(
    'may begin so many uploads each, and are told when to come again',
    async () => {
      const service = await RecordService.start('--starts', '2');
      const send = (options = {}) =>
        service
          .send('/records/a', lines(1), options)
          .then(({ status, headers }) => ({ kept: status < 300, status, headers }));
      const first = await Promise.all(Array.from({ length: 10 }, () => send()));
      expect(first.some(({ kept }) => kept)).toBe(true);
      const refused = first.filter(({ kept }) => !kept);
      expect(refused).not.toEqual([]);
      for (const each of refused) expect(each).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
      expect(await send(other)).toMatchObject({ kept: true });
      await sleep(1000);
      expect(await send()).toMatchObject({ kept: true });
    },
  );
});
