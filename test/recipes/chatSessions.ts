import type { OperatorFunction } from 'rxjs';
import { bufferedMergeMap, type DropReason } from '../../src/index.js';
import { keyedSessions } from '../../src/operators/keyedSessions.js';

export interface ChatEvent {
  readonly session: string;
  readonly text: string;
}

export interface Message {
  readonly role: 'user' | 'assistant';
  readonly text: string;
}

/** What asks the model: the whole conversation, of which the last message is to be answered. */
export type Model = (conversation: readonly Message[], signal: AbortSignal) => Promise<string>;

export interface ChatOptions {
  /** How long a conversation is remembered in which nothing is said, in ms. */
  readonly idleTimeout: number;
  readonly maxSessions?: number;
  readonly onClose?: (session: string, reason: string) => void;
  readonly onDrop?: (event: ChatEvent, reason: DropReason | 'max-sessions') => void;
}

/** Answers each event of a session in its turn, with what was said there before; different sessions are answered side by side. */
export function chatSessions(model: Model, options: ChatOptions): OperatorFunction<ChatEvent, ChatEvent> {
  return keyedSessions(
    ({ session }: ChatEvent) => session,
    ({ key, values }) => {
      let conversation: readonly Message[] = [];
      return values.pipe(
        bufferedMergeMap(
          async ({ text }, _, { signal }) => {
            const asked = [...conversation, { role: 'user', text } as const];
            const answer = await model(asked, signal);
            conversation = [...asked, { role: 'assistant', text: answer }];
            return { session: key, text: answer };
          },
          { concurrent: 1, highWaterMark: 0 }, // busy while it asks: so the session is not idle, however long an answer takes
        ),
      );
    },
    options,
  );
}
