/** Instructions with operands of all shapes, as text, for the tests of the assembler. */
const WIDTHS = {
  8: ['al', 'cl', 'bl', 'sil', 'r9b', 'r13b'],
  16: ['ax', 'dx', 'bp', 'r8w', 'r12w'],
  32: ['eax', 'ecx', 'esp', 'edi', 'r10d', 'r15d'],
  64: ['rax', 'rbx', 'rsp', 'rbp', 'r8', 'r13'],
} as const;
type Width = keyof typeof WIDTHS;
const NAMES = { 8: 'byte', 16: 'word', 32: 'dword', 64: 'qword' } as const;
const ALL = [8, 16, 32, 64] as const;
const WIDE = [16, 32, 64] as const;
const PLACES = [
  '[rax]',
  '[rsp]',
  '[rbp]',
  '[r12]',
  '[r13]',
  '[rbx+rcx*4]',
  '[r13+r14*8+0x7f]',
  '[rbp+rax-0x80]',
  '[r8+0x12345678]',
  '[0x412345]',
  '[rdx*2+0x410000]',
];
const CONSTANTS: Readonly<Record<Width, readonly string[]>> = {
  8: ['0x5', '-0x80'],
  16: ['0x7f', '-0x80', '0x1234'],
  32: ['0x7f', '-0x1', '0x12345678', '-0x80000000'],
  64: ['0x7f', '-0x1', '0x12345678', '-0x80000000'],
};

/** `name` with a register or memory and, for some, a second operand of the same width. */
function* shapes(widths: readonly Width[], second: 'none' | 'register' | 'any' | 'register first'): Iterable<readonly [Width, string]> {
  for (const width of widths) {
    const registers = WIDTHS[width];
    const places = PLACES.map((p) => `${NAMES[width]} ${p}`);
    const rm = [...registers, ...places];
    if (second === 'none') for (const one of rm) yield [width, one];
    else if (second === 'register first') for (const [i, one] of rm.entries()) yield [width, `${registers[i % registers.length]}, ${one}`];
    else for (const [i, one] of rm.entries()) yield [width, `${one}, ${registers[i % registers.length]}`];
    if (second === 'any') {
      for (const [i, place] of places.entries()) yield [width, `${registers[i % registers.length]}, ${place}`];
      for (const [i, one] of rm.entries()) for (const c of i < 4 ? CONSTANTS[width] : [CONSTANTS[width][0]]) yield [width, `${one}, ${c}`];
    }
  }
}

const CONDITIONS = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'];

/** Text of an instruction and the width of its operands. */
export function* encodings(): Iterable<readonly [text: string, width: Width]> {
  const each = function* (
    names: readonly string[],
    widths: readonly Width[],
    second: Parameters<typeof shapes>[1],
  ): Iterable<readonly [string, Width]> {
    for (const name of names) for (const [width, operands] of shapes(widths, second)) yield [`${name} ${operands}`, width];
  };
  yield* each(['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'cmp'], ALL, 'any');
  yield* each(['inc', 'dec', 'not', 'neg', 'mul', 'imul', 'div', 'idiv'], ALL, 'none');
  yield* each(['xadd', 'cmpxchg', 'xchg', 'test', 'mov'], ALL, 'register');
  yield* each(['bt', 'bts', 'btr', 'btc'], WIDE, 'register');
  yield* each(['imul', 'bsf', 'bsr', 'tzcnt', 'lzcnt', 'popcnt', ...CONDITIONS.map((cc) => `cmov${cc}`)], WIDE, 'register first');
  for (const name of ['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', 'sar'])
    for (const [width, rm] of shapes(ALL, 'none')) for (const count of ['1', '0x5', 'cl']) yield [`${name} ${rm}, ${count}`, width];
  for (const name of ['shld', 'shrd'])
    for (const [width, two] of shapes(WIDE, 'register')) for (const count of ['0x5', 'cl']) yield [`${name} ${two}, ${count}`, width];
  for (const [width, one] of shapes(WIDE, 'register first')) for (const c of CONSTANTS[width]) yield [`imul ${one}, ${c}`, width];
  for (const name of ['movzx', 'movsx'])
    for (const to of ['ecx', 'r9', 'rbp', 'r14d'])
      for (const from of ['bl', 'sil', 'byte [r12]', 'dx', 'word [rax+0x10]']) yield [`${name} ${to}, ${from}`, 64];
  for (const rm of ['ecx', 'dword [r13]']) yield [`movsxd r11, ${rm}`, 64];
  for (const [i, place] of PLACES.entries()) yield [`lea ${WIDTHS[64][i % 6]}, ${place}`, 64];
  for (const cc of CONDITIONS) for (const rm of ['al', 'sil', 'r12b', 'byte [rbx+rcx*4]']) yield [`set${cc} ${rm}`, 8];
  for (const name of ['push', 'pop']) for (const rm of ['rax', 'r12', 'qword [r13]', 'qword [rsp+0x8]']) yield [`${name} ${rm}`, 64];
  for (const name of ['bswap']) for (const register of ['eax', 'r9d', 'rbx', 'r15']) yield [`${name} ${register}`, 64];
  for (const c of ['0x1', '-0x1', '0x12345678']) yield [`push ${c}`, 64];
  for (const register of WIDTHS[64]) yield [`mov ${register}, 0x123456789abcdef0`, 64];
  for (const name of [
    'mov ah, bl',
    'add ch, dh',
    'xor al, bh',
    'cmpxchg8b qword [rax]',
    'lock add dword [rbx], eax',
    'lock xadd qword [r9], r10',
  ])
    yield [name, 64];
}
