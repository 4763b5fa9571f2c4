import { Subject } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { programOf } from '../support/Program.js';
import { record } from '../support/record.js';
import { deferred, settle, type Deferred } from '../support/settle.js';
import { chatSessions, type ChatEvent, type ChatOptions, type Message, type Model } from './chatSessions.js';

interface Request {
  readonly conversation: readonly Message[];
  readonly signal: AbortSignal;
  readonly answer: Deferred<string>;
}

function chat(options: Partial<ChatOptions> = {}) {
  const requests: Request[] = [];
  const model: Model = (conversation, signal) => {
    const answer = deferred<string>();
    requests.push({ conversation, signal, answer });
    return answer.promise;
  };
  const source = new Subject<ChatEvent>();
  const closed: string[] = [];
  const recording = record(
    source.pipe(
      chatSessions(model, {
        idleTimeout: 1000,
        onClose: (session, reason) => closed.push(`${session} ${reason}`),
        ...options,
      }),
    ),
  );
  const say = (session: string, text: string) => {
    source.next({ session, text });
  };
  const open = () => requests.map(({ conversation }) => conversation.at(-1)?.text);
  const reply = async (text: string) => {
    const index = requests.findIndex(({ conversation }) => conversation.at(-1)?.text === text);
    const [request] = requests.splice(index, 1);
    request?.answer.resolve(`re ${text}`);
    await settle();
    return request?.conversation.map((message) => message.text);
  };
  return { source, say, open, reply, requests, closed, ...recording };
}

describe('chat sessions', () => {
  it('ask for one answer at a time in each session, and for several side by side', async () => {
    const { say, open, reply, log, source } = chat();
    say('ann', 'one');
    say('ann', 'two');
    say('bob', 'three');
    expect(open()).toEqual(['one', 'three']);
    expect(await reply('one')).toEqual(['one']);
    expect(open()).toEqual(['three', 'two']);
    expect(await reply('two')).toEqual(['one', 're one', 'two']);
    expect(await reply('three')).toEqual(['three']);
    source.complete();
    expect(log.map((event) => (event === 'complete' ? event : (event as ChatEvent).text))).toEqual([
      're one',
      're two',
      're three',
      'complete',
    ]);
  });

  it('forget a conversation when nothing was said in it, but not while an answer is awaited', async () => {
    vi.useFakeTimers();
    try {
      const { say, reply, closed } = chat();
      say('ann', 'one');
      await vi.advanceTimersByTimeAsync(100_000);
      expect(closed).toEqual([]);
      await reply('one');
      await vi.advanceTimersByTimeAsync(999);
      say('ann', 'two');
      expect(await reply('two')).toEqual(['one', 're one', 'two']);
      await vi.advanceTimersByTimeAsync(1000);
      expect(closed).toEqual(['ann idle']);
      say('ann', 'three');
      expect(await reply('three')).toEqual(['three']);
    } finally {
      vi.useRealTimers();
    }
  });

  it('abort what is being asked when they are no longer wanted', () => {
    const { say, requests, subscription } = chat();
    say('ann', 'one');
    subscription.unsubscribe();
    expect(requests.map(({ signal }) => signal.aborted)).toEqual([true]);
  });
});

describe.skipIf(process.platform === 'win32')('a program that answers chats', () => {
  const start = programOf(new URL('./chatProgram.ts', import.meta.url));
  const lines = (events: readonly ChatEvent[]) => events.map((event) => `${JSON.stringify(event)}\n`).join('');

  it('keeps the conversation of each session, and all answers are out when its input has ended', async () => {
    const program = await start({ idleTimeout: 60_000 });
    const events = Array.from({ length: 300 }, (_, i) => ({ session: `s${String(i % 30)}`, text: String(i) }));
    program.child.stdin.end(lines(events));
    expect(await program.ended).toMatchObject({ code: 0 });
    const answers = program.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as ChatEvent);
    expect(answers).toHaveLength(300);
    for (let s = 0; s < 30; s++) {
      const texts = Array.from({ length: 10 }, (_, i) => String(s + 30 * i));
      expect(answers.filter(({ session }) => session === `s${String(s)}`).map(({ text }) => text)).toEqual(
        texts.map((_, i) => texts.slice(0, i + 1).join(' ')),
      );
    }
    expect(program.stderr.split('source\n')).toHaveLength(31);
  });

  it('forgets idle sessions, and ends when it is told no more', async () => {
    const program = await start({ idleTimeout: 30 });
    program.child.stdin.write(lines([{ session: 'ann', text: 'one' }]));
    await program.says('closed ann: idle');
    program.child.stdin.end(lines([{ session: 'ann', text: 'two' }]));
    expect(await program.ended).toMatchObject({ code: 0 });
    expect(program.stdout.trim().split('\n')).toEqual([
      '{"session":"ann","text":"one"}',
      '{"session":"ann","text":"two"}',
    ]);
  });
});
