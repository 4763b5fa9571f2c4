import { writeFileSync } from 'node:fs';
import { draw, pick } from './draw.mjs';

const columns = 36_001;

/** A place of its own for each record, so that a request says whose it is. */
const coordinatesOf = (id) => ({ lat: Math.floor(id / columns) / 100, lng: (id % columns) / 100 - 180 });
const idAt = (lat, lng) => Math.round(lat * 100) * columns + Math.round((lng + 180) * 100);
export const mostRecords = 9000 * columns;

/** What is asked for: the answer has the id in it, so that one that goes to another record shows. */
export function answerTo(query) {
  const [lat, lng] = [query.get('lat'), query.get('lng')].map(Number);
  if (!(Math.abs(lat) <= 90 && Math.abs(lng) <= 180)) return { error: refusal(query.get('lat'), query.get('lng')) };
  const id = idAt(lat, lng);
  return { id, place: placeOf(id) };
}

const refusal = (lat, lng) => `there is no place at ${lat}, ${lng}`;
const placeOf = (id) => ({ utm: `Z${id % 60}`, geohash: id.toString(36), solarOffset: id });

const good = 'good';
const kinds = { [good]: 990, broken: 3, placeless: 3, outside: 2, number: 2 };

/** The records of a round, each with what has to become of it. */
export class Records {
  #seed;
  #round;
  /** The number of the line of each record; blank ones are lines, too. */
  #lines;
  #idOfLine = new Map();

  constructor(seed, round, count) {
    this.#seed = seed;
    this.#round = round;
    this.count = count;
    this.#lines = new Int32Array(count);
    let line = 0;
    for (let id = 0; id < count; id++) {
      line += this.#blankLinesBefore(id) + 1;
      this.#lines[id] = line;
      if (this.#kindOf(id) !== good) this.#idOfLine.set(line, id);
    }
  }

  write(path) {
    const texts = Array.from(this.#lines, (_, id) => {
      const end = draw(this.#seed, this.#round, id, 3) < 0.1 ? '\r\n' : '\n';
      return ' \n'.repeat(this.#blankLinesBefore(id)) + this.#textOf(id) + end;
    });
    writeFileSync(path, texts.join(''));
  }

  /** The line of the output, or `undefined` for a record that has to be set aside. */
  located(id) {
    return this.#has(id) && this.#kindOf(id) === good
      ? JSON.stringify({ ...JSON.parse(this.#textOf(id)), place: placeOf(id) })
      : undefined;
  }

  /** The line among the bad records, or `undefined` for a good one. */
  setAside(id) {
    if (!this.#has(id)) return undefined;
    const kind = this.#kindOf(id);
    if (kind === good) return undefined;
    return JSON.stringify({
      line: this.#lines[id],
      reason: kind === 'broken' ? this.#syntaxErrorOf(id) : reasons[kind],
    });
  }

  /** Whose line it is that was set aside. */
  idOfLine(line) {
    return this.#idOfLine.get(line);
  }

  #has(id) {
    return Number.isInteger(id) && id >= 0 && id < this.count;
  }

  #syntaxErrorOf(id) {
    try {
      return JSON.parse(this.#textOf(id));
    } catch (error) {
      return error.message;
    }
  }

  #kindOf(id) {
    return pick(kinds, draw(this.#seed, this.#round, id, 1));
  }

  #blankLinesBefore(id) {
    return draw(this.#seed, this.#round, id, 2) < 0.01 ? 1 : 0;
  }

  #textOf(id) {
    const { lat, lng } = coordinatesOf(id);
    const name = `${'Xyz'.repeat(1 + Math.floor(8 * draw(this.#seed, this.#round, id, 4)))} ${id}`;
    switch (this.#kindOf(id)) {
      case 'broken':
        return `{"id":${id},"lat":`;
      case 'placeless':
        return JSON.stringify({ id, name });
      case 'outside':
        return JSON.stringify({ id, name, lat: 91, lng: 0 });
      case 'number':
        return '42';
      default:
        return JSON.stringify({ id, name, country: 'ZZ', lat, lng });
    }
  }
}

const reasons = {
  placeless: refusal('undefined', 'undefined'),
  outside: refusal('91', '0'),
  number: refusal('undefined', 'undefined'),
};
