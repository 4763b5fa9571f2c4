import type { IncomingMessage, ServerResponse } from 'node:http';
import { filter, lastValueFrom, map } from 'rxjs';
import {
  bufferedMergeMap,
  formatJsonLines,
  parseJsonLines,
  rateLimit,
  takeUntilAborted,
  usingAsync,
} from 'rxjs-flow-control';
import { fromReadable, writeTo } from 'rxjs-flow-control/node';
import { admit } from './admit.js';
import { answer } from './answer.js';
import { bodyOf } from './bodyOf.js';
import type { Context } from './Context.js';
import { examine } from './examine.js';
import { inBlocks } from './inBlocks.js';
import { requireUtf8 } from './requireUtf8.js';
import { steadily } from './steadily.js';
import type { Draft } from './Store.js';
import { Tally } from './Tally.js';

/** Keeps the records of a body under a name: all of them, or none. */
export async function upload(
  request: IncomingMessage,
  response: ServerResponse,
  { name, query, context }: { name: string; query: URLSearchParams; context: Context },
): Promise<void> {
  const { client, encoding, onError } = admit(request, query, context);
  const { settings, store, shutdown, records } = context;
  const tally = new Tally(onError);
  const kept = { isNew: false };
  if (request.headers.expect !== undefined) response.writeContinue();
  const body = bodyOf(request, encoding, settings.maxBytes);

  const record$ = fromReadable(body).pipe(
    steadily(settings.idle),
    requireUtf8(),
    parseJsonLines({ onError: 'emit', maxLineLength: settings.maxLine }),
    rateLimit(records, { key: () => client }),
    bufferedMergeMap(examine, { concurrent: settings.concurrency, ordered: true }),
    filter(tally.take),
    map(({ record }) => record),
  );

  const writeTheRecords = (draft: Draft) =>
    record$.pipe(
      formatJsonLines(),
      inBlocks(),
      writeTo(draft.stream),
      takeUntilAborted(shutdown.signal, { onAbort: 'error' }),
    );

  const kept$ = usingAsync({
    acquire: () => store.create(name, { replace: request.method === 'PUT' }),
    use: writeTheRecords,
    release: {
      complete: async (draft) => {
        kept.isNew = await draft.commit();
      },
      error: (draft) => draft.discard(),
      cancel: (draft) => draft.discard(),
    },
  });
  await lastValueFrom(kept$, { defaultValue: 0 });
  answer(response, kept.isNew ? 201 : 200, tally.summary(name, body.bytes));
}
