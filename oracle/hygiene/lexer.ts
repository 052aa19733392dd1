/** A piece of a TypeScript file. `value` of a string is what stands between its quotes, escapes untouched. */
export interface Token {
  readonly kind: 'code' | 'string' | 'comment' | 'regex';
  readonly value: string;
  readonly line: number;
}

const AFTER_WHICH_A_SLASH_DIVIDES = /(?:[\w$)\]]|\+\+|--)\s*$/;
const KEYWORD_BEFORE_REGEX = /(?:^|[^\w$.])(?:return|typeof|case|in|of|do|else|void|delete|await|yield)\s*$/;

/** Cut TypeScript into code, strings, comments and regular expressions.
 *
 * Enough of a lexer to tell a string literal from a comment that quotes one. Templates come out as strings, and the code
 * inside `${}` as code. TypeScript 7's compiler is native and offers no scanner to call.
 */
export function tokens(text: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  let line = 1;
  let code = '';
  let codeLine = 1;
  let before = ''; // the last code seen, to tell a regular expression from a division
  const braces: number[] = []; // open `{` in each enclosing `${`

  const flush = () => {
    if (code.trim() !== '') {
      found.push({ kind: 'code', value: code, line: codeLine });
      before = code;
    }
    code = '';
  };
  const take = (kind: Token['kind'], end: number, value: string) => {
    flush();
    found.push({ kind, value, line });
    if (kind !== 'comment') before = kind === 'string' ? '""_' : '_';
    line += text.slice(at, end).split('\n').length - 1;
    at = end;
  };
  /** Takes template text up to the closing backtick, or up to `${`, whose code then follows. */
  const template = () => {
    const match = /(?:\\[\s\S]|\$(?!\{)|[^\\`$])*/y;
    match.lastIndex = at + 1;
    const body = match.exec(text)?.[0] ?? '';
    const end = at + 1 + body.length;
    const opens = text.startsWith('${', end);
    take('string', Math.min(text.length, end + (opens ? 2 : 1)), body);
    if (opens) {
      braces.push(0);
      before = '(';
    }
  };

  while (at < text.length) {
    const rest = text.slice(at, at + 2);
    const char = rest[0] ?? '';
    if (rest === '//') {
      const end = text.indexOf('\n', at);
      take('comment', end < 0 ? text.length : end, text.slice(at + 2, end < 0 ? undefined : end));
    } else if (rest === '/*') {
      const end = text.indexOf('*/', at + 2);
      take('comment', end < 0 ? text.length : end + 2, text.slice(at + 2, end < 0 ? undefined : end));
    } else if (char === "'" || char === '"') {
      const match = char === "'" ? /(?:\\[\s\S]|[^\\'\n])*/y : /(?:\\[\s\S]|[^\\"\n])*/y;
      match.lastIndex = at + 1;
      const body = match.exec(text)?.[0] ?? '';
      take('string', at + body.length + 2, body);
    } else if (char === '`') {
      template();
    } else if (char === '}' && braces.at(-1) === 0) {
      braces.pop();
      template();
    } else if (char === '/' && startsRegex(code.trim() === '' ? before : code)) {
      const match = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y;
      match.lastIndex = at;
      const body = match.exec(text)?.[0] ?? '/';
      take('regex', at + body.length, body);
    } else {
      if (code === '') codeLine = line;
      if (char === '\n') line++;
      const depth = braces.length - 1;
      if (depth >= 0 && char === '{') braces[depth] = (braces[depth] ?? 0) + 1;
      if (depth >= 0 && char === '}') braces[depth] = (braces[depth] ?? 0) - 1;
      code += char;
      at++;
    }
  }
  flush();
  return found;
}

function startsRegex(before: string): boolean {
  return !AFTER_WHICH_A_SLASH_DIVIDES.test(before) || KEYWORD_BEFORE_REGEX.test(before);
}
