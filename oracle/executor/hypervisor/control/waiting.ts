/**
 * Operations of domain 0 that this machine has and the specification's model is about to have, by the matrix's names: until then they stop as
 * not modelled.
 */
export const WAITING: ReadonlySet<string> = new Set([
  'call_gate',
  'domctl/ioport_permission',
  'domctl/iomem_permission',
  'platform_op/add_memtype',
  'platform_op/del_memtype',
  'platform_op/read_memtype',
  'platform_op/microcode_update',
  'platform_op/enter_acpi_sleep',
  'platform_op/set_processor_pminfo',
  'platform_op/cpu_hotadd',
  'platform_op/mem_hotadd',
  'platform_op/core_parking',
  'platform_op/resource_op',
  'platform_op/get_symbol',
  'domctl/getvcpuextstate',
  'domctl/setvcpuextstate',
  'domctl/getvcpucontext',
  'domctl/setvcpucontext',
  'domctl/getvcpucontext/told',
]);
