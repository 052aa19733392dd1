import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { suboperation } from '#spec/abi/hypercall.ts';
import { BadInput } from '#spec/failure.ts';
import { type Conformance, parseConformance, printConformance } from './conformance.ts';
import { readTrace } from './file.ts';

const SCRIPTS = new URL('./conformance/', import.meta.url);
const RECORDED = new URL('./recorded/', import.meta.url);
const files = readdirSync(SCRIPTS)
  .filter((file) => file.endsWith('.json'))
  .sort();
const read = (file: string): string => readFileSync(new URL(file, SCRIPTS), 'utf8');
const scripts: readonly (readonly [string, Conformance])[] = files.map((file) => [file, parseConformance(read(file), file)]);

describe('conformance scripts', () => {
  it.each(files)('%s is a script as the recorder prints it, recorded on real Xen', (file) => {
    const script = parseConformance(read(file), file);
    expect(printConformance(script)).toBe(read(file));
    expect(script.expected).toMatchObject({ producer: 'xen' });
    // Step numbers name results, so each may stand once.
    const ids = script.program.steps.map((step) => step.id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each(files)('%s has its recording, with the same console', async (file) => {
    const { header, records } = await readTrace(new URL(file.replace(/\.json$/, '.trace.gz'), RECORDED).pathname);
    const { expected, program } = parseConformance(read(file), file);
    const lines = header.machine.domains.flatMap(({ domid }) => {
      const own = records.flatMap((r) =>
        r.record === 'event' && r.event.kind === 'console' && r.event.domid === domid ? [r.event.bytes] : [],
      );
      const text = own.join('').replace(/\n$/, '').split('\n');
      return domid === 0 ? text : text.map((line) => `${domid}> ${line}`);
    });
    expect(lines).toEqual(expected!.console);
    expect(records.at(-1)).toMatchObject({ record: 'end', finish: 'halted', reason: expected!.reason });
    expect(header.producer).toMatchObject({ name: 'xen', version: expected!.version });
    expect(header.producer.details).toHaveProperty('qemu');
    expect(header.program).toEqual(JSON.parse(JSON.stringify(program)));
  });

  it('are where the findings say', () => {
    const findings = readFileSync(new URL('../spec/findings.md', import.meta.url), 'utf8');
    const named = [...findings.matchAll(/`traces\/recorded\/([^`]+)\.trace\.gz`/g)].map((match) => `${match[1]}.json`);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((file) => !files.includes(file))).toEqual([]);
  });

  it('number at least forty', () => {
    expect(files.length).toBeGreaterThanOrEqual(40);
  });
});

describe('a script that is none', () => {
  it.each([
    ['', 'not JSON'],
    ['{', 'not JSON'],
    ['[]', 'record'],
    ['{"format":"xenspec-trace"}', 'format'],
  ])('%s is refused in one line', (text, why) => {
    expect(() => parseConformance(text, 'x.json')).toThrow(BadInput);
    expect(() => parseConformance(text, 'x.json')).toThrow(new RegExp(`^x\\.json: ${why}`));
  });
});

/** Sub-operations whose every answer in the slice is a refusal, and why. */
const NEVER_SUCCEEDS: ReadonlySet<string> = new Set([
  'event_channel_op/bind_pirq', // nothing maps an interrupt
  'event_channel_op/reset_cont', // only after an interrupted reset
  'vcpu_op/initialise', // domain 0 has one vCPU, and it runs
  'mmuext_op/mark_super',
  'mmuext_op/unmark_super',
]);
/** Sub-operations that take no argument that could be refused. */
const NEVER_FAILS: ReadonlySet<string> = new Set([
  'sched_op/yield',
  'sched_op/block',
  'xen_version/version',
  'mmuext_op/tlb_flush_local',
  'mmuext_op/invlpg_local',
  'mmuext_op/tlb_flush_all',
  'mmuext_op/invlpg_all',
  'mmuext_op/flush_cache',
  'mmuext_op/flush_cache_global',
  'console_io/read',
  'vm_assist/disable',
]);

describe('together the scripts show', () => {
  const answers = new Map<string, Set<'success' | 'refusal'>>();
  const saw = (operation: string, failed: boolean): void => {
    answers.set(operation, (answers.get(operation) ?? new Set()).add(failed ? 'refusal' : 'success'));
  };
  for (const [, { program, expected }] of scripts) {
    const lines = new Map(expected!.console.map((line) => [/^(?:1> )?0\.(\d+) /.exec(line)?.[1], line]));
    for (const step of program.steps) {
      const line = lines.get(String(step.id));
      if (step.do === 'wait' && line && !line.endsWith('left out')) saw(`sched_op/${step.how}`, false);
      if (step.do === 'end' && step.how === 'shutdown') saw('sched_op/shutdown', false);
      if (step.do !== 'hypercall') continue;
      if (!line) {
        // The first step without a line did what ended the machine; those after it were never reached.
        const command = step.args[0];
        const name = typeof step.call === 'string' && typeof command === 'number' && suboperation(step.call, command);
        if (name) saw(`${step.call}/${name}`, false);
        break;
      }
      const rc = Number(/ rc=(-?\d+)/.exec(line)?.[1] ?? 0);
      const status = Number(/ status=(-\d+)/.exec(line)?.[1] ?? 0);
      const failed = rc < 0 || status < 0;
      const title = line.replace(/^1> /, '').split(' ')[1]!;
      saw(title, failed);
      const batch = step.args[0];
      if ((step.call !== 'mmu_update' && step.call !== 'mmuext_op') || typeof batch !== 'object' || !('structs' in batch)) continue;
      const doneCount = Number(/\[0\]=(\d+)/.exec(line)?.[1] ?? batch.structs.length);
      for (const [i, { fields }] of batch.structs.entries()) {
        const ptr = fields['ptr'];
        const low = typeof ptr === 'object' && 'page' in ptr ? (ptr.plus ?? 0) : typeof ptr === 'string' ? Number(BigInt(ptr) & 3n) : 0;
        const command = step.call === 'mmuext_op' ? (fields['cmd'] as number) : low & 3;
        const name = suboperation(step.call, command);
        if (name && i <= doneCount) saw(`${step.call}/${name}`, i === doneCount);
      }
    }
  }

  const SLICE: Readonly<Record<string, readonly string[]>> = {
    event_channel_op: ['bind_interdomain', 'bind_virq', 'bind_pirq', 'close', 'send', 'status', 'alloc_unbound', 'bind_ipi', 'bind_vcpu', 'unmask', 'reset', 'init_control', 'expand_array', 'set_priority', 'reset_cont'], // biome-ignore format: one line a call
    sched_op: ['yield', 'block', 'shutdown', 'poll', 'remote_shutdown', 'shutdown_code', 'watchdog', 'pin_override'],
    vcpu_op: ['initialise', 'up', 'is_up', 'get_runstate_info', 'register_runstate_memory_area', 'set_periodic_timer', 'stop_periodic_timer', 'set_singleshot_timer', 'stop_singleshot_timer', 'register_vcpu_info', 'send_nmi', 'get_physid', 'register_vcpu_time_memory_area'], // biome-ignore format: one line a call
    xen_version: ['version', 'extraversion', 'compile_info', 'capabilities', 'changeset', 'platform_parameters', 'get_features', 'pagesize', 'guest_handle', 'commandline', 'build_id'], // biome-ignore format: one line a call
    console_io: ['write', 'read'],
    vm_assist: ['enable', 'disable'],
    callback_op: ['register', 'unregister'],
    grant_table_op: ['map_grant_ref', 'unmap_grant_ref', 'setup_table', 'query_size'],
    mmu_update: ['normal_pt_update', 'machphys_update', 'pt_update_preserve_ad', 'pt_update_no_translate'],
    mmuext_op: ['pin_l1_table', 'pin_l2_table', 'pin_l3_table', 'pin_l4_table', 'unpin_table', 'new_baseptr', 'tlb_flush_local', 'invlpg_local', 'tlb_flush_multi', 'invlpg_multi', 'tlb_flush_all', 'invlpg_all', 'flush_cache', 'set_ldt', 'new_user_baseptr', 'clear_page', 'copy_page', 'flush_cache_global', 'mark_super', 'unmark_super'], // biome-ignore format: one line a call
  };
  const operations = Object.entries(SLICE).flatMap(([call, names]) => names.map((name) => `${call}/${name}`));

  it.each(operations.filter((o) => !NEVER_SUCCEEDS.has(o)))('%s succeed', (operation) => {
    expect(answers.get(operation)).toContain('success');
  });
  it.each(operations.filter((o) => !NEVER_FAILS.has(o)))('%s be refused', (operation) => {
    expect(answers.get(operation)).toContain('refusal');
  });
  it.each([
    'set_trap_table',
    'set_segment_base',
    'set_timer_op',
    'stack_switch',
    'set_callbacks',
    'fpu_taskswitch',
    'set_debugreg',
    'get_debugreg',
    'multicall',
    'update_va_mapping',
  ])('%s succeed', (call) => {
    expect(answers.get(call)).toContain('success');
  });
});
