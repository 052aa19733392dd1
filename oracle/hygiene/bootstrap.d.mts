export function outOfDate(lockText: string, installedText: string | undefined): string | undefined;
