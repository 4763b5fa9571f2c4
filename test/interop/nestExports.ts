import { Injectable, StreamableFile } from '@nestjs/common';
import { formatJsonLines, fromPull } from '../../src/index.js';
import { toNodeReadable } from '../../src/node/index.js';

/** What a cursor of a database gives. */
export type Rows = (signal: AbortSignal) => AsyncIterable<object>;

/** In a controller: `@Get() export() { return this.exports.jsonLines(rows); }` */
@Injectable()
export class Exports {
  jsonLines(rows: Rows): StreamableFile {
    const lines$ = fromPull(({ signal }) => rows(signal)).pipe(formatJsonLines());
    return new StreamableFile(toNodeReadable(lines$), { type: 'application/jsonl' });
  }
}
