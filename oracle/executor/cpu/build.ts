/** The handler of each instruction, from the tables of the groups. */
import { NotModelled } from '#spec/failure.ts';
import { CONTROL_REGISTERS, DEBUG_REGISTERS, type Row } from '#spec/isa/x86/opcodes.ts';
import { BMI } from './bmi_table.ts';
import type { Cpu } from './cpu.ts';
import { CRYPTO } from './crypto/index.ts';
import { GP } from './exit.ts';
import { GENERAL } from './general.ts';
import type { Instruction } from './instruction.ts';
import { CPL } from './layout.ts';
import { MMX } from './mmx/index.ts';
import type { Handler, Op } from './op.ts';
import { prepare } from './operands.ts';
import { PV_ONLY } from './pv.ts';
import { SSE } from './sse/index.ts';
import { GUARDS } from './state.ts';
import { hasFeature } from './system/features.ts';
import { JUDGES_RINGS, RING_0_ALONE, SYSTEM } from './system/index.ts';
import { privileged, undefinedOpcode } from './system.ts';
import type { Build, BuildTable } from './table.ts';
import { X87 } from './x87/index.ts';

/** MMX and SSE share names: what a row works on says which is meant. */
const MMX_FIRST: readonly BuildTable[] = [MMX, SSE, X87];
const SSE_FIRST: readonly BuildTable[] = [SSE, CRYPTO, X87, MMX];

const known = [new Map<Row, Build | undefined>(), new Map<Row, Build | undefined>()] as const;

const builder = (row: Row, bare: boolean): Build | undefined => {
  const of = known[bare ? 1 : 0];
  if (!of.has(row)) of.set(row, findBuilder(row, bare));
  return of.get(row);
};

const findBuilder = (row: Row, bare: boolean): Build | undefined => {
  const tables = [bare ? SYSTEM : PV_ONLY, ...(row.state === undefined ? [] : row.state === 'mmx' ? MMX_FIRST : SSE_FIRST), GENERAL, BMI];
  return tables.find((table) => Object.hasOwn(table, row.mnemonic))?.[row.mnemonic];
};

const notModelled =
  (mnemonic: string): Handler =>
  () => {
    throw new NotModelled(`instruction/${mnemonic}`);
  };

/** #GP(0) unless CPL is 0. */
const inRing0 =
  (handler: Handler): Handler =>
  (c, o) =>
    c.s[CPL] === 0 ? handler(c, o) : c.fault(GP, 0);

/** Control and debug registers that do not exist: their moves are no instructions. */
const missingRegister = ({ row, reg }: Instruction): boolean => {
  if (!row.mnemonic.startsWith('mov_')) return false;
  if (row.operands.some((code) => /^C[qdy]$/.test(code))) return !CONTROL_REGISTERS.includes(reg);
  return row.operands.some((code) => /^D[qdy]$/.test(code)) && !DEBUG_REGISTERS.includes(reg);
};

/** Features that not every machine on which guests of Xen run has, and of which programs ask CPUID. */
const ANNOUNCED = ['xsaveopt', 'xsavec', 'xsaves', 'rdpid'] as const;
const isMissing = (c: Cpu, { feature }: Row): boolean => ANNOUNCED.some((name) => name === feature && !hasFeature(c, name));

/** LOCK needs a memory destination of an instruction that allows it; privileged ones fault whatever their operands. */
const handlerFor = (c: Cpu, i: Instruction, op: Op, form: string): Handler => {
  const { row } = i;
  const { bare } = c.platform;
  if (i.lock && !(row.lock === true && form.startsWith('m'))) return undefinedOpcode;
  if (missingRegister(i) || (row.protected === true && c.real)) return undefinedOpcode;
  if (!bare && isMissing(c, row)) return undefinedOpcode;
  if (!bare && (row.privileged || row.iopl)) return RING_0_ALONE.has(row.mnemonic) ? undefinedOpcode : privileged;
  const handler = builder(row, bare)?.(op, i, form) ?? notModelled(row.mnemonic);
  op.inner = row.privileged && !row.iopl && !JUDGES_RINGS.has(row.mnemonic) ? inRing0(handler) : handler;
  return row.state === undefined ? op.inner : GUARDS[row.state];
};

export const TABLES: readonly BuildTable[] = [GENERAL, BMI, PV_ONLY, SYSTEM, X87, MMX, SSE, CRYPTO];

/** @param off the instruction's offset in its page. */
export const build = (c: Cpu, i: Instruction, off: number): Op => {
  const { op, form } = prepare(i, off);
  op.run = handlerFor(c, i, op, form);
  op.body = op.run;
  return op;
};
