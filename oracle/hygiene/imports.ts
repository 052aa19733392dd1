import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { DETERMINISTIC, IMPORT_RULES, type ImportRule, NEVER_MEET, TEST_PACKAGES } from './import_rules.ts';
import { tokens } from './lexer.ts';
import { isTest, isTypeScript, type Source } from './sources.ts';

/** One import of one file. `target` is a path from the root for our own files, else a package's or built-in's name. */
export interface Import {
  readonly specifier: string;
  readonly kind: 'file' | 'package' | 'node';
  readonly target: string;
  readonly line: number;
}

const INTRODUCES_A_MODULE = /(?:\bfrom|\bimport|\bimport\s*\(|\brequire\s*\(|\bnew\s+(?:Worker|URL)\s*\()\s*$/;
const NODE_GLOBAL = /(?:^|[^\w$.])(process\s*\.\s*[a-z]\w*|Buffer\s*[.(]|__dirname\b|__filename\b|setImmediate\s*\()/;
const CHANCE_OR_CLOCK = /(?:^|[^\w$.])(Math\s*\.\s*random|Date\s*\.\s*now|new\s+Date\s*\(\s*\)|performance\s*\.\s*now|crypto\s*\.)/;

/** Every import of a file: static, type-only, dynamic, re-exported, and of workers. */
export function importsOf(source: Source): Import[] {
  const found: Import[] = [];
  let before = '';
  for (const token of tokens(source.text)) {
    if (token.kind === 'string' && INTRODUCES_A_MODULE.test(before)) {
      const target = resolve(source.path, token.value);
      if (target) found.push({ specifier: token.value, line: token.line, ...target });
    }
    if (token.kind !== 'comment') before = token.kind === 'code' ? token.value : '';
  }
  return found;
}

function resolve(from: string, specifier: string): Pick<Import, 'kind' | 'target'> | undefined {
  if (specifier.startsWith('.')) return { kind: 'file', target: posix.join(posix.dirname(from), specifier) };
  if (specifier.startsWith('#')) return { kind: 'file', target: specifier.slice(1) };
  if (specifier.startsWith('xenspec/')) return { kind: 'file', target: `${specifier.slice('xenspec/'.length)}/index.ts` };
  if (isBuiltin(specifier)) return { kind: 'node', target: specifier };
  if (!/^(?:@[\w.-]+\/)?[\w.-]+(?:\/|$)/.test(specifier)) return undefined;
  return {
    kind: 'package',
    target: specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/'),
  };
}

const isIn = (path: string, area: string): boolean => path === area || path.startsWith(`${area}/`);

function ruleFor(path: string): ImportRule | undefined {
  return IMPORT_RULES.filter((rule) => isIn(path, rule.area)).sort((a, b) => b.area.length - a.area.length)[0];
}

/** Every breach of the import rules, one line each. */
export function importViolations(all: readonly Source[]): string[] {
  const files = all.filter(isTypeScript);
  return [...files.flatMap(directViolations), ...meetings(files), ...files.flatMap(impurities)];
}

function directViolations(source: Source): string[] {
  const rule = ruleFor(source.path);
  if (!rule) return [`${source.path}: lies in no area of oracle/hygiene/import_rules.ts`];
  return importsOf(source)
    .filter((each) => !allowed(source, rule, each))
    .map((each) => `${source.path}:${each.line} may not import ${each.specifier}: ${rule.why}`);
}

function allowed(source: Source, rule: ImportRule, { kind, target }: Import): boolean {
  if (kind === 'node') return rule.node || isTest(source);
  if (kind === 'package')
    return [...rule.packages, ...(isTest(source) ? TEST_PACKAGES : [])].some((name) => name === '*' || name === target);
  if (isTest(source)) return true; // except what never meets
  const home = rule.area.endsWith('.ts') ? posix.dirname(rule.area) : rule.area;
  return isIn(target, home) || rule.areas.some((area) => area === '*' || isIn(target, area));
}

/** For each file of an area, the chain of imports that leads to the area it must never meet. */
function meetings(files: readonly Source[]): string[] {
  const graph = new Map(
    files.map((file) => [
      file.path,
      importsOf(file)
        .filter((each) => each.kind === 'file')
        .map((each) => each.target),
    ]),
  );
  return NEVER_MEET.flatMap(([area, other]) =>
    files
      .filter((file) => isIn(file.path, area))
      .flatMap((file) => {
        const chain = chainTo(graph, file.path, other);
        return chain ? [`${area} and ${other} never meet: ${chain.join(' → ')}`] : [];
      }),
  );
}

function chainTo(graph: ReadonlyMap<string, readonly string[]>, start: string, area: string): string[] | undefined {
  const cameFrom = new Map<string, string | undefined>([[start, undefined]]);
  for (const path of cameFrom.keys()) {
    if (isIn(path, area)) {
      const chain: string[] = [];
      for (let at: string | undefined = path; at !== undefined; at = cameFrom.get(at)) chain.unshift(at);
      return chain;
    }
    for (const next of graph.get(path) ?? []) if (!cameFrom.has(next)) cameFrom.set(next, path);
  }
  return undefined;
}

/** Globals that bind a file to Node, or make its answer depend on chance or on the clock. */
function impurities(source: Source): string[] {
  if (isTest(source)) return [];
  const checks: [boolean, RegExp, string][] = [
    [ruleFor(source.path)?.node === false, NODE_GLOBAL, 'which only Node has'],
    [DETERMINISTIC.some((area) => isIn(source.path, area)), CHANCE_OR_CLOCK, 'but chance and time are inputs'],
  ];
  return tokens(source.text)
    .filter((token) => token.kind === 'code')
    .flatMap((token) =>
      checks.flatMap(([applies, pattern, reason]) => {
        const match = applies ? pattern.exec(token.value) : null;
        return match ? [`${source.path}: near line ${token.line} uses ${match[1]}, ${reason}`] : [];
      }),
    );
}
