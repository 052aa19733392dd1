/** console_io: writing to Xen's console and reading what was typed there. Chapter: spec/chapters/console.md. */
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyFromGuest, copyToGuest } from '../../guest_copy.ts';
import { cite, emit } from '../../journal.ts';
import { domainOf, updateDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { addInt, fromNumber, type Word, ZERO } from '../../word/word.ts';
import { spend } from '../../work.ts';
import { preemptCheck } from '../preempt.ts';
import { done, fail, type HypercallResult, type Perform } from '../result.ts';

const CMD = SUBOPERATIONS.console_io;
/** Xen copies the text in pieces of this many bytes. */
const CHUNK = 127;
const MOST_READ = 0x7fffffff;

export const console_io: Perform = (machine, caller, [cmd, count, buffer]) => {
  const command = cmd.lo >>> 0;
  const privileged = caller.domid === 0;
  if (command === CMD.write && (privileged || machine.config.xen.verbose_debug)) return write(machine, caller, count.lo >>> 0, buffer);
  if (!privileged) return fail(machine, 'EPERM', 'console/io-permission');
  if (command === CMD.read) return read(machine, caller, count.lo >>> 0, buffer);
  return fail(machine, 'ENOSYS', 'console/io-unknown');
};

const write = (machine: Machine, caller: VcpuRef, count: number, buffer: Word): HypercallResult => {
  let m = machine;
  let text = '';
  let at = buffer;
  for (let left = count; left > 0; ) {
    if (left !== count) {
      const asked = preemptCheck(m, caller);
      m = asked.machine;
      if (asked.stop)
        return { kind: 'preempted', machine: tell(cite(m, 'console/write-preempted'), caller, text), args: [ZERO, fromNumber(left), at] };
    }
    spend(m, 'entry');
    const length = Math.min(left, CHUNK);
    const copied = copyFromGuest(m, caller, at, length);
    m = copied.machine;
    if (!copied.ok) return fail(tell(m, caller, text), 'EFAULT', 'console/write-fault');
    for (const byte of copied.bytes) text += String.fromCharCode(byte);
    at = addInt(at, length);
    left -= length;
  }
  return done(tell(m, caller, text), 'console/write-done');
};

const tell = (machine: Machine, { domid }: VcpuRef, bytes: string): Machine =>
  bytes === ''
    ? machine
    : emit(updateDomain(machine, domid, { consoleBytes: domainOf(machine, domid).consoleBytes + bytes.length }), {
        kind: 'console',
        domid,
        bytes,
      });

const read = (machine: Machine, caller: VcpuRef, count: number, buffer: Word): HypercallResult => {
  if (count > MOST_READ) return fail(machine, 'E2BIG', 'console/read-too_big');
  const text = machine.consoleInput.slice(0, count);
  const stored = copyToGuest(
    machine,
    caller,
    buffer,
    Uint8Array.from(text, (c) => c.charCodeAt(0)),
  );
  if (text !== '' && !stored.ok) return fail(stored.machine, 'EFAULT', 'console/read-fault');
  return done({ ...stored.machine, consoleInput: machine.consoleInput.slice(text.length) }, 'console/read-done', text.length);
};
