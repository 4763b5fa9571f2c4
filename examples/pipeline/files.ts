import type { Stats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import type { Settings } from './arguments.js';

/** A path that was given cannot be used. */
export class PathError extends Error {}

export interface Files {
  input: Readable;
  output: Writable;
  rejected: Writable;
  /** The share of the input that has been read, if its size is known. */
  shareRead: () => number | undefined;
}

/** Opens what is read before it creates what is written, so that a mistyped path costs nothing. */
export async function openFiles({ input, output, rejected, skip }: Settings): Promise<Files> {
  const taken = new Map<string, Stats>();
  const flags = skip > 0 ? 'a' : 'w';
  const source = input === '-' ? { stream: process.stdin, shareRead: () => undefined } : await openInput(input, taken);
  return {
    input: source.stream,
    shareRead: source.shareRead,
    output: output === '-' ? process.stdout : await create(output, flags, taken),
    rejected: await create(rejected, flags, taken),
  };
}

async function openInput(path: string, taken: Map<string, Stats>) {
  const file = await open(path).catch(refuse('read', path));
  const stats = await file.stat();
  if (stats.isDirectory()) throw new PathError(`cannot read ${path}: is a directory`);
  taken.set(path, stats);
  const stream = file.createReadStream();
  // A pipe has no size.
  return { stream, shareRead: () => (stats.size > 0 ? stream.bytesRead / stats.size : undefined) };
}

async function create(path: string, flags: string, taken: Map<string, Stats>): Promise<Writable> {
  const existing = await stat(path).catch(() => undefined);
  for (const [other, { dev, ino }] of taken)
    if (existing?.isFile() && existing.dev === dev && existing.ino === ino)
      throw new PathError(`cannot write ${path}: it is the same file as ${other}`);
  const file = await open(path, flags).catch(refuse('write', path));
  taken.set(path, await file.stat());
  // Who writes is told by the callback; without a listener the error would end the process as well.
  return file.createWriteStream().on('error', () => undefined);
}

/** Node says "ENOENT: no such file or directory, open 'x'": the middle of it is what a user wants to know. */
const refuse = (act: string, path: string) => (error: Error) => {
  throw new PathError(`cannot ${act} ${path}: ${error.message.replace(/^\w+: |, \w+ '.*$/g, '')}`);
};
