/** Acts with what a processor holds, with time, and questions about Xen; and those by which secrets get into registers. */
import { control } from '#spec/abi/control.ts';
import { XEN_DOMCTL_MODELLED } from '#spec/abi/domctl.ts';
import { evtchn } from '#spec/abi/event_channel.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { vcpu } from '#spec/abi/sched.ts';
import { type Act, struct } from './act.ts';
import { type Code, keep, loadFloat, loadInto, loadXmm, type Register, type Word } from './code.ts';
import { BUFFER, VA } from './layout.ts';
import { DOMID_SELF, type Scene } from './scene.ts';

const VCPU = SUBOPERATIONS.vcpu_op;
const EVTCHN = SUBOPERATIONS.event_channel_op;
const SCHED = SUBOPERATIONS.sched_op;
const VERSION = SUBOPERATIONS.xen_version;

const alone = (name: string, call: Act['call'], args: readonly Word[], stores: Act['stores'] = []): Act => ({
  name,
  call,
  args,
  stores,
  names: [],
});

export const processorAct = (scene: Scene): Act => {
  const { draw } = scene;
  switch (draw.below(14)) {
    case 0:
      return alone('set_segment_base', 'set_segment_base', [draw.below(3), 0x1000 * draw.below(64)]);
    case 1:
      return alone('set_debugreg', 'set_debugreg', [draw.below(4), 0x300000 + draw.below(4096)]);
    case 2:
      return alone('get_debugreg', 'get_debugreg', [draw.below(8)]);
    case 3:
      return alone('fpu_taskswitch', 'fpu_taskswitch', [0]);
    case 4:
      return alone(
        'set_trap_table',
        'set_trap_table',
        [VA.data],
        [[VA.data, 3 | (KERNEL_CS * 0x10000)], [VA.data + 8, VA.code], ...zeros(VA.data + 16, 2)],
      );
    case 5:
      return alone('get_runstate_info', 'vcpu_op', [VCPU.get_runstate_info, 0, BUFFER]);
    case 6:
      return alone('register_runstate', 'vcpu_op', [VCPU.register_runstate_memory_area, 0, VA.data], [[VA.data, BUFFER + 256]]);
    case 7:
      return alone('register_vcpu_time', 'vcpu_op', [VCPU.register_vcpu_time_memory_area, 0, VA.data], [[VA.data, BUFFER + 512]]);
    case 8:
      return draw.below(4) > 0
        ? alone('get_physid', 'vcpu_op', [VCPU.get_physid, 0, BUFFER])
        : {
            name: 'register_vcpu_info',
            call: 'vcpu_op',
            args: [VCPU.register_vcpu_info, 0, VA.data],
            stores: struct(vcpu.register_vcpu_info, {
              mfn: scene.isObserver ? scene.frame() : scene.own(scene.share()),
              offset: 64 * draw.below(60),
            }),
          };
    case 9:
      return questionAct(scene);
    case 10:
      return alone('vm_assist', 'vm_assist', [draw.below(2), draw.pick(0, 2, 4, 5)]);
    case 11:
      return alone('console_io', 'console_io', [0, draw.below(64), VA.data]);
    case 12:
      return { name: 'yield', call: 'sched_op', args: [SCHED.yield, 0], stores: [] };
    default:
      return draw.below(2) === 0
        ? { name: 'set_gdt', call: 'set_gdt', args: [VA.data, 8], stores: [[VA.data, scene.frame()]] }
        : alone('mask', 'vm_assist', [0, 4]);
  }
};
/** What Xen answers at length, and nobody but the caller should be in. */
export const questionAct = (scene: Scene): Act => {
  const { draw } = scene;
  const name = draw.pick<keyof typeof VERSION>(
    'version',
    'extraversion',
    'compile_info',
    'capabilities',
    'changeset',
    'platform_parameters',
    'get_features',
    'guest_handle',
    'commandline',
    'build_id',
  );
  switch (draw.below(4)) {
    case 0:
      return alone('get_runstate_info', 'vcpu_op', [VCPU.get_runstate_info, 0, BUFFER]);
    case 1:
      return alone(
        'evtchn status',
        'event_channel_op',
        [EVTCHN.status, VA.data],
        struct(evtchn.status, { dom: DOMID_SELF, port: 1 + draw.below(4) }),
      );
    default:
      return alone(`xen_version ${name}`, 'xen_version', [VERSION[name], BUFFER]);
  }
};

const KERNEL_CS = 0xe033;
const zeros = (address: number, count: number): Act['stores'] => Array.from({ length: count }, (_, i) => [address + 8 * i, 0] as const);

const HELD: readonly Register[] = ['rbx', 'rbp', 'r9', 'r12', 'r13', 'r14', 'r15'];
/** The secret page goes into registers that no call reads, and into the page of copies. */
export const secretAct = (scene: Scene): Act => {
  const { draw } = scene;
  const from = VA.secret + 16 * draw.below(16);
  const code: Code = [
    ...HELD.flatMap((register, i) => loadInto(register, from + 8 * i)),
    ...Array.from({ length: 16 }, (_, i) => loadXmm(i, VA.secret + 16 * i)).flat(),
    ...loadFloat(VA.secret + 8 * draw.below(32)),
    ...loadInto('rax', from),
    ...keep(VA.copies + 8 * draw.below(256)),
  ];
  const { name, call, args } = draw.pick<Pick<Act, 'name' | 'call' | 'args'>>(
    { name: 'secrets into registers', call: 'xen_version', args: [0, 0] },
    { name: 'secrets into registers, then yield', call: 'sched_op', args: [SCHED.yield, 0] },
  );
  return { name, call, args, stores: [], code, names: [] };
};

/** A call with a secret for an argument, which says nothing of it to anybody else. */
export const secretArgument = (scene: Scene): Act => {
  const [call, first] = scene.draw.pick<readonly [Act['call'], Word]>(['set_segment_base', 0], ['set_debugreg', 1]);
  return { name: `${call}, secret`, call, args: [first, 0], stores: [], last: loadInto('rsi', VA.secret), names: [] };
};

const DOMCTL_VERSION = 0x15;
const { cmd: command, interface_version, domain } = control.domctl.fields;
const HEAD = { size: 16, fields: { cmd: command, interface_version, domain } };
const domctl = (cmd: number, domain: number, more: Act['stores'] = []): Act['stores'] => [
  ...struct(HEAD, { cmd, interface_version: DOMCTL_VERSION, domain }),
  ...more,
];
const controls = (name: string, place: number, stores: Act['stores']): Act => ({
  name,
  call: 'domctl',
  args: [VA.data],
  stores,
  names: [place],
});

/** Domain 0 asks about others, has them wait, and ends those that do not look on. */
export const controlAct = (scene: Scene): Act => {
  const { draw } = scene;
  const place = scene.other();
  const domid = scene.domid(place);
  const { getdomaininfo, pausedomain, unpausedomain, destroydomain, getvcpuinfo } = XEN_DOMCTL_MODELLED;
  switch (draw.below(5)) {
    case 0:
      return controls('getdomaininfo', place, domctl(getdomaininfo, domid));
    case 1:
      return controls('pausedomain', place, domctl(place === scene.observer ? unpausedomain : pausedomain, domid));
    case 2:
      return controls('unpausedomain', place, domctl(unpausedomain, domid));
    case 3:
      return controls('getvcpuinfo', place, domctl(getvcpuinfo, domid, [[VA.data + 16, 0]]));
    default:
      return place === scene.observer
        ? controls('getdomaininfo', place, domctl(getdomaininfo, domid))
        : controls('destroydomain', place, domctl(destroydomain, domid));
  }
};
