import { expect, it } from 'vitest';
import type { Call } from '#spec/program.ts';
import { explanationOf } from './explained.ts';

const of = (peer: string, engine: string, bytes?: string, shared: readonly string[] = [], ended = 'shutdown 0') => {
  const step = bytes === undefined ? undefined : { id: 1, do: 'code' as const, code: [{ bytes }] };
  return explanationOf({ role: 'domu', peer, engine, step, shared, ended });
};

it("knows QEMU's LAR by the limit bits that it lacks", () => {
  expect(of('0.16 code rbx=0xc0fb00 rcx=0xffffffff flags=0x0', '0.16 code rbx=0xcffb00 rcx=0xffffffff flags=0x0')).toBe('F-176');
  expect(of('3.2 code rbx=0xc0fb00', '3.2 code rbx=0xcffb10')).toBeNull();
  expect(of('3.2 code rbx=0xc0fb00 rcx=0x1', '3.2 code rbx=0xcffb00 rcx=0x2')).toBeNull();
  expect(of('3.2 code/user rbx=0xc0fb00 flags=0x0', '3.2 code/user rbx=0xcffb00 flags=0x40')).toBeNull();
});

it("knows QEMU's SYSENTER by the instruction", () => {
  const [xen, ours] = ['0.3 code trap=13 error=0 rip=+28 rbx=0x33', '0.3 code trap=6 error=4346491 rip=0x10000e020 mode=user rbx=0x33'];
  expect(of(xen, ours, 'c4080f346833')).toBe('F-176');
  expect(of(xen, ours, 'c408d50a6833')).toBeNull();
  expect(of(ours, xen, 'c4080f346833')).toBeNull();
});

it('knows that nobody says when a domain with selectors that no longer load has its next turn', () => {
  const lost = ['0.31 code rbx=0x77', 'lost trap=256 error=39 rip=0x0'];
  expect(of('end shutdown 3', '1> 0.32 write', undefined, lost, 'shutdown 3')).toBe('open/vcpu-choice');
  expect(of('end shutdown 3', '1> 0.32 write', undefined, lost.slice(0, 1), 'shutdown 3')).toBeNull();
  expect(of('end shutdown 3', '1> 0.32 write', undefined, lost, 'shutdown 0')).toBeNull();
  expect(of('end shutdown 3', '0.32 write', undefined, lost, 'shutdown 3')).toBeNull();
  expect(of('1> 0.32 write', 'end shutdown 3', undefined, lost, 'shutdown 3')).toBeNull();
});

it('knows a turn of domain 0 among calls of a domain that loads GS, and only there', () => {
  const [theirs, ours] = ['0.6 calls/drawn trap=256 error=0 rip=0x0 left=1990', '0.6 calls/drawn mix=0x77e34b235ca9b868'];
  const load = { call: 'set_segment_base' as const, args: [3, 0x2007] };
  const among = (peer: string, engine: string, calls: readonly Call[], role: 'dom0' | 'domu' = 'domu') =>
    explanationOf({ role, peer, engine, step: { id: 6, do: 'calls', calls: [...calls] }, shared: [], ended: 'shutdown 0' });
  expect(among(theirs, ours, [load])).toBe('open/vcpu-choice');
  expect(among(theirs, ours, [{ call: 'multicall', args: [{ calls: [load] }, 1] }])).toBe('open/vcpu-choice');
  expect(among(theirs, ours, [load], 'dom0')).toBeNull();
  expect(among(theirs, ours, [{ ...load, args: [1, 0x2007] }])).toBeNull();
  expect(among(ours, theirs, [load])).toBeNull();
  expect(among('0.6 calls/drawn mix=0x1', ours, [load])).toBeNull();
});

it('knows a turn of domain 0 during code, behind a change of the global table', () => {
  const [theirs, ours] = [
    '0.24 code/user trap=256 error=35 rip=0x0 rax=0x1a',
    '0.24 code/user trap=14 error=4 cr2=0x0 rip=+2 mode=user rax=0x0',
  ];
  const changed = ['0.16 code rbx=0x23 flags=0x0', '0.23 set_gdt rc=0'];
  expect(of(theirs, ours, '8ee8', changed)).toBe('open/vcpu-choice');
  expect(of(theirs, ours, '8ee8', changed.slice(0, 1))).toBeNull();
  expect(of(theirs, ours, '8ee8', ['0.23 set_gdt rc=-22'])).toBeNull();
  expect(of(ours, theirs, '8ee8', changed)).toBeNull();
  expect(of(theirs, theirs, '8ee8', changed)).toBeNull();
});

it('explains where 32-bit code behind an IRET runs on through a null segment', () => {
  const iret = 'b80d0000000f05';
  const [theirs, ours] = ['0.40 code trap=14 error=16 cr2=0x0 rip=0x0 rbx=0x202', '0.40 code trap=13 error=0 rip=+48 rbx=0x202'];
  expect(of(theirs, ours, iret)).toBe('F-595');
  expect(of(ours, theirs, iret)).toBeNull();
  expect(of(theirs, ours, '9090')).toBeNull();
});

it('explains nothing else', () => {
  expect(of('0.1 mmu_update rc=-22', '0.1 mmu_update rc=0')).toBeNull();
  expect(of('end shutdown 3', '0.1 code rbx=0x1')).toBeNull();
});
