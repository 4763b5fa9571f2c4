import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

// The whole architecture, as data: a change of it shows here.

interface Layer {
  /** Layers whose files may be imported. */
  readonly imports: readonly string[];
  /** Layers of which types may be imported, too. */
  readonly types?: readonly string[];
  /** Packages that may be imported. */
  readonly packages: readonly RegExp[];
  /** May tell the time, and wait. */
  readonly clock: boolean;
  /** Each file is public, is named as the one thing that it exports, and is exported here. */
  readonly entry?: string;
}

const rxjs = /^rxjs$/;
const foundation = ['options', 'link', 'internal', 'machines', 'errors'];
const composed = ['operators', 'sources', 'sinks', 'resources', 'schedulers'];

const layers: Readonly<Record<string, Layer>> = {
  operators: { imports: foundation, packages: [rxjs], clock: true, entry: 'index.ts' },
  sources: { imports: foundation, packages: [rxjs], clock: true, entry: 'index.ts' },
  sinks: { imports: foundation, packages: [rxjs], clock: true, entry: 'index.ts' },
  resources: { imports: foundation, packages: [rxjs], clock: true, entry: 'index.ts' },
  schedulers: { imports: foundation, packages: [rxjs], clock: true, entry: 'schedulers/index.ts' },
  node: {
    imports: ['node', ...composed, ...foundation],
    packages: [rxjs, /^node:/],
    clock: true,
    entry: 'node/index.ts',
  },
  options: { imports: ['options', 'link', 'internal', 'machines', 'errors'], packages: [rxjs], clock: true },
  link: { imports: ['link', 'internal', 'machines', 'errors'], packages: [rxjs], clock: true },
  internal: {
    imports: ['internal', 'link', 'machines', 'errors'],
    types: ['options'],
    packages: [rxjs],
    clock: true,
  },
  machines: { imports: ['machines', 'errors'], packages: [], clock: false },
  errors: { imports: [], packages: [], clock: false },
};

/** No import cycle but these, which are types only: two halves of one thing that would be longer as one file. */
const halves: readonly (readonly [from: string, type: string])[] = [
  ['internal/merge/InnerWork.ts', 'internal/merge/Works.ts'],
  ['internal/merge/MergeSubscribers.ts', 'internal/merge/MergeOperation.ts'],
];

/** The link hangs on subscribers: these may make their own. The others extend what these make. */
const subscribers = ['internal/LeanSubscriber.ts', 'internal/merge/MergeSubscribers.ts', 'internal/operate.ts'];

/** Reads RxJS's insides. */
const walk = 'link/walk.ts';

const mostCodeLines = 150;
const longer: Readonly<Record<string, string>> = {
  'internal/merge/MergeOperation.ts': 'one state: its parts would have to share every field',
  'internal/sessions/LiveSessions.ts': 'opening and closing, which share every field (ADR 10)',
};

const clocks = /^(Date|performance|set(Timeout|Interval|Immediate)|queueMicrotask|requestAnimationFrame|scheduler)$/;
const empty = /^(utils?|helpers?|common|shared|misc|types?)$|(Utils?|Helpers?)$/;

// What the files say

interface Import {
  readonly path: string;
  readonly names: readonly string[];
  readonly typesOnly: boolean;
}

const src = resolve('src');
const filesOf = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.m?[jt]s$/.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((file) => !file.includes('node_modules/'))
    .sort();
const files = filesOf(src);
const trees = new Map(
  files.map((file) => [
    file,
    ts.createSourceFile(join(src, file), readFileSync(join(src, file), 'utf8'), ts.ScriptTarget.ESNext, true),
  ]),
);
const treeOf = (file: string) => trees.get(file) as ts.SourceFile;
const layerOf = (file: string) => (file.includes('/') ? file.slice(0, file.indexOf('/')) : '.');
const isIndex = (file: string) => basename(file) === 'index.ts';

/** The node and all that is in it, comments aside. */
function* descendants(node: ts.Node): Generator<ts.Node> {
  yield node;
  for (const child of node.getChildren()) if (!ts.isJSDoc(child)) yield* descendants(child);
}

const all = <N extends ts.Node>(file: string, is: (node: ts.Node) => node is N) =>
  [...descendants(treeOf(file))].filter((node) => is(node));

