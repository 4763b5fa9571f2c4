import { noop } from 'rxjs';
import { shown } from './arguments.js';
import { macrotask } from './macrotask.js';

// What is known of Node's streams without Node.

/** `stream`, if it has these methods. */
export function streamOf<S>(operator: string, kind: string, methods: readonly (keyof S)[], stream: S): S {
  const given = stream as S | null | undefined;
  if (methods.every((method) => typeof given?.[method] === 'function')) return stream;
  throw new TypeError(`${operator} takes a ${kind} or a function that opens one, got ${shown(stream)}`);
}

/** What Node says of a stream that closed before its end, for where it says nothing. */
export function prematureClose(): Error {
  return Object.assign(new Error('Premature close'), { code: 'ERR_STREAM_PREMATURE_CLOSE' });
}

/** That is no failure where the stream was told to close. */
function isPrematureClose(error: Error): boolean {
  return (error as { code?: unknown }).code === 'ERR_STREAM_PREMATURE_CLOSE';
}

export interface NodeStream {
  readonly closed: boolean;
  readonly destroyed: boolean;
  once(event: 'close', listener: () => void): unknown;
  off(event: 'close' | 'drain', listener: () => void): unknown;
  destroy(reason?: Error): unknown;
}

/** It can be made not to; where it says so only Node's `finished` asks, too. */
function emitsClose(stream: object): boolean {
  const within = stream as Record<string, { readonly emitClose?: boolean } | undefined>;
  return (within['_writableState'] ?? within['_readableState'])?.emitClose !== false;
}

type Tell = (error?: Error | null) => void;

/** Node's `finished`, of a stream: goes on hearing errors until it is stopped. */
export type Watch = (tell: Tell) => () => void;

/** Follows a stream to its end, and hears its errors as long as some may come: one that nobody hears ends the process. */
export class StreamEnd {
  isTold = false;
  private onClosed: Tell = noop;
  private readonly stopListening: () => void;

  constructor(
    private readonly stream: NodeStream,
    watch: Watch,
    private readonly onTold: Tell,
  ) {
    this.stopListening = watch(this.tell);
  }

  /** Leaves the stream to whoever goes on with it. */
  leave(): void {
    this.stopListening();
  }

  /** Leaves the stream when it has closed. */
  leaveClosed(): void {
    const { stream } = this;
    const leave = () => {
      stream.off('close', leave);
      this.stopListening();
    };
    const look = () => {
      if (stream.closed) leave();
    };
    stream.once('close', leave);
    look();
    macrotask(look); // it may emit no 'close'
  }

  /** Destroys the stream. The promise rejects with what goes wrong then, unless that is the reason for it. */
  close(reason?: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      this.onClosed = (error) => {
        this.leaveClosed();
        if (error && error !== reason && !isPrematureClose(error)) reject(error);
        else resolve();
      };
      this.stream.destroy(reason instanceof Error ? reason : undefined);
      // It may never tell; but a socket, which is made like this, does within the turn of the event loop.
      if (!emitsClose(this.stream)) macrotask(() => macrotask(this.tell));
    });
  }

  private readonly tell: Tell = (error) => {
    this.isTold = true;
    this.onTold(error);
    this.onClosed(error);
  };
}
