import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';

/** Where each record of a round is, from what stands in the files. */
export class Ledger {
  #records;
  #files;
  /** How long the files were when the last run that counts had ended. */
  #lengths = { out: 0, rejected: 0 };
  /** The records that are on disk. */
  #present;

  /** `files` are the paths `out` and `rejected`. */
  constructor(records, files) {
    this.#records = records;
    this.#files = files;
    this.#present = new Uint8Array(records.count);
    for (const path of Object.values(files)) writeFileSync(path, '');
  }

  /**
   * Reads what a run has added, of which the records `from` to `until` (excluded) are expected. Of a run that has failed the
   * last line may be cut off.
   */
  read(from, until, { mayBeCut = false } = {}) {
    const found = { located: 0, setAside: 0, missing: [], doubled: [], wrong: [] };
    const expect = (id, line, expected) => {
      const right = line === expected;
      if (right && this.#present[id]) found.doubled.push(id);
      else if (right && id >= from && id < until) {
        this.#present[id] = 1;
        return 1;
      } else found.wrong.push(line.slice(0, 200));
      return 0;
    };
    for (const line of this.#linesOf('out', mayBeCut, found)) {
      const id = parsed(line)?.id;
      found.located += expect(id, line, this.#records.located(id));
    }
    for (const line of this.#linesOf('rejected', mayBeCut, found)) {
      const id = this.#records.idOfLine(parsed(line)?.line);
      found.setAside += expect(id, line, this.#records.setAside(id));
    }
    for (let id = from; id < until; id++) if (!this.#present[id]) found.missing.push(id);
    return found;
  }

  /** What has been read counts: the next run goes on behind it. */
  accept() {
    for (const name of Object.keys(this.#files)) this.#lengths[name] = statSync(this.#files[name]).size;
  }

  /** As before the run that began with the record `from`. */
  undo(from) {
    for (const name of Object.keys(this.#files)) truncateSync(this.#files[name], this.#lengths[name]);
    this.#present.fill(0, from);
  }

  /** As if nothing had been read: the files of the whole round can be read once more. */
  forget() {
    this.#lengths = { out: 0, rejected: 0 };
    this.#present.fill(0);
  }

  #linesOf(name, mayBeCut, { wrong }) {
    const added = readFileSync(this.#files[name]).subarray(this.#lengths[name]).toString();
    const lines = added.split('\n');
    const rest = lines.pop();
    if (rest !== '' && !mayBeCut) wrong.push(`${rest.slice(0, 200)} (cut off)`);
    return lines;
  }
}

function parsed(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
