/**
 * An x86-64 CPU in ring 3, as a PV guest has it. Instructions are decoded once and then lead from one to the next; memory is reached
 * through cached translations that are dropped as soon as something they follow from is written.
 */
import type { CpuidLeaf } from '#spec/config.ts';
import { DR6 } from '#spec/isa/x86/control_registers.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { X86Mode } from '#spec/isa/x86/mode.ts';
import { FRAME_BYTES, type Memory } from '../memory.ts';
import { linear } from './address.ts';
import { build } from './build.ts';
import { isCanonical } from './canonical.ts';
import type { Capture } from './capture.ts';
import type { CodePage } from './code_cache.ts';
import { checkFetch, reachesBeyond } from './code_segment.ts';
import { decode } from './decode.ts';
import { DescriptorTables } from './descriptor_tables.ts';
import { DB, type Exit, GP, type Leaving, SYSCALL } from './exit.ts';
import { loadFxImage } from './fx_image.ts';
import { type Instruction, LONGEST } from './instruction.ts';
import type { GuestCpu, SyscallServer } from './interface.ts';
import { CS_BASE, PAGE, SYSTEM } from './layout.ts';
import { makeSegmentsLinear } from './linear_segments.ts';
import { FETCH, linkNext, linkTaken, straddling } from './link.ts';
import { Mmu } from './mmu.ts';
import { CODE_KINDS, checksAlignment, codeKind, flatSegments, hasWideStack, modeOf } from './mode.ts';
import { type Op, STOP } from './op.ts';
import { prepare } from './operands.ts';
import { type Platform, PV } from './platform.ts';
import { XenSide } from './pv_entry.ts';
import { FAULT } from './registers.ts';
import { exitBySyscall, serve } from './served.ts';
import { executionHits } from './system/debug.ts';
import { answerTime } from './system.ts';
import { type Access, type Translation, walk } from './walk.ts';

export class Cpu extends Mmu implements GuestCpu {
  readonly cpuid: readonly CpuidLeaf[];
  /** Of a guest of Xen. */
  readonly tables = new DescriptorTables();
  readonly xen: XenSide = new XenSide(this);
  tsc = 0n;
  tscSteps = 0;
  server: SyscallServer | null = null;
  /** Steps that the last run had taken when something that is not modelled ended it. */
  done = 0;
  /** RDTSC ended the burst and waits for its answer. */
  wantsTime = false;
  /** SS was just loaded: no single-step trap after this instruction. On the bare machine, no interrupt either; nor after STI. */
  shadow: 'none' | 'sti' | 'ss' = 'none';
  /** Outside 64-bit mode: the page that RIP is in is not wholly inside CS, so that each instruction has to be looked at. */
  boundary = false;
  /** The instruction that a link into another page carries out now. */
  restart: Op | null = null;
  /** A guest of Xen has breakpoints. Those that the step has hit, and why its #DB comes, as bits of DR6. */
  breaking = false;
  hits = 0;
  causes = 0;
  private leaving: Leaving | null = null;
  /** Where the next burst begins, when that is known already. */
  resume: Op = FETCH;
  private faulted = false;

  mode: X86Mode = '64';
  /** The stack pointer is ESP rather than SP, outside 64-bit mode. */
  wideStack = false;
  private paused = false;

  /** @param cpuid answers of the CPUID instruction (MachineConfig). */
  constructor(memory: Memory, cpuid: readonly CpuidLeaf[], platform: Platform = PV) {
    super(memory, cpuid, platform);
    this.cpuid = cpuid;
  }

  /** Work out anew what follows from the registers: to be called after whatever changed the mode, the privilege, or the way to memory. */
  refresh(): void {
    const { s, platform } = this;
    const mode = modeOf(s);
    this.mode = mode;
    this.legacy = mode !== '64';
    this.real = mode === 'real' || mode === 'v86';
    const kind = codeKind(mode);
    if (kind !== this.kind) this.code = this.noCode;
    this.kind = kind;
    this.flat = this.legacy && !this.real ? flatSegments(s) : 0;
    this.wideStack = hasWideStack(s);
    this.aligned = checksAlignment(s);
    this.strict = this.aligned || platform.watches(this);
    this.useSpace(platform.space(this));
    this.chooseTlb();
  }

