import { type Contestant, startContestants, watchers } from '../live/contestants.ts';
import { broadcastRound, percentile, type Round } from '../live/round.ts';
import { type Aim, atLeast, type Comparison, none, type Sample, type Side } from '../measure.ts';
import type { Case } from './case.ts';

/** Versions per second of the one job that all watch. */
const usual = 50;

/** Share of the rate that Longhaul sustains. */
const moderate = 0.4;

/** A server that sends less than this share of the offered versions is overloaded. */
const kept = 0.9;


/**
 * A thousand watchers of one job, each on its own socket. Longhaul reads each version from Postgres after a wake-up through
 * Redis; Apollo Server gets the job itself over Redis; `ws` makes versions up and sends them.
 */
export const liveBroadcast: Case = async (installation, stops) => {
  const { longhaul, raw, rawSame, apollo } = await startContestants(installation, stops);
  const most = { longhaul: await tooMuch(longhaul), raw: await tooMuch(raw), apollo: await tooMuch(apollo) };
  const { messages, seconds } = await broadcastRound(longhaul, most.longhaul, 3);
  const rate = Math.max(1, Math.round((moderate * messages) / seconds / watchers));

  const cost = (other: Contestant, aim: Aim): Comparison => ({
    title: `CPU of a message, ${usual} versions/s`,
    unit: 'µs',
    aim,
    sides: [side(longhaul, usual, complete(usual, cpuEach)), side(other, usual, complete(usual, cpuEach))],
  });
  const delay = complete(rate, ({ delays }) => percentile(delays, 0.99));
  const sustained = (other: Contestant, offered: number, aim: Aim): Comparison => ({
    title: 'messages sustained',
    unit: 'messages/s',
    aim,
    sides: [side(longhaul, most.longhaul, perSecond), side(other, offered, perSecond)],
  });
  return [
    cost(raw, { text: '≤ 1.25', reached: (ratio) => ratio <= 1.25 }),
    cost(rawSame, none),
    {
      title: `p99 from report to watcher, ${rate} versions/s`,
      unit: 'ms',
      aim: { text: '< 2', reached: (ratio) => ratio < 2 },
      sides: [side(longhaul, rate, delay), side(raw, rate, delay)],
    },
    sustained(apollo, most.apollo, atLeast(3)),
    sustained(raw, most.raw, none),
  ];
};

/** Finds a rate, in versions per second, slightly above what the server can send to all watchers. */
async function tooMuch(contestant: Contestant): Promise<number> {
  for (let rate = 15; ; rate = Math.ceil(rate * 1.5)) {
    const { messages, seconds } = await broadcastRound(contestant, rate, 2);
    if (messages < kept * rate * seconds * watchers) return rate;
  }
}

function side(contestant: Contestant, rate: number, of: (round: Round) => number): Side {
  return {
    name: contestant.name,
    round: async (seconds): Promise<Sample> => {
      const round = await broadcastRound(contestant, rate, seconds);
      return { value: of(round), count: round.messages, cpu: cpuEach(round), postgresCpu: null };
    },
  };
}

/** Warns if many versions did not reach the watchers: then the machine was too busy for the stated rate. */
function complete(rate: number, of: (round: Round) => number): (round: Round) => number {
  return (round) => {
    const share = round.messages / (rate * round.seconds * watchers);
    if (share < kept) process.stderr.write(`only ${Math.round(share * 100)} % of ${rate} versions/s reached the watchers\n`);
    return of(round);
  };
}

function cpuEach({ cpu, messages }: Round): number {
  return cpu === null ? Number.NaN : cpu / messages;
}

function perSecond({ messages, seconds }: Round): number {
  return messages / seconds;
}
