/** Assembly text in Intel's order of operands, for the guest runtime: one instruction a line, `#` comments, `label:`. */
import type { Assembler } from './assembler.ts';
import { AssemblyError, type Imm, type Mem, type Operand, registerNamed, type Size } from './operand.ts';

/** Constants that the text may name. */
export type Constants = Readonly<Record<string, number>>;

const SIZES: Readonly<Record<string, Size>> = { byte: 8, word: 16, dword: 32, qword: 64 };
const LABEL = /^([A-Za-z_.][\w.]*):\s*/;

/** A sum of numbers, constants and at most one label. */
const expression = (text: string, constants: Constants): Imm => {
  let value = 0n;
  let label: string | null = null;
  for (const [, sign, term] of text.matchAll(/([+-]?)\s*([\w.]+)/g)) {
    const known = /^\d/.test(term) ? BigInt(term) : constants[term];
    if (known !== undefined) value += sign === '-' ? -BigInt(known) : BigInt(known);
    else if (label === null && sign !== '-') label = term;
    else throw new AssemblyError(`cannot add ${term} in "${text}"`);
  }
  return { t: 'imm', value: value >= -0x7fffffffn && value <= 0xffffffffn ? Number(value) : value, label };
};

const memoryOperand = (inside: string, size: Size | 0, constants: Constants): Mem => {
  let base: number | null = null;
  let index: number | null = null;
  let scale: Mem['scale'] = 1;
  const rest: string[] = [];
  let segment: Mem['segment'] = null;
  let body = inside;
  const prefixed = /^(fs|gs):(.*)$/.exec(inside);
  if (prefixed) {
    segment = prefixed[1] as 'fs' | 'gs';
    body = prefixed[2];
  }
  for (const term of body.replace(/-/g, '+-').split('+')) {
    const word = term.trim();
    const [left, right] = word.split('*');
    const register = registerNamed(left.trim());
    if (register?.t !== 'reg') {
      if (word !== '') rest.push(word);
    } else if (right !== undefined) {
      index = register.n;
      scale = Number(right) as Mem['scale'];
    } else if (base === null) base = register.n;
    else index = register.n;
  }
  const sum = rest.length === 0 ? { value: 0, label: null } : expression(rest.join('+').replace(/\+-/g, '-'), constants);
  return { t: 'mem', size, base, index, scale, disp: Number(sum.value), label: sum.label, segment, rip: false };
};

const operand = (text: string, constants: Constants): Operand => {
  const found = /^(?:(byte|word|dword|qword)\s*)?\[(.*)\]$/.exec(text);
  if (found) return memoryOperand(found[2], found[1] ? SIZES[found[1]] : 0, constants);
  return registerNamed(text) ?? expression(text, constants);
};

/** Assemble a text; throws AssemblyError with the line that is at fault. */
export const assembleText = (a: Assembler, source: string, constants: Constants = {}) => {
  for (const line of source.split('\n')) {
    let rest = line.replace(/#.*$/, '').trim();
    for (let found = LABEL.exec(rest); found; found = LABEL.exec(rest)) {
      a.label(found[1]);
      rest = rest.slice(found[0].length);
    }
    if (rest === '') continue;
    try {
      statement(a, rest, constants);
    } catch (error) {
      if (error instanceof AssemblyError) throw new AssemblyError(`${error.message} in "${line.trim()}"`);
      throw error;
    }
  }
};

const statement = (a: Assembler, text: string, constants: Constants) => {
  const quoted = /^\.ascii\s+"(.*)"$/.exec(text);
  if (quoted) return a.data(Uint8Array.from(quoted[1].replace(/\\n/g, '\n'), (c) => c.charCodeAt(0)));
  const [, name, operands] = /^((?:rep|repe|repne|lock)\s+\w+|[\w.]+)\s*(.*)$/.exec(text) ?? [];
  if (name === undefined) throw new AssemblyError('not an instruction');
  const list = operands === '' ? [] : operands.split(',').map((word) => operand(word.trim(), constants));
  if (!name.startsWith('.')) return a.op(name.replace(/\s+/, ' '), ...list);
  const values = list.map((o) => (o.t === 'imm' ? o : { t: 'imm' as const, value: 0, label: null }));
  if (name === '.align') a.align(Number(values[0].value));
  else if (name === '.skip') a.data(new Uint8Array(Number(values[0].value)));
  else if (name === '.byte') a.data(Uint8Array.from(values, (v) => Number(v.value)));
  else if (name === '.quad')
    for (const v of values)
      if (v.label === null) a.quad(v.value);
      else a.address(v.label, Number(v.value));
  else throw new AssemblyError(`no such directive: ${name}`);
};
