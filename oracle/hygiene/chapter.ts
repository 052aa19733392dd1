/** A clause: one promise of Xen, named operation plus case, under a heading of its own in a chapter. */
export interface Clause {
  /** `family/operation` or `family/operation-case`, for example `evtchn/bind_interdomain-unbound`. */
  readonly id: string;
  /** The chapter's file name without `.md`. */
  readonly chapter: string;
  /** The first sentence, for tables. */
  readonly title: string;
  /** Everything between this heading and the next, as Markdown. */
  readonly body: string;
  /** The heading's line in the chapter, from 1. */
  readonly line: number;
}

export interface Chapter {
  readonly name: string;
  readonly clauses: readonly Clause[];
  /** What keeps the chapter from being read, one line each. */
  readonly problems: readonly string[];
}

const HEADING = /^(#{1,6})\s+(.*?)\s*#*\s*$/;
export const CLAUSE_ID = /^[a-z][a-z0-9_]*\/[a-z0-9_]+(?:-[a-z0-9_]+)*$/;

/** Read a chapter's clauses: each heading, of whatever level, whose whole text is one clause id.
 *
 * A heading of one word with a slash that is no clause id is a problem, since it can only be a misspelt one; so is a clause
 * that says nothing.
 */
export function readChapter(name: string, markdown: string): Chapter {
  const lines = markdown.split(/\r?\n/);
  const headings = headingsOf(lines);
  const problems: string[] = [];
  const clauses: Clause[] = [];
  headings.forEach(({ text, line }, index) => {
    if (!CLAUSE_ID.test(text)) {
      if (/^\S+\/\S+$/.test(text)) problems.push(`${name}.md:${line}: "${text}" is no clause id (family/operation-case, lowercase)`);
      return;
    }
    const body = lines
      .slice(line, (headings[index + 1]?.line ?? lines.length + 1) - 1)
      .join('\n')
      .trim();
    if (body === '') problems.push(`${name}.md:${line}: the clause ${text} says nothing`);
    clauses.push({ id: text, chapter: name, title: firstSentence(body), body, line });
  });
  return { name, clauses, problems };
}

/** The headings of a document, with their lines from 1; what stands in a fenced block is no heading. */
function headingsOf(lines: readonly string[]): { text: string; line: number }[] {
  const found: { text: string; line: number }[] = [];
  let fence: string | undefined;
  lines.forEach((line, index) => {
    const mark = /^\s*(```|~~~)/.exec(line)?.[1];
    if (mark && (fence === undefined || fence === mark)) fence = fence ? undefined : mark;
    const heading = fence === undefined ? HEADING.exec(line) : null;
    if (heading) found.push({ text: heading[2] ?? '', line: index + 1 });
  });
  return found;
}

/** The first sentence of the first paragraph, without emphasis and link targets. A full stop inside a word ends nothing. */
function firstSentence(body: string): string {
  const paragraph = (body.split(/\n\s*\n/)[0] ?? '').replace(/\s+/g, ' ').trim();
  const plain = paragraph.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/\*\*?([^*]+)\*\*?/g, '$1');
  return /^.*?[^.\s]{2,}[.!?](?=\s+[A-Z`]|$)/.exec(plain)?.[0] ?? plain;
}

/** Clauses that several headings claim, one line each. */
export function duplicates(chapters: readonly Chapter[]): string[] {
  const first = new Map<string, Clause>();
  return chapters.flatMap(({ clauses }) =>
    clauses.flatMap((clause) => {
      const other = first.get(clause.id);
      first.set(clause.id, other ?? clause);
      return other ? [`${clause.chapter}.md:${clause.line}: ${clause.id} stands already at ${other.chapter}.md:${other.line}`] : [];
    }),
  );
}
