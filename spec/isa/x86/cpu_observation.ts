/** The architectural state of one processor, for comparisons where no hypervisor stands between. Plain JSON; 64-bit values as `Hex`. */

/** A segment register or table register with its hidden part. */
export type SegmentObservation = {
  readonly selector: number;
  readonly base: string;
  /** In bytes, granularity applied: the last offset that is inside. */
  readonly limit: number;
  /** Bits 8 to 15 and 20 to 23 of the descriptor's upper half, shifted down by 8: type, S, DPL, P, then AVL, L, D/B, G at bit 12. */
  readonly rights: number;
  /** Unusable: loaded with a null selector (or never). Base, limit and rights are 0 then. */
  readonly usable: boolean;
};

export type TableObservation = { readonly base: string; readonly limit: number };

export type X87Observation = {
  readonly control: number;
  readonly status: number;
  /** As FXSAVE abridges it: bit n is set when physical register n is not empty. */
  readonly tag: number;
  /** Physical registers 0 to 7, 80 bits as 20 hex digits without a prefix. */
  readonly registers: readonly string[];
};

/** x87, MMX and SSE state. */
export type FpuObservation = {
  readonly x87: X87Observation;
  /** XMM0 to XMM15, 32 hex digits without a prefix, most significant first. */
  readonly xmm: readonly string[];
  readonly mxcsr: number;
};

export type CpuObservation = FpuObservation & {
  /** RAX RCX RDX RBX RSP RBP RSI RDI R8 .. R15, the encoding's order. */
  readonly gpr: readonly string[];
  readonly rip: string;
  readonly rflags: string;
  /** ES CS SS DS FS GS, the encoding's order. */
  readonly segments: readonly SegmentObservation[];
  readonly ldtr: SegmentObservation;
  readonly tr: SegmentObservation;
  readonly gdtr: TableObservation;
  readonly idtr: TableObservation;
  readonly cpl: number;
  readonly cr0: string;
  readonly cr2: string;
  readonly cr3: string;
  readonly cr4: string;
  readonly cr8: string;
  readonly xcr0: string;
  /** DR0 DR1 DR2 DR3 DR6 DR7. */
  readonly dr: readonly string[];
  /** MSRs of spec/isa/x86/msrs.ts that hold state, by ascending number. FS and GS base stand in the segments as well. */
  readonly msrs: readonly (readonly [number: number, value: string])[];
  /** `halted`: HLT waits for an interrupt; `shutdown`: a triple fault. */
  readonly activity: 'running' | 'halted' | 'shutdown';
  /** Interrupts are held off for one instruction: after STI (`sti`), after a load of SS (`ss`). */
  readonly shadow: 'none' | 'sti' | 'ss';
  readonly nmi_blocked: boolean;
};
