import { lengthOf } from '../input.ts';

/** Slashes, line ends and other control characters, and what makes `exe.jpg` read as `gpj.exe`. */
const unfit = /[/\\\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]/u;

/** Nothing to be seen, or a folder. */
const blank = /^[.\s\p{Cf}\p{Default_Ignorable_Code_Point}]*$/u;

/** Whether people and programs can tell a file by this name: of 1 to `most` characters, no path, and it reads as what it is. */
export function isFitName(name: string, most: number): boolean {
  return lengthOf(name) <= most && !unfit.test(name) && !blank.test(name);
}
