import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { DiskFile } from './DiskFile.js';
import { Refusal } from './Refusal.js';
import type { Draft, Store } from './Store.js';

/** Keeps each name as a file of one folder. A draft is a file beside it, whose name nobody can ask for. */
export class FileStore implements Store {
  private constructor(
    private readonly folder: string,
    private readonly delay: number,
    /** The drafts that were there before it. */
    private readonly left: readonly string[],
  ) {}

  /** Makes the folder, if there is none. */
  static async in(folder: string, delay: number): Promise<FileStore> {
    await mkdir(folder, { recursive: true });
    const left = (await readdir(folder)).filter((name) => name.startsWith('.') && name.endsWith('.part'));
    return new FileStore(folder, delay, left);
  }

  /** Removes the drafts of a service that was killed. They may be those of one that runs, until it is known that none does. */
  async sweep(): Promise<void> {
    for (const draft of this.left) await rm(join(this.folder, draft), { force: true });
  }

  async create(name: string, { replace }: { readonly replace: boolean }): Promise<Draft> {
    const path = this.pathOf(name);
    if (!replace && (await exists(path))) throw taken(name);
    const draft = join(this.folder, `.${name}.${randomUUID()}.part`);
    const stream = new DiskFile(await open(draft, 'wx'), this.delay);

    const discard = async () => {
      stream.destroy();
      await finished(stream).catch(() => undefined); // nobody wants it any more, whatever has become of it
      await rm(draft, { force: true });
    };

    const publish = async () => {
      const isNew = !(await exists(path));
      if (replace) await rename(draft, path);
      else await this.publishNew(draft, name);
      await this.sync();
      return isNew;
    };

    const commit = async () => {
      try {
        return await publish();
      } catch (error) {
        await discard();
        throw error;
      }
    };

    return { stream, commit, discard };
  }

  async open(name: string): Promise<Readable | undefined> {
    try {
      return (await open(this.pathOf(name))).createReadStream();
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Unlike `rename`, `link` fails where another was faster. */
  private async publishNew(draft: string, name: string): Promise<void> {
    await link(draft, this.pathOf(name)).catch((error: unknown) => {
      throw codeOf(error) === 'EEXIST' ? taken(name) : error;
    });
    await rm(draft);
  }

  /** The name is on the disk as well as what it names. */
  private async sync(): Promise<void> {
    const folder: FileHandle = await open(this.folder);
    await folder.sync().finally(() => folder.close());
  }

  private pathOf(name: string): string {
    return join(this.folder, `${name}.jsonl`);
  }
}

const taken = (name: string) => new Refusal(409, `there is a ${name} already; PUT would replace it`);

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code;
