/**
 * What a row of the opcode table says. Source: Intel SDM volume 2, appendix A; AMD APM volume 3, appendix A. Operand codes are the
 * manuals':
 *
 * - `E` modrm r/m (register or memory), `M` memory only, `R` register only (modrm.rm), `G` modrm.reg, `B` the register in VEX.vvvv,
 *   `S` segment register by modrm.reg, `C`/`D` control/debug register by modrm.reg, `O` absolute offset, `A` far pointer in the
 *   instruction, `I` immediate, `J` relative offset, `X` DS:rSI, `Y` ES:rDI, `Z` register in the opcode's low three bits (REX.B
 *   extends);
 * - `V` XMM register by modrm.reg, `W` XMM register or memory, `U` XMM register by modrm.rm; `P` MMX register by modrm.reg, `Q` MMX
 *   register or memory, `N` MMX register by modrm.rm; `ST` the top of the x87 stack, `STi` the register of modrm.rm;
 * - `b` byte, `w` word, `d` dword, `q` qword, `t` ten bytes, `v` 16/32/64 by operand size, `z` immediate 16/32 by operand size
 *   (sign-extended to 64), `y` 32/64, `dq` 128 bits, `p` far pointer 16:16/16:32 (16:32 with REX.W too, as AMD does), `a` the two
 *   bounds of BOUND. A width behind `V`, `W`, `U`, `P`, `Q` is what the instruction reads or writes there: `Wd` is four bytes of memory
 *   or the low dword of a register;
 * - fixed registers by name: AL, AX, rAX (`v` width), eAX (`z` width: 16/32), CL, DX, XMM0, ES, CS, SS, DS, FS, GS; `1` the constant one;
 * - `sb` immediate byte sign-extended to the operand size.
 *
 * `size: 64` marks instructions whose operand size defaults to 64 bits in 64-bit mode (66 gives 16; there is no 32). Near branches are
 * among them: 66 gives them 16 bits as AMD does, where Intel ignores it. Outside 64-bit mode it means nothing.
 *
 * Where the vendors differ, the table is AMD's, whose processor the default machine has: spec/findings.md.
 */
export type OpcodeMap = '1' | '0f' | '0f38' | '0f3a';

/**
 * State that an instruction works on, and with it the checks that come first (SDM volume 3, 13.1 and table 2-18 ff. of volume 2):
 *
 * - `x87`: CR0.EM or CR0.TS: #NM; then an unmasked exception that is pending: #MF. `x87_nowait`: without the #MF.
 * - `wait`: FWAIT: #NM when CR0.MP and CR0.TS; then #MF.
 * - `mmx`: CR0.EM: #UD; CR0.TS: #NM; then #MF. All but EMMS set the tags valid and TOP to 0.
 * - `sse`: CR0.EM, or CR4.OSFXSR clear: #UD; CR0.TS: #NM. Also LDMXCSR and STMXCSR.
 * - `fx`: FXSAVE, FXRSTOR: CR0.EM or CR0.TS: #NM. `xsave`: CR4.OSXSAVE clear: #UD; CR0.TS: #NM.
 */
export type RowState = 'x87' | 'x87_nowait' | 'wait' | 'mmx' | 'sse' | 'fx' | 'xsave';

export type Row = {
  readonly map: OpcodeMap;
  readonly opcode: number;
  /** modrm.reg that selects this row. */
  readonly ext?: number;
  /** Whole modrm byte that selects this row. */
  readonly modrm?: number;
  readonly mod?: 'reg' | 'mem';
  /**
   * Mandatory prefix: `f3`, `f2`, or `66` (without F2 and F3). `none`: only without F2 and F3, and 66 is an operand size. `np`: only
   * without all three. Behind VEX, its pp field.
   */
  readonly prefix?: 'f3' | 'f2' | '66' | 'none' | 'np';
  /** REX.B that selects this row. */
  readonly rexB?: boolean;
  /** The encoding begins with VEX (L = 0); real and virtual-8086 mode do not have it. Rows without this are never behind VEX. */
  readonly vex?: true;
  /** `long`: 64-bit mode alone has this row; `legacy`: every mode but that. */
  readonly modes?: 'long' | 'legacy';
  /** #UD in real and virtual-8086 mode. */
  readonly protected?: true;
  readonly mnemonic: string;
  readonly operands: readonly string[];
  readonly size?: 64;
  /** LOCK is legal when the destination is memory. */
  readonly lock?: true;
  /** REP prefixes repeat it: `rep` counts only, `repz` also stops on ZF. */
  readonly rep?: 'rep' | 'repz';
  /** #GP(0) unless CPL is 0, whatever the operands. */
  readonly privileged?: true;
  /** By IOPL: CLI, STI and, where the I/O permission map has the last word, IN, OUT, INS, OUTS. */
  readonly iopl?: true;
  readonly state?: RowState;
  /** A memory operand must begin at a multiple of this, else #GP(0). */
  readonly align?: 16 | 64;
  /** CPUID's name of the feature that brings the instruction; rows without one belong to every 64-bit processor. */
  readonly feature?: string;
};
