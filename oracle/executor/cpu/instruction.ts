/** An instruction taken apart: prefixes, opcode, ModRM, immediate. */
export type Instruction = {
  /** Opcode with its map in the upper bits: 0x00..0xff, 0x0f00..0x0fff, 0x0f3800..0x0f38ff. */
  readonly opcode: number;
  /** All bytes. */
  readonly length: number;
  /** 0 when there is none. */
  readonly rex: number;
  /** 66 present. */
  readonly size66: boolean;
  /** 67 present: addresses are 32 bits. */
  readonly address32: boolean;
  readonly lock: boolean;
  /** Last of F2/F3, 0 when there is none. */
  readonly rep: number;
  /** Segment override that counts in 64-bit mode: FS (4), GS (5) or none (-1). */
  readonly segment: number;
  /** The ModRM byte, -1 when the opcode has none. */
  readonly modrm: number;
  /** modrm.reg with REX.R; modrm.rm with REX.B when it is a register. */
  readonly reg: number;
  readonly rm: number;
  /** modrm.mod is not 3. */
  readonly memory: boolean;
  /** Registers of the memory operand: 16 none, 17 next RIP. */
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  readonly displacement: number;
  /** Immediate, sign-extended to 64 bits (a moffs address likewise); 0 when there is none. `immediate2`: ENTER's second. */
  readonly immediate: bigint;
  readonly immediate2: number;
  /** Operand size in bits by prefixes: 16, 32 or 64 (byte opcodes aside). */
  readonly operandSize: 16 | 32 | 64;
};
