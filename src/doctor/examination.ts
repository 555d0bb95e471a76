/** Something that is broken, or will be. */
export interface Damage {
  /** What is wrong, with figures. */
  what: string;
  remedy: string;
}

/** What an examination has found, and what else there is to know. */
export interface Found {
  /** Empty where it is sound. */
  damages: readonly Damage[];
  seen?: string;
}

/** What was found in one part of the installation. */
export interface Finding extends Found {
  part: string;
  /** Why it was not looked at; null if it was. */
  skipped: string | null;
}

/** Looks at one part. What it throws is a damage, too: it could not look. */
export async function examine(part: string, look: () => Promise<readonly Damage[] | Found>, remedy: string): Promise<Finding> {
  try {
    const found = await look();
    return { part, ...('damages' in found ? found : { damages: found }), skipped: null };
  } catch (error) {
    return { part, damages: [{ what: error instanceof Error ? error.message : String(error), remedy }], skipped: null };
  }
}