function importsOf(file: string): Import[] {
  return treeOf(file).statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
    const { moduleSpecifier } = statement;
    if (!moduleSpecifier || !ts.isStringLiteral(moduleSpecifier)) return [];
    const bindings = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : statement.exportClause;
    const elements = bindings && 'elements' in bindings ? [...bindings.elements] : [];
    const wholly = ts.isImportDeclaration(statement)
      ? statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
      : statement.isTypeOnly;
    return [
      {
        path: moduleSpecifier.text,
        names: elements.map((element) => (element.propertyName ?? element.name).text),
        typesOnly: wholly || (elements.length > 0 && elements.every((element) => element.isTypeOnly)),
      },
    ];
  });
}

const target = (file: string, path: string) =>
  relative(src, resolve(src, dirname(file), path.replace(/\.js$/, '.ts')))
    .split(sep)
    .join('/');
const isOwn = ({ path }: Import) => path.startsWith('.');

function codeLines(file: string): number {
  const tree = treeOf(file);
  const lines = new Set<number>();
  for (const node of descendants(tree)) {
    if (node.getChildCount() > 0 || node.kind === ts.SyntaxKind.EndOfFileToken) continue;
    const [first, last] = [node.getStart(), node.getEnd()].map((at) => tree.getLineAndCharacterOfPosition(at).line);
    for (let line = first ?? 0; line <= (last ?? 0); line++) lines.add(line);
  }
  return lines.size;
}

