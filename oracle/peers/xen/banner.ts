/** What Xen says about itself in the first line of its log. */
import type { MachineConfig } from '#spec/config.ts';

type Xen = MachineConfig['xen'];
export type Banner = Pick<Xen, 'major' | 'minor' | 'extraversion' | 'compiler' | 'compile_by' | 'compile_domain' | 'compile_date'>;

const BANNER = /\(XEN\) Xen version (\d+)\.(\d+)(\S*) \(.*?\) \(([^@()]*)@([^()]*)\) \((.*)\) debug=[yn]\S* +(.*?)\r?\n/;

/** Null when the log does not start as Xen's does. */
export const bannerOf = (log: string): Banner | null => {
  const match = BANNER.exec(log);
  if (!match) return null;
  const [, major, minor, extraversion, by, domain, compiler, date] = match as unknown as string[];
  return {
    major: Number(major),
    minor: Number(minor),
    // The fields of xen_version are short, and Xen cuts what does not fit.
    extraversion: extraversion!.slice(0, 15),
    compiler: compiler!.slice(0, 63),
    compile_by: by!.slice(0, 15),
    compile_domain: domain!.slice(0, 31),
    compile_date: date!.slice(0, 31),
  };
};
