// Runs in a process of its own (processes.mjs): `node measure.mjs <file of a claim> <arguments of its measure()>`.
import { writeSync } from 'node:fs';

const [, , url, ...job] = process.argv;
const { measure } = await import(url);
writeSync(1, JSON.stringify(await measure(...job)));
process.exit();
