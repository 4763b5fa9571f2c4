import type { ServerResponse } from 'node:http';
import { lastValueFrom, map, take } from 'rxjs';
import { splitLines, takeUntilAborted } from 'rxjs-flow-control';
import { fromReadable, writeTo } from 'rxjs-flow-control/node';
import type { Context } from './Context.js';
import { inBlocks } from './inBlocks.js';
import { Refusal } from './Refusal.js';

/** Gives the first records that are kept under a name, at the pace of who reads them. */
export async function download(
  response: ServerResponse,
  { name, query, context }: { name: string; query: URLSearchParams; context: Context },
): Promise<void> {
  const limit = limitOf(query);
  const { settings, store, shutdown } = context;
  const file = await store.open(name);
  if (!file) throw new Refusal(404, `there is no ${name}`);
  response.setTimeout(settings.idle, () => {
    response.destroy();
  });
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  const sent$ = fromReadable(file).pipe(
    splitLines({ maxLineLength: Infinity }), // what is kept has been short enough
    take(limit),
    map((line) => `${line}\n`),
    inBlocks(),
    writeTo(response),
    takeUntilAborted(shutdown.signal, { onAbort: 'error' }),
  );
  // Nobody has opened it who would close it where nothing is to be sent.
  await lastValueFrom(sent$, { defaultValue: 0 }).finally(() => file.destroy());
}

function limitOf(query: URLSearchParams): number {
  const text = query.get('limit');
  if (text === null) return Infinity;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new Refusal(400, `limit must be a non-negative integer, got '${text}'`);
}
