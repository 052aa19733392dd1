import { describe, expect, it } from 'vitest';
import { mayHaveEnded, readSerialLog, shutdownReason } from './serial_log.ts';

const BOOT = '(XEN) Xen version 4.17.7 (…)\r\n(XEN) Scrubbing Free RAM in background\r\n(XEN) Freed 656kB init memory\r\n';
const HALT = '(XEN) Hardware Dom0 halted: halting machine\r\n';

describe('the guest on the serial line', () => {
  it('is what follows the start, without carriage returns of the line', () => {
    const { console, ended, started } = readSerialLog(`${BOOT}hello\r\nworld\r\n${HALT}`);
    expect(console).toBe('hello\nworld\n');
    expect(ended).toEqual({ kind: 'shutdown', reason: 0 });
    expect(started).toBe(true);
  });

  it('keeps every byte, and its own carriage returns', () => {
    const all = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('');
    const sent = `${all}\r\n\r\r\n(XE`;
    const { console } = readSerialLog(`${BOOT}${sent.replaceAll('\n', '\r\n')}\r\n${HALT}`);
    expect(console).toBe(`${sent}\n`);
  });

  it("keeps the guest's line whole around a line of Xen's", () => {
    const { console, remarks } = readSerialLog(`${BOOT}abc(XEN) d0v0 Unhandled: vec 13, #GP[0000]\r\ndef\r\n${HALT}`);
    expect(console).toBe('abcdef\n');
    expect(remarks).toEqual(['d0v0 Unhandled: vec 13, #GP[0000]', 'Hardware Dom0 halted: halting machine']);
  });

  it('may end without a line feed', () => {
    expect(readSerialLog(`${BOOT}no newline at end${HALT}`).console).toBe('no newline at end');
  });

  it('is nothing before Xen has started it', () => {
    expect(readSerialLog('SeaBIOS\r\n(XEN) Xen version')).toEqual({ started: false, console: '', remarks: [], ended: null });
  });

  it("drops a line of Xen's that is cut off", () => {
    expect(readSerialLog(`${BOOT}abc\r\n(XEN) Hardware Do`)).toMatchObject({ console: 'abc\n', ended: null });
  });
});

describe('the end of domain 0', () => {
  it.each([
    [0, 'Hardware Dom0 halted: halting machine'],
    [1, 'Hardware Dom0 shutdown: rebooting machine'],
    [2, 'Hardware Dom0 shutdown (unknown reason 2): rebooting machine in 5 seconds.'],
    [3, 'Hardware Dom0 crashed: rebooting machine in 5 seconds.'],
    [4, 'Hardware Dom0 shutdown: watchdog rebooting machine'],
    [5, 'Hardware domain 0 did unsupported soft reset, rebooting.'],
    [77, 'Hardware Dom0 shutdown (unknown reason 77): rebooting machine in 5 seconds.'],
  ])('reason %i is read from "%s"', (reason, line) => {
    expect(shutdownReason(line)).toBe(reason);
    const log = `${BOOT}x\r\n(XEN) ${line}\r\n`;
    expect(readSerialLog(log).ended).toEqual({ kind: 'shutdown', reason });
    expect(mayHaveEnded(log, BOOT.length)).toBe(true);
    // Also when the line came in two pieces.
    expect(mayHaveEnded(log, log.length - 3)).toBe(true);
  });

  it('is not yet there while the guest runs', () => {
    expect(readSerialLog(`${BOOT}Hardware Dom0 halted: halting machine\r\n`).ended).toBeNull();
    expect(mayHaveEnded(`${BOOT}running\r\n`, 0)).toBe(false);
  });

  it('after a dump is a crash', () => {
    const dump =
      '(XEN) d0v0 Guest switching to user mode with no user page tables\r\n(XEN) Domain 0 (vcpu#0) crashed on cpu#0:\r\n(XEN) RIP:    e033:[<2020bc>]\r\n';
    const log = readSerialLog(`${BOOT}before\r\n${dump}(XEN) Hardware Dom0 crashed: rebooting machine in 5 seconds.\r\n`);
    expect(log).toMatchObject({ console: 'before\n', ended: { kind: 'shutdown', reason: 3 } });
    expect(log.remarks).toHaveLength(4);
  });

  it('never came when Xen refused the image', () => {
    const panic =
      '(XEN) ELF start or entries are out of bounds\r\n(XEN) \r\n(XEN) ****************************************\r\n(XEN) Panic on CPU 0:\r\n(XEN) Could not construct d0\r\n(XEN) ****************************************\r\n';
    expect(readSerialLog(panic).ended).toEqual({
      kind: 'refused',
      why: 'Could not construct d0 (ELF start or entries are out of bounds)',
    });
  });

  it('never came when Xen itself failed', () => {
    const { ended } = readSerialLog(`${BOOT}x\r\n(XEN) Panic on CPU 0:\r\n(XEN) FATAL PAGE FAULT\r\n`);
    expect(ended).toEqual({ kind: 'stopped', why: 'Xen itself failed: FATAL PAGE FAULT' });
  });
});
