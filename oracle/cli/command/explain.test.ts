import { describe, expect, test } from 'vitest';
import { HYPERCALL, SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { CLAUSES } from '#spec/clauses.ts';
import { SLICE } from '../../campaign/coverage.ts';
import { clauseSections } from '../clause_index.ts';
import { EXIT } from '../exit_code.ts';
import { clausesOf, operationNamed } from '../operation_clauses.ts';
import { here } from '../testing/cli.ts';
import { explain } from './explain.ts';

const ids = Object.keys(CLAUSES);

describe('one clause', () => {
  test('has its text, where it stands, the code that cites it and the recordings that show it', async () => {
    const { code, stdout } = await here('explain', 'evtchn/bind_interdomain-unbound');
    expect(code).toBe(EXIT.ok);
    expect(stdout).toMatch(/^evtchn\/bind_interdomain-unbound\n {2}The remote port must be unbound/);
    expect(stdout).toMatch(/\n {2}text: +spec\/chapters\/event_channel\.md:\d+\n/);
    expect(stdout).toMatch(/\n {2}model: +model\/hypercall\/event_channel\/bind_interdomain\.ts:\d+\n/);
    expect(stdout).toMatch(/\n {2}evidence: +evtchn-bind_interdomain,.* \(recorded on xen 4\.17/);
  });

  test('and so has every other', () => {
    expect(
      clauseSections()
        .map((s) => s.id)
        .sort(),
    ).toEqual([...ids].sort());
    for (const prefix of new Set(ids.map((id) => id.split('/')[0]!)))
      for (const { id, text, model, line } of explain(prefix).clauses) {
        expect([id, text.length > 0, line > 0]).toEqual([id, true, true]);
        expect([id, model.length]).not.toEqual([id, 0]);
      }
  });

  test('as JSON', async () => {
    const { stdout } = await here('explain', 'evtchn/close-closed', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ operation: null, clauses: [{ id: 'evtchn/close-closed', evidence: expect.any(Array) }] });
  });
});

describe('an operation', () => {
  test.each([
    ['EVTCHNOP_send', 'event_channel_op/send', 'evtchn/send-port'],
    ['event_channel_op/send', 'event_channel_op/send', 'evtchn/send-port'],
    ['MMUEXT_PIN_L4_TABLE', 'mmuext_op/pin_l4_table', 'mmu/pin-again'],
    ['GNTTABOP_map_grant_ref', 'grant_table_op/map_grant_ref', 'gnttab/map-ref'],
    ['XENVER_version', 'xen_version/version', 'version/version'],
    ['__HYPERVISOR_iret', 'iret', 'iret/frame-fault'],
    ['VCPUOP_is_up', 'vcpu_op/is_up', 'vcpu/is_up'],
    ['set_debugreg', 'set_debugreg', 'misc/set_debugreg-number'],
  ])('%s is %s', (word, name, clause) => {
    const { operation, clauses } = explain(word);
    expect([operation!.call, ...(operation!.sub === null ? [] : [operation!.sub])].join('/')).toBe(name);
    expect(clauses.map((c) => c.id)).toContain(clause);
  });

  test('its clauses come in the order in which Xen checks, then what holds for all commands', async () => {
    const { stdout } = await here('explain', 'EVTCHNOP_bind_interdomain');
    const places = ['-domain\n', '-port\n', '-unbound\n', '-bound\n'].map((c) => stdout.indexOf(`\nevtchn/bind_interdomain${c}`));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(0);
    expect(stdout).toContain('  evtchn/argument-fault: ');
  });

  test.each(SLICE.filter((name) => name !== 'vm_assist'))('%s has clauses', (name) => {
    const operation = operationNamed(name)!;
    expect(operation).toMatchObject({ modelled: true });
    expect(clausesOf(operation, ids).own).not.toEqual([]);
  });

  test('that the slice lacks says so', async () => {
    const { code, stdout } = await here('explain', 'XENPF_microcode_update');
    expect(code).toBe(EXIT.ok);
    expect(stdout).toContain('platform_op/microcode_update: hypercall 7, command 35\n  not modelled');
  });

  test('every hypercall and command that has a number is known', () => {
    for (const call of Object.keys(HYPERCALL)) expect(operationNamed(call)).toMatchObject({ call });
    for (const [call, subs] of Object.entries(SUBOPERATIONS))
      for (const [sub, command] of Object.entries(subs)) expect(operationNamed(`${call}/${sub}`)).toMatchObject({ call, sub, command });
  });
});

test.each(['no/such_clause', '__proto__', 'constructor', 'event_channel_op/toString', '', '/', 'EVTCHNOP_'])(
  '%j means nothing',
  async (word) => {
    const { code, stdout, stderr } = await here('explain', word);
    expect([code, stdout]).toEqual([EXIT.badInput, '']);
    expect(stderr).toMatch(/^xenspec: .*neither a clause nor a hypercall of the specification\n$/);
  },
);