/** The values that a file exports, and what it exports from elsewhere. */
function exportedValues(file: string): string[] {
  return treeOf(file).statements.flatMap((statement) => {
    if (ts.isExportDeclaration(statement)) {
      const { exportClause, isTypeOnly } = statement;
      if (isTypeOnly || !exportClause || !ts.isNamedExports(exportClause)) return [];
      return exportClause.elements.filter((element) => !element.isTypeOnly).map((element) => element.name.text);
    }
    const exported = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
    if (!exported?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
    if (ts.isVariableStatement(statement))
      return statement.declarationList.declarations.map(({ name }) => name.getText());
    if ((ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) && statement.name)
      return [statement.name.text];
    return [];
  });
}

const inFolders = files.filter((file) => file.includes('/'));

describe.each(inFolders)('src/%s', (file) => {
  const layer = layers[layerOf(file)];

  it('imports only what its layer may', () => {
    expect(Object.keys(layers)).toContain(layerOf(file));
    for (const each of importsOf(file)) {
      if (isOwn(each)) {
        const allowed = [...(layer?.imports ?? []), ...(each.typesOnly ? (layer?.types ?? []) : [])];
        if (isIndex(file)) allowed.push(layerOf(file));
        expect(allowed, `${each.path} is of another layer`).toContain(layerOf(target(file, each.path)));
      } else {
        const allowed = layer?.packages.some((name) => name.test(each.path));
        expect(allowed, `${each.path} is no package for this layer`).toBe(true);
        expect(each.names, 'asapScheduler stalls in some versions of RxJS').not.toContain('asapScheduler');
      }
    }
  });
});

it.each(files.filter((file) => layers[layerOf(file)]?.clock === false))('src/%s knows no clock', (file) => {
  const names = all(file, ts.isIdentifier).map(({ text }) => text);
  expect(names.filter((name) => clocks.test(name))).toEqual([]);
});

const publicFiles = inFolders.flatMap((file) => {
  const entry = layers[layerOf(file)]?.entry;
  return entry === undefined || isIndex(file) ? [] : [{ file, entry }];
});

it.each(publicFiles)('src/$file is named as what it exports, and $entry exports it', ({ file, entry }) => {
  const name = basename(file, '.ts');
  expect([...new Set(exportedValues(file))]).toEqual([name]);
  const exported = importsOf(entry).find((each) => target(entry, each.path) === file);
  expect(exported?.names, `src/${entry} does not export it`).toContain(name);
  expect(exportedValues(entry)).toContain(name);
});

it.each(files.filter(isIndex))('src/%s exports by name, and does nothing else', (file) => {
  for (const statement of treeOf(file).statements) {
    const byName =
      ts.isExportDeclaration(statement) && statement.exportClause && ts.isNamedExports(statement.exportClause);
    expect(byName, statement.getText()).toBe(true);
  }
});

describe('src', () => {
  it('has no import cycle', () => {
    const ways = new Map(
      files.map((file) => {
        const parts = halves.filter(([from]) => from === file).map(([, type]) => type);
        const targets = importsOf(file)
          .filter(isOwn)
          .map(({ path, typesOnly }) => ({ to: target(file, path), typesOnly }))
          .filter(({ to, typesOnly }) => !(typesOnly && parts.includes(to)));
        return [file, targets.map(({ to }) => to)];
      }),
    );
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]) => {
      expect(path, `${[...path, file].join(' -> ')} is a cycle`).not.toContain(file);
      if (done.has(file)) return;
      for (const next of ways.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
  });

  it('has the halves that are listed', () => {
    for (const [from, type] of halves) {
      const imported = importsOf(from).filter((each) => isOwn(each) && target(from, each.path) === type);
      expect(imported, `${from} no longer imports ${type}: take it off the list`).not.toEqual([]);
    }
  });

  it('makes subscribers of its own only where that is listed', () => {
    const makers = files.filter((file) => {
      const extended = all(file, ts.isHeritageClause).flatMap(({ types }) => types.map(({ expression }) => expression));
      const made = all(file, ts.isNewExpression).map(({ expression }) => expression);
      const borrowed = all(file, ts.isPropertyAccessExpression).filter(({ name }) => name.text === 'prototype');
      return [...extended, ...made, ...borrowed.map(({ expression }) => expression)].some(
        (expression) => expression.getText() === 'Subscriber',
      );
    });
    expect(makers).toEqual(subscribers);
  });

  it('has no file longer than can be read at once, but those that are listed with a reason', () => {
    const long = files.map((file) => ({ file, lines: codeLines(file) })).filter(({ lines }) => lines > mostCodeLines);
    expect(
      long.map(({ file }) => file),
      long.map(({ file, lines }) => `${file}: ${String(lines)} code lines`).join(', '),
    ).toEqual(Object.keys(longer));
  });

  it(`reads RxJS's insides only in ${walk}`, { timeout: 60_000 }, () => {
    expect(insideReads()).toEqual([]);
  });
});

it.each(['src', 'bench', 'examples', 'marbles', 'scripts'].filter((folder) => existsSync(folder)))(
  'names in %s say something',
  (folder) => {
    const names = filesOf(resolve(folder)).flatMap((file) => file.replace(/\.m?[jt]s$/, '').split('/'));
    expect(names.filter((name) => empty.test(name))).toEqual([]);
  },
);

/**
 * Where RxJS's insides are touched. A subscriber of our own may keep what it was given in a `destination`, and read it if it
 * is declared as what it is, a `Subscriber`.
 */
function insideReads(): string[] {
  const { config } = ts.readConfigFile('tsconfig.json', (path) => readFileSync(path, 'utf8')) as { config: object };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.');
  const program = ts.createProgram(
    files.map((file) => join(src, file)),
    options,
  );
  const checker = program.getTypeChecker();
  const isInside = (name: string) => /^(destination|partialObserver|isStopped|_.+)$/.test(name);
  const isOurs = (name: ts.Node) => {
    const declarations = checker.getSymbolAtLocation(name)?.declarations ?? [];
    return (
      declarations.length > 0 &&
      declarations.every((declaration) => declaration.getSourceFile().fileName.startsWith(src)) &&
      (isAssigned(name.parent) || isSubscriber(checker.getTypeAtLocation(name)))
    );
  };
  const isSubscriber = (type: ts.Type) =>
    checker.typeToString(checker.getNonNullableType(type)).startsWith('Subscriber<');
  const isAssigned = (node: ts.Node) =>
    ts.isBinaryExpression(node.parent) &&
    node.parent.left === node &&
    node.parent.operatorToken.kind === ts.SyntaxKind.EqualsToken;

  const found: string[] = [];
  for (const file of files) {
    const tree = program.getSourceFile(join(src, file));
    if (file === walk || !tree) continue;
    for (const node of descendants(tree)) {
      const name = ts.isPropertyAccessExpression(node)
        ? node.name
        : ts.isBindingElement(node)
          ? (node.propertyName ?? node.name)
          : undefined;
      const isRead = name && ts.isIdentifier(name) && isInside(name.text) && !isOurs(name);
      const isQuoted = ts.isStringLiteralLike(node) && /^(destination|partialObserver|_parentage)$/.test(node.text);
      if (isRead || isQuoted) {
        const { line } = tree.getLineAndCharacterOfPosition(node.getStart());
        found.push(`src/${file}:${String(line + 1)} ${node.getText()}`);
      }
    }
  }
  return found;
}