  /** End the burst behind `o`, which is done: something outside wants to be looked at. */
  pause(o: Op): Op {
    return this.pauseAt(o.end);
  }

  /** The same, with an offset in the current page to go on at. */
  pauseAt(offset: number): Op {
    this.paused = true;
    this.moveTo(offset);
    return STOP;
  }

  /** Begin a new burst behind `o`, which is done. */
  stopBehind(o: Op): Op {
    this.moveTo(o.end);
    return STOP;
  }

  /** Go on at the linear address `hi:lo` in a new burst: after CS, the mode or whatever else bursts rely on has changed. */
  stopAt(lo: number, hi: number): Op {
    this.setRipHalves(lo, hi);
    return STOP;
  }

  protected override flagsChanged(): void {
    if (checksAlignment(this.s) !== this.aligned) this.refresh();
  }

  /** The instruction pointer outside 64-bit mode: an offset in CS. */
  get ip(): number {
    return (this.s[PAGE] + this.offset - this.s[CS_BASE]) >>> 0;
  }
  set ip(value: number) {
    this.setRipHalves((this.s[CS_BASE] + value) | 0, 0);
  }

  run(steps: number): Exit {
    this.sync();
    this.resume = FETCH;
    let retired = 0;
    while (retired < steps) {
      this.done = retired;
      const alone = this.breaking || (this.s[SYSTEM] & (RFLAGS.TF | RFLAGS.RF)) !== 0;
      if (this.legacy) this.boundary = reachesBeyond(this.s, this.s[PAGE]);
      // For a guest of Xen, a shadow right behind another does not count.
      const held = this.shadow !== 'none' && !this.platform.bare;
      this.shadow = 'none';
      const taken = alone ? this.single(held) : this.burst(this.boundary || held ? 1 : steps - retired);
      if (held) this.shadow = 'none';
      if (this.wantsTime) this.tellTime(retired + Math.abs(taken) - 1);
      retired += Math.abs(taken);
      if (this.leaving === SYSCALL && this.server !== null && !alone && !this.legacy) {
        this.leaving = null;
        if (serve(this, this.server, retired)) continue;
        return exitBySyscall(retired, true);
      }
      const exit = this.exit(retired);
      if (exit !== null) return exit;
      if (taken < 0) return { kind: 'trap', retired, vector: DB };
      if (this.paused) break;
    }
    this.paused = false;
    return { kind: 'limit', retired };
  }

  /** One instruction whose store is caught. Addresses are linear: no segment has a base, nor, outside 64-bit code, a limit. */
  runCaptured(capture: Capture): Exit {
    const putBack = makeSegmentsLinear(this);
    this.capture = capture;
    this.refresh();
    try {
      return this.run(1);
    } finally {
      this.capture = null;
      putBack();
      this.refresh();
    }
  }

  /** Why the last burst ended, if by a fault or into Xen. */
  private exit(retired: number): Exit | null {
    if (this.faulted) {
      this.faulted = false;
      return { kind: 'fault', retired, vector: this.faultVector, error: this.faultError, cr2: this.faultAddress };
    }
    const { leaving } = this;
    if (leaving === null) return null;
    this.leaving = null;
    return leaving.kind === 'syscall' ? exitBySyscall(retired, false) : { ...leaving, retired };
  }

  /** One step with TF or RF set, or with breakpoints: 1, or -1 when a debug trap follows. RF ends with it. `held`: interrupts are held off before it. */
  private single(held: boolean): 1 | -1 {
    const { s } = this;
    const before = s[SYSTEM];
    if (!held) this.hits = 0;
    if (this.breaking && !held && (before & RFLAGS.RF) === 0 && this.meetsBreakpoint()) return 1;
    this.burst(1);
    if (this.faulted) return 1;
    if ((before & RFLAGS.RF) !== 0) s[SYSTEM] &= ~RFLAGS.RF;
    if ((!held && this.shadow === 'ss') || this.leaving !== null) return 1;
    this.causes = this.hits | ((before & RFLAGS.TF) === 0 ? 0 : DR6.BS);
    return this.causes !== 0 ? -1 : 1;
  }

