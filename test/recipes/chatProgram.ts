// Answers chats: JSON lines `{ session, text }` come on standard input, answers go to standard output.
import { lastValueFrom } from 'rxjs';
import { formatJsonLines, parseJsonLines } from '../../src/index.js';
import { fromReadable } from '../../src/node/fromReadable.js';
import { writeTo } from '../../src/node/writeTo.js';
import { chatSessions, type ChatEvent, type Model } from './chatSessions.js';

const { idleTimeout } = JSON.parse(process.argv[2] ?? '') as { idleTimeout: number };

/** Says what it was told: all that the user has said so far. */
const model: Model = async (conversation) => {
  await new Promise((resolve) => setTimeout(resolve, 2));
  return conversation
    .filter(({ role }) => role === 'user')
    .map(({ text }) => text)
    .join(' ');
};

await lastValueFrom(
  fromReadable(process.stdin).pipe(
    parseJsonLines<ChatEvent>(),
    chatSessions(model, {
      idleTimeout,
      onClose: (session, reason) => {
        console.error(`closed ${session}: ${reason}`);
      },
    }),
    formatJsonLines(),
    writeTo(process.stdout),
  ),
);
