import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { programOf } from '../support/Program.js';
import type { Scenario } from './programs/coordinator.js';
import type { Job, Report, Scenario as WorkerScenario } from './programs/jsonLines.js';

/** What a busy machine may add, in ms. */
const slack = 5000;

// On Windows nobody can send SIGTERM, and `kill` ends a process at once.
describe.skipIf(process.platform === 'win32')('a program that is told to stop', () => {
  const startProgram = programOf(new URL('./programs/coordinator.ts', import.meta.url));
  const start = async (scenario: Scenario, options?: { reads?: boolean }) => {
    const program = await startProgram({ drainTimeout: 60_000, cleanupTimeout: 60_000, ...scenario }, options);
    await program.says('ready');
    return program;
  };

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends with the exit code of %s, although something holds its event loop', async (signal, code) => {
    const program = await start({ holds: true });
    program.kill(signal);
    expect(await program.ended).toMatchObject({ code, signal: null });
    expect(program.stderr).toContain('done');
  });

  it('hears of the signals that it has asked for', async () => {
    const program = await start({ holds: true, signals: ['SIGHUP'], drain: 10 });
    program.kill('SIGHUP');
    expect(await program.ended).toMatchObject({ code: 129 });
    expect(program.stderr).toContain('drain SIGHUP');
  });

  it('ends by itself where nobody stops it: the listeners hold nothing', async () => {
    const program = await start({ drain: 'stuck', close: 'deaf' });
    expect(await program.ended).toMatchObject({ code: 0, signal: null });
    expect(program.stderr).not.toContain('drain');
  });

  it('drains, then closes, then ends', async () => {
    const program = await start({ holds: true, drain: 20, close: 20 });
    program.kill('SIGTERM');
    expect(await program.ended).toMatchObject({ code: 143 });
    expect(program.stderr).toMatch(/drain SIGTERM\ndrained\n(aborted\n)?close SIGTERM\nclosed\n(aborted\n)?done\n/);
  });

  it('aborts what is stuck after drainTimeout', async () => {
    const program = await start({ holds: true, drain: 'stuck', close: 10, drainTimeout: 300, cleanupTimeout: 200 });
    program.kill('SIGTERM');
    const { code, ms } = await program.ended;
    expect(code).toBe(143);
    expect(ms).toBeLessThan(300 + 200 + slack);
    expect(program.stderr).toMatch(/aborted\n[^]*closed\n[^]*done\n/);
  });

  it.each([
    [{ drain: 'stuck', close: 'deaf' }],
    [{ drain: 'deaf', close: 10 }],
    [{ drain: 'deaf', close: 'deaf' }],
  ] as const)('leaves what has not ended after cleanupTimeout: %j', async (scenario) => {
    const program = await start({ holds: true, drainTimeout: 300, cleanupTimeout: 200, ...scenario });
    program.kill('SIGTERM');
    const { code, ms } = await program.ended;
    expect(code).toBe(143);
    expect(ms).toBeLessThan(300 + 200 + slack);
    expect(program.stderr).toContain('close SIGTERM');
    expect(program.stderr).toContain('done');
  });

  it('aborts at the second signal, whichever it is, cleans up, and keeps the exit code of the first', async () => {
    const program = await start({ holds: true, drain: 'stuck', close: 10 });
    program.kill('SIGTERM');
    await program.says('drain SIGTERM');
    program.kill('SIGINT');
    expect(await program.ended).toMatchObject({ code: 143, signal: null });
    expect(program.stderr).toMatch(/aborted\n[^]*closed\n[^]*done\n/);
  });

  it('gives clean-up no more than cleanupTimeout after the second signal', async () => {
    const program = await start({ holds: true, drain: 'stuck', close: 'deaf', cleanupTimeout: 200 });
    program.kill('SIGTERM');
    await program.says('drain SIGTERM');
    program.kill('SIGINT');
    const { code, ms } = await program.ended;
    expect(code).toBe(143);
    expect(ms).toBeLessThan(200 + slack);
    expect(program.stderr).toContain('close');
  });

  it('takes Ctrl-C under npm, which comes twice, as one', async () => {
    const program = await start({ holds: true, drain: 300, close: 10 });
    program.kill('SIGINT');
    program.kill('SIGINT');
    await program.says('drain SIGINT');
    program.kill('SIGINT'); // and from a shell in between
    expect(await program.ended).toMatchObject({ code: 130, signal: null });
    expect(program.stderr).toMatch(/drained\n[^]*closed\n[^]*done\n/);
  });

  it('takes it as one also if it was busy in between, and hears of both later', async () => {
    const program = await start({ holds: true, drain: 200, busy: 300, sameWithin: 50 });
    program.kill('SIGINT');
    await program.says('drain SIGINT');
    program.kill('SIGINT');
    expect(await program.ended).toMatchObject({ code: 130, signal: null });
    expect(program.stderr).toContain('drained');
  });

  it('takes the same signal, again later, as the second', async () => {
    const program = await start({ holds: true, drain: 'stuck', close: 10, sameWithin: 20 });
    program.kill('SIGINT');
    await program.says('later');
    program.kill('SIGINT');
    expect(await program.ended).toMatchObject({ code: 130, signal: null });
    expect(program.stderr).toContain('closed');
  });

  it('takes each signal as another one where sameWithin is 0', async () => {
    const program = await start({ holds: true, drain: 'stuck', close: 10, sameWithin: 0 });
    program.kill('SIGINT');
    await program.says('drain SIGINT');
    program.kill('SIGINT');
    expect(await program.ended).toMatchObject({ code: 130, signal: null });
  });

  it('takes the second Ctrl-C under npm, which comes twice as well, as one', async () => {
    const program = await start({ holds: true, drain: 'stuck', close: 200, sameWithin: 50 });
    program.kill('SIGINT');
    program.kill('SIGINT');
    await program.says('later');
    program.kill('SIGINT');
    program.kill('SIGINT');
    expect(await program.ended).toMatchObject({ code: 130, signal: null });
    expect(program.stderr).toContain('closed');
  });

  it('is killed by the third', async () => {
    const program = await start({ holds: true, drain: 'stuck', close: 'deaf' });
    program.kill('SIGTERM');
    await program.says('drain SIGTERM');
    program.kill('SIGINT');
    await program.says('close');
    program.kill('SIGTERM');
    expect(await program.ended).toMatchObject({ code: null, signal: 'SIGTERM' });
    expect(program.stderr).not.toContain('done');
  });

  it('is killed by the same signal as the second, later', async () => {
    const program = await start({ holds: true, drain: 'stuck', close: 'deaf', sameWithin: 20 });
    program.kill('SIGTERM');
    await program.says('drain SIGTERM');
    program.kill('SIGINT');
    await program.says('close');
    await vi.waitUntil(() => {
      program.kill('SIGINT');
      return program.child.exitCode !== null || program.child.signalCode !== null;
    });
    expect(await program.ended).toMatchObject({ code: null, signal: 'SIGINT' });
  });

  it('is killed by the third, also where it is too busy to hear', async () => {
    const program = await start({ holds: true, drain: 'stuck', hangs: true, sameWithin: 0 });
    program.kill('SIGTERM');
    await program.says('drain SIGTERM');
    program.kill('SIGTERM');
    await program.says('aborted');
    program.kill('SIGTERM');
    expect(await program.ended).toMatchObject({ code: null, signal: 'SIGTERM' });
  });

  it.each([{ ends: false }, { ends: true }])('writes out what it has written before it ends: %j', async (output) => {
    const program = await start({ holds: true, drain: 1, writes: 1_000_000, ...output });
    program.kill('SIGTERM');
    expect(await program.ended).toMatchObject({ code: 143 });
    expect(program.stdout).toBe(`${'x'.repeat(1_000_000)}\n`);
    expect(program.stderr).toContain('y'.repeat(1_000_000));
    expect(program.stderr.slice(-60)).toMatch(/y\n(later\n)?drained\n(later\n)?done\n(later\n|alive\n)*$/);
  });

  it('ends although nobody reads what it writes', async () => {
    const program = await start({ holds: true, drain: 1, writes: 1_000_000 }, { reads: false });
    program.kill('SIGTERM');
    const { code, ms } = await program.ended;
    expect(code).toBe(143);
    expect(ms).toBeLessThan(1000 + slack);
  });

  it('ends by itself with exit: false', async () => {
    const program = await start({ holds: true, exit: false, drain: 10 });
    program.kill('SIGTERM');
    expect(await program.ended).toMatchObject({ code: 143, signal: null });
    expect(program.stderr).toMatch(/done\n[^]*alive\n/);
  });

  it('keeps the exit code that the program has set since', async () => {
    const program = await start({ holds: true, drain: 10, exitCode: 7 });
    program.kill('SIGTERM');
    expect(await program.ended).toMatchObject({ code: 7 });
  });

  it('goes on if it has stopped itself, and is killed by the next signal', async () => {
    const program = await start({ holds: true, stops: true, drain: 10 });
    await program.says('alive');
    expect(program.stderr).toContain('drain enough');
    expect(program.child.exitCode).toBe(null);
    program.kill('SIGTERM');
    expect(await program.ended).toMatchObject({ code: null, signal: 'SIGTERM' });
  });

  it('sets no exit code if it has stopped itself', async () => {
    const program = await start({ stops: true, drain: 10 });
    expect(await program.ended).toMatchObject({ code: 0, signal: null });
    expect(program.stderr).toContain('done');
  });

  it('ends after a signal that comes while it stops itself', async () => {
    const program = await start({ holds: true, stops: true, drain: 200 });
    await program.says('drain enough');
    program.kill('SIGTERM');
    expect(await program.ended).toMatchObject({ code: 143, signal: null });
    expect(program.stderr).toContain('drained');
  });
});