  /** A breakpoint at RIP: #DB before the instruction. */
  private meetsBreakpoint(): boolean {
    this.causes = executionHits(this);
    if (this.causes === 0) return false;
    this.faulted = true;
    this.faultVector = DB;
    this.faultError = this.faultAddress = null;
    return true;
  }

  /** Up to `count` steps. Returns how many were taken, one that faulted included. */
  private burst(count: number): number {
    let o = this.resume;
    this.resume = FETCH;
    let left = count;
    try {
      do {
        o = o.run(this, o);
        left--;
      } while (left > 0 && o !== STOP);
    } catch (thrown) {
      this.hold(this.restart ?? o);
      this.restart = null;
      this.dropWrite();
      if (thrown !== FAULT) {
        this.done += count - left;
        throw thrown;
      }
      this.faulted = true;
      return count - left + 1;
    }
    this.hold(o);
    return count - left;
  }

  /** Let RIP be the address of this op, which lies in the current page or right behind it. */
  hold(o: Op): void {
    if (o === FETCH || o === STOP) return;
    this.moveTo(o.off);
  }

  /** Let RIP be at an offset from the current page's start. */
  private moveTo(offset: number): void {
    const { s } = this;
    this.offset = offset & (FRAME_BYTES - 1);
    if (offset < FRAME_BYTES) return;
    s[PAGE] += FRAME_BYTES;
    if (s[PAGE] === 0 && !this.legacy) s[PAGE + 1] += 1;
  }

  /** End the burst after `o`. */
  leave(o: Op, how: Leaving): Op {
    this.leaving = how;
    this.moveTo(o.end);
    return STOP;
  }

  private tellTime(stepsBefore: number): void {
    this.wantsTime = false;
    answerTime(this, BigInt.asUintN(64, this.tsc + BigInt(this.tscSteps + stepsBefore)));
  }

  /** What follows an instruction whose write needed aftercare. */
  settle(o: Op): Op {
    return this.settleAt(o, false);
  }

  /** The same; `again`: the instruction itself comes next. */
  settleAt(o: Op, again: boolean): Op {
    const anew = this.finishWrite();
    if (this.toldOutside) {
      this.toldOutside = false;
      return this.pauseAt(again ? o.off : o.end);
    }
    if (!anew) return again ? o : o.next;
    this.moveTo(again ? o.off : o.end);
    return FETCH;
  }

  /** The op to continue with at the canonical address `hi:lo`. Walks no tables: that is for the step that executes there. */
  goto(lo: number, hi: number): Op {
    const { s } = this;
    const page = lo & -FRAME_BYTES;
    if (page !== s[PAGE] || hi !== s[PAGE + 1]) {
      s[PAGE] = page;
      s[PAGE + 1] = hi;
      if (this.legacy && reachesBeyond(s, page)) {
        this.offset = lo & (FRAME_BYTES - 1);
        return STOP;
      }
      const code = this.cachedCode(page, hi);
      if (code === null) {
        this.offset = lo & (FRAME_BYTES - 1);
        return FETCH;
      }
      this.code = code;
    }
    const found = this.code.ops[lo & (FRAME_BYTES - 1)];
    if (found !== null) return found;
    this.offset = lo & (FRAME_BYTES - 1);
    return FETCH;
  }

  /** The instruction at `offset` of the page at `hi:lo`, which becomes the page of the current code. */
  lookup(lo: number, hi: number, offset: number): Op {
    if (this.legacy) checkFetch(this, lo + offset, 0);
    const code = this.codePage(lo, hi, offset);
    const found = code.ops[offset] ?? this.decodeIn(code, lo, hi, offset);
    if (this.legacy) checkFetch(this, lo + offset, found.end - offset - 1);
    this.code = code;
    return found;
  }

