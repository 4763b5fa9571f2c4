import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { request, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, vi } from 'vitest';
import { Program } from './Program.js';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface UploadOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  /** From where it comes. */
  readonly localAddress?: string;
}

export interface Health {
  readonly status: string;
  readonly uploads: number;
  readonly downloads: number;
  readonly limiter: { readonly waiting: number; readonly keys: number };
  readonly memory: { readonly rss: number; readonly heapUsed: number };
}

const jsonLines = { 'content-type': 'application/x-ndjson' };

/** The compiled service of examples/node-service, in a process of its own, and what its clients do. */
export class RecordService {
  private constructor(
    readonly program: Program,
    readonly folder: string,
    readonly port: number,
  ) {}

  /** For a test. */
  static async start(...args: string[]): Promise<RecordService> {
    const service = await RecordService.startFor(...args);
    onTestFinished(service.stop);
    return service;
  }

  /** For a test; no file can be larger than so many KiB, as if the disk were full then. */
  static async startLimited(size: number): Promise<RecordService> {
    const limit = `ulimit -f ${String(size)}; exec "$0" "$@"`;
    const service = await RecordService.spawn('bash', ['-c', limit, process.execPath]);
    onTestFinished(service.stop);
    return service;
  }

  /** For as long as it is not stopped. */
  static startFor(...args: string[]): Promise<RecordService> {
    return RecordService.spawn(process.execPath, [], args);
  }

  private static async spawn(command: string, before: string[], after: string[] = []): Promise<RecordService> {
    const folder = mkdtempSync(join(tmpdir(), 'record-service-'));
    const many = ['--starts', '100000', '--rate', '10000000'];
    const main = 'examples/dist/node-service/main.js';
    const args = [...before, main, '--port', '0', '--dir', folder, ...many, ...after];
    const program = new Program(spawn(command, args));
    await program.says('listens on');
    return new RecordService(program, folder, Number(/127\.0\.0\.1:(\d+)/.exec(program.stderr)?.[1]));
  }

  readonly stop = async (): Promise<void> => {
    this.program.child.kill('SIGKILL');
    await this.program.ended;
    rmSync(this.folder, { recursive: true });
  };

  /** Begins an upload, whose body is still to be sent. */
  begin(path: string, options: UploadOptions = {}): Upload {
    const { headers, ...rest } = options;
    return new Upload(
      request({
        ...{ port: this.port, host: '127.0.0.1', method: 'PUT', path, agent: false, ...rest },
        headers: { ...jsonLines, ...headers },
      }),
    );
  }

  /** A whole upload. */
  send(path: string, body: string | Buffer, options?: UploadOptions): Promise<Answer> {
    const upload = this.begin(path, options);
    upload.request.end(body);
    return upload.answer;
  }

  get(path: string, method = 'GET'): Promise<Answer> {
    const asked = request({ port: this.port, host: '127.0.0.1', path, method, agent: false });
    asked.end();
    return answerOf(asked);
  }

  async health(): Promise<Health> {
    return JSON.parse((await this.get('/health')).body) as Health;
  }

  /** A connection on which anything may be sent. */
  connect(): Socket {
    const socket = connect(this.port, '127.0.0.1').on('error', () => {});
    onTestFinished(() => {
      socket.destroy();
    });
    return socket;
  }

  /** What is sent on a connection of its own, and what comes back until it is closed. */
  async say(words: string): Promise<string> {
    const socket = this.connect();
    socket.write(words);
    return text(socket).catch(String);
  }

  /** Of the folder, drafts included. */
  get files(): string[] {
    return readdirSync(this.folder).sort();
  }

  read(name: string): Record<string, unknown>[] {
    const content = readFileSync(join(this.folder, `${name}.jsonl`), 'utf8');
    return content
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** What its open descriptors lead to; Linux knows. */
  get descriptors(): string[] {
    return readdirSync(`/proc/${String(this.program.child.pid)}/fd`);
  }

  /** Waits until nothing runs, and there are these files and nothing of any other. */
  async isAtRest(files: string[]): Promise<void> {
    await soon(async () => {
      expect(await this.health()).toMatchObject({ status: 'ok', uploads: 0, downloads: 0, limiter: { waiting: 0 } });
      expect(this.files).toEqual(files);
    });
  }
}

/** An upload under way. */
export class Upload {
  readonly answer: Promise<Answer>;

  constructor(readonly request: ClientRequest) {
    this.answer = answerOf(request);
    this.answer.catch(() => {}); // not every test waits for it
    onTestFinished(() => {
      request.destroy();
    });
  }

  /** Resolves when it is handed to the system. */
  write(chunk: string | Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.request.write(chunk, () => {
        resolve();
      });
    });
  }
}

function answerOf(asked: ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let answered = false;
    asked.on('response', (response: IncomingMessage) => {
      answered = true;
      text(response).then((body) => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      }, reject);
    });
    asked.on('error', (error) => {
      if (!answered) reject(error);
    });
  });
}

/** Lines of records. */
export const lines = (count: number, text = ''): string =>
  Array.from({ length: count }, (_, id) => `${JSON.stringify({ id, text })}\n`).join('');

/** Waits until nothing is wrong any more. */
export const soon = (check: () => void | Promise<void>): Promise<void> =>
  vi.waitFor(check, { timeout: 50_000, interval: 20 });
