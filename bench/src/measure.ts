/** The result of one round. */
export interface Sample {
  /** In the comparison's unit. */
  value: number;
  /** Number of requests, jobs or claims. */
  count: number;
  /** User and system time for each of them in microseconds: of the contestant's process, and of Postgres' backends. */
  cpu: number | null;
  postgresCpu: number | null;
}

export interface Side {
  name: string;
  /** Runs one round, including any preparation, which is not measured. */
  round: (seconds: number) => Promise<Sample>;
}

/** Two contestants, and the aim for the ratio of the first to the second. */
export interface Comparison {
  title: string;
  unit: string;
  sides: [Side, Side];
  aim: Aim;
}

export interface Aim {
  text: string;
  reached: (ratio: number, first: number) => boolean;
}

export function atLeast(least: number): Aim {
  return { text: `≥ ${least}`, reached: (ratio) => ratio >= least };
}

/** For rows that are only informative. */
export const none: Aim = { text: '–', reached: () => true };

/** One side's medians over all rounds. */
export interface Medians {
  name: string;
  value: number;
  cpu: number | null;
  postgresCpu: number | null;
}

export interface Measured {
  title: string;
  unit: string;
  aim: string;
  sides: [Medians, Medians];
  /** Ratio of the medians. */
  ratio: number;
  /** Ratios of each round to the one after it, in ascending order. */
  ratios: number[];
  reached: boolean;
}

/** Warms both sides up, then alternates their rounds: A B A B. */
export async function measure(
  { title, unit, sides, aim }: Comparison,
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<Measured> {
  const [first, second] = sides;
  for (const side of sides) await side.round(seconds);
  const samples: [Sample, Sample][] = [];
  for (let round = 0; round < rounds; round += 1) {
    samples.push([await first.round(seconds), await second.round(seconds)]);
  }
  const firsts = medians(first.name, samples.map(([sample]) => sample));
  const others = medians(second.name, samples.map(([, sample]) => sample));
  const ratio = firsts.value / others.value;
  return {
    title,
    unit,
    aim: aim.text,
    sides: [firsts, others],
    ratio,
    ratios: samples.map(([a, b]) => a.value / b.value).toSorted((a, b) => a - b),
    reached: aim.reached(ratio, firsts.value),
  };
}

function medians(name: string, samples: readonly Sample[]): Medians {
  const known = (times: (number | null)[]) => {
    const numbers = times.filter((time) => time !== null);
    return numbers.length === 0 ? null : median(numbers);
  };
  return {
    name,
    value: median(samples.map(({ value }) => value)),
    cpu: known(samples.map(({ cpu }) => cpu)),
    postgresCpu: known(samples.map(({ postgresCpu }) => postgresCpu)),
  };
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
