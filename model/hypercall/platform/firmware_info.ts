/** XENPF_firmware_info: what firmware left for the first kernel: here, next to nothing. */
import { platform, XEN_FW } from '#spec/abi/platform.ts';
import { fieldsOf, withFields } from '../guest_struct.ts';
import { fail } from '../result.ts';
import { type Platform, tell } from './rule.ts';

export const firmwareInfo: Platform = (machine, asked) => {
  const { firmware_info } = platform;
  const { type, index } = fieldsOf(asked.bytes, firmware_info);
  switch (type) {
    case XEN_FW.DISK_INFO:
    case XEN_FW.DISK_MBR_SIGNATURE:
    case XEN_FW.VBEDDC_INFO:
      return fail(machine, 'ESRCH', 'platform/firmware-nothing');
    case XEN_FW.EFI_INFO:
      return fail(machine, 'ENOSYS', 'platform/firmware-efi');
    case XEN_FW.KBD_SHIFT_FLAGS: {
      if (index !== 0) return fail(machine, 'ESRCH', 'platform/firmware-keyboard');
      const { at, size } = firmware_info.fields.kbd_shift_flags;
      const after = withFields(asked.bytes, firmware_info, { kbd_shift_flags: 0 });
      return tell(machine, asked, after, at, at + size, 'platform/firmware-keyboard');
    }
    default:
      return fail(machine, 'EINVAL', 'platform/firmware-type');
  }
};
