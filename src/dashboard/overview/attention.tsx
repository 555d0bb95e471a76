import { counted } from '../app/counted.ts';
import { href } from '../app/router.ts';
import { can } from '../app/session.ts';
import type { OverviewNowQuery } from '../generated/overview.ts';

/** Something that does not go as it should, and where one acts. */
interface Concern {
  text: string;
  action: string;
  to: string;
}

/** So many jobs of the dearest type should be payable, or the balance is called low. */
const jobsToAfford = 20;

/** From so many tries on, a receiver is more than busy for a moment. */
const triesInTrouble = 3;

/** What needs somebody, the most urgent first. */
export function Attention({ now }: { now: OverviewNowQuery }) {
  const concerns = concernsOf(now);
  return (
    <section class="card overview-card">
      <h2>Needs attention</h2>
      {concerns.length === 0 ? (
        <p class="soft">Nothing. Workers take what waits, and webhooks and schedules work.</p>
      ) : (
        <ul class="concerns">
          {concerns.map(({ text, action, to }) => (
            <li key={text}>
              <span>{text}</span>
              <a href={to}>{action}</a>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function concernsOf({ workspace, jobTypes }: OverviewNowQuery): Concern[] {
  const paused = jobTypes.filter((type) => type.paused);
  const alone = jobTypes.filter((type) => !type.paused && type.pending > 0 && type.liveWorkers === 0);
  const givenUp = workspace.webhookDeliveries;
  const troubled = workspace.undelivered.edges.filter(({ node }) => node.attemptCount >= triesInTrouble);
  // Of a schedule that skips while its last job runs, a skipped occurrence is what was asked for.
  const failing = workspace.schedules.edges.filter(({ node: { lastError } }) => lastError !== null && lastError.code !== 'OVERLAP');
  return [
    ...(workspace.paused ? [pausedWorkspace()] : []),
    ...lowCredits(workspace.credits, jobTypes),
    ...alone.map(({ name, pending }) => ({ text: `${counted(pending, 'job')} of type ${name} cannot start: no worker takes this type.`, action: 'See the jobs', to: href(['jobs'], { status: 'PENDING', type: name }) })),
    ...paused.map(({ name, pending }) => ({ text: `Type ${name} is paused: ${counted(pending, 'job')} wait.`, action: 'See types', to: href(['types']) })),
    ...failing.map(({ node: { id, name, lastError } }) => ({ text: `Schedule ${name} created no job at its last occurrence. ${lastError?.message ?? ''}`, action: 'See the schedule', to: href(['schedules', id]) })),
    ...(givenUp.edges.length === 0
      ? []
      : [{ text: `${counted({ value: givenUp.edges.length, exact: !givenUp.pageInfo.hasNextPage }, 'webhook')} could not be delivered, and will not be tried again.`, action: 'See failed webhooks', to: href(['webhooks'], { status: 'FAILED' }) }]),
    ...(troubled.length === 0
      ? []
      : [{ text: `${counted(troubled.length, 'webhook')} could not be delivered so far, in ${triesInTrouble} or more tries.`, action: 'See waiting webhooks', to: href(['webhooks'], { status: 'PENDING' }) }]),
  ];
}

function pausedWorkspace(): Concern {
  const text = 'This workspace is paused: none of its jobs start.';
  return can('ADMIN') ? { text, action: 'See workspaces', to: href(['workspaces']) } : { text: `${text} An administrator can let it go on.`, action: 'See waiting jobs', to: href(['jobs'], { status: 'PENDING' }) };
}

function lowCredits(credits: number, types: OverviewNowQuery['jobTypes']): Concern[] {
  const dearest = types.reduce((most, type) => Math.max(most, type.credits), 0);
  if (credits >= dearest * jobsToAfford) return [];
  return [{ text: `Only ${counted(credits, 'credit')} left. One job costs up to ${dearest.toLocaleString('en')}.`, action: 'See credits', to: href(['credits']) }];
}
