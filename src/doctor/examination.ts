/** Something that is broken, or will be. */
export interface Damage {
  /** What is wrong, with figures. */
  what: string;
  remedy: string;
}

/** What was found in one part of the installation. */
export interface Finding {
  part: string;
  /** Empty where it is sound. */
  damages: readonly Damage[];
  /** Why it was not looked at; null if it was. */
  skipped: string | null;
  /** What else there is to know of it. */
  seen?: string;
}

/** Looks at one part. What it throws is a damage, too: it could not look. */
export async function examine(part: string, look: () => Promise<readonly Damage[]>, remedy: string): Promise<Finding> {
  try {
    return { part, damages: await look(), skipped: null };
  } catch (error) {
    return { part, damages: [{ what: error instanceof Error ? error.message : String(error), remedy }], skipped: null };
  }
}
