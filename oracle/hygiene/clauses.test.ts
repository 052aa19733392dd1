import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CLAUSES } from '#spec/clauses.ts';
import { duplicates, readChapter } from './chapter.ts';
import { orphans } from './clause_citations.ts';
import { clauseTable } from './clause_table.ts';
import { chapterFiles, chapters, TABLE } from './clauses.ts';
import { withDiagrams } from './diagrams.ts';
import { type Source, sources } from './sources.ts';

describe('the specification', () => {
  it('has chapters that can be read, each clause once', () => {
    const all = chapters();
    expect([...all.flatMap((chapter) => chapter.problems), ...duplicates(all)]).toEqual([]);
  });

  it('has an up to date table of clauses (npm run clauses)', () => {
    expect(readFileSync(TABLE, 'utf8')).toBe(clauseTable(chapters()));
  });

  it('shows the diagrams that the model’s tables draw (npm run clauses)', () => {
    for (const file of chapterFiles()) {
      const text = readFileSync(file, 'utf8');
      expect(withDiagrams(text) === text, file.pathname).toBe(true);
    }
  });

  it('and the model leave no orphan on either side', () => {
    expect(orphans(Object.keys(CLAUSES), sources())).toEqual([]);
  });
});

const CHAPTER = `# Demonstration

Prose about and/or.

## Operations

### demo/open

Opens a [port](port.md) of \`v1.2\`, **if** free. Then more.

Another paragraph.

#### demo/open-none_free

No port is free:
the answer is ENOSPC

\`\`\`sh
# demo/not_a_heading
\`\`\`

### Notes
`;

describe('a chapter', () => {
  it('gives its clauses with their first sentences', () => {
    expect(readChapter('demo', CHAPTER)).toEqual({
      name: 'demo',
      problems: [],
      clauses: [
        expect.objectContaining({ id: 'demo/open', chapter: 'demo', title: 'Opens a port of `v1.2`, if free.', line: 7 }),
        expect.objectContaining({ id: 'demo/open-none_free', title: 'No port is free: the answer is ENOSPC', line: 13 }),
      ],
    });
  });

  it('keeps the text of a clause to the next heading', () => {
    expect(readChapter('demo', CHAPTER).clauses[1]?.body).toMatch(/^No port[\s\S]*```$/);
  });

  it.each(['### demo/Open\ntext', '### demo/open-\ntext', '### `demo/open`\ntext', '### demo/open\n\n### demo/close\ntext'])(
    'finds a planted mistake: %j',
    (text) => {
      expect(readChapter('demo', text).problems).toHaveLength(1);
    },
  );

  it('may not repeat a clause, its own or another chapter’s', () => {
    const one = readChapter('one', '# demo/a\nx.\n# demo/a\ny.');
    const two = readChapter('two', '# demo/a\nz.');
    expect(duplicates([one, two])).toEqual(['one.md:3: demo/a stands already at one.md:1', 'two.md:1: demo/a stands already at one.md:1']);
  });
});

describe('a diagram', () => {
  it('is drawn where the chapter asks for it, whatever stood there', () => {
    const text = withDiagrams('a\n<!-- drawn: channel -->\nold\n<!-- end -->\nb');
    expect(text).toContain('    free --> unbound: alloc_unbound\n');
    expect(withDiagrams(text)).toBe(text);
  });

  it('must be one that somebody can draw', () => {
    expect(() => withDiagrams('<!-- drawn: nothing -->\n<!-- end -->')).toThrow('nothing');
  });
});

describe('the table of clauses', () => {
  it('is sorted and quotes what needs it', () => {
    const text = clauseTable([readChapter('z', "# demo/b\nIt's \\ here."), readChapter('a', '# demo/a\nFirst.')]);
    expect(text).toContain(
      "{\n  'demo/a': { chapter: 'a', title: 'First.' },\n  'demo/b': { chapter: 'z', title: 'It\\'s \\\\ here.' },\n} as const",
    );
  });
});

describe('orphans', () => {
  const file = (path: string, text: string): Source => ({ path, text });

  it('none, when each clause is cited and each citation is a clause', () => {
    expect(orphans(['demo/a'], [file('model/a.ts', "fail('EINVAL', 'demo/a'); notModelled('demo/swap'); import 'other/thing';")])).toEqual(
      [],
    );
  });

  it('a clause without code is found; a comment, a test and another engine are no code of the model', () => {
    const elsewhere = [file('model/a.ts', "// 'demo/a'"), file('model/a.test.ts', "'demo/a'"), file('oracle/executor/a.ts', "'demo/a'")];
    expect(orphans(['demo/a'], elsewhere)).toEqual(['no code of the model cites demo/a']);
  });

  it('code without a clause is found, wherever it stands', () => {
    const cited = file('model/a.ts', "'demo/a'");
    expect(orphans(['demo/a'], [cited, file('oracle/compare/b.ts', "\n'demo/bb'")])).toEqual([
      'oracle/compare/b.ts:2 cites demo/bb, which no chapter has',
    ]);
  });
});
