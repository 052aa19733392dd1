/** Selectors of Xen's own segments for 32-bit domains. Source: Xen public header `arch-x86/xen-x86_32.h`. */

export const COMPAT_KERNEL_CS = 0xe019;
export const COMPAT_KERNEL_DS = 0xe021;
export const COMPAT_USER_CS = 0xe02b;
export const COMPAT_USER_DS = 0xe033;

/** Rings of a 32-bit guest: its kernel has no privilege beyond 1. */
const KERNEL_RING = 1;

/** A selector of the guest's with at least its kernel's privilege level. */
export const guestSelector = (selector: number): number => {
  const cut = selector & 0xffff;
  return (cut & 3) >= KERNEL_RING ? cut : cut | KERNEL_RING;
};

/** Whether code of this selector is the guest kernel's. */
export const isKernelCode = (selector: number): boolean => (selector & 3) === KERNEL_RING;
