import { readFileSync, readdirSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { lines, RecordService, soon, type Upload } from '../support/RecordService.js';

vi.setConfig({ testTimeout: 60_000 }); // a bound for what hangs, not for what is slow

const mega = 1_000_000;
const count = 200_000;
/** All lines have the same length, what is written of them too. */
const lineOf = (id: number) => `${JSON.stringify({ id: count + id, text: 'x'.repeat(1000) })}\n`;
const lineLength = lineOf(0).length;
const writtenLength = lineLength + ',"sha256":""'.length + 64;

/** Offers 200 MB, as fast as they are taken. */
function offer({ request }: Upload): void {
  let id = 0;
  const write = () => {
    while (id < count) {
      const chunk = Array.from({ length: 64 }, () => lineOf(id++)).join('');
      if (!request.write(chunk)) return;
    }
    request.end();
  };
  request.on('drain', write);
  write();
}

/** What the system has taken of what is sent: it waits in the sockets, or with the service. */
const acceptedOf = ({ request: { socket } }: Upload) => (socket ? socket.bytesWritten - socket.writableLength : 0);

const draftOf = (service: RecordService) => service.files.find((name) => name.endsWith('.part'));

/** Of what has been sent, so much is on the disk. */
function keptOf(service: RecordService): number {
  const draft = draftOf(service);
  return draft === undefined ? 0 : (statSync(join(service.folder, draft)).size / writtenLength) * lineLength;
}

describe('the pace of a client', () => {
  it('is that of the disk', async () => {
    const service = await RecordService.start('--disk-delay', '20', '--rate', '10000000');
    await service.send('/records/warm', lines(1000, 'x'.repeat(1000)));
    const before = await service.health();
    const upload = service.begin('/records/a', { headers: { 'content-length': count * lineLength } });
    offer(upload);
    let ahead = 0;
    while (keptOf(service) < 3 * mega) {
      ahead = Math.max(ahead, acceptedOf(upload) - keptOf(service));
      await sleep(20);
    }
    const accepted = acceptedOf(upload);
    const after = await service.health();
    const growth = after.memory.rss - before.memory.rss;
    console.log(
      `slow disk: ${inMega(accepted)} of ${inMega(count * lineLength)} accepted, at most ${inMega(ahead)} ahead of the disk, ` +
        `memory of the service ${growth < 0 ? '' : '+'}${inMega(growth)}`,
    );
    expect(ahead).toBeGreaterThan(0);
    expect(ahead).toBeLessThan(16 * mega); // nearly all of it in the buffers of the two sockets
    expect(accepted).toBeLessThan(24 * mega);
    expect(growth).toBeLessThan(100 * mega);
    upload.request.destroy();
    await service.isAtRest(['warm.jsonl']);
  });

  it('is none where the disk is stuck', async () => {
    const service = await RecordService.start('--disk-delay', '600000');
    const upload = service.begin('/records/a', { headers: { 'content-length': count * lineLength } });
    offer(upload);
    const accepted = await settled(() => acceptedOf(upload));
    console.log(`stuck disk: ${inMega(accepted)} of ${inMega(count * lineLength)} accepted`);
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(16 * mega);
    expect(await service.health()).toMatchObject({ uploads: 1 });
  });
});

it('a disk that is full is told of, and nothing is kept', async () => {
  const service = await RecordService.startLimited(100);
  const answer = await service.send('/records/a', lines(1000, 'x'.repeat(1000)));
  expect(answer).toMatchObject({ status: 507, body: '{"error":"the disk is full"}\n' });
  await service.isAtRest([]);
  expect(await service.send('/records/a', lines(10))).toMatchObject({ status: 201 });
});

it('reads a file at the pace of who has asked for it, and leaves one who does not read', async () => {
  const service = await RecordService.start('--idle', '1000');
  writeFileSync(join(service.folder, 'big.jsonl'), lineOf(0).repeat(100_000));
  const socket = service.connect();
  socket.write('GET /records/big HTTP/1.1\r\nhost: a\r\n\r\n');
  socket.once('readable', () => {}); // it takes what one read takes, and no more
  await soon(() => {
    expect(positionOf(service, 'big.jsonl')).toBeGreaterThan(0);
  });
  const read = await settled(() => positionOf(service, 'big.jsonl') ?? NaN);
  console.log(`slow reader: ${inMega(read)} of ${inMega(100_000 * lineLength)} read from the disk`);
  expect(read).toBeLessThan(16 * mega);
  await service.isAtRest(['big.jsonl']);
  expect(positionOf(service, 'big.jsonl')).toBeUndefined();
});

/** How far the service has read a file that it has open; Linux knows. */
function positionOf(service: RecordService, name: string): number | undefined {
  const process = `/proc/${String(service.program.child.pid)}`;
  const path = join(service.folder, name);
  for (const descriptor of readdirSync(`${process}/fd`)) {
    try {
      if (readlinkSync(`${process}/fd/${descriptor}`) !== path) continue;
      return Number(/^pos:\s+(\d+)$/m.exec(readFileSync(`${process}/fdinfo/${descriptor}`, 'utf8'))?.[1]);
    } catch {
      // It has been closed meanwhile.
    }
  }
  return undefined;
}

/** A figure that has not changed for a while. */
async function settled(figure: () => number): Promise<number> {
  for (let before = NaN, same = 0; ; before = figure()) {
    await sleep(40);
    same = figure() === before && before > 0 ? same + 1 : 0;
    if (same === 10) return before;
  }
}

const inMega = (bytes: number) => `${(bytes / mega).toFixed(1)} MB`;
