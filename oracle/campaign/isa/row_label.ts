/** Rows of the opcode table as people read them. */
import { OPCODES } from '#spec/isa/x86/opcodes.ts';

const MAPS = { '1': '', '0f': '0F ', '0f38': '0F 38 ', '0f3a': '0F 3A ' } as const;
const hex = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, '0');

/** E.g. `F3 0F B8 popcnt Gv,Ev`, `0F BA /4 bt Ev,Ib`. No two rows share one. */
export const rowLabel = (index: number): string => {
  const { map, opcode, ext, modrm, mod, prefix, rexB, vex, modes, mnemonic, operands } = OPCODES[index];
  const before = prefix === undefined || prefix === 'none' || prefix === 'np' ? '' : `${prefix.toUpperCase()} `;
  const selected = modrm !== undefined ? ` ${hex(modrm)}` : ext !== undefined ? ` /${ext}` : '';
  const which = mod === 'reg' ? ' reg' : mod === 'mem' ? ' mem' : '';
  const only = prefix === 'np' ? ' NP' : '';
  const extended = rexB === false ? ' no REX.B' : '';
  const behind = vex === true ? 'VEX ' : '';
  const where = modes === undefined ? '' : modes === 'long' ? ' (64-bit mode)' : ' (not in 64-bit mode)';
  return (
    `${behind}${before}${MAPS[map]}${hex(opcode)}${selected}${which}${only}${extended} ${mnemonic} ${operands.join(',')}`.trimEnd() + where
  );
};

/** E.g. `0F 71 selections that are #UD`. */
export const opcodeLabel = (index: number): string => `${MAPS[OPCODES[index].map]}${hex(OPCODES[index].opcode)} selections that are #UD`;

/** Indexes of the rows whose label contains the text, whatever its case; all without one. */
export const rowsMatching = (text?: string): readonly number[] =>
  [...OPCODES.keys()].filter((row) => text === undefined || rowLabel(row).toLowerCase().includes(text.toLowerCase()));