describe.skipIf(process.platform === 'win32')('a worker on JSON lines that is told to stop', () => {
  const timeouts = { drainTimeout: 300, cleanupTimeout: 200 };
  const startProgram = programOf(new URL('./programs/jsonLines.ts', import.meta.url));

  const start = async (jobs: readonly Job['takes'][], scenario: Partial<WorkerScenario> = {}) => {
    const folder = mkdtempSync(join(tmpdir(), 'shutdown-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    const [out, report] = [join(folder, 'out.jsonl'), join(folder, 'report.json')];
    const program = await startProgram({ out, report, ...timeouts, ...scenario });
    await program.says('ready');
    program.child.stdin.write(jobs.map((takes, id) => `${JSON.stringify({ id, takes })}\n`).join(''));

    /** What has become of the records, once the program has ended; each that it has read has to be somewhere. */
    const outcome = async () => {
      const ended = await program.ended;
      const done = readFileSync(out, 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => (JSON.parse(line) as Job).id);
      const { accepted, unfinished, dropped, pipeline } = JSON.parse(readFileSync(report, 'utf8')) as Report;
      expect([...done, ...unfinished, ...dropped].sort(byNumber), program.stderr).toEqual([...accepted].sort(byNumber));
      expect(ended.ms).toBeLessThan(timeouts.drainTimeout + timeouts.cleanupTimeout + slack);
      return { ...ended, accepted, done, unfinished, dropped, pipeline };
    };
    return { program, outcome };
  };

  it('ends, idle', async () => {
    const { program, outcome } = await start([]);
    program.kill('SIGTERM');
    expect(await outcome()).toMatchObject({ code: 143, accepted: [] });
  });

  it('finishes all that it has read, while it reads', async () => {
    const { program, outcome } = await start(Array.from({ length: 1000 }, () => 1));
    await program.says('wrote', 10);
    program.kill('SIGTERM');
    const { code, accepted, done, pipeline } = await outcome();
    expect(code).toBe(143);
    expect(accepted.length).toBeLessThan(1000);
    expect(done).toHaveLength(accepted.length);
    expect(pipeline).toMatchObject({ reason: 'SIGTERM', aborted: 0, dropped: 0, timedOut: false });
  });

  it('finishes what waits', async () => {
    const { program, outcome } = await start([40, 40, 40, 40, 40, 40]);
    await program.says('read 5');
    program.kill('SIGTERM');
    expect(await outcome()).toMatchObject({ code: 143, unfinished: [], dropped: [], pipeline: { timedOut: false } });
  });

  it.each([
    ['aborts', 'stuck'],
    ['leaves', 'deaf'],
  ] as const)('%s work that is %s, and reports it with what waited behind it', async (_, takes) => {
    const { program, outcome } = await start([takes, takes, 5, 5]);
    await program.says('read 3');
    program.kill('SIGTERM');
    const { code, done, unfinished, dropped, pipeline } = await outcome();
    expect(code).toBe(143);
    expect({ done, unfinished, dropped }).toEqual({ done: [], unfinished: [0, 1], dropped: [2, 3] });
    expect(pipeline).toMatchObject({ aborted: 2, dropped: 2, timedOut: true });
  });

  it('keeps what was done beside work that is stuck', async () => {
    const { program, outcome } = await start(['stuck', 5, 5, 5]);
    await program.says('read 3');
    program.kill('SIGTERM');
    expect(await outcome()).toMatchObject({ code: 143, done: [1, 2, 3], unfinished: [0], dropped: [] });
  });

  it('writes what was done to its end, beside work that is deaf', async () => {
    const jobs = ['deaf', ...Array.from({ length: 50 }, () => 20)] as const;
    const { program, outcome } = await start(jobs, { size: 10_000_000 });
    await program.says('wrote');
    program.kill('SIGTERM');
    const { code, done, unfinished } = await outcome();
    expect(code).toBe(143);
    expect(done).not.toEqual([]);
    expect(unfinished).toContain(0);
  });

  it('cleans up, also if it is told again meanwhile', async () => {
    const { program, outcome } = await start(['stuck', 'stuck', 5], { cleanup: 100, cleanupTimeout: 2000 });
    await program.says('read 2');
    program.kill('SIGTERM');
    await program.says('cleaning 0');
    program.kill('SIGINT');
    expect(await outcome()).toMatchObject({
      ...{ code: 143, unfinished: [0, 1], dropped: [2] },
      pipeline: { cleanup: 'done', timedOut: true },
    });
  });

  it('leaves clean-up that takes too long', async () => {
    const { program, outcome } = await start(['stuck'], { cleanup: 60_000 });
    await program.says('started 0');
    program.kill('SIGTERM');
    expect(await outcome()).toMatchObject({ code: 143, unfinished: [0], pipeline: { cleanup: 'timed-out' } });
  });

  it('skips the drain when it is told twice', async () => {
    const { program, outcome } = await start(['stuck', 'stuck', 5], { drainTimeout: 60_000 });
    await program.says('read 2');
    program.kill('SIGTERM');
    program.kill('SIGINT');
    expect(await outcome()).toMatchObject({ unfinished: [0, 1], dropped: [2] });
  });

  it('finishes what it has read after Ctrl-C under npm, which comes twice', async () => {
    const { program, outcome } = await start([40, 40, 40, 40]);
    await program.says('read 3');
    program.kill('SIGINT');
    program.kill('SIGINT');
    expect(await outcome()).toMatchObject({ code: 130, unfinished: [], dropped: [], pipeline: { timedOut: false } });
  });

  it('ends by itself at the end of its input', async () => {
    const { program } = await start([5, 5]);
    program.child.stdin.end();
    expect(await program.ended).toMatchObject({ code: 0, signal: null });
  });
});

const byNumber = (a: number, b: number) => a - b;
