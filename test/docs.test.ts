import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';

const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '');
const filesIn = (folder: string, ending: string) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith(ending))
        .map((name) => join(folder, name))
        .filter((path) => !path.startsWith(join('docs', 'api')) && !path.split(sep).includes('node_modules'))
        .sort()
    : [];

const words = [
  ...readdirSync('.').filter((name) => name.endsWith('.md')),
  ...['docs', 'changes', 'examples'].flatMap((folder) => filesIn(folder, '.md')),
];
const sources = filesIn('src', '.ts');
const filesOfLayer = (folder: string) =>
  filesIn(`src/${folder}`, '.ts').filter((file) => basename(file) !== 'index.ts');
/** They run in virtual time, so a picture can be proved. */
const pictured = ['operators', 'sources', 'sinks'].flatMap(filesOfLayer);
/** What takes values in or gives them out, and has to say what becomes of them. */
const streams = [...pictured, ...filesOfLayer('node').filter((file) => basename(file) !== 'createShutdown.ts')];
const everything = [...streams, ...filesOfLayer('resources'), ...filesOfLayer('schedulers')];
const bullets = ['completes', 'errors', 'unsubscribed', 'backpressure', 'drops', 'rather'];

/** Without the asterisks. */
const docComments = (text: string) =>
  [...text.matchAll(/\/\*\*([\s\S]*?)\*\//g)].map(([, body = '']) => body.replace(/^[ \t]*\*[ \t]?/gm, ''));

/** Of the function or class that a file is named after. */
function docOf(file: string): string {
  const text = read(file);
  const end = text.search(
    new RegExp(`^export (?:async |abstract )?(?:function|class|const) ${basename(file, '.ts')}\\b`, 'm'),
  );
  return docComments(text.slice(0, end)).at(-1) ?? '';
}

it.each(pictured)('%s is pictured with what its marble spec proves', (file) => {
  const picture = /```marble\n([\s\S]*?)```/.exec(docOf(file))?.[1] ?? '';
  const lines = picture.split('\n').filter((line) => line.trim() !== '');
  expect(lines, 'no ```marble block').not.toEqual([]);
  const spec = `marbles/${basename(file)}`;
  const strings = stringsOf(spec);
  for (const line of lines) expect(strings, `of ${spec}`).toContain(line.trim().split(/\s+/).at(-1));
});

it.each(streams)('%s says what becomes of its values', (file) => {
  const items = docOf(file).split(/^- /m).slice(1).join('').toLowerCase();
  expect(bullets.filter((word) => !items.includes(`**${word}**`))).toEqual([]);
});

it.each(everything)('%s is public, and named in the README or the docs', (file) => {
  expect(docOf(file)).toContain('@public');
  const places = words.filter((place) => place === 'README.md' || place.startsWith('docs'));
  const name = new RegExp(`\\b${basename(file, '.ts')}\\b`);
  expect(
    places.some((place) => name.test(read(place))),
    `${name.source} is in none of ${places.join(', ')}`,
  ).toBe(true);
});

/** The string literals of a file. */
function stringsOf(path: string): string[] {
  const strings: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) strings.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, read(path), ts.ScriptTarget.ESNext));
  return strings;
}

describe.each(words)('%s', (file) => {
  it('has no broken link', () => {
    const prose = read(file).replace(/^```[\s\S]*?^```/gm, '');
    const links = [...prose.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)|\b(?:src|href)="([^"]+)"/g)].map(
      ([, a, b]) => a ?? b ?? '',
    );
    const relative = links.filter((link) => !/^[a-z]+:/i.test(link));
    for (const link of relative) {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? file : join(dirname(file), path);
      expect(existsSync(target), `${link} leads nowhere`).toBe(true);
      if (anchor !== undefined && target.endsWith('.md')) expect(anchorsOf(target), link).toContain(anchor);
    }
  });
});

/** As GitHub makes them from headings. */
const anchorsOf = (file: string) =>
  [...read(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );

// The snippets: each is a module of its own, in a folder of the package, so that they may import it by its name.

interface Snippet {
  readonly place: string;
  readonly code: string;
  /** What it says that it prints: `// prints: 1, 2` stands for two lines. */
  readonly prints: string | undefined;
}

const folder = resolve('.temp/snippets');
const snippets = [...words, ...sources].flatMap((file): Snippet[] => {
  const texts = file.endsWith('.ts') ? docComments(read(file)) : [read(file)];
  const found = texts.flatMap((text) => [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code = '']) => code));
  return found.map((code, index) => {
    const prints = [...code.matchAll(/\/\/ prints: (.*)$/gm)].map(([, line = '']) => line.trim());
    const place = found.length === 1 ? file : `${file} (${String(index + 1)})`;
    return { place, code, prints: prints.length === 0 ? undefined : prints.join(', ') };
  });
});
const pathOf = (snippet: Snippet) => join(folder, `${snippet.place.replace(/[^\w]+/g, '-')}.ts`);

describe('the snippets', { timeout: 60_000 }, () => {
  const problems = new Map<string, string[]>();

  beforeAll(() => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const snippet of snippets) writeFileSync(pathOf(snippet), snippet.code);
    const program = ts.createProgram(snippets.map(pathOf), {
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
      module: ts.ModuleKind.NodeNext,
      moduleDetection: ts.ModuleDetectionKind.Force,
      types: ['node'],
      strict: true,
      skipLibCheck: true,
      rootDir: folder,
      outDir: folder,
    });
    for (const { file, start, messageText } of ts.getPreEmitDiagnostics(program)) {
      const text = ts.flattenDiagnosticMessageText(messageText, '\n');
      const line = file?.getLineAndCharacterOfPosition(start ?? 0).line ?? 0;
      const path = file ? resolve(file.fileName) : '';
      problems.set(path, [...(problems.get(path) ?? []), `line ${String(line + 1)}: ${text}`]);
    }
    program.emit();
  }, 60_000);

  it('do not fail as a whole', () => {
    const own = snippets.map(pathOf);
    expect([...problems].filter(([path]) => !own.includes(path))).toEqual([]);
  });

  it.each(snippets)('of $place compiles', (snippet) => {
    expect(problems.get(pathOf(snippet)) ?? []).toEqual([]);
  });

  it.each(snippets.filter(({ prints }) => prints !== undefined))('of $place prints what it says', async (snippet) => {
    const { stdout } = await promisify(execFile)(process.execPath, [pathOf(snippet).replace(/ts$/, 'js')], {
      timeout: 50_000,
      // What they write goes nowhere else, and is in nobody's way.
      cwd: folder,
      env: { ...process.env, TMPDIR: folder, TEMP: folder, TMP: folder },
    });
    expect(stdout.trim().split('\n').join(', ')).toBe(snippet.prints);
  });
});
