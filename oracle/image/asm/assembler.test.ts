import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Assembler } from './assembler.ts';
import { encodings } from './encodings.ts';
import { AssemblyError } from './operand.ts';
import { assembleText } from './text.ts';

const assemble = (text: string, base = 0x400000): Uint8Array => {
  const a = new Assembler(base);
  assembleText(a, text);
  return a.finish().bytes;
};
const hex = (text: string): string => Buffer.from(assemble(text)).toString('hex');

// Bytes by the manuals' opcode tables.
test.each([
  ['add rax, rbx', '4801d8'],
  ['adc ecx, 5', '83d105'],
  ['sub r12, 0x1234', '4981ec34120000'],
  ['mov eax, ebx', '89d8'],
  ['mov rcx, [rsp + 8]', '488b4c2408'],
  ['mov byte [r13], 7', '41c6450007'],
  ['movabs rdx, 0x123456789abcdef0', '48baf0debc9a78563412'],
  ['mov32 r9d, 1', '41b901000000'],
  ['lea rsi, [rdi + rax*8 - 1]', '488d74c7ff'],
  ['shl al, 1', 'd0e0'],
  ['sar r8d, cl', '41d3f8'],
  ['shrd edx, eax, 4', '0facc204'],
  ['bt dword [rax], 3', '0fba2003'],
  ['imul rax, rcx, 99', '486bc163'],
  ['rep stosq', 'f348ab'],
  ['repne scasb', 'f2ae'],
  ['cmpxchg16b qword [rdi]', '480fc70f'],
  ['mov rax, cr0', '0f20c0'],
  ['mov dr7, rcx', '0f23f9'],
  ['mov ds, eax', '8ed8'],
  ['syscall', '0f05'],
  ['int 0x80', 'cd80'],
  ['push -1', '6aff'],
  ['push r15', '4157'],
  ['setne r9b', '410f95c1'],
  ['movsx rax, byte [rbx]', '480fbe03'],
  ['xchg [rsi + 8], rax', '48874608'],
  ['mov al, [fs:rax]', '648a00'],
])('%s', (text, bytes) => {
  expect(hex(text)).toBe(bytes);
});

test('labels reach forwards and backwards', () => {
  expect(hex('top:\n jmp end\n je8 top\n end:\n call top')).toBe('e902000000' + '74f9' + 'e8f4ffffff');
  expect(hex('.quad here\n here:\n mov rax, here\n mov [here + 1], al')).toBe('0800400000000000' + '48c7c008004000' + '88042509004000');
});

test('data and alignment', () => {
  expect(hex('.byte 1, 2\n .align 4\n .ascii "ab"\n .skip 1')).toBe('01020000616200');
});

test.each(['mov rax', 'frob eax', 'jmp nowhere', 'add [rax], [rbx]', 'mov ah, r9b', 'push eax', 'lea rax, rbx', 'je8 1'])(
  '%s is refused',
  (text) => {
    expect(() => assemble(text)).toThrow(AssemblyError);
  },
);

test('a short branch that does not reach is refused', () => {
  expect(() => assemble('jmp8 far\n .skip 200\n far:')).toThrow(/too far/);
});

const objdump = (() => {
  try {
    execFileSync('objdump', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** Operands as both sides write them: no spaces, numbers modulo the operand's width. */
const canonical = (text: string, width: number): string =>
  text
    .replace(/\bPTR\b/g, '')
    .replace(/\bds:(0x[0-9a-f]+)/g, '[$1]')
    .replace(/\s*#.*$/, '')
    .toLowerCase()
    .replace(/\bmovabs\b/, 'mov')
    .replace(/\[([^\]]*)\]/g, (_, inside: string) => `[${address(inside.replace(/\s/g, ''))}]`)
    .replace(/\b(byte|word|dword|qword)\s*\[0x/g, '[0x')
    .replace(/(?<=[, ])(-?)(0x[0-9a-f]+|\d+)$/g, (_, sign: string, n: string) =>
      BigInt.asUintN(width, sign === '-' ? -BigInt(n) : BigInt(n)).toString(),
    )
    .replace(/(byte|word|dword|qword)\s*(\w+:)?\[/g, '[')
    .replace(/\s+/g, ' ')
    .replace(/, /g, ',')
    .replace(/ \[/g, '[')
    .trim();
/** Terms of an address, each once: objdump writes `+0x0` and a scale of 1. */
const address = (inside: string): string =>
  inside
    .replace(/\+?0x0\b/, '')
    .replace(/\*1\b/, '')
    .replace(/^riz.*\+/, '');

test('what objdump makes of the bytes is what was asked for', () => {
  if (!objdump) return console.warn('objdump is not installed: encodings were compared with the table above only');
  const cases = [...encodings()];
  const folder = mkdtempSync(join(tmpdir(), 'assembler-'));
  try {
    const bytes = cases.map(([text]) => assemble(text));
    const file = join(folder, 'code.bin');
    writeFileSync(file, Buffer.concat(bytes));
    const listing = execFileSync('objdump', ['-D', '-b', 'binary', '-m', 'i386:x86-64', '-M', 'intel', '-w', file], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    const shown = new Map<number, string>();
    for (const line of listing.split('\n')) {
      const found = /^\s*([0-9a-f]+):\t(?:[0-9a-f]{2} )+\s*\t(.*)$/.exec(line);
      if (found) shown.set(Number.parseInt(found[1], 16), found[2]);
    }
    let at = 0;
    const wrong: string[] = [];
    cases.forEach(([text, width], i) => {
      const seen = canonical(shown.get(at) ?? '(nothing)', width);
      const wanted = canonical(text, width);
      // XCHG and TEST are the same either way round.
      const turned = /^(xchg|test) ([^,]+),(.+)$/.exec(wanted);
      if (
        seen !== wanted &&
        seen !== (turned ? `${turned[1]} ${turned[3]},${turned[2]}` : '') &&
        seen.replace(/ /g, '') !== wanted.replace(/ /g, '')
      )
        wrong.push(`${text}: ${seen} is not ${wanted}`);
      at += bytes[i].length;
    });
    expect(cases.length).toBeGreaterThan(1500);
    expect(wrong.slice(0, 10)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