  /** Decode at an offset of the page that RIP is in. */
  decodeAt(code: CodePage, offset: number): Op {
    if (code === this.noCode) return this.lookup(this.s[PAGE], this.s[PAGE + 1], offset);
    return this.decodeIn(code, this.s[PAGE], this.s[PAGE + 1], offset);
  }

  private decodeIn(code: CodePage, lo: number, hi: number, offset: number): Op {
    const { instruction, second } = this.takeApart(code, lo, hi, offset);
    const op = build(this, instruction, offset);
    op.next = (op.end < FRAME_BYTES ? code.ops[op.end] : null) ?? linkNext(op);
    const relative = instruction.row.operands[0]?.startsWith('J') ?? false;
    // A 16-bit branch leads to the bottom of the address space.
    if (relative && op.size !== 2 && op.immHi === 0 && op.imm >= 0 && op.imm < FRAME_BYTES)
      op.taken = code.ops[op.imm] ?? linkTaken(op, op.imm);
    code.ops[offset] = op;
    code.occupy(offset, Math.min(op.end, FRAME_BYTES));
    if (second !== null) {
      op.run = straddling;
      op.second = second.mfn;
      second.receive(op, op.end - FRAME_BYTES);
    }
    return op;
  }

  /** Decode at `offset` of the page at `hi:lo`; the following page is fetched only when the instruction reaches into it. */
  private takeApart(code: CodePage, lo: number, hi: number, offset: number): { instruction: Instruction; second: CodePage | null } {
    const { bytes } = this.memory;
    let second: CodePage | null = null;
    const byte = (at: number): number => {
      if (at >= LONGEST) this.fault(GP, 0);
      if (this.legacy) checkFetch(this, lo + offset, at);
      if (offset + at < FRAME_BYTES) return bytes[code.mfn * FRAME_BYTES + offset + at];
      second ??= this.codePage((lo + FRAME_BYTES) | 0, (hi + (lo === -FRAME_BYTES && !this.legacy ? 1 : 0)) | 0, 0);
      return bytes[second.mfn * FRAME_BYTES + offset + at - FRAME_BYTES];
    };
    const instruction = decode(byte, CODE_KINDS[this.kind]);
    return { instruction, second };
  }

  /** Do what may fault; false when it did, with the fault in `faultVector`, `faultError` and `faultAddress`. */
  attempt(act: () => void): boolean {
    try {
      act();
      return true;
    } catch (thrown) {
      if (thrown !== FAULT) throw thrown;
      return false;
    }
  }

  /** The instruction at RIP (while Xen holds the vCPU: an offset in CS), or null when fetching it faults. Throws NotModelled like `run`. */
  instruction(): Instruction | null {
    this.sync();
    const at = (this.ripLo() + (this.legacy ? this.s[CS_BASE] : 0)) | 0;
    const [lo, hi] = [at & -FRAME_BYTES, this.legacy ? 0 : this.ripHi()];
    const offset = at & (FRAME_BYTES - 1);
    let found: Instruction | null = null;
    this.attempt(() => {
      // Xen's emulator does not cut RIP to 32 bits.
      if (this.legacy && this.ripHi() !== 0) this.fault(GP, 0);
      if (this.legacy) checkFetch(this, at, 0);
      found = this.takeApart(this.codePage(lo, hi, offset), lo, hi, offset).instruction;
    });
    return found;
  }

  loadFpu(image: Uint8Array | null): void {
    loadFxImage(this, image);
  }

  fetchFault(): bigint | null {
    return this.faultAddress;
  }

  operandAddress(instruction: Instruction): bigint {
    const lo = linear(this, prepare(instruction, this.offset).op);
    return (BigInt(this.high >>> 0) << 32n) | BigInt(lo >>> 0);
  }

  translate(root: number, address: bigint, access: Access): Translation {
    const lo = Number(BigInt.asIntN(32, address));
    const hi = Number(BigInt.asIntN(32, address >> 32n));
    return isCanonical(hi) ? walk(this.memory, root, lo, hi, access, this.reserved) : { ok: false, error: 0 };
  }
}
