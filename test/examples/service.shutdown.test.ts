import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { lines, RecordService, soon, type Upload } from '../support/RecordService.js';

vi.setConfig({ testTimeout: 60_000 }); // a bound for what hangs, not for what is slow

// On Windows nobody can send SIGTERM.
describe.skipIf(process.platform === 'win32')('a service that is told to stop', () => {
  /** An upload of which a half has come. */
  const halfWay = async (service: RecordService): Promise<Upload> => {
    const upload = service.begin('/records/a');
    await upload.write(lines(100));
    await soon(() => {
      expect(service.files).toHaveLength(1);
    });
    return upload;
  };

  const stop = async (service: RecordService) => {
    service.program.kill('SIGTERM');
    await service.program.says('SIGTERM: what runs is finished');
  };

  it('ends at once when nothing runs, although connections are open', async () => {
    const service = await RecordService.start('--drain', '60000');
    await service.send('/records/a', lines(10));
    await service.get('/records/a');
    const silent = service.connect();
    const idle = service.connect();
    idle.write('GET /health HTTP/1.1\r\nhost: a\r\n\r\n');
    await new Promise((resolve) => idle.once('data', resolve));
    service.program.kill('SIGTERM');
    const { code, ms } = await service.program.ended;
    expect(code).toBe(0);
    expect(ms).toBeLessThan(30_000);
    // Nothing of what had ended before.
    expect(service.program.stderr).toMatch(/to cut it off\nnode-service: stopped by SIGTERM cleanly/);
    silent.destroy();
  });

  it('finishes an upload that runs, turns later ones away, and ends with 0', async () => {
    const service = await RecordService.start('--drain', '60000');
    const upload = await halfWay(service);
    await stop(service);
    expect(await service.send('/records/b', lines(1))).toMatchObject({ status: 503, headers: { connection: 'close' } });
    expect(await service.get('/health')).toMatchObject({ status: 503 });
    await upload.write(lines(100));
    upload.request.end(lines(100));
    expect(await upload.answer).toMatchObject({ status: 201 });
    expect(await service.program.ended).toMatchObject({ code: 0, signal: null });
    expect(service.read('a')).toHaveLength(300);
    expect(service.files).toEqual(['a.jsonl']);
    expect(service.program.stderr).toMatch(/PUT \/records\/a: drained\n.*stopped by SIGTERM cleanly/);
  });

  it('finishes one that has come and is not yet on a slow disk', async () => {
    const service = await RecordService.start('--drain', '60000', '--disk-delay', '50');
    const upload = service.begin('/records/a');
    await upload.write(lines(1000, 'x'.repeat(1000)));
    upload.request.end();
    await soon(() => {
      expect(service.files).toHaveLength(1);
    });
    await stop(service);
    expect(await upload.answer).toMatchObject({ status: 201 });
    expect(await service.program.ended).toMatchObject({ code: 0 });
    expect(service.read('a')).toHaveLength(1000);
  });

  it('cuts it off when it is told twice, and leaves nothing of it', async () => {
    const service = await RecordService.start('--drain', '60000');
    const upload = await halfWay(service);
    await stop(service);
    await sleep(700); // sooner, it would be the same request
    service.program.kill('SIGTERM');
    expect(await upload.answer).toMatchObject({ status: 503, headers: { connection: 'close' } });
    expect(await service.program.ended).toMatchObject({ code: 143, signal: null });
    expect(service.files).toEqual([]);
    expect(service.program.stderr).toMatch(/PUT \/records\/a: aborted\n.*stopped by SIGTERM with losses/);
  });

  it('cuts it off when the time is over', async () => {
    const service = await RecordService.start('--drain', '300');
    const upload = await halfWay(service);
    service.program.kill('SIGTERM');
    expect(await upload.answer).toMatchObject({ status: 503 });
    expect(await service.program.ended).toMatchObject({ code: 143 });
    expect(service.files).toEqual([]);
  });

  it('cuts off who does not read, in the middle of it', async () => {
    const service = await RecordService.start('--drain', '300');
    writeFileSync(join(service.folder, 'a.jsonl'), lines(20_000, 'x'.repeat(1000)));
    const reader = service.connect();
    reader.write('GET /records/a HTTP/1.1\r\nhost: a\r\n\r\n');
    reader.once('readable', () => {});
    await soon(async () => {
      expect(await service.health()).toMatchObject({ downloads: 1 });
    });
    service.program.kill('SIGTERM');
    expect(await service.program.ended).toMatchObject({ code: 143 });
    expect(service.program.stderr).toContain('GET /records/a: aborted');
  });
});
