import { describe, expect, it, test } from 'vitest';
import { ERRNO } from '#spec/abi/errno.ts';
import { HYPFS_ENTRY_BYTES, XEN_HYPFS_OP as OP } from '#spec/abi/hypfs.ts';
import { ARGUMENTS, TwoDomains } from '../../testing/two_domains.ts';
import { hypfs_op } from './hypfs_op.ts';
import { understandLevels, understandLimit, understandPcid, understandTimestamps } from './setting_texts.ts';
import { find } from './tree.ts';

const PATH_AT = ARGUMENTS * 4096;
const DATA_AT = PATH_AT + 2048;
const NOWHERE = 0x7000000;

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** A call of domain 0's; `data`: what is to be written. */
const call = (t: TwoDomains, op: number, path: string, length: number, data = '', at = DATA_AT): number => {
  const page = t.mfn(0, ARGUMENTS) * 4096;
  t.machine.memory.writeBytes(page, bytesOf(`${path}\0`));
  t.machine.memory.writeBytes(page + DATA_AT - PATH_AT, bytesOf(data));
  return t.call(0, hypfs_op, op, PATH_AT, path.length + 1, at, length);
};

const told = (t: TwoDomains, length: number): string => {
  const at = t.mfn(0, ARGUMENTS) * 4096 + DATA_AT - PATH_AT + HYPFS_ENTRY_BYTES;
  return String.fromCharCode(...t.machine.memory.bytes.subarray(at, at + length));
};

describe('settings as files', () => {
  test.each([
    ['/', true],
    ['//', false],
    ['/params/', true],
    ['/params/loglvl/', false],
    ['/cpupool//sched-gran', true],
    ['/cpupool/18446744073709551616', true],
    ['/cpupool/1', false],
    ['/cpupool/0x0', false],
  ])('%s is there: %s', (path, isThere) => expect(find(new TwoDomains().machine, path) !== null).toBe(isThere));

  it('are read, the head whatever the room', () => {
    const t = new TwoDomains();
    expect(t.call(0, hypfs_op, OP.get_version, 0, 0, 0, 0)).toBe(1);
    expect(t.call(1, hypfs_op, OP.get_version, 0, 0, 0, 0)).toBe(-ERRNO.EPERM);
    expect(call(t, OP.read, '/params/pcid', 11)).toBe(-ERRNO.EINVAL);
    expect(call(t, OP.read, '/params/pcid', 12)).toBe(-ERRNO.ENOBUFS);
    expect(call(t, OP.read, '/params/pcid', 17)).toBe(0);
    expect(told(t, 5)).toBe('xpti\0');
    expect(call(t, OP.read, '/params/pcid', 17, '', NOWHERE)).toBe(-ERRNO.EFAULT);
    expect(call(t, OP.read, '/nothing', 17)).toBe(-ERRNO.ENOENT);
    expect(call(t, 3, '/params/pcid', 17)).toBe(-ERRNO.EOPNOTSUPP);
  });

  it('are written as far as their kind allows', () => {
    const t = new TwoDomains();
    expect(call(t, OP.write_contents, '/params', 1, '\0')).toBe(-ERRNO.EACCES);
    expect(call(t, OP.write_contents, '/params/conswitch', 4, 'abc\0')).toBe(-ERRNO.ENOSPC);
    expect(call(t, OP.write_contents, '/params/conswitch', 2, 'ab')).toBe(-ERRNO.EINVAL);
    expect(call(t, OP.write_contents, '/params/conswitch', 3, 'ab\0')).toBe(0);
    expect(call(t, OP.write_contents, '/params/global-pages', 2, 'ab')).toBe(-ERRNO.EDOM);
    expect(call(t, OP.write_contents, '/params/pcid', 2, 'on')).toBe(-ERRNO.EDOM);
    expect(call(t, OP.write_contents, '/cpupool/0/sched-gran', 5, 'core\0')).toBe(-ERRNO.EBUSY);
    expect(call(t, OP.read, '/params/conswitch', 64)).toBe(0);
    expect(told(t, 3)).toBe('ab\0');
  });
});

test('texts of settings are understood as Xen does', () => {
  expect(understandLevels('all/none')).toEqual({ value: 'all/all', errno: null });
  expect(understandLevels('none/bogus')).toEqual({ value: 'none/warning', errno: 'EINVAL' });
  expect(understandLimit('0x10').value).toBe('16');
  expect(understandLimit('010').value).toBe('8');
  expect(understandLimit('08').errno).toBe('EINVAL');
  expect(understandLimit('2147483648').errno).toBe('ERANGE');
  expect(understandPcid('xpti=off').value).toBe('noxpti');
  expect(understandPcid('noxpti').errno).toBe('EINVAL');
  expect(understandTimestamps('').value).toBe('date');
});
