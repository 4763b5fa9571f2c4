// What changes/ holds, put together.
//   npm run changelog             prints it
//   npm run changelog -- 1.2.0    moves it to CHANGELOG.md as that version, of today
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const headings = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];

export const fragmentsOf = (folder) =>
  readdirSync(folder)
    .filter((name) => name !== 'README.md')
    .sort();

/**
 * The entries of a fragment under each of its headings. Throws if it has not the form that changes/README.md gives.
 * @param {string} name
 * @param {string} text
 * @returns {Map<string, string>}
 */
export function parseFragment(name, text) {
  const fail = (what) => {
    throw new Error(`changes/${name}: ${what}`);
  };
  if (!/^\d{4}(-[a-z0-9]+)+\.md$/.test(name)) fail('the name must be like 0042-ordered-results.md');
  const [before, ...sections] = text.split(/^### /m);
  if (before !== '' || sections.length === 0) fail('it must start with a heading like "### Added"');
  const entries = new Map();
  for (const section of sections) {
    const [heading, list = ''] = section.split(/\n([\s\S]*)/);
    if (!headings.includes(heading)) fail(`"${heading}" is none of ${headings.join(', ')}`);
    if ([...entries.keys()].some((earlier) => headings.indexOf(earlier) >= headings.indexOf(heading)))
      fail(`"${heading}" comes twice, or too late`);
    if (!/^\n(- \S.*\n( {2}\S.*\n)*)+$/.test(`${list.trimEnd()}\n`)) fail(`under "${heading}" there must be a list`);
    entries.set(heading, list.trim());
  }
  return entries;
}

/** @param {Map<string, string>[]} fragments */
export function assemble(fragments) {
  return headings
    .map((heading) => [heading, fragments.flatMap((entries) => entries.get(heading) ?? [])])
    .filter(([, lists]) => lists.length > 0)
    .map(([heading, lists]) => `### ${heading}\n\n${lists.join('\n')}\n`)
    .join('\n');
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const names = fragmentsOf('changes');
  const text = assemble(names.map((name) => parseFragment(name, readFileSync(join('changes', name), 'utf8'))));
  const version = process.argv[2];
  if (version === undefined) console.log(text);
  else {
    if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) throw new Error(`${version} is no version`);
    const day = new Date().toISOString().slice(0, 10);
    const changelog = readFileSync('CHANGELOG.md', 'utf8');
    const [head, unreleased, earlier = ''] = changelog.split(/(^## Unreleased\n[\s\S]*?)(?=^## \d|$(?![\s\S]))/m);
    writeFileSync(
      'CHANGELOG.md',
      `${head}${unreleased.trimEnd()}\n\n## ${version} - ${day}\n\n${text}${earlier && `\n${earlier}`}`,
    );
    for (const name of names) rmSync(join('changes', name));
  }
}
